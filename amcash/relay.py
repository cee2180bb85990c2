"""What a till that speaks the programme's own API is told, in the programme's own codes.

PRODUCT 2 has the mapping, docs/integrators.md its table. Nothing is decided here of what may be
sent: that is `services`, as for the console.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from amcash import client, codes, messages, reversals, services, tills, voids
from amcash.codes import Reading
from amcash.orders import InquiryOrder, RedemptionOrder, ReversalOrder
from amcash.rules import Reason
from amcash.tills import Request
from backoffice import clock
from backoffice.devices.models import Device
from backoffice.journal import entries, payloads, programme, quarantine
from backoffice.journal.models import Transaction
from backoffice.journal.states import GRANTED, UNSETTLED, Operation, Product, State, Wanted
from backoffice.people.actors import Actor
from backoffice.switch.doors import Envelope, Told
from backoffice.units import Cents, wire_amount

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_IN_DOUBT: Final = "0008"
_TYPED: Final = "0009"
_BAD_REQUEST: Final = "0035"
_NO_SUCH_REDEMPTION: Final = "0057"
_TOO_LATE: Final = "0080"
_NOTHING_SENT: Final = "0092"
_BROKEN: Final = "0096"
_OTHER_BODY: Final = 422
# What Milepost itself says, in the words of the programme's library page.
_MESSAGES: Final[Mapping[str, "StrPromise"]] = {
    "0000": _("Approved"),
    _IN_DOUBT: _("Transaction timeout"),
    _TYPED: _("Card not swiped or scanned"),
    _BAD_REQUEST: _("Invalid request parameter"),
    _NO_SUCH_REDEMPTION: _("Invalid redemption confirmation number"),
    _TOO_LATE: _("Reversal window expired"),
    _NOTHING_SENT: _("Scheduled outage"),
    _BROKEN: _("Server error or no response"),
}
# Everything else that keeps a request from being sent is "not now".
_REFUSALS: Final[Mapping[Reason, str]] = {
    Reason.TYPED_CARD: _TYPED,
    Reason.NOTHING_ASKED: _BAD_REQUEST,
    Reason.TOO_LATE: _TOO_LATE,
    Reason.CREDIT_GIVEN: _TOO_LATE,
    Reason.NOT_REVERSIBLE: _NO_SUCH_REDEMPTION,
}


def echo(request: Request, *, device: Device, now: datetime) -> Told:
    """Pass an ECHO on, unless it is known that no requests can be sent."""
    if programme.standing(Product.CASH).is_open:
        return said(_NOTHING_SENT, request=request, device=device, now=now)
    heard = client.echo_as_sent(request.as_sent(asked="").body)
    return _passed_on(heard, request, device=device, now=now)


def inquire(request: Request, *, actor: Actor, now: datetime) -> Told:
    """Pass an INQUIRE on. Its answer has every balance that its code lets a receipt show."""
    assert request.card is not None and request.basket_cents is not None
    order = InquiryOrder(
        card=request.card,
        basket_cents=request.basket_cents,
        language=request.language,
        as_sent=request.as_sent(asked=""),
    )
    heard = services.inquire(order, actor=actor, now=now).heard
    if heard is None:
        return said(_NOTHING_SENT, request=request, device=actor.device, now=now)
    return _passed_on(heard, request, device=actor.device, now=now)


def redeem(request: Request, envelope: Envelope, *, actor: Actor, now: datetime) -> Told:
    """Redeem at most once for a request and its repetitions, and say how it stands.

    A repetition of which nothing had left is sent now; any other is told from the log.
    """
    assert request.card is not None
    assert request.basket_cents is not None and request.original_cents is not None
    assert request.asked_cents is not None
    order = RedemptionOrder(
        client_ref=envelope.client_ref,
        # AM Cash has no number of the sale: each request is a tender of its own.
        sale_ref=envelope.client_ref,
        card=request.card,
        basket_cents=request.basket_cents,
        original_cents=request.original_cents,
        asked_cents=request.asked_cents,
        language=request.language,
        as_sent=request.as_sent(asked=envelope.text),
    )
    try:
        outcome = services.redeem(order, actor=actor, now=now)
        row = outcome.transaction
        if row.state == State.QUEUED and not outcome.is_new:
            row = _sent_again(row, actor=actor)
    except services.Refused as refused:
        return _refused(refused, request, actor=actor, now=now)
    return _standing(row, request, actor=actor, now=now)


def reverse(request: Request, envelope: Envelope, *, actor: Actor, now: datetime) -> Told:
    """Give a redemption back, named by its confirmation number or, to void it, by its trace."""
    try:
        first = services.repeated(
            Operation.REVERSE, client_ref=envelope.client_ref, asked=envelope.text
        )
        if first is not None:
            return _standing(first, request, actor=actor, now=now)
        redemption = _named(request, actor=actor, now=now)
        if redemption is None or not _is_of_the_card(redemption, request):
            # A log that was put back may have lost it, and then people look for it.
            code = _IN_DOUBT if quarantine.standing() is not None else _NO_SUCH_REDEMPTION
            return said(code, request=request, device=actor.device, now=now)
        if not request.confirmation_number:
            return _voided(redemption, request, envelope, actor=actor, now=now)
        row = _reversal(redemption, request, envelope, actor=actor, now=now)
    except services.Refused as refused:
        return _refused(refused, request, actor=actor, now=now)
    return _standing(row, request, actor=actor, now=now)


def is_known_unsent(operation: Operation, envelope: Envelope) -> bool:
    """Say whether it is certain that nothing of a request was committed, and so nothing sent."""
    try:
        asked = envelope.text
        return services.repeated(operation, client_ref=envelope.client_ref, asked=asked) is None
    except (DatabaseError, services.Refused):
        return False


def said(
    code: str, *, device: Device, now: datetime, request: Request | None = None,
    is_french: bool = False, field: str = "", reference: str = "", status: int = 0,
) -> Told:  # fmt: skip
    """Say a code in Milepost's own name; 0035 names the field (PLATFORM 2.0)."""
    is_french = request.is_french if request is not None else is_french
    with translation.override("fr" if is_french else "en"):
        message = str(_MESSAGES[code])
        if field:
            message = gettext("%(message)s: %(field)s") % {"message": message, "field": field}
    zone = clock.zone_named(device.store.sponsor.programme_zone)
    body = tills.refusal(code, message, at=now.astimezone(zone))
    return Told(status=status or codes.CODES[code].http, body=body, reference=reference)


