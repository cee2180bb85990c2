"""Django's entry for the stores application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StoresConfig(AppConfig):
    """Sponsors and stores."""

    name = "backoffice.stores"
    label = "stores"
    verbose_name = _("Stores")
