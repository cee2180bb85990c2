"""What people prove themselves with, what they let programs read, and what a store asks of them.
Rows only: `tries`, `pins`, `badges` and `api_tokens` are their writers.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.stores.models import Store


class TryCount(models.Model):
    """How often something was tried in vain: a PIN at a device, a password, a one-time code.

    `key` names what is counted and holds no secret. Nothing is tried before `free_at`. The counts
    stand in the database, so that no cache or broker that is away lets anybody guess on.
    """

    key = models.CharField(max_length=120, unique=True)
    failures = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()
    free_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class Badge(models.Model):
    """A printed barcode that names a person; only the keyed hash of its secret is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="badges",
        verbose_name=_("person"),
    )
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(_("printed"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        ordering = ("-made_at", "-id")
        verbose_name = _("badge")
        verbose_name_plural = _("badges")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(revoked_at__isnull=True), name="badge_one_of_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"badge {self.pk}"


class ApiScope(models.TextChoices):
    """What an API token may read."""

    TRANSACTIONS = "transactions:read", _("Transactions")
    STORES = "stores:read", _("Stores")
    DEVICES = "devices:read", _("Devices")
    OFFERS = "offers:read", _("Offers")


class ApiToken(models.Model):
    """What a program proves itself with that reads over `/api/v1/`, for the person who answers for
    it. The token itself is seen once and stored nowhere.

    `stores` counts only where `is_of_every_store` does not: with none of them it reads of none.
    """

    name = models.CharField(max_length=60)
    scopes = models.JSONField(default=list)
    is_of_every_store = models.BooleanField(default=False)
    stores = models.ManyToManyField(Store, blank=True, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class StorePolicy(models.Model):
    """How strict a store is with its own people. A store without one has the defaults."""

    store = models.OneToOneField(
        Store, on_delete=models.PROTECT, related_name="policy", verbose_name=_("store")
    )
    badge_is_enough = models.BooleanField(
        _("a badge alone signs in"),
        default=False,
        help_text=_("Otherwise a badge picks the person, and the PIN proves who it is."),
    )
    asks_again_to_reverse = models.BooleanField(_("the PIN again before a reversal"), default=True)
    approval_above_cents = models.BigIntegerField(
        _("a manager approves reversals above (cents)"),
        null=True,
        blank=True,
        help_text=_("Empty: a cashier may reverse any redemption."),
    )

    class Meta:
        verbose_name = _("store policy")
        verbose_name_plural = _("store policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(approval_above_cents__isnull=True) | Q(approval_above_cents__gte=0),
                name="policy_limit_not_negative",
            )
        ]

    def __str__(self) -> str:
        return str(self.store)
