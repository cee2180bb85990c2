"""Django's entry for the stores application."""

from django.apps import AppConfig


class StoresConfig(AppConfig):
    """Sponsors and stores."""

    name = "backoffice.stores"
    label = "stores"
