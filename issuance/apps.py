"""Django's entry for the issuance application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IssuanceConfig(AppConfig):
    """Miles given and taken back."""

    name = "issuance"
    verbose_name = _("Offers")
