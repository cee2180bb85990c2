"""Django's entry for the cashier console."""

import logging

from django.apps import AppConfig


class CashierConfig(AppConfig):
    """The console, and the template tags that draw Milepost's screens."""

    name = "cashier"

    def ready(self) -> None:
        """Keep the barcode library from announcing at every start what it does without."""
        logging.getLogger("pyBarcode").setLevel(logging.WARNING)
