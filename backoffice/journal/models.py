"""The transaction log's rows. Nothing outside `entries` writes them (HOUSE 2.6).

The rules here are the database's own (RELIABILITY 4.1): what a bug or a second process must not
be able to do, the database refuses. `triggers` adds what constraints cannot say.
"""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.devices.models import Device
from backoffice.journal import choices, states
from backoffice.journal import disclosures as disclosures
from backoffice.journal.choices import Credit, NeedsPerson, Operation, Result, State, Wanted
from backoffice.journal.said import Decision as Decision
from backoffice.journal.surroundings import LogState as LogState
from backoffice.journal.surroundings import ProgrammeState as ProgrammeState
from backoffice.journal.surroundings import VoidedTrace as VoidedTrace
from backoffice.stores.models import Language, Store


class Transaction(models.Model):
    """One intended operation. Amounts are cents, miles are whole miles, moments are UTC.

    `due_at` is both the end of a sender's lease (armed) and the next try (doubt, queued), so a
    killed process needs no recovery: time passes and the row is due (RELIABILITY 0.5).
    """

    reference = models.UUIDField(_("reference"), default=uuid.uuid4, unique=True, editable=False)
    operation = models.CharField(_("kind"), max_length=16, choices=Operation.choices)
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    wanted = models.CharField(
        _("wanted"), max_length=8, choices=Wanted.choices, default=Wanted.KEEP
    )

    # Who asked, from where. `client_ref` is the caller's one-time value; `intent_mac` is the keyed
    # hash of what it asked, so that the same value with other content is refused.
    # The log's own indexes begin with these; one more each would only be written to.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", db_index=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    channel = models.CharField(_("door"), max_length=10)
    client_ref = models.CharField(max_length=64, unique=True)
    intent_mac = models.CharField(max_length=64)
    sale_ref = models.CharField(max_length=64)
    language = models.CharField(max_length=2, choices=Language.choices)
    is_training = models.BooleanField(default=False)

    # Frozen at insert: a later try differs in nothing but its bearer token (S2).
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    method = models.CharField(max_length=8, default="POST")
    path = models.CharField(max_length=100)
    content_type = models.CharField(max_length=60, default="application/json")
    trace_id = models.CharField(_("trace number"), max_length=12, db_index=True)

    # Our number of an issuance as the programme knows it (checkoutTransactionId).
    checkout_id = models.CharField(max_length=64, blank=True)

    # The card: never the number itself, which stands encrypted in the payload. A sale may be
    # recorded without one.
    collector_mac = models.CharField(max_length=64, blank=True)
    collector_last4 = models.CharField(_("card"), max_length=4, blank=True)
    card_entry_mode = models.CharField(_("read by"), max_length=10, blank=True)

    # What was asked, and what the programme granted (null until it did).
    basket_cents = models.BigIntegerField(_("basket"), null=True)
    asked_cents = models.BigIntegerField(_("asked"), null=True)
    amount_cents = models.BigIntegerField(_("amount"), null=True)
    units = models.IntegerField(_("units"), null=True)
    miles = models.BigIntegerField(_("miles"), null=True)
    unit_cents = models.BigIntegerField(null=True)
    unit_miles = models.BigIntegerField(null=True)

    # The sender. `fence` counts the rights to send; only its holder may write a guess (S4).
    fence = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=80, blank=True)
    due_at = models.DateTimeField(null=True)
    replay_until = models.DateTimeField()
    has_unknown = models.BooleanField(default=False)
    # The send that the programme first answered with "not finished yet".
    acknowledged_fence = models.PositiveIntegerField(null=True)
    doubted_at = models.DateTimeField(null=True)

    # The answer. The number is the redemption's or, of an issuance, its transactionId.
    response_code = models.CharField(_("code"), max_length=8, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    confirmation_number = models.CharField(_("confirmation"), max_length=40, blank=True)
    after_doubt = models.BooleanField(default=False)
    needs_person = models.CharField(
        _("needs a person"), max_length=24, choices=NeedsPerson.choices, blank=True
    )

    # What the customer got instead of the miles, once it was too late to give these back.
    credit_given = models.CharField(
        _("given instead"), max_length=16, choices=Credit.choices, blank=True
    )
    credit_given_at = models.DateTimeField(null=True)

    # Times. The deadline is the last moment to reverse (03:00 in the programme's zone).
    opened_at = models.DateTimeField(_("time"))
    first_sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    presented_at = models.DateTimeField(null=True)
    reversed_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField()
    local_date = models.DateField(_("day"))
    zone = models.CharField(max_length=64)
    tzdata_version = models.CharField(max_length=16)

    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="reversals"
    )
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="corrections"
    )
    original = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="returns"
    )

    # No column: the attempt that this process is making, kept here by who armed the row.
    attempt_at_hand: "Attempt | None" = None

    class Meta:
        ordering = ("-opened_at", "-id")
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in states.State]),
                name="transaction_state_known",
            ),
            # Nothing dies quietly: settled, or due, or a person has it (HOUSE 2.1, 3).
            models.CheckConstraint(
                condition=Q(state__in=sorted(states.SETTLED))
                | Q(due_at__isnull=False)
                | ~Q(needs_person=""),
                name="transaction_settled_due_or_with_a_person",
            ),
            models.CheckConstraint(
                condition=Q(operation="reverse", reverses__isnull=False)
                | (~Q(operation="reverse") & Q(reverses__isnull=True)),
                name="transaction_reversal_names_its_redemption",
            ),
            models.CheckConstraint(
                condition=Q(reverses__isnull=True) | ~Q(reverses=F("id")),
                name="transaction_reverses_another",
            ),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(state__in=sorted(states.LIVE_REVERSAL)),
                name="transaction_one_live_reversal",
            ),
            models.CheckConstraint(
                condition=Q(credit_given="", credit_given_at__isnull=True)
                | Q(
                    operation="redeem",
                    credit_given__in=Credit.values,
                    credit_given_at__isnull=False,
                ),
                name="transaction_credit_is_never_cash",
            ),
            # One tender of a sale, one redemption that is open or stands (S7).
            models.UniqueConstraint(
                fields=["sale_ref"],
                condition=Q(operation="redeem")
                & Q(reversed_at__isnull=True)
                & Q(state__in=sorted(states.UNSETTLED | states.GRANTED)),
                name="transaction_one_live_redemption_of_a_sale",
            ),
            # The programme refuses two transactions of one collector at a time (PLATFORM 2.9).
            models.UniqueConstraint(
                fields=["collector_mac"],
                condition=Q(state="armed") & ~Q(collector_mac=""),
                name="transaction_one_armed_of_a_collector",
            ),
            # One sale earns once; whatever else is owed for it is a correction.
            models.UniqueConstraint(
                fields=["sale_ref"],
                condition=Q(operation="issue", corrects__isnull=True) & ~Q(state="not_sent"),
                name="transaction_one_issuance_of_a_sale",
            ),
            models.UniqueConstraint(fields=["corrects"], name="transaction_corrected_once"),
            models.CheckConstraint(
                condition=Q(original__isnull=True) | Q(operation__in=sorted(states.TAKING_BACK)),
                name="transaction_only_a_return_has_an_original",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=sorted(states.CLAIMABLE)),
                name="transaction_due",
            ),
            models.Index(fields=["-opened_at", "-id"], name="transaction_log"),
            models.Index(fields=["store", "-opened_at", "-id"], name="transaction_store_log"),
            models.Index(fields=["device", "-opened_at", "-id"], name="transaction_device_log"),
            # One for each filter of the log, so that a rare value is found at any depth. A code
            # nearly decides the state and the kind, so their indexes hold all three: a filter
            # that no row can match ends at once (selectors).
            models.Index(
                fields=["collector_last4", "-opened_at", "-id"], name="transaction_last4_log"
            ),
            models.Index(fields=["operation", "-opened_at", "-id"], name="transaction_kind_log"),
            models.Index(
                fields=["state", "operation", "-opened_at", "-id"], name="transaction_state_log"
            ),
            models.Index(
                fields=["response_code", "state", "operation", "-opened_at", "-id"],
                name="transaction_code_log",
            ),
            models.Index(fields=["collector_mac", "state"], name="transaction_collector"),
            models.Index(
                fields=["confirmation_number"],
                condition=~Q(confirmation_number=""),
                name="transaction_confirmation",
            ),
            models.Index(
                fields=["checkout_id"],
                condition=~Q(checkout_id=""),
                name="transaction_checkout",
            ),
            models.Index(
                fields=["-opened_at", "-id"],
                condition=~Q(needs_person=""),
                name="transaction_needs_person",
            ),
            models.Index(
                fields=["-opened_at", "-id"],
                condition=Q(reversed_at__isnull=False),
                name="transaction_reversed",
            ),
            models.Index(
                # State and kind lead, or planners take the longer index that begins with them.
                fields=["state", "operation", "settled_at"],
                condition=Q(operation="redeem", state="approved", wanted="keep")
                & Q(presented_at__isnull=True, reversed_at__isnull=True),
                name="transaction_unshown",
            ),
            models.Index(
                fields=["-opened_at", "-id"],
                condition=~Q(credit_given=""),
                name="transaction_credited",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.reference}"

    @property
    def tzinfo(self) -> ZoneInfo:
        """The zone in which this transaction's deadline is told: its store's wall clock."""
        return self.store.tzinfo

    @property
    def is_issuance(self) -> bool:
        """Whether it gives miles, takes some back or records a sale, rather than redeems."""
        return states.Operation(self.operation) in states.ISSUANCE

    @property
    def is_undoing(self) -> bool:
        """Whether its miles go the other way: given back to a collector, or taken back."""
        operation = states.Operation(self.operation)
        return operation is states.Operation.REVERSE or operation in states.TAKING_BACK

    @property
    def is_granted(self) -> bool:
        """Whether the programme approved it."""
        return states.State(self.state) in states.GRANTED

    def shown(self, now: datetime) -> states.Shown:
        """Return what a screen says of it at `now`."""
        return states.shown(
            state=states.State(self.state),
            due_at=self.due_at,
            wanted=states.Wanted(self.wanted),
            is_after_doubt=self.after_doubt,
            has_been_doubted=self.doubted_at is not None,
            is_acknowledged=self.acknowledged_fence is not None,
            now=now,
        )


