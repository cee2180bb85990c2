"""Miles without a sale as people propose them: the reasons there are, and who agreed to what.

A proposal moves nothing; `approvals` decides and sends. The card stands in it sealed, only as long
as it may still be needed.
"""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.journal.models import Transaction
from backoffice.stores.models import Language, Sponsor, Store


class EventReason(models.Model):
    """Why miles are given or taken back without a sale, and under which offer of the programme's.

    `code` is told to the programme; the offer was set up with it (issuanceOfferCode).
    """

    sponsor = models.ForeignKey(
        Sponsor,
        on_delete=models.PROTECT,
        related_name="event_reasons",
        verbose_name=_("sponsor"),
    )
    code = models.CharField(
        _("reason code"),
        max_length=20,
        validators=[RegexValidator(r"^[A-Z0-9-]+$", _("Capital letters, digits, hyphens."))],
        help_text=_("Sent to the programme with the miles."),
    )
    name_en = models.CharField(_("name, English"), max_length=60)
    name_fr = models.CharField(_("name, French"), max_length=60)
    may_give = models.BooleanField(_("for giving miles"), default=True)
    may_take_back = models.BooleanField(_("for taking miles back"), default=False)
    needs_note = models.BooleanField(_("needs a note"), default=False)
    offer_id = models.CharField(_("number of the offer"), max_length=20)
    offer_code = models.CharField(
        _("offer code"), max_length=40, help_text=_("As set up with the programme.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("sponsor__code", "code")
        verbose_name = _("reason for miles without a sale")
        verbose_name_plural = _("reasons for miles without a sale")
        constraints = [
            models.UniqueConstraint(fields=["sponsor", "code"], name="event_reason_once")
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.name_en}"

    def name_in(self, language: str) -> str:
        """Return what it is called for a French or an English reader."""
        return self.name_fr if language.startswith("fr") else self.name_en


class ProposalState(models.TextChoices):
    """Where a proposal stands. What became of its miles, the transaction log says."""

    WAITING = "waiting", _("Waits for a second person")
    APPROVED = "approved", _("Agreed to")
    REFUSED = "refused", _("Not agreed to")
    WITHDRAWN = "withdrawn", _("Taken back")
    EXPIRED = "expired", _("Too old")


class EventProposal(models.Model):
    """What one person wants to give or take back, and who agreed. `miles` are positive.

    Its `reference` is the one-time value of its transaction, so that it is sent once.
    """

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=ProposalState.choices)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(EventReason, on_delete=models.PROTECT, related_name="+")
    is_taking_back = models.BooleanField(default=False)
    miles = models.PositiveIntegerField(_("miles"), validators=[MinValueValidator(1)])
    note = models.CharField(_("note"), max_length=500, blank=True)
    language = models.CharField(max_length=2, choices=Language.choices)
    original = models.ForeignKey(Transaction, on_delete=models.PROTECT, null=True, related_name="+")
    corrects = models.ForeignKey(Transaction, on_delete=models.PROTECT, null=True, related_name="+")

    # The card: sealed until its transaction stands in the log or nothing will be sent, its index
    # and last digits until the collector is forgotten.
    collector_mac = models.CharField(max_length=64)
    collector_last4 = models.CharField(_("card"), max_length=4)
    card_entry_mode = models.CharField(max_length=10)
    key_id = models.CharField(max_length=32, blank=True)
    ciphertext = models.BinaryField(default=b"")

    needs_second = models.BooleanField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("time"))
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decided_note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-proposed_at", "-id")
        verbose_name = _("miles without a sale")
        verbose_name_plural = _("miles without a sale")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ProposalState.values), name="event_proposal_state_known"
            ),
            models.CheckConstraint(condition=Q(miles__gt=0), name="event_proposal_moves_miles"),
            # Nobody agrees with themselves, whatever a screen let them press.
            models.CheckConstraint(
                condition=Q(needs_second=False)
                | ~Q(state="approved")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="event_proposal_second_person",
            ),
            models.CheckConstraint(
                condition=Q(is_taking_back=False, original__isnull=True)
                | Q(is_taking_back=True, original__isnull=False),
                name="event_proposal_takes_back_what_was_given",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-proposed_at"], name="event_proposal_store"),
            models.Index(fields=["collector_mac", "-proposed_at"], name="event_proposal_collector"),
            models.Index(
                fields=["expires_at"], condition=Q(state="waiting"), name="event_proposal_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.miles} {self.reference}"

    @property
    def client_ref(self) -> str:
        """The one-time value under which its transaction stands in the log."""
        return f"event-{self.reference.hex}"

    @property
    def has_card(self) -> bool:
        """Whether its card is still kept."""
        return bool(self.ciphertext)
