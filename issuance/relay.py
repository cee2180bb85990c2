"""What a till that speaks the programme's own issuance API is told (PRODUCT 2).

docs/integrators.md has the table. Nothing is decided here of what may be sent: that is `services`,
as for the console.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

from backoffice import clock
from backoffice.cards import Card, EntryMode
from backoffice.journal import payloads
from backoffice.journal.choices import Step
from backoffice.journal.models import OfferResult, Transaction
from backoffice.journal.states import TAKING, UNSETTLED, Operation, State
from backoffice.people.actors import Actor
from backoffice.switch.doors import Envelope, Told
from issuance import services, tills
from issuance.codes import BY_PATH, FORMS, Message, Status
from issuance.lines import OfferAnswer
from issuance.orders import (
    AsSent,
    Basket,
    CalculationOrder,
    EventOrder,
    IssuanceOrder,
    RecordOrder,
    ReturnOrder,
    TransactionType,
)
from issuance.rules import Reason
from issuance.tills import Request

_OTHER_BODY: Final = 422
_NOTHING_SENT: Final = 500
# What a till is told of what came to its end without an answer that tells it.
_ENDS: Final = {
    State.CONFIRMED: (200, Status.CONFIRMED),
    State.DONE: (200, Status.CONFIRMED),
    State.APPROVED: (200, Status.CONFIRMED),
    State.PARTIAL: (200, Status.REJECTED),
}
# What a message may name as its original, the likelier kind first: by the programme's pages a
# REVERSE names an event as well, and a REVERSE/EVENT a sale.
_MAY_NAME: Final = {
    Message.REVERSE: (Operation.ISSUE, Operation.POST_EVENT),
    Message.RETURN: (Operation.ISSUE,),
    Message.REVERSE_EVENT: (Operation.POST_EVENT, Operation.ISSUE),
}


def answer(request: Request, envelope: Envelope, *, actor: Actor, now: datetime) -> Told:
    """Do what a till asks, once for a request and its repetitions, and say how it stands."""
    try:
        match request.message:
            case Message.CALCULATE:
                return _calculated(request, actor=actor, now=now)
            case Message.POST | Message.ISSUE:
                row = _given(request, envelope, actor=actor, now=now)
            case Message.REVERSE | Message.RETURN:
                row = _taken_back(request, envelope, actor=actor, now=now)
            case Message.RECORD:
                row = _recorded(request, envelope, actor=actor, now=now)
            case _:
                row = _event(request, envelope, actor=actor, now=now)
    except services.Refused as refused:
        if refused.reason is Reason.OTHER_CONTENT:
            reason = "Idempotency-Key: was used for another request"
            return refusal(_OTHER_BODY, ("IdempotencyKeyReused", reason))
        return _nothing_sent()
    return _standing(row)


def refusal(status: int, *errors: tuple[str, str]) -> Told:
    """Say what is wrong with a request, or with us."""
    return Told(status=status, body=tills.refusal(errors))


def _nothing_sent(reference: str = "") -> Told:
    reason = "Nothing has been sent. Send the same request again."
    if reference:
        reason = "Nothing has been sent yet. It is kept, and sent as soon as that is possible."
    body = tills.refusal([("NothingSent", reason)])
    return Told(status=_NOTHING_SENT, body=body, reference=reference)


def _calculated(request: Request, *, actor: Actor, now: datetime) -> Told:
    order = CalculationOrder(
        card=_card(request),
        basket=_basket(request),
        transaction_type=TransactionType(request.transaction_type),
        as_sent=_as_sent(request),
    )
    heard = services.calculate(order, actor=actor, now=now).heard
    if heard is None or heard.answer is None:
        return _nothing_sent()
    status = heard.http_status
    if status not in FORMS[Message.CALCULATE].statuses:
        return _nothing_sent()
    return Told(status=status, body=heard.body)


def _given(request: Request, envelope: Envelope, *, actor: Actor, now: datetime) -> Transaction:
    order = IssuanceOrder(
        client_ref=envelope.client_ref,
        sale_ref=envelope.client_ref,
        card=_card(request),
        basket=_basket(request),
        language=actor.device.store.language,
        as_sent=_as_sent(request, envelope),
    )
    return services.give(order, actor=actor, now=now).transaction


def _taken_back(
    request: Request, envelope: Envelope, *, actor: Actor, now: datetime
) -> Transaction:
    original = _original(request, actor)
    order = ReturnOrder(
        client_ref=envelope.client_ref,
        sale_ref=envelope.client_ref,
        card=_card(request),
        basket=_basket(request),
        language=actor.device.store.language,
        original=original.reference if original else None,
        original_id=request.original_id,
        as_sent=_as_sent(request, envelope),
    )
    return services.take_back(order, original, actor=actor, now=now).transaction


def _recorded(request: Request, envelope: Envelope, *, actor: Actor, now: datetime) -> Transaction:
    order = RecordOrder(
        client_ref=envelope.client_ref,
        sale_ref=envelope.client_ref,
        card=_card(request) if request.collector_number else None,
        basket=_basket(request),
        transaction_type=TransactionType(request.transaction_type),
        language=actor.device.store.language,
        as_sent=_as_sent(request, envelope),
    )
    return services.record(order, actor=actor, now=now).transaction


def _event(request: Request, envelope: Envelope, *, actor: Actor, now: datetime) -> Transaction:
    order = EventOrder(
        client_ref=envelope.client_ref,
        card=_card(request),
        awards=(),
        language=actor.device.store.language,
        is_taking_back=request.message is Message.REVERSE_EVENT,
        as_sent=_as_sent(request, envelope),
    )
    original = _original(request, actor)
    return services.event(order, actor=actor, now=now, original=original).transaction


def _as_sent(request: Request, envelope: Envelope | None = None) -> AsSent:
    return AsSent(
        path=FORMS[request.message].path,
        body=request.body,
        checkout_id=request.checkout_id,
        asked=envelope.text if envelope is not None else "",
    )


def _card(request: Request) -> Card:
    # Issuance is not told how a card was read; the log keeps nothing of it.
    return Card(number=request.collector_number, entry_mode=EntryMode.SCAN)


def _basket(request: Request) -> Basket:
    """Return what the log keeps of a basket; its lines go to the programme as they are."""
    return Basket(
        pre_tax_cents=request.cents("basketPreTaxAmount"),
        post_tax_cents=request.cents("basketPostTaxAmount"),
    )


def _original(request: Request, actor: Actor) -> Transaction | None:
    """Return what a request takes back, by the programme's number or by the till's own.

    One that came to nothing, or that Milepost does not know, is the programme's to refuse.
    """
    if not request.original_id:
        return None
    given = Transaction.objects.filter(
        state__in=sorted(TAKING),
        store__sponsor=actor.device.store.sponsor_id,
        collector_mac=payloads.vault().blind_index(request.collector_number),
        is_training=False,
    ).order_by("-id")
    for operation in _MAY_NAME.get(request.message, ()):
        for name in ("confirmation_number", "checkout_id"):
            found = given.filter(operation=operation, **{name: request.original_id}).first()
            if found is not None:
                return found
    return None


def _standing(row: Transaction) -> Told:
    """Say how an operation stands: the programme's own answer, or what is known without one."""
    reference = str(row.reference)
    state = State(row.state)
    if state is State.QUEUED:
        return _nothing_sent(reference)
    if state is State.NOT_SENT:
        # What it was to take back came to nothing, or people have ruled that it asks too much.
        body = tills.refusal([("NothingToTakeBack", "Nothing was sent and nothing taken back.")])
        return Told(status=400, body=body, reference=reference)
    is_open = state in UNSETTLED
    if not is_open and not row.decisions.filter(step=Step.CONFIRMED).exists():
        kept = payloads.answer_of(row)
        if kept is not None and row.http_status is not None:
            return Told(status=row.http_status, body=kept, reference=reference)
    status, otherwise = _ENDS.get(state, (400, Status.REJECTED))
    if is_open:
        # The sample of an event has 200 with PENDING; what is not known is accepted (202).
        is_told = state is State.PENDING and row.http_status in {200, 202}
        status, otherwise = (row.http_status or 202) if is_told else 202, Status.PENDING
    body = tills.standing(
        BY_PATH[row.path],
        payloads.body_of(row) or b"{}",
        [_offer(one) for one in row.offers.all()],
        transaction_id=row.confirmation_number,
        otherwise=otherwise,
        zone=clock.zone_named(row.zone),
    )
    return Told(status=status, body=body, reference=reference)


def _offer(result: OfferResult) -> OfferAnswer:
    errors = ((result.error_code, result.error_reason),) if result.error_code else ()
    at = result.processed_at
    return OfferAnswer(
        offer_code=result.offer_code,
        offer_id=result.offer_id,
        miles=Decimal(result.miles),
        status=result.status,
        confirmation_number=result.confirmation_number,
        processed_at=at.isoformat(timespec="milliseconds") if at is not None else "",
        location_code=result.location_code,
        description=result.description,
        errors=errors,
    )