def _passed_on(heard: client.Heard, request: Request, *, device: Device, now: datetime) -> Told:
    """Return the platform's own answer to what moves nothing, or say why there is none."""
    answer, silence = heard.answer, heard.silence
    known = codes.find(answer.code) if answer is not None else None
    if answer is not None and known is not None:
        return Told(status=known.http, body=answer.kept)
    has_not_left = silence is not None and not silence.maybe_applied
    is_token_trouble = answer is None and heard.http_status == 401
    code = _NOTHING_SENT if has_not_left or is_token_trouble else _IN_DOUBT
    return said(code, request=request, device=device, now=now)


def _sent_again(row: Transaction, *, actor: Actor) -> Transaction:
    """Send what never left, unless the same request, pressed beside this one, was quicker."""
    try:
        # This right counts from now: the request came before it had found its row, and may have
        # waited for the very commit that ended the right before.
        return services.send_again(row, actor=actor, now=timezone.now()).transaction
    except services.Refused as refused:
        if refused.reason is not Reason.STATE_CHANGED:
            raise
        return entries.reread(row)


def _named(request: Request, *, actor: Actor, now: datetime) -> Transaction | None:
    """Return the redemption that a reversal names: any till's of the sponsor by its number, this
    till's own of this programme day by its trace."""
    if not request.confirmation_number:
        number = request.collector_number
        return voids.named(request.voided_trace_id, number, actor=actor, now=now)
    rows = Transaction.objects.filter(
        operation=Operation.REDEEM,
        is_training=False,
        confirmation_number=request.confirmation_number,
        store__sponsor=actor.device.store.sponsor_id,
    )
    return rows.select_related("store__sponsor", "device", "user").order_by("-id").first()


def _is_of_the_card(redemption: Transaction, request: Request) -> bool:
    number = request.collector_number
    return not number or payloads.vault().blind_index(number) == redemption.collector_mac


def _reversal(
    redemption: Transaction, request: Request, envelope: Envelope, *, actor: Actor, now: datetime
) -> Transaction:
    card = reversals.card_of(redemption)
    if card is None:
        # Its bytes are kept until it cannot be reversed any more.
        raise services.Refused(Reason.TOO_LATE)
    order = ReversalOrder(
        client_ref=envelope.client_ref,
        redemption=redemption.reference,
        language=request.language,
        as_sent=request.reversal(
            confirmation_number=redemption.confirmation_number,
            number=card.number,
            entry_mode=card.entry_mode,
            asked=envelope.text,
        ),
    )
    return services.reverse(order, redemption, actor=actor, now=now).transaction