class OfferResult(models.Model):
    """What became of the miles of one offer of an issuance, as the programme last said it.

    Miles are positive, whichever way they go. `nth` tells offers of one id apart.
    """

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="offers")
    offer_id = models.CharField(_("offer"), max_length=64)
    nth = models.PositiveSmallIntegerField(default=1)
    offer_code = models.CharField(_("offer code"), max_length=64)
    location_code = models.CharField(_("location"), max_length=8, blank=True)
    description = models.CharField(_("offer"), max_length=200, blank=True)
    miles = models.BigIntegerField(_("miles"))
    status = models.CharField(_("state"), max_length=12, choices=choices.OfferStatus.choices)
    confirmation_number = models.CharField(_("confirmation"), max_length=40, blank=True)
    processed_at = models.DateTimeField(null=True)
    error_code = models.CharField(_("error"), max_length=64, blank=True)
    error_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "offer_id", "nth"], name="offer_result_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=choices.OfferStatus.values), name="offer_result_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.miles} {self.status}"


class Attempt(models.Model):
    """One send to the programme: added when it is armed, completed once, never changed again."""

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="attempts")
    fence = models.PositiveIntegerField(_("number"))
    sender = models.CharField(_("sender"), max_length=80)
    armed_at = models.DateTimeField(_("armed"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    result = models.CharField(_("result"), max_length=16, choices=Result.choices, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    response_code = models.CharField(_("code"), max_length=8, blank=True)
    silence = models.CharField(_("kind of silence"), max_length=24, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration"), null=True)

    class Meta:
        ordering = ("fence",)
        constraints = [
            models.UniqueConstraint(fields=["transaction", "fence"], name="attempt_fence_once")
        ]
        indexes = [models.Index(fields=["-finished_at"], name="attempt_finished")]

    def __str__(self) -> str:
        return f"attempt {self.fence}: {self.result or 'under way'}"


class Payload(models.Model):
    """Encrypted bytes of a transaction: the frozen body (no attempt), or one attempt's answer.

    The mac is keyed and covers the plain bytes, so a key rotation can prove that it changed
    nothing. The database allows only re-encryption under the same mac, or emptying.
    """

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="payloads")
    attempt = models.OneToOneField(
        Attempt, on_delete=models.PROTECT, related_name="answer", null=True
    )
    key_id = models.CharField(max_length=32)
    ciphertext = models.BinaryField()
    mac = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction"],
                condition=Q(attempt__isnull=True),
                name="payload_one_body",
            )
        ]
        # What a key has sealed; an emptied payload has none.
        indexes = [models.Index(fields=["key_id", "id"], name="payload_key")]

    def __str__(self) -> str:
        return f"payload of {self.transaction_id}"
