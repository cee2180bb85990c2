"""The story of miles given and taken back, told in order: calculate, give, take back, settle.

No HTTP request and no form comes in here, no template goes out; the console, the switch, the back
office and the sweep all call these functions. A till never waits for a pending or lost answer: the
row is there, and the sweep finishes it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from backoffice.audit import trail
from backoffice.devices.models import Device
from backoffice.journal import breaker, entries, exchange, line, payloads, programme, sweeping
from backoffice.journal.decisions import Finding, Verdict
from backoffice.journal.entries import Conflict, Intent
from backoffice.journal.exchange import Delivery
from backoffice.journal.models import Transaction
from backoffice.journal.states import ISSUANCE, TAKING, Operation, Product, State
from backoffice.people.actors import Actor
from backoffice.wire import Reply, Silence
from issuance import answers, client, codes, intents, messages, rules
from issuance.client import Heard
from issuance.codes import BY_PATH, FORMS, TRIES_ON_500, Message
from issuance.lines import OfferAnswer
from issuance.orders import (
    Calculation,
    CalculationOrder,
    EventOrder,
    IssuanceOrder,
    RecordOrder,
    ReturnOrder,
)
from issuance.rules import Reason

OPERATIONS = tuple(sorted(ISSUANCE))
# Of these, miles may come back: they were given, or may have been.
_GIVING = frozenset({Operation.ISSUE, Operation.POST_EVENT})


class Refused(Exception):
    """Nothing was written or sent. `reason` says why; `why` is a sentence for an operator."""

    def __init__(self, reason: Reason, *, why: str = "") -> None:
        super().__init__(why or reason.value)
        self.reason = reason
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A transaction as it stands, and whether this call began it."""

    transaction: Transaction
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a basket would earn. `offers` is None when the programme did not say.

    `heard` is the programme's own word, for the switch; None when nothing was sent.
    """

    offers: tuple[OfferAnswer, ...] | None
    error_codes: tuple[str, ...] = ()
    heard: Heard | None = None


def calculation_of(actor: Actor) -> Calculation:
    """Return who works out the miles of this till's sponsor."""
    return Calculation(actor.device.store.sponsor.calculation)


def calculate(order: CalculationOrder, *, actor: Actor, now: datetime) -> Preview:
    """Ask the programme what a basket would earn. Nothing is written but who asked.

    While the breaker is open nothing is sent, and the preview says nothing; training heeds none.
    """
    if programme.standing(Product.ISSUANCE).is_open and not actor.is_training:
        return Preview(offers=None)
    sent = order.as_sent
    body = sent.body if sent else intents.calculation(order, device=actor.device, now=now)
    heard = client.calculate(body, is_training=actor.is_training)
    answer = heard.answer
    trail.record(
        "basket.calculated",
        # Stands for ever, so not even the last four digits.
        subject="collector",
        actor=actor.user.username if actor.user else f"till {actor.device.number}",
        channel=actor.channel,
        store=actor.device.store.number,
        device=actor.device.number,
        details={
            "http": heard.http_status or 0,
            "tries": heard.tries,
            "ms": heard.duration_ms,
            **actor.marks,
        },
    )
    if answer is None or heard.http_status not in FORMS[Message.CALCULATE].statuses:
        return Preview(offers=None, heard=heard)
    errors = tuple(code for code, _reason in answer.errors)
    offers = answer.offers if heard.http_status == 200 else None
    return Preview(offers=offers, error_codes=errors, heard=heard)


def give(
    order: IssuanceOrder, *, actor: Actor, now: datetime, corrects: Transaction | None = None
) -> Outcome:
    """Give the miles of one sale, at most once per `client_ref` and per sale.

    With `corrects` it puts right an issuance that was rejected, wholly or partly: a new operation,
    linked to the old one, which stays. Raises Refused before anything is written.
    """
    calculation = calculation_of(actor)
    _refuse_unsound(order, calculation)
    _refuse_correction(corrects, Operation.ISSUE)
    intent = intents.issue(order, calculation, device=actor.device, now=now, corrects=corrects)
    return _open_and_deliver(intent, actor=actor, now=now)


