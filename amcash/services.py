"""The story of AIR MILES Cash at a retailer, told in order: inquire, redeem, reverse, settle.

No HTTP request and no form comes in here, no template goes out; the console, the switch and the
sweep all call these functions.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from amcash import answers, client, codes, messages, pulse, reversals, rules
from amcash.orders import AsSent, EntryMode, InquiryOrder, RedemptionOrder, ReversalOrder
from amcash.rules import Offer, Reason
from backoffice.audit import trail
from backoffice.journal import credit, entries, exchange, line, payloads, programme, sweeping
from backoffice.journal.breaker import Why
from backoffice.journal.choices import Credit
from backoffice.journal.decisions import Finding
from backoffice.journal.entries import Conflict, Intent
from backoffice.journal.exchange import Delivery
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Product, State
from backoffice.people.actors import Actor
from backoffice.wire import Reply, Silence

_OUTAGE_CODE = "0092"
OPERATIONS = (Operation.REDEEM, Operation.REVERSE)


class Refused(Exception):
    """Nothing was sent. `reason` says why; `why` is a sentence for an operator, or empty."""

    def __init__(
        self, reason: Reason, *, why: str = "", deadline_at: datetime | None = None
    ) -> None:
        super().__init__(why or reason.value)
        self.reason = reason
        self.why = why
        self.deadline_at = deadline_at


# In one pass of a sweep; the next one goes on.
_MOST_GIVEN_BACK = 20


class InquiryKind(StrEnum):
    """What an inquiry came to."""

    OFFER = "offer"
    NO_OFFER = "no_offer"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """What may be said of a collector's account on this basket; never a balance.

    `heard` is the platform's own word, for the switch alone: a till prints balances, no screen
    shows one. None when nothing was sent.
    """

    kind: InquiryKind
    code: str = ""
    message: str = ""
    offer: Offer | None = None
    duration_ms: int = 0
    heard: client.Heard | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A transaction as it stands, and whether this call began it."""

    transaction: Transaction
    is_new: bool = False


def inquire(order: InquiryOrder, *, actor: Actor, now: datetime) -> Inquiry:
    """Ask what this collector may redeem on this basket. Nothing is written but who asked.

    While the breaker is open nothing is sent, and the answer is UNAVAILABLE; training heeds none.
    """
    pulse.take_if_forsaken(actor)
    if programme.standing(Product.CASH).is_open and not actor.is_training:
        return _unavailable(order, actor=actor)
    body = order.as_sent.body if order.as_sent else _inquiry_of(order, actor, now)
    heard = client.inquire(body, is_training=actor.is_training)
    code = heard.answer.code if heard.answer else ""
    _note_inquiry(order, actor, code=code, tries=heard.tries, duration_ms=heard.duration_ms)
    inquiry = replace(_inquiry(order, heard), heard=heard)
    if not actor.is_training:
        _tell_the_breaker(order, inquiry, heard, now=timezone.now())
    return inquiry


def redeem(order: RedemptionOrder, *, actor: Actor, now: datetime) -> Outcome:
    """Spend a collector's miles on one sale, at most once per `client_ref`.

    Raises Refused before anything is written. A repeated press returns the first outcome.
    """
    reason = rules.why_not_redeem(order)
    if reason is not None:
        raise Refused(reason)
    sent = order.as_sent or _redemption_of(order, actor, now)
    intent = Intent(
        operation=Operation.REDEEM,
        path=messages.REDEEM_PATH,
        body=sent.body,
        trace_id=sent.trace_id,
        client_ref=order.client_ref,
        sale_ref=order.sale_ref,
        language=order.language,
        card_number=order.card.number,
        card_entry_mode=order.card.entry_mode,
        basket_cents=order.basket_cents,
        asked_cents=order.asked_cents,
        asked=sent.asked,
    )
    return _open_and_deliver(intent, actor=actor, now=now)


