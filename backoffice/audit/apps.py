"""Django's entry for the audit application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The append-only record of who did what."""

    name = "backoffice.audit"
    label = "audit"