def take_back(
    order: ReturnOrder,
    original: Transaction | None,
    *,
    actor: Actor,
    now: datetime,
    corrects: Transaction | None = None,
) -> Outcome:
    """Take back the miles of what is brought back; the caller has looked up the original.

    Without a row of ours, `order.original_id` names the sale. A return whose issuance is not
    confirmed waits for it. Raises Refused before anything is written.
    """
    calculation = calculation_of(actor)
    _refuse_unsound(order, calculation)
    if original is not None:
        assert original.reference == order.original
        original = entries.reread(original)
        # A till may take back an event by REVERSE, or a sale by REVERSE/EVENT (PLATFORM 6).
        is_a_tills = order.as_sent is not None or corrects is not None
        kinds = _GIVING if is_a_tills else {Operation.ISSUE}
        if original.operation not in kinds or State(original.state) not in TAKING:
            raise Refused(Reason.NOT_RETURNABLE)
    elif calculation is Calculation.AMRP and not order.original_id and order.as_sent is None:
        # The RETURN page requires it: the programme works out what the sale had earned.
        raise Refused(Reason.NO_ORIGINAL)
    _refuse_correction(corrects, Operation.RETURN)
    intent = intents.give_back(
        order,
        calculation,
        original=original,
        device=actor.device,
        now=now,
        corrects=corrects,
    )
    return _open_and_deliver(intent, actor=actor, now=now)


def event(
    order: EventOrder,
    *,
    actor: Actor,
    now: datetime,
    original: Transaction | None = None,
    corrects: Transaction | None = None,
) -> Outcome:
    """Give miles, or take some back, for a reason that is no sale.

    What takes back names the event that gave, if it is ours, and waits for it. Raises Refused.
    """
    if order.as_sent is None:
        _refuse(rules.why_not_awards(order.awards, Calculation.PARTNER))
    operation = Operation.REVERSE_EVENT if order.is_taking_back else Operation.POST_EVENT
    if original is not None:
        original = entries.reread(original)
        kinds = _GIVING if order.as_sent is not None else {Operation.POST_EVENT}
        is_lawful = order.is_taking_back and original.operation in kinds
        if not is_lawful or State(original.state) not in TAKING:
            raise Refused(Reason.NOT_RETURNABLE)
    _refuse_correction(corrects, operation)
    intent = intents.event(
        order, device=actor.device, now=now, original=original, corrects=corrects
    )
    return _open_and_deliver(intent, actor=actor, now=now)


def record(order: RecordOrder, *, actor: Actor, now: datetime) -> Outcome:
    """Log a sale or a return that earned nothing; it moves no miles. Raises Refused."""
    if order.as_sent is None:
        _refuse(rules.why_not_basket(order.basket))
    intent = intents.record(order, device=actor.device, now=now)
    return _open_and_deliver(intent, actor=actor, now=now)


def try_record(device: Device, *, now: datetime) -> Heard | None:
    """Test the line with a RECORD that is no sale; None, and nothing sent, while AM Cash is down.

    Nothing of it stands in the log.
    """
    if programme.standing(Product.CASH).is_open:
        return None
    return client.record(intents.trial(device=device, now=now))


def check_now(row: Transaction, *, actor: Actor, now: datetime) -> Outcome:
    """Have the sweep ask again at once for what is open. This call sends nothing itself."""
    return Outcome(transaction=entries.hurry(row, actor=actor, now=now))


