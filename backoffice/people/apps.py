"""Django's entry for the people application."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Staff, roles and store scope."""

    name = "backoffice.people"
    label = "people"
