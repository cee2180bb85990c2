"""Django's entry for the issuance application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IssuanceConfig(AppConfig):
    """Miles given and taken back."""

    name = "issuance"
    verbose_name = _("Offers")

    def ready(self) -> None:
        """Have erasures and the purge reach miles without a sale."""
        from backoffice.journal import traces
        from issuance import forgetting

        traces.register(forgetting)
