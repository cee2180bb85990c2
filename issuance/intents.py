"""How an order becomes an intent: which message it is, its bytes, and what it is linked to."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from backoffice.cards import Card
from backoffice.devices.models import Device
from backoffice.journal.entries import Intent
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from backoffice.units import Cents
from issuance import messages, returns
from issuance.codes import FORMS, Message
from issuance.lines import BasketMessage, EventMessage, ItemLine, OfferLine
from issuance.orders import (
    AsSent,
    Award,
    Basket,
    Calculation,
    CalculationOrder,
    EventOrder,
    IssuanceOrder,
    RecordOrder,
    ReturnOrder,
    TransactionType,
)

# Stands in the comparison of two presses for what we add ourselves: moments and numbers.
_OURS = "ours"


@dataclass(frozen=True, kw_only=True)
class _Sale:
    """What every basket message has in common."""

    client_ref: str
    sale_ref: str
    checkout_id: str
    language: str
    card: Card | None
    basket: Basket
    awards: tuple[Award, ...]


def issue(
    order: IssuanceOrder,
    calculation: Calculation,
    *,
    device: Device,
    now: datetime,
    corrects: Transaction | None = None,
) -> Intent:
    """Return the intent to give a sale's miles: ISSUE, or POST where the retailer calculates."""
    if order.as_sent is not None:
        return _tills(order, order.as_sent, Operation.ISSUE, order.basket.post_tax_cents)
    is_ours = calculation is Calculation.PARTNER
    intent = _of_a_sale(
        Message.POST if is_ours else Message.ISSUE,
        Operation.ISSUE,
        _sale(order),
        device,
        now,
        context=returns.notes(order.basket, order.awards) if is_ours else (),
    )
    return replace(intent, corrects=corrects)


def give_back(
    order: ReturnOrder,
    calculation: Calculation,
    *,
    original: Transaction | None,
    device: Device,
    now: datetime,
    corrects: Transaction | None = None,
) -> Intent:
    """Return the intent to take miles back: RETURN, or REVERSE where the retailer calculates.

    The original is named by the programme's id or, as long as that is not known, by our own.
    """
    if order.as_sent is not None:
        intent = _tills(order, order.as_sent, Operation.RETURN, order.basket.post_tax_cents)
        return replace(intent, original=original)
    is_ours = calculation is Calculation.PARTNER
    original_id = order.original_id
    if original is not None:
        original_id = original.confirmation_number or original.checkout_id
    intent = _of_a_sale(
        Message.REVERSE if is_ours else Message.RETURN,
        Operation.RETURN,
        _sale(order),
        device,
        now,
        original_id=original_id,
        original_asked=str(original.reference) if original else order.original_id,
        context=returns.notes(order.basket, order.awards) if is_ours else (),
    )
    counted = order.counted if original is not None else None
    return replace(intent, original=original, corrects=corrects, counted=counted)


def record(order: RecordOrder, *, device: Device, now: datetime) -> Intent:
    """Return the intent to log a sale that earned nothing."""
    if order.as_sent is not None:
        return _tills(order, order.as_sent, Operation.RECORD, order.basket.post_tax_cents)
    return _of_a_sale(
        Message.RECORD,
        Operation.RECORD,
        _sale(order),
        device,
        now,
        original_id=order.original_id,
        original_asked=order.original_id,
        transaction_type=order.transaction_type,
    )


def event(
    order: EventOrder,
    *,
    device: Device,
    now: datetime,
    original: Transaction | None = None,
    corrects: Transaction | None = None,
) -> Intent:
    """Return the intent to give miles, or take some back, without a sale.

    The programme knows an event of ours by the number that we gave it, settled or not.
    """
    if order.as_sent is not None:
        is_back = order.is_taking_back
        operation = Operation.REVERSE_EVENT if is_back else Operation.POST_EVENT
        return replace(_tills(order, order.as_sent, operation, None), original=original)
    message = Message.REVERSE_EVENT if order.is_taking_back else Message.POST_EVENT
    reference = uuid.uuid4()
    body = EventMessage(
        client_id=str(reference),
        sent_at=messages.wire_moment(now.astimezone(device.store.tzinfo)),
        sponsor_code=device.store.sponsor.code,
        collector_number=order.card.number,
        offers=tuple(_offer(award, is_event=True) for award in order.awards),
        context=(("reason", order.reason),) if order.reason else (),
        coupons=order.coupons,
        device_id=device.number,
        original_id=original.checkout_id if original is not None else order.original_id,
    )
    operation = Operation.REVERSE_EVENT if order.is_taking_back else Operation.POST_EVENT
    return Intent(
        reference=reference,
        operation=operation,
        path=FORMS[message].path,
        body=messages.build(body),
        trace_id="",
        client_ref=order.client_ref,
        sale_ref=str(reference),
        language=order.language,
        card_number=order.card.number,
        card_entry_mode=order.card.entry_mode,
        checkout_id=str(reference),
        original=original,
        corrects=corrects,
        asked=_asked(replace(body, client_id=_OURS, sent_at=_OURS), corrects),
    )


def calculation(order: CalculationOrder, *, device: Device, now: datetime) -> bytes:
    """Return the bytes of a CALCULATE, which has no intent: it moves nothing."""
    return messages.build(
        _basket_message(
            order.basket,
            card=order.card,
            awards=(),
            checkout_id=str(uuid.uuid4()),
            device=device,
            now=now,
            original_id=order.original_id,
            transaction_type=order.transaction_type,
        )
    )


