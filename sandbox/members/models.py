"""Members of the programme and every movement of their miles."""

from django.db import models


class Member(models.Model):
    """A collector's account: two balances, one offer, and what the programme holds against it."""

    collector = models.CharField(max_length=19, primary_key=True)
    cash_miles = models.PositiveBigIntegerField(default=0)
    dream_miles = models.PositiveBigIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    is_suppressed = models.BooleanField(default=False)
    may_redeem = models.BooleanField(default=True)
    offer_is_available = models.BooleanField(default=True)
    offer_id = models.CharField(max_length=10, default="1000000095")
    offer_type = models.CharField(max_length=3, default="RGL")
    offer_desc_en = models.CharField(max_length=50, default="AIR MILES Cash: $10 off your purchase")
    offer_desc_fr = models.CharField(max_length=50, default="Argent AIR MILES : rabais de 10 $")
    unit_miles = models.PositiveIntegerField(default=95)
    unit_cents = models.PositiveIntegerField(default=1000)
    # Nothing here means the platform's cap, which a switch may change.
    daily_cap_cents = models.PositiveIntegerField(null=True, default=None)
    used_cents = models.PositiveIntegerField(default=0)
    # The trading day the seeded use belongs to; nothing means every day.
    used_on = models.DateField(null=True, default=None)
    answers_code = models.CharField(max_length=4, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(cash_miles__gte=0), name="member_is_never_overdrawn"
            ),
            models.CheckConstraint(
                condition=models.Q(unit_miles__gt=0, unit_cents__gt=0),
                name="member_offer_has_a_unit",
            ),
        )

    def __str__(self) -> str:
        return f"member ending {self.collector[-4:]}"


class LedgerEntry(models.Model):
    """One effect on an account. Written in the commit that has the effect; never changed."""

    kind = models.CharField(max_length=24)
    collector = models.CharField(max_length=19, db_index=True)
    miles = models.BigIntegerField()
    units = models.IntegerField()
    amount_cents = models.BigIntegerField()
    confirmation = models.CharField(max_length=40)
    undoes = models.CharField(max_length=40, default="")
    # Which balance moved: cash or dream.
    account = models.CharField(max_length=5, default="cash")
    # Issuance only: one effect for each item of a transaction.
    transaction_id = models.CharField(max_length=36, default="")
    offer_code = models.CharField(max_length=32, default="")
    offer_id = models.CharField(max_length=64, default="")
    location_code = models.CharField(max_length=4, default="")
    path = models.CharField(max_length=100)
    key = models.CharField(max_length=255, default="", db_index=True)
    body_sha256 = models.CharField(max_length=64)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.miles:+d} {self.confirmation}"
