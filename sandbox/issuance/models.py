"""Transactions of miles given and taken back, their items, and the offers they are earned by."""

from django.db import models


class Transaction(models.Model):
    """One accepted request. What was asked and printed never changes; its items come to an end."""

    transaction_id = models.CharField(max_length=36)
    # The partner's own id: checkoutTransactionId or clientTransactionId.
    own_id = models.CharField(max_length=64)
    call = models.CharField(max_length=24)
    sponsor = models.CharField(max_length=10)
    collector = models.CharField(max_length=19)
    original = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, related_name="takings", default=None
    )
    basket = models.JSONField()
    # The answer's fields without what becomes of the items: JSON, so that numbers keep digits.
    mirror = models.BinaryField()
    # Which request this is, so that the same one sent again is a look at it.
    path = models.CharField(max_length=100)
    key = models.CharField(max_length=255, default="")
    body_sha256 = models.CharField(max_length=64)
    happened_at = models.DateTimeField(db_index=True)
    checkout_at = models.DateTimeField()
    is_pending = models.BooleanField(default=False)
    # While it is pending: how many looks are left, or when it ends. Neither means never.
    looks_left = models.PositiveIntegerField(null=True, default=None)
    ends_at = models.DateTimeField(null=True, default=None)
    ends_rejected = models.BooleanField(default=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            # Two sponsors of the recorded samples have one original's id in common.
            models.UniqueConstraint(
                fields=("sponsor", "transaction_id"), name="transaction_id_of_a_sponsor"
            ),
        )
        indexes = (
            models.Index(fields=("sponsor", "own_id"), name="transaction_by_own_id"),
            models.Index(
                fields=("collector",),
                condition=models.Q(is_pending=True),
                name="transaction_pending",
            ),
            models.Index(fields=("path", "key", "body_sha256"), name="transaction_by_request"),
        )

    def __str__(self) -> str:
        return f"{self.call} {self.transaction_id}"


class Item(models.Model):
    """Miles of one offer in a transaction, always positive, and what became of them."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="items")
    offer_code = models.CharField(max_length=32)
    offer_id = models.CharField(max_length=64)
    location = models.CharField(max_length=4, default="")
    miles = models.PositiveBigIntegerField()
    status = models.CharField(max_length=9)
    error = models.CharField(max_length=30, default="")
    confirmation = models.CharField(max_length=36, default="")
    processed_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.offer_code} {self.miles} {self.status}"


class CatalogueOffer(models.Model):
    """An offer of the programme's own engine, for one sponsor or (an empty one) for all."""

    sponsor = models.CharField(max_length=10, default="")
    code = models.CharField(max_length=32)
    offer_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=10)
    miles = models.PositiveIntegerField()
    per_cents = models.PositiveIntegerField(default=0)
    match = models.CharField(max_length=64, default="")
    rounding = models.CharField(max_length=7, default="down")
    location = models.CharField(max_length=4, default="")
    description = models.CharField(max_length=255, default="")
    starts_on = models.DateField(null=True, default=None)
    ends_on = models.DateField(null=True, default=None)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("sponsor", "offer_id"), name="offer_id_of_a_sponsor"),
        )

    def __str__(self) -> str:
        return f"{self.sponsor} {self.offer_id}"


class Stumble(models.Model):
    """How often a request of the card that fails at first was answered 500."""

    path = models.CharField(max_length=100)
    key = models.CharField(max_length=255, default="")
    body_sha256 = models.CharField(max_length=64)
    times = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("path", "key", "body_sha256"), name="one_stumble_for_each_request"
            ),
        )

    def __str__(self) -> str:
        return f"{self.times} times at {self.path}"
