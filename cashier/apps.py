"""Django's entry for the cashier console."""

from django.apps import AppConfig


class CashierConfig(AppConfig):
    """The console, and the template tags that draw Milepost's screens."""

    name = "cashier"
