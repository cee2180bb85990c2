"""The messages of issuance: what a request must look like, and how an answer is written.

The platform's field names occur here and nowhere else. PLATFORM 2.8.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from sandbox.conditions.switches import Switches
from sandbox.issuance import offers
from sandbox.issuance.codes import ERRORS, EVENTS, Call, Status
from sandbox.issuance.fields import (
    COLLECTOR,
    LOCATION,
    OFFER_CODE,
    SPONSOR,
    TRANSACTION_TYPE,
    Amount,
    Miles,
    Moment,
    Numeric,
    OfferId,
    Pairs,
    Quantity,
    Text,
    line_total,
)
from sandbox.issuance.models import Item
from sandbox.issuance.orders import Asked, Order

MAX_ERRORS = 20


class EventIssuanceInput(serializers.Serializer[Any]):
    issuanceOfferCode = Text(pattern=OFFER_CODE)
    locationCode = Text(pattern=LOCATION, required=False)
    milesAmount = Miles()
    offerDescription = Text(255, required=False)
    offerId = OfferId()


class IssuanceInput(EventIssuanceInput):
    contributingItemIds = serializers.ListField(child=Text(), required=False)


class ItemInput(serializers.Serializer[Any]):
    id = Text()
    name = Text(255)
    number = Numeric(most=10**6, places=0)
    quantity = Quantity()
    baseAmount = Amount()
    finalAmount = Amount()
    departmentId = Text(required=False)
    categoryId = Text(required=False)

    def validate(self, item: dict[str, Any]) -> dict[str, Any]:
        total = line_total(item["baseAmount"], item["quantity"])
        if total != item["finalAmount"]:
            words = f"must be baseAmount times quantity, {total}"
            raise serializers.ValidationError({"finalAmount": [words]})
        return item


class Request(serializers.Serializer[Any]):
    """What every call has."""

    collectorNumber = Text(pattern=COLLECTOR)
    coupon = serializers.ListField(child=Text(), required=False)
    deviceId = Text(required=False)
    sponsorCode = Text(pattern=SPONSOR)

    def get_fields(self) -> dict[str, Any]:
        # Not declared above: a serializer has a property of its own by this name.
        return {**super().get_fields(), "context": Pairs(required=False)}


class BasketRequest(Request):
    basketGSTAmount = Amount(required=False)
    basketHSTAmount = Amount(required=False)
    basketPSTAmount = Amount(required=False)
    basketQSTAmount = Amount(required=False)
    basketPostTaxAmount = Amount()
    basketPreTaxAmount = Amount()
    checkoutDateTime = Moment()
    checkoutTransactionId = Text()
    items = ItemInput(many=True, required=False)
    locationCode = Text(pattern=LOCATION, required=False)
    tender = serializers.ListField(child=Text(), required=False)


class PostRequest(BasketRequest):
    issuances = IssuanceInput(many=True, allow_empty=False)


class ReverseRequest(PostRequest):
    originalTransactionId = Text(required=False)


class TypedRequest(BasketRequest):
    originalTransactionId = Text(required=False)
    # A choice field would repeat what was sent in its error, whatever that is.
    transactionType = Text(pattern=TRANSACTION_TYPE)


class RecordRequest(TypedRequest):
    collectorNumber = Text(pattern=COLLECTOR, required=False)
    issuances = IssuanceInput(many=True, required=False)


class ReturnRequest(BasketRequest):
    originalTransactionId = Text()


class PostEventRequest(Request):
    clientTransactionId = Text()
    issuances = EventIssuanceInput(many=True, allow_empty=False)
    transactionDateTime = Moment()


class ReverseEventRequest(PostEventRequest):
    originalClientTransactionId = Text(required=False)


# One of each for all requests: validating keeps nothing, and building the fields is what costs.
REQUESTS: dict[Call, Request] = {
    Call.POST: PostRequest(),
    Call.POST_EVENT: PostEventRequest(),
    Call.REVERSE: ReverseRequest(),
    Call.REVERSE_EVENT: ReverseEventRequest(),
    Call.RECORD: RecordRequest(),
    Call.CALCULATE: TypedRequest(),
    Call.ISSUE: BasketRequest(),
    Call.RETURN: ReturnRequest(),
}


class Invalid(ValueError):
    """A request's fields are wrong: which, and how, in the order of their names."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = tuple(problems)