def _voided(
    redemption: Transaction, request: Request, envelope: Envelope, *, actor: Actor, now: datetime
) -> Told:
    """Have a redemption come to nothing whose answer never came: given back if it went through."""
    redemption = voids.given_up(redemption, actor=actor, now=now)
    begun = _begun(redemption)
    if begun is not None:
        return _standing(begun, request, actor=actor, now=now)
    if State(redemption.state) in UNSETTLED:
        reference = str(redemption.reference)
        return said(_IN_DOUBT, request=request, device=actor.device, now=now, reference=reference)
    if not redemption.is_granted:
        return said(
            _NO_SUCH_REDEMPTION,
            request=request,
            device=actor.device,
            now=now,
            reference=str(redemption.reference),
        )
    try:
        row = _reversal(redemption, request, envelope, actor=actor, now=now)
    except services.Refused:
        # Somebody reverses it in this very moment: the till is told how that goes.
        begun = _begun(redemption)
        if begun is None:
            raise
        row = begun
    return _standing(row, request, actor=actor, now=now)


def _begun(redemption: Transaction) -> Transaction | None:
    """Return the latest reversal of a redemption, or None."""
    return redemption.reversals.select_related("store__sponsor", "device").order_by("-id").first()


def _standing(row: Transaction, request: Request, *, actor: Actor, now: datetime) -> Told:
    """Say how an operation stands; telling an approval presents it."""
    if row.operation == Operation.REDEEM and row.state == State.APPROVED:
        # First of all: a void of this very moment may be quicker, and then it is not told.
        row = services.present(row, actor=actor, now=now).transaction
    reference = str(row.reference)
    state = State(row.state)
    is_unwanted = row.wanted == Wanted.CANCEL and state in GRANTED
    told = None
    if state in GRANTED and not is_unwanted:
        told = _kept_answer(row, Reading.APPROVED) or _decided(row, request, now=now)
    elif state is State.DECLINED:
        told = _kept_answer(row, Reading.DECLINED, Reading.DECLINED_AFTER_DOUBT)
    elif state is State.EXPIRED:
        told = _kept_answer(row, Reading.EXPIRED)
    return told or said(
        _code_of(row, is_unwanted=is_unwanted),
        request=request,
        device=actor.device,
        now=now,
        reference=reference,
    )


def _code_of(row: Transaction, *, is_unwanted: bool) -> str:
    state = State(row.state)
    if state is State.EXPIRED:
        return _TOO_LATE
    if state in {State.QUEUED, State.NOT_SENT} or is_unwanted:
        return _NOTHING_SENT
    if state is State.DECLINED:
        # People found that it was not executed.
        is_reversal = row.operation == Operation.REVERSE
        return _NO_SUCH_REDEMPTION if is_reversal else _NOTHING_SENT
    return _IN_DOUBT


def _kept_answer(row: Transaction, *readings: Reading) -> Told | None:
    """Return the platform's own answer if it says what the log says."""
    kept = payloads.answer_of(row)
    if kept is None:
        return None
    answer = messages.parse(kept)
    known = codes.find(answer.code)
    if known is None or known.reading not in readings:
        return None
    is_whole = answer.confirmation_number == row.confirmation_number
    if known.reading is Reading.APPROVED and not is_whole:
        return None
    return Told(status=known.http, body=kept, reference=str(row.reference))


def _decided(row: Transaction, request: Request, *, now: datetime) -> Told:
    """Return the approval of what people decided, from the log's own row."""
    with translation.override(request.language):
        message = str(_MESSAGES["0000"])
    zone = clock.zone_named(row.zone)
    body = tills.approval(
        request,
        message,
        at=(row.settled_at or now).astimezone(zone),
        told={
            "txnConfirmationNumber": row.confirmation_number,
            "unitsRedeemed": None if row.units is None else str(row.units),
            "unitValueDollars": None
            if row.unit_cents is None
            else wire_amount(Cents(row.unit_cents)),
            "unitValueAMCash": None if row.unit_miles is None else str(row.unit_miles),
        },
    )
    return Told(status=200, body=body, reference=str(row.reference))


def _refused(refused: services.Refused, request: Request, *, actor: Actor, now: datetime) -> Told:
    if refused.reason is Reason.OTHER_CONTENT:
        return said(
            _BAD_REQUEST,
            request=request,
            device=actor.device,
            now=now,
            field="Idempotency-Key",
            status=_OTHER_BODY,
        )
    code = _REFUSALS.get(refused.reason, _NOTHING_SENT)
    if refused.reason is Reason.ALREADY_REVERSED:
        code = _NO_SUCH_REDEMPTION
    field = "dollarRedeemRequest" if refused.reason is Reason.NOTHING_ASKED else ""
    return said(code, request=request, device=actor.device, now=now, field=field)