def reverse(
    order: ReversalOrder, redemption: Transaction, *, actor: Actor, now: datetime
) -> Outcome:
    """Give back a whole redemption, once. The caller has looked it up among what it may see.

    The card need not be at hand: its number and entry mode are the redemption's own (PRODUCT 4).
    Raises Refused before anything is written: TOO_LATE carries the deadline. A repeated press
    returns the first outcome, also after the deadline. While the breaker is open the reversal is
    queued, and the sweep sends it.
    """
    assert redemption.reference == order.redemption
    asked = order.as_sent.asked if order.as_sent else str(redemption.reference)
    first = repeated(Operation.REVERSE, client_ref=order.client_ref, asked=asked)
    if first is not None:
        return Outcome(transaction=first)
    is_redemption = redemption.operation == Operation.REDEEM and redemption.is_granted
    if not is_redemption or not redemption.confirmation_number:
        raise Refused(Reason.NOT_REVERSIBLE)
    if redemption.reversed_at is not None:
        raise Refused(Reason.ALREADY_REVERSED)
    if redemption.credit_given:
        raise Refused(Reason.CREDIT_GIVEN)
    if not rules.may_reverse(now=now, deadline_at=redemption.deadline_at):
        raise Refused(Reason.TOO_LATE, deadline_at=redemption.deadline_at)
    intent = reversals.intent_of(
        redemption,
        now,
        device=actor.device,
        client_ref=order.client_ref,
        language=order.language,
        as_sent=order.as_sent,
    )
    return _open_and_deliver(intent, actor=actor, now=now)


def repeated(operation: Operation, *, client_ref: str, asked: str) -> Transaction | None:
    """Return what an earlier press began, or None. Raises Refused if that asked something else."""
    try:
        return entries.repeated(operation, client_ref=client_ref, asked=asked)
    except entries.Refused as error:
        raise _refused(error) from error


def send_again(row: Transaction, *, actor: Actor, now: datetime) -> Outcome:
    """Send a redemption of which nothing had left, with the same bytes and key (R6a)."""
    sender = line.sender_name("web")
    # Before the pulse is felt: the time that takes is not the send's to use as well (S3).
    stamped = exchange.stamp()
    pulse.take_if_forsaken(actor)
    try:
        armed = entries.send_again(row, actor=actor, sender=sender, now=now, lease=exchange.lease())
    except entries.Refused as error:
        raise _refused(error) from error
    return Outcome(transaction=exchange.deliver(armed, _delivery(sender, 2), stamped=stamped))


def pay_otherwise(row: Transaction, *, actor: Actor, now: datetime) -> Outcome:
    """Close a redemption of which nothing left (R6b)."""
    return Outcome(transaction=entries.give_up_unsent(row, actor=actor, now=now))


def cancel(row: Transaction, *, actor: Actor, now: datetime) -> Outcome:
    """The customer paid another way: what was approved, or will be, is given back (R10, R11)."""
    changed = entries.cancel(row, actor=actor, now=now, make_reversal=reversals.unwanted)
    return Outcome(transaction=changed)


def present(row: Transaction, *, actor: Actor, now: datetime) -> Outcome:
    """The till has shown the approval to the cashier."""
    return Outcome(transaction=entries.present(row, actor=actor, now=now))


def check_now(row: Transaction, *, actor: Actor, now: datetime) -> Outcome:
    """Have the sweep ask again at once for a doubt. This call sends nothing itself."""
    return Outcome(transaction=entries.hurry(row, actor=actor, now=now))


def owes_credit(redemption: Transaction, *, now: datetime) -> bool:
    """Say whether store credit or a gift card may be given for a redemption (PRODUCT 4)."""
    is_over = not rules.may_reverse(now=now, deadline_at=redemption.deadline_at)
    return credit.is_owed(redemption, is_over=is_over)


