"""The issuance messages, out and in. Sans I/O: bytes are built once here and never again.

Remote field names appear in this module only. Amounts, quantities and miles are JSON numbers and
stay Decimals with the places they were written with (PLATFORM 2.8).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from backoffice import exact, plain
from issuance.codes import EVENTS, Message
from issuance.lines import (
    Answer,
    BasketMessage,
    EventMessage,
    ItemLine,
    JsonId,
    OfferAnswer,
    OfferLine,
)

Line = TypeVar("Line")


class Unreadable(ValueError):
    """The bytes are not a message of the programme's: they decide nothing (PRODUCT 7)."""


def wire_moment(moment: datetime) -> str:
    """Write a moment as the pages do: local time to the millisecond, a colon in the offset."""
    assert moment.tzinfo is not None
    return moment.isoformat(timespec="milliseconds")


def build(message: BasketMessage | EventMessage) -> bytes:
    """Build a message's bytes: compact JSON, keys in order, numbers with their places."""
    fields = _basket(message) if isinstance(message, BasketMessage) else _event(message)
    return exact.dumps(_present(fields))


def parse_request(message: Message, body: bytes) -> BasketMessage | EventMessage:
    """Read a request, ours or a till's. Raises Unreadable when a required field is not there."""
    fields = _object(body)
    if message in EVENTS:
        return EventMessage(
            client_id=_required(fields, "clientTransactionId"),
            sent_at=_required(fields, "transactionDateTime"),
            sponsor_code=_required(fields, "sponsorCode"),
            collector_number=_required(fields, "collectorNumber"),
            offers=_each(fields, "issuances", _offer),
            context=_pairs(fields),
            coupons=_texts(fields, "coupon"),
            device_id=_text(fields, "deviceId"),
            original_id=_text(fields, "originalClientTransactionId"),
        )
    return BasketMessage(
        checkout_id=_required(fields, "checkoutTransactionId"),
        checkout_at=_required(fields, "checkoutDateTime"),
        sponsor_code=_required(fields, "sponsorCode"),
        pre_tax=_number(fields, "basketPreTaxAmount"),
        post_tax=_number(fields, "basketPostTaxAmount"),
        collector_number=_text(fields, "collectorNumber"),
        gst=_maybe_number(fields, "basketGSTAmount"),
        hst=_maybe_number(fields, "basketHSTAmount"),
        pst=_maybe_number(fields, "basketPSTAmount"),
        qst=_maybe_number(fields, "basketQSTAmount"),
        context=_pairs(fields),
        coupons=_texts(fields, "coupon"),
        tenders=_texts(fields, "tender"),
        device_id=_text(fields, "deviceId"),
        location_code=_text(fields, "locationCode"),
        original_id=_text(fields, "originalTransactionId"),
        transaction_type=_text(fields, "transactionType"),
        items=_each(fields, "items", _item),
        offers=_each(fields, "issuances", _offer),
    )


def parse(body: bytes) -> Answer:
    """Read an answer. Raises Unreadable unless it is a JSON object of sane fields."""
    fields = _object(body)
    return Answer(
        transaction_id=_text(fields, "transactionId"),
        checkout_id=_text(fields, "checkoutTransactionId") or _text(fields, "clientTransactionId"),
        offers=_each(fields, "issuances", _offer_answer),
        errors=_errors(fields),
    )


def error_codes(body: bytes) -> tuple[str, ...] | None:
    """Return the errors that an answer names; None when it is none of the programme's.

    What a 400 looks like is documented nowhere, so errors are found wherever they stand in it.
    """
    try:
        return tuple(_found_errors(_object(body)))
    except Unreadable:
        return None


