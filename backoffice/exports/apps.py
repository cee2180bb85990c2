"""Django's entry for the exports application."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """Exports and their command."""

    name = "backoffice.exports"
    label = "exports"
