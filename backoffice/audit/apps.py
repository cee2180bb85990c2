"""Django's entry for the audit application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """The append-only record of who did what."""

    name = "backoffice.audit"
    label = "audit"
    verbose_name = _("Audit")