def trial(*, device: Device, now: datetime) -> bytes:
    """Return the bytes of a RECORD that tests the line: no collector, no amount, and it says so."""
    body = _basket_message(
        Basket(pre_tax_cents=Cents(0), post_tax_cents=Cents(0)),
        card=None,
        awards=(),
        checkout_id=f"TEST-{uuid.uuid4()}",
        device=device,
        now=now,
        original_id="",
        transaction_type=TransactionType.PURCHASE,
    )
    return messages.build(replace(body, context=(("purpose", "connection test"),)))


def _tills(
    order: IssuanceOrder | ReturnOrder | RecordOrder | EventOrder,
    sent: AsSent,
    operation: Operation,
    basket_cents: int | None,
) -> Intent:
    """Return the intent of a till's own message, as it sent it."""
    return Intent(
        operation=operation,
        path=sent.path,
        body=sent.body,
        trace_id="",
        client_ref=order.client_ref,
        # The same sale in another request is the programme's to tell apart, as without us.
        sale_ref=order.client_ref,
        language=order.language,
        card_number=order.card.number if order.card else "",
        # No message of issuance tells how a card was read.
        card_entry_mode="",
        basket_cents=basket_cents,
        checkout_id=sent.checkout_id,
        asked=sent.asked,
    )


def _sale(order: IssuanceOrder | ReturnOrder | RecordOrder) -> _Sale:
    return _Sale(
        client_ref=order.client_ref,
        sale_ref=order.sale_ref,
        checkout_id=order.checkout_id,
        language=order.language,
        card=order.card,
        basket=order.basket,
        awards=order.awards,
    )


def _of_a_sale(
    message: Message,
    operation: Operation,
    sale: _Sale,
    device: Device,
    now: datetime,
    *,
    original_id: str = "",
    original_asked: str = "",
    transaction_type: str = "",
    context: tuple[tuple[str, str], ...] = (),
) -> Intent:
    reference = uuid.uuid4()
    checkout_id = sale.checkout_id or str(reference)
    body = _basket_message(
        sale.basket,
        card=sale.card,
        awards=sale.awards,
        checkout_id=checkout_id,
        device=device,
        now=now,
        original_id=original_id,
        transaction_type=transaction_type,
    )
    body = replace(body, context=context)
    asked = replace(
        body,
        checkout_id=sale.checkout_id or _OURS,
        checkout_at=_OURS,
        # Its number at the programme may become known between two presses.
        original_id=original_asked,
    )
    return Intent(
        reference=reference,
        operation=operation,
        path=FORMS[message].path,
        body=messages.build(body),
        trace_id="",
        client_ref=sale.client_ref,
        sale_ref=sale.sale_ref,
        language=sale.language,
        card_number=sale.card.number if sale.card else "",
        card_entry_mode=sale.card.entry_mode if sale.card else "",
        basket_cents=sale.basket.post_tax_cents,
        checkout_id=checkout_id,
        asked=_asked(asked, None),
    )


def _asked(body: BasketMessage | EventMessage, corrects: Transaction | None) -> str:
    corrected = f"\n{corrects.reference}" if corrects is not None else ""
    return messages.build(body).decode() + corrected


def _basket_message(
    basket: Basket,
    *,
    card: Card | None,
    awards: tuple[Award, ...],
    checkout_id: str,
    device: Device,
    now: datetime,
    original_id: str,
    transaction_type: str,
) -> BasketMessage:
    store = device.store
    taxes = basket.taxes
    return BasketMessage(
        checkout_id=checkout_id,
        checkout_at=messages.wire_moment(now.astimezone(store.tzinfo)),
        sponsor_code=store.sponsor.code,
        pre_tax=_dollars(basket.pre_tax_cents),
        post_tax=_dollars(basket.post_tax_cents),
        collector_number=card.number if card else "",
        gst=_maybe_dollars(taxes.gst_cents),
        hst=_maybe_dollars(taxes.hst_cents),
        pst=_maybe_dollars(taxes.pst_cents),
        qst=_maybe_dollars(taxes.qst_cents),
        coupons=basket.coupons,
        tenders=basket.tenders,
        device_id=device.number,
        location_code=store.number,
        original_id=original_id,
        transaction_type=transaction_type,
        items=tuple(
            ItemLine(
                id=item.sku,
                name=item.name,
                number=Decimal(item.number),
                quantity=item.quantity,
                base_amount=_dollars(item.base_cents),
                final_amount=_dollars(item.final_cents),
                department_id=item.department,
                category_id=item.category,
            )
            for item in basket.items
        ),
        offers=tuple(_offer(award, is_event=False) for award in awards),
    )


def _offer(award: Award, *, is_event: bool) -> OfferLine:
    return OfferLine(
        offer_code=award.offer_code,
        offer_id=award.offer_id,
        miles=Decimal(award.miles),
        location_code=award.location_code,
        description=award.description,
        # Without a basket there are no items to name (the POST/EVENT page).
        contributing_ids=() if is_event else award.contributing_skus,
    )


def _dollars(cents: Cents) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _maybe_dollars(cents: Cents | None) -> Decimal | None:
    return None if cents is None else _dollars(cents)
