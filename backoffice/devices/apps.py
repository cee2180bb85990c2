"""Django's entry for the devices application."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Tills and tablets."""

    name = "backoffice.devices"
    label = "devices"