def give_credit(redemption: Transaction, kind: Credit, *, actor: Actor, now: datetime) -> Outcome:
    """Record what the customer got instead of the miles; a second press returns the first record.

    Raises Refused where nothing is owed.
    """
    is_over = not rules.may_reverse(now=now, deadline_at=redemption.deadline_at)
    row, is_new = entries.give_credit(redemption, kind, is_over=is_over, actor=actor, now=now)
    if not row.credit_given:
        raise Refused(Reason.CREDIT_NOT_OWED)
    return Outcome(transaction=row, is_new=is_new)


def settle_due(*, sender: str, limit: int = 20) -> int:
    """Send at most `limit` due rows once more, nearest deadline first; return how many it got on
    with: sent, or closed because their time is over.

    Beat, `settle --forever` and tests call this same function, in any number, at any time. While
    the breaker is open nothing is sent; what can be closed without the programme is closed.
    """
    began = timezone.now()
    return sweeping.settle(OPERATIONS, _delivery(sender, 1), due_by=began, limit=limit)


def look_after(*, sender: str) -> None:
    """Do what time alone asks for: make near deadlines known, give back what no till has shown."""
    now = timezone.now()
    entries.warn_of_deadlines(sender=sender, now=now)
    entries.give_back_unshown(
        make_reversal=reversals.unwanted,
        margin=rules.REVERSAL_MARGIN,
        sender=sender,
        now=now,
        limit=_MOST_GIVEN_BACK,
    )


def _open_and_deliver(intent: Intent, *, actor: Actor, now: datetime) -> Outcome:
    sender = line.sender_name("web")
    # Before the pulse is felt: the time that takes is not the send's to use as well (S3).
    stamped = exchange.stamp()
    pulse.take_if_forsaken(actor)
    try:
        row, is_new = entries.open_transaction(
            intent, actor=actor, sender=sender, now=now, lease=exchange.lease()
        )
    except entries.Refused as error:
        raise _refused(error) from error
    if not is_new:
        return Outcome(transaction=row)
    if row.state == State.QUEUED:
        # The breaker is open: the sweep sends this reversal when the programme is back.
        return Outcome(transaction=entries.reread(row), is_new=True)
    row = exchange.deliver(row, _delivery(sender, 2), stamped=stamped, body=intent.body)
    return Outcome(transaction=row, is_new=True)


def _delivery(sender: str, tries: int) -> Delivery:
    return Delivery(
        classify=_classify, make_reversal=reversals.unwanted, sender=sender, tries=tries
    )


def _classify(row: Transaction, answer: Reply | Silence, earlier_unknown: bool) -> Finding:
    return answers.finding_of(Operation(row.operation), answer, earlier_unknown=earlier_unknown)


def _note_inquiry(
    order: InquiryOrder, actor: Actor, *, code: str, tries: int, duration_ms: int
) -> None:
    device = actor.device
    trail.record(
        "collector.inquired",
        # Stands for ever, so not even the last four digits.
        subject="collector",
        actor=actor.user.username if actor.user else f"till {device.number}",
        channel=actor.channel,
        store=device.store.number,
        device=device.number,
        details={"code": code, "tries": tries, "duration_ms": duration_ms, **actor.marks},
    )


def _unavailable(order: InquiryOrder, *, actor: Actor) -> Inquiry:
    # As the programme itself would say it, when that is what it said last.
    is_outage = programme.standing(Product.CASH).why == Why.OUTAGE
    code = _OUTAGE_CODE if is_outage else ""
    _note_inquiry(order, actor, code=code, tries=0, duration_ms=0)
    return Inquiry(kind=InquiryKind.UNAVAILABLE, code=code)


def _tell_the_breaker(
    order: InquiryOrder, inquiry: Inquiry, heard: client.Heard, *, now: datetime
) -> None:
    if inquiry.kind is InquiryKind.UNAVAILABLE:
        programme.outage(Product.CASH, now)
    elif inquiry.kind is not InquiryKind.SILENT:
        programme.answered(Product.CASH)
    elif heard.silence.maybe_applied if heard.silence else heard.http_status != 401:
        # Nothing left, or a token that was refused, is our own trouble and no unknown outcome.
        collector_mac = payloads.vault().blind_index(order.card.number)
        programme.unknown(Product.CASH, collector_mac, now)


