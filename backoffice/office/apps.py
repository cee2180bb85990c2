"""Django's entry for the back office."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The back-office screens."""

    name = "backoffice.office"
    label = "office"