def read_order(call: Call, body: Mapping[str, Any], switches: Switches) -> Order:
    """Return what a request asks for, or say what is wrong with each field."""
    try:
        fields: dict[str, Any] = REQUESTS[call].run_validation(dict(body))
    except serializers.ValidationError as invalid:
        raise Invalid(sorted(_problems(invalid.detail))[:MAX_ERRORS]) from None
    moment = fields["transactionDateTime" if call in EVENTS else "checkoutDateTime"]
    return Order(
        call=call,
        collector=fields.get("collectorNumber", ""),
        sponsor=fields["sponsorCode"],
        own_id=fields["clientTransactionId" if call in EVENTS else "checkoutTransactionId"],
        location=fields.get("locationCode", ""),
        checkout_at=datetime.fromisoformat(moment),
        asked=tuple(_asked(issuance) for issuance in fields.get("issuances", ())),
        basket=_basket(fields),
        original=fields.get("originalTransactionId", fields.get("originalClientTransactionId", "")),
        is_return=fields.get("transactionType") == "RETURN",
        mirror=_mirror(call, fields, switches),
    )


def item_fields(item: Item, *, is_shown_pending: bool) -> dict[str, Any]:
    """Return what an answer adds to an item: its status and, at its end, what goes with it."""
    if is_shown_pending and item.status != Status.REJECTED:
        return {"status": Status.PENDING.value}
    fields: dict[str, Any] = {"status": item.status}
    if item.status == Status.CONFIRMED:
        assert item.processed_at is not None
        fields["confirmationNumber"] = item.confirmation
        fields["processedDateTime"] = zulu(item.processed_at)
    elif item.status == Status.REJECTED:
        fields["errors"] = [error(item.error)]
    return fields


def issuance_fields(asked: Asked) -> dict[str, Any]:
    """Return an item as an answer names it before anything happens to it."""
    fields: dict[str, Any] = {
        "contributingItemIds": list(asked.contributing),
        "issuanceOfferCode": asked.offer_code,
        "locationCode": asked.location,
        "milesAmount": asked.miles,
        "offerDescription": asked.description,
        "offerId": asked.offer_id,
    }
    return {name: value for name, value in fields.items() if value not in ("", [])}


def error(code: str, reason: str = "") -> dict[str, str]:
    """Return one element of `errors`."""
    return {"errorCode": code, "errorReason": reason or ERRORS[code]}


def zulu(moment: datetime) -> str:
    """Return a moment as the pages print processedDateTime: UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _mirror(call: Call, fields: Mapping[str, Any], switches: Switches) -> dict[str, Any]:
    """Return the request's fields as the answer repeats them; what is empty is left out."""
    mirror = {name: value for name, value in fields.items() if value not in ({}, [])}
    if call in EVENTS:
        # The pages' answers to events have no context, and the time in Eastern time.
        mirror.pop("context", None)
        moment = datetime.fromisoformat(mirror["transactionDateTime"]).astimezone(switches.tz)
        mirror["transactionDateTime"] = moment.isoformat(timespec="milliseconds")
    return mirror


def _asked(fields: Mapping[str, Any]) -> Asked:
    return Asked(
        offer_code=fields["issuanceOfferCode"],
        offer_id=fields["offerId"],
        location=fields.get("locationCode", ""),
        miles=int(fields["milesAmount"]),
        description=fields.get("offerDescription", ""),
        contributing=tuple(fields.get("contributingItemIds", ())),
    )


def _basket(fields: Mapping[str, Any]) -> offers.Basket:
    return offers.Basket(
        lines=tuple(
            offers.Line(
                sku=item["id"],
                quantity=Decimal(item["quantity"]),
                unit_price=Decimal(item["baseAmount"]),
                department=item.get("departmentId", ""),
                category=item.get("categoryId", ""),
            )
            for item in fields.get("items", ())
        ),
        total=Decimal(fields.get("basketPreTaxAmount", 0)),
        coupons=tuple(fields.get("coupon", ())),
        tender=tuple(fields.get("tender", ())),
    )


def _problems(detail: Any, name: str = "") -> list[str]:
    """Return a serializer's errors, each as `where: what`."""
    if isinstance(detail, Mapping):
        return [
            problem
            for key, inner in detail.items()
            for problem in _problems(inner, _joined(name, key))
        ]
    if isinstance(detail, list) and any(isinstance(inner, Mapping) for inner in detail):
        return [
            problem
            for number, inner in enumerate(detail)
            for problem in _problems(inner, f"{name}[{number}]")
        ]
    return [f"{name}: {' '.join(str(words) for words in detail)}"]


def _joined(name: str, key: str | int) -> str:
    if key == "non_field_errors":
        return name
    if isinstance(key, int):
        return f"{name}[{key}]"
    return f"{name}.{key}" if name else key
