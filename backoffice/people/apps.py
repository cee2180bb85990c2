"""Django's entry for the people application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    """Staff, roles and store scope."""

    name = "backoffice.people"
    label = "people"
    verbose_name = _("People")
