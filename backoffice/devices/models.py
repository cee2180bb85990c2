"""Devices. A device belongs to one store and has a number there, sent as deviceId; what it may call
hangs on its profile, and what it proves itself with are tokens, of which only digests are kept.
"""

from typing import Final

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.stores.models import Store


class DeviceProfile(models.TextChoices):
    """What kind of device it is: an allow-list of what it may call."""

    TABLET = "tablet", _("Tablet (console)")
    TILL = "till", _("Till (AM Cash and miles)")
    TILL_AMCASH = "till_amcash", _("Till (AM Cash only)")
    TILL_ISSUANCE = "till_issuance", _("Till (miles only)")


CONSOLE: Final = "console"
AMCASH_CALLS: Final = frozenset(
    f"amcash.{name}" for name in ("echo", "inquire", "redeem", "reverse")
)
ISSUANCE_CALLS: Final = frozenset(
    f"issuance.{name}"
    for name in (
        "post",
        "post_event",
        "reverse",
        "reverse_event",
        "record",
        "calculate",
        "issue",
        "return",
    )
)
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    DeviceProfile.TABLET: frozenset({CONSOLE}),
    DeviceProfile.TILL: AMCASH_CALLS | ISSUANCE_CALLS,
    DeviceProfile.TILL_AMCASH: AMCASH_CALLS,
    DeviceProfile.TILL_ISSUANCE: ISSUANCE_CALLS,
}


class Device(models.Model):
    """One till or tablet of a store."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="devices")
    number = models.CharField(
        _("device number"),
        max_length=3,
        validators=[RegexValidator(r"^\d{2,3}$", _("Two or three digits."))],
        help_text=_("Sent to the programme as deviceId."),
    )
    name = models.CharField(_("name"), max_length=60, blank=True)
    profile = models.CharField(
        _("profile"),
        max_length=16,
        choices=DeviceProfile.choices,
        default=DeviceProfile.TABLET,
        help_text=_("What it may call."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True, editable=False)
    version = models.CharField(_("version"), max_length=40, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    # Kept with the till, not with a session: it stays in training whoever signs in (`training`).
    training_since = models.DateTimeField(_("in training since"), null=True, editable=False)

    # What the token that it came with is good for; none where no token was asked for.
    came_as: str = ""

    class Meta:
        ordering = ("store", "number")
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [
            models.UniqueConstraint(fields=["store", "number"], name="device_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.store.number}/{self.number}"

    @property
    def is_training(self) -> bool:
        """Whether what is done at it is practice: sent to the training sandbox, counted nowhere."""
        return self.training_since is not None

    def may(self, call: str) -> bool:
        """Say whether it may make a call: `console`, `amcash.redeem`, `issuance.post_event`, ...

        The profile of the token that it came with decides; an unknown call is refused.
        """
        return call in _ALLOWED.get(self.came_as or self.profile, frozenset())


class DeviceToken(models.Model):
    """What one device proves itself with. The token itself is seen once and stored nowhere.

    It is bound to the store and the profile for which it was made, whatever becomes of the device.
    A `replaced_at` token stays good until its successor is used: the answer that brought the new
    one may be lost. From then on `expires_at` says how long requests under way still have.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="tokens")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    profile = models.CharField(max_length=16, choices=DeviceProfile.choices)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.device_id}/{self.pk}"


class PairingCode(models.Model):
    """A one-time code with which a tablet becomes a device; kept as a keyed fingerprint."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="pairing_codes")
    code_mac = models.CharField(max_length=64, unique=True)
    made_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.device_id}/{self.pk}"


class Tally(models.Model):
    """How often something was tried since `began_at`; in the database, so that no cache's outage
    opens a door."""

    key = models.CharField(max_length=80, unique=True)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
