"""Django's entry for the amcash application."""

from django.apps import AppConfig


class AmcashConfig(AppConfig):
    """Redemption of AIR MILES Cash."""

    name = "amcash"