def _inquiry(order: InquiryOrder, heard: client.Heard) -> Inquiry:
    answer = heard.answer
    known = codes.find(answer.code) if answer else None
    if answer is None or known is None or known.reading is codes.Reading.UNKNOWN:
        code = answer.code if answer else ""
        return Inquiry(kind=InquiryKind.SILENT, code=code, duration_ms=heard.duration_ms)
    offer = None
    if answer.offer is not None:
        fields = answer.offer
        offer = rules.offer_of(
            code=answer.code,
            entry_mode=EntryMode(order.card.entry_mode),
            basket_cents=order.basket_cents,
            unit_cents=fields.unit_cents,
            unit_miles=fields.unit_miles,
            available_units=fields.available_units,
            daily_units=fields.daily_units,
            offer_id=fields.offer_id,
            is_special=fields.is_special,
            description_en=fields.description_en,
            description_fr=fields.description_fr,
        )
    return Inquiry(
        kind=_inquiry_kind(known, offer),
        code=answer.code,
        message=answer.message,
        offer=offer,
        duration_ms=heard.duration_ms,
    )


def _inquiry_kind(known: codes.Code, offer: Offer | None) -> InquiryKind:
    if known.reading is codes.Reading.UNAVAILABLE:
        return InquiryKind.UNAVAILABLE
    if known.reading is not codes.Reading.APPROVED:
        return InquiryKind.REFUSED
    return InquiryKind.OFFER if offer else InquiryKind.NO_OFFER


def _inquiry_of(order: InquiryOrder, actor: Actor, now: datetime) -> bytes:
    device = actor.device
    return messages.inquire(
        client.terminal_of(device),
        collector_number=order.card.number,
        entry_mode=order.card.entry_mode,
        basket_cents=order.basket_cents,
        sent_at=now.astimezone(device.store.tzinfo),
        trace_id=client.new_trace_id(),
        language=order.language,
    )


def _redemption_of(order: RedemptionOrder, actor: Actor, now: datetime) -> AsSent:
    card, device = order.card, actor.device
    amounts = (order.basket_cents, order.original_cents, order.asked_cents)
    trace_id = client.new_trace_id()
    body = messages.redeem(
        client.terminal_of(device),
        collector_number=card.number,
        entry_mode=card.entry_mode,
        basket_cents=order.basket_cents,
        original_cents=order.original_cents,
        asked_cents=order.asked_cents,
        sent_at=now.astimezone(device.store.tzinfo),
        trace_id=trace_id,
        language=order.language,
    )
    asked = "\n".join([card.number, card.entry_mode, order.sale_ref, *map(str, amounts)])
    return AsSent(body=body, trace_id=trace_id, asked=asked)


_REASONS = {
    Conflict.OTHER_CONTENT: Reason.OTHER_CONTENT,
    Conflict.COLLECTOR_BUSY: Reason.COLLECTOR_BUSY,
    Conflict.COLLECTOR_IN_DOUBT: Reason.COLLECTOR_IN_DOUBT,
    Conflict.SUPERVISOR_NEEDED: Reason.SUPERVISOR_NEEDED,
    Conflict.SALE_OPEN: Reason.SALE_OPEN,
    Conflict.REVERSAL_LIVE: Reason.ALREADY_REVERSED,
    Conflict.CREDIT_GIVEN: Reason.CREDIT_GIVEN,
    Conflict.STATE_CHANGED: Reason.STATE_CHANGED,
    Conflict.UNSAFE: Reason.UNSAFE,
    Conflict.PROGRAMME_DOWN: Reason.PROGRAMME_DOWN,
    Conflict.VOIDED: Reason.VOIDED,
}


def _refused(error: entries.Refused) -> Refused:
    return Refused(_REASONS[error.conflict], why=error.why)
