"""Django's entry for the journal application."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class JournalConfig(AppConfig):
    """The transaction log."""

    name = "backoffice.journal"
    label = "journal"
    verbose_name = _("Transaction log")

    def ready(self) -> None:
        """Keep the triggers in place after every migrate, and check the timings at start-up."""
        from backoffice.journal import safety, triggers

        pre_migrate.connect(triggers.lift_before_rebuild, sender=self)
        post_migrate.connect(triggers.install_after_migrate, sender=self)
        checks.register(safety.check_timings)