def _found_errors(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        code = value.get("errorCode")
        if isinstance(code, str) and plain.is_text(code):
            yield code
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _found_errors(one)


def _basket(message: BasketMessage) -> dict[str, Any]:
    return {
        "basketGSTAmount": message.gst,
        "basketHSTAmount": message.hst,
        "basketPSTAmount": message.pst,
        "basketQSTAmount": message.qst,
        "basketPreTaxAmount": message.pre_tax,
        "basketPostTaxAmount": message.post_tax,
        "checkoutDateTime": message.checkout_at,
        "checkoutTransactionId": message.checkout_id,
        "collectorNumber": message.collector_number,
        "context": dict(message.context),
        "coupon": message.coupons,
        "deviceId": message.device_id,
        "issuances": [_offer_fields(offer) for offer in message.offers],
        "items": [_item_fields(item) for item in message.items],
        "locationCode": message.location_code,
        "originalTransactionId": message.original_id,
        "sponsorCode": message.sponsor_code,
        "tender": message.tenders,
        "transactionType": message.transaction_type,
    }


def _event(message: EventMessage) -> dict[str, Any]:
    return {
        "clientTransactionId": message.client_id,
        "collectorNumber": message.collector_number,
        "context": dict(message.context),
        "coupon": message.coupons,
        "deviceId": message.device_id,
        "issuances": [_offer_fields(offer) for offer in message.offers],
        "originalClientTransactionId": message.original_id,
        "sponsorCode": message.sponsor_code,
        "transactionDateTime": message.sent_at,
    }


def _offer_fields(offer: OfferLine) -> dict[str, Any]:
    return _present(
        {
            "contributingItemIds": offer.contributing_ids,
            "issuanceOfferCode": offer.offer_code,
            "locationCode": offer.location_code,
            "milesAmount": offer.miles,
            "offerDescription": offer.description,
            "offerId": offer.offer_id,
        }
    )


def _item_fields(item: ItemLine) -> dict[str, Any]:
    return _present(
        {
            "id": item.id,
            "name": item.name,
            "number": item.number,
            "quantity": item.quantity,
            "baseAmount": item.base_amount,
            "finalAmount": item.final_amount,
            "departmentId": item.department_id,
            "categoryId": item.category_id,
        }
    )


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    # Zero is an amount; only what is not known or not there is left out.
    return {
        name: value
        for name, value in fields.items()
        if isinstance(value, Decimal) or (value is not None and len(value) > 0)
    }


def _item(fields: dict[str, Any]) -> ItemLine:
    return ItemLine(
        id=_required(fields, "id"),
        name=_required_words(fields, "name"),
        number=_number(fields, "number"),
        quantity=_number(fields, "quantity"),
        base_amount=_number(fields, "baseAmount"),
        final_amount=_number(fields, "finalAmount"),
        department_id=_text(fields, "departmentId"),
        category_id=_text(fields, "categoryId"),
    )


def _offer(fields: dict[str, Any]) -> OfferLine:
    return OfferLine(
        offer_code=_required(fields, "issuanceOfferCode"),
        offer_id=_id(fields, "offerId"),
        miles=_number(fields, "milesAmount"),
        location_code=_text(fields, "locationCode"),
        description=_words(fields, "offerDescription"),
        contributing_ids=_texts(fields, "contributingItemIds"),
    )


def _offer_answer(fields: dict[str, Any]) -> OfferAnswer:
    # In an error the mirror of the request is not guaranteed (PLATFORM 2.0).
    return OfferAnswer(
        offer_code=_text(fields, "issuanceOfferCode"),
        offer_id=str(_id(fields, "offerId")) if "offerId" in fields else "",
        miles=_maybe_number(fields, "milesAmount") or Decimal(0),
        status=_text(fields, "status"),
        confirmation_number=_text(fields, "confirmationNumber"),
        processed_at=_text(fields, "processedDateTime"),
        location_code=_text(fields, "locationCode"),
        description=_words(fields, "offerDescription"),
        contributing_ids=_texts(fields, "contributingItemIds"),
        errors=_errors(fields),
    )


def _errors(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    named = _each(fields, "errors", _error)
    own = _error(fields)
    return (own, *named) if own[0] else named


def _error(fields: dict[str, Any]) -> tuple[str, str]:
    return _text(fields, "errorCode"), _words(fields, "errorReason")


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = exact.loads(body)
    except exact.NotJson as error:
        raise Unreadable("This is not JSON.") from error
    if not isinstance(fields, dict):
        raise Unreadable("This is not a JSON object.")
    return fields


def _required(fields: dict[str, Any], name: str) -> str:
    value = _text(fields, name)
    if not value:
        raise Unreadable(f"{name} is missing.")
    return value


def _required_words(fields: dict[str, Any], name: str) -> str:
    value = _words(fields, name)
    if not value:
        raise Unreadable(f"{name} is missing.")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = _words(fields, name)
    # What cannot be stored or shown is no id, code or status: control characters.
    if not plain.is_text(value):
        raise Unreadable(f"{name} has characters that cannot be shown.")
    return value


def _words(fields: dict[str, Any], name: str) -> str:
    """Return free text, which decides nothing and may hold line ends."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is not a string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unreadable(f"{name} is not text.") from error
    return value


def _texts(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    values = fields.get(name) or []
    if not isinstance(values, list):
        raise Unreadable(f"{name} is not a list.")
    return tuple(_text({name: value}, name) for value in values)


def _pairs(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    context = fields.get("context") or {}
    if not isinstance(context, dict):
        raise Unreadable("context is not an object.")
    return tuple((key, _words(context, key)) for key in sorted(context))


def _id(fields: dict[str, Any], name: str) -> JsonId:
    value = fields.get(name)
    return value if isinstance(value, Decimal) else _required(fields, name)


def _number(fields: dict[str, Any], name: str) -> Decimal:
    value = fields.get(name)
    if not isinstance(value, Decimal):
        raise Unreadable(f"{name} is not a number.")
    return value


def _maybe_number(fields: dict[str, Any], name: str) -> Decimal | None:
    return None if fields.get(name) is None else _number(fields, name)


def _each(
    fields: dict[str, Any], name: str, read: Callable[[dict[str, Any]], Line]
) -> tuple[Line, ...]:
    values = fields.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise Unreadable(f"{name} is not a list of objects.")
    return tuple(read(value) for value in values)
