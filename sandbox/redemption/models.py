"""Redemptions: what was taken, when, and whether it was given back."""

from django.db import models


class Redemption(models.Model):
    """One approved REDEEM. A reversal is written on the row it undoes, once."""

    confirmation = models.CharField(max_length=40, primary_key=True)
    collector = models.CharField(max_length=19)
    sponsor = models.CharField(max_length=4)
    units = models.PositiveIntegerField()
    miles = models.PositiveBigIntegerField()
    amount_cents = models.PositiveBigIntegerField()
    redeemed_at = models.DateTimeField()
    # The day whose allowance it used: from 03:00 to 03:00.
    traded_on = models.DateField()
    reversal = models.CharField(max_length=40, default="")
    reversed_at = models.DateTimeField(null=True, default=None)

    class Meta:
        indexes = (models.Index(fields=("collector", "traded_on"), name="redemption_daily_use"),)

    def __str__(self) -> str:
        return f"{self.confirmation}: {self.units} units"