def settle_due(*, sender: str, limit: int = 20) -> int:
    """Send at most `limit` due rows once more; return how many were sent or closed.

    Beat, `settle --forever` and tests call this same function, in any number, at any time. What
    waits for another issuance of its collector is put off, and no try is spent on it. While the
    breaker is open one row is sent every few seconds, to probe it.
    """
    began = timezone.now()
    probed = 0
    if programme.take_probe(Product.ISSUANCE, began):
        probe = _delivery(sender, 1, is_probe=True)
        probed = sweeping.settle(OPERATIONS, probe, due_by=began, limit=1)
    delivery = _delivery(sender, 1)
    return probed + sweeping.settle(OPERATIONS, delivery, due_by=began, limit=limit)


def look_after(*, sender: str) -> None:
    """Do what time alone asks for: make known what has been open for long."""
    entries.warn_of_waiting(sender=sender, now=timezone.now())


def _open_and_deliver(intent: Intent, *, actor: Actor, now: datetime) -> Outcome:
    sender = line.sender_name("web")
    stamped = exchange.stamp()
    # Where no sweep has probed for long, a till's own issuance does.
    is_probe = not actor.is_training and programme.take_probe(
        Product.ISSUANCE, now, patience=breaker.FORSAKEN_AFTER
    )
    try:
        row, is_new = entries.open_issuance(
            intent,
            actor=actor,
            sender=sender,
            now=now,
            lease=exchange.lease(),
            is_probe=is_probe,
        )
    except entries.Refused as error:
        raise Refused(_REASONS[error.conflict], why=error.why) from error
    if is_new and row.state == State.ARMED:
        delivery = _delivery(sender, TRIES_ON_500, is_probe=is_probe)
        row = exchange.deliver(row, delivery, stamped=stamped, body=intent.body)
    return Outcome(transaction=row, is_new=is_new)


def _delivery(sender: str, tries: int, *, is_probe: bool = False) -> Delivery:
    return Delivery(
        classify=_classify,
        make_reversal=None,
        sender=sender,
        tries=tries,
        is_worth_another=_is_worth_another,
        # Three tries that each take as long as one may would keep the till beyond its 20 s.
        tries_begin_within_s=settings.PLATFORM_TOTAL_S,
        is_probe=is_probe,
    )


def _is_worth_another(finding: Finding) -> bool:
    # The pages ask for it on a 500; after a silence the sweep asks, and the customer may go.
    return finding.verdict is Verdict.UNKNOWN and finding.http_status == 500


def _classify(row: Transaction, answer: Reply | Silence, earlier_unknown: bool) -> Finding:
    message = BY_PATH[row.path]
    finding = answers.finding_of(
        message,
        answer,
        earlier_unknown=earlier_unknown,
        is_acknowledged=row.acknowledged_fence is not None,
    )
    form = codes.FORMS[message]
    if finding.verdict in _WITH_OFFERS and form.earns_by_offer and not form.may_earn_nothing:
        asked = messages.parse_request(message, payloads.body_of(row))
        return answers.whole(finding, asked_offers=len(asked.offers))
    return finding


def _refuse(reason: Reason | None) -> None:
    if reason is not None:
        raise Refused(reason)


def _refuse_unsound(order: IssuanceOrder | ReturnOrder, calculation: Calculation) -> None:
    # What a till says by the programme's own pages is the programme's to judge, and which message
    # it uses is its own choice.
    if order.as_sent is None:
        unsound = rules.why_not_basket(order.basket)
        _refuse(unsound or rules.why_not_awards(order.awards, calculation))


def _refuse_correction(corrects: Transaction | None, operation: Operation) -> None:
    if corrects is None:
        return
    is_rejected = State(corrects.state) in {State.REJECTED, State.PARTIAL}
    if corrects.operation != operation or not is_rejected:
        raise Refused(Reason.NOT_CORRECTABLE)


_WITH_OFFERS = frozenset({Verdict.CONFIRMED, Verdict.PARTIAL})
_REASONS = {
    Conflict.OTHER_CONTENT: Reason.OTHER_CONTENT,
    Conflict.SALE_OPEN: Reason.SALE_OPEN,
    Conflict.STATE_CHANGED: Reason.STATE_CHANGED,
}
