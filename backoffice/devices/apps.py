"""Django's entry for the devices application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """Tills and tablets."""

    name = "backoffice.devices"
    label = "devices"
    verbose_name = _("Devices")
