"""Reads what a till sends by the programme's own issuance pages, and writes what it is told.

Sans I/O. Remote field names appear here and in `messages` only. A till's own fields reach the
programme as sent; who it says it is must be who its token says, and is filled in otherwise.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from backoffice import exact
from backoffice.units import Cents
from issuance import messages
from issuance.codes import EVENTS, FORMS, Message, Status
from issuance.lines import OfferAnswer

MOST_ERRORS: Final = 20
_DEEPEST: Final = 20
_LONGEST_ID: Final = 64
_LONGEST_TEXT: Final = 255
_MOST: Final = Decimal(10**9)


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a field must be: `says` tells what is wrong with a value, or nothing; `schema` tells the
    same to a reader, in the words of JSON Schema."""

    says: Callable[[Any], str]
    schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who speaks, by the token."""

    sponsor_code: str
    store_number: str
    device_number: str


class BadFields(ValueError):
    """A request is wrong: each problem names its field. Nothing is sent."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A till's request that reads well, as it goes to the programme."""

    message: Message
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def body(self) -> bytes:
        """The message's final bytes."""
        return exact.dumps(dict(self.fields))

    @property
    def checkout_id(self) -> str:
        """The till's own number of the transaction."""
        name = "clientTransactionId" if self.message in EVENTS else "checkoutTransactionId"
        return str(self.fields[name])

    @property
    def collector_number(self) -> str:
        """The collector's number, or empty where a sale is recorded without one."""
        return str(self.fields.get("collectorNumber", ""))

    @property
    def original_id(self) -> str:
        """What a return names as its original, or empty."""
        return str(self.fields.get("originalTransactionId", ""))

    @property
    def transaction_type(self) -> str:
        """PURCHASE or RETURN, of a CALCULATE or a RECORD."""
        return str(self.fields.get("transactionType", ""))

    def cents(self, name: str) -> Cents:
        """Return an amount of the basket."""
        return Cents(int(self.fields[name] * 100))


def read(message: Message, body: bytes, caller: Caller) -> Request:
    """Read a request of this till. Raises BadFields with every problem, by the alphabet."""
    try:
        fields = exact.loads(body)
    except exact.NotJson as error:
        raise BadFields(["request body: is not JSON"]) from error
    if not isinstance(fields, dict) or _is_too_deep(fields):
        raise BadFields(["request body: is not a plain JSON object"])
    fields = _told(fields)
    _fill_in(message, fields, caller)
    problems = [*_strangers(message, fields, caller), *_problems(fields, BODIES[message])]
    if problems:
        raise BadFields(sorted(problems)[:MOST_ERRORS])
    request = Request(message=message, fields=fields)
    try:
        # What the log reads back later must read well now.
        messages.parse_request(message, request.body)
    except (messages.Unreadable, UnicodeEncodeError) as error:
        raise BadFields(["request body: is not text"]) from error
    return request


def refusal(errors: Sequence[tuple[str, str]]) -> bytes:
    """Write what is wrong as the programme does: a code and a reason for each."""
    return exact.dumps(
        {"errors": [{"errorCode": code, "errorReason": reason} for code, reason in errors]}
    )


def standing(
    message: Message,
    body: bytes,
    offers: Sequence[OfferAnswer],
    *,
    transaction_id: str,
    otherwise: Status,
) -> bytes:
    """Write how an operation stands, in the shape of its answer (PLATFORM 2.8).

    What the programme has not said of an offer is `otherwise`. Where the programme calculates and
    has named no offer yet, the whole has that status.
    """
    fields = exact.loads(body)
    if message in EVENTS:
        # The pages' answers to events have none.
        fields.pop("context", None)
    known = _by_offer(offers)
    asked = fields.pop("issuances", None) or [_named(offer) for offer in offers]
    seen: Counter[str] = Counter()
    told = []
    for one in asked:
        offer_id = str(one.get("offerId", ""))
        found = known.get((offer_id, seen[offer_id]))
        seen[offer_id] += 1
        told.append(one | {"offerId": offer_id} | _result(found, otherwise))
    if told:
        fields["issuances"] = told
    else:
        fields["status"] = otherwise.value
    if transaction_id:
        fields["transactionId"] = transaction_id
    return exact.dumps(fields)


def _result(offer: OfferAnswer | None, otherwise: Status) -> dict[str, Any]:
    if offer is None:
        return {"status": otherwise.value}
    errors = [{"errorCode": code, "errorReason": reason} for code, reason in offer.errors]
    fields = {
        "confirmationNumber": offer.confirmation_number,
        "processedDateTime": offer.processed_at,
        "errors": errors,
        "status": offer.status.upper() or otherwise.value,
    }
    return {name: value for name, value in fields.items() if value}


def _named(offer: OfferAnswer) -> dict[str, Any]:
    fields = {
        "issuanceOfferCode": offer.offer_code,
        "locationCode": offer.location_code,
        "milesAmount": offer.miles,
        "offerDescription": offer.description,
        "offerId": offer.offer_id,
    }
    return {name: value for name, value in fields.items() if value != ""}


def _by_offer(offers: Sequence[OfferAnswer]) -> dict[tuple[str, int], OfferAnswer]:
    seen: Counter[str] = Counter()
    known = {}
    for offer in offers:
        known[offer.offer_id, seen[offer.offer_id]] = offer
        seen[offer.offer_id] += 1
    return known


def _told(value: Any) -> Any:
    """Return a value without what is null, which is the same as left out (PLATFORM 2.0)."""
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_told(one) for one in value if one is not None]
    return value


def _is_too_deep(fields: dict[str, Any]) -> bool:
    level: list[Any] = [fields]
    for _ in range(_DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [two for one in inner for two in one if isinstance(two, dict | list)]
        if not level:
            return False
    return True


def _identity(message: Message, caller: Caller) -> dict[str, str]:
    known = {"sponsorCode": caller.sponsor_code}
    # An event happens at no place of its own.
    return known if message in EVENTS else known | {"locationCode": caller.store_number}


def _fill_in(message: Message, fields: dict[str, Any], caller: Caller) -> None:
    for name, value in _identity(message, caller).items():
        fields.setdefault(name, value)
    # In issuance a device's id is free text, and the till's own word for itself.
    fields.setdefault("deviceId", caller.device_number)


def _strangers(message: Message, fields: dict[str, Any], caller: Caller) -> Iterator[str]:
    for name, value in _identity(message, caller).items():
        if fields[name] != value:
            yield f"{name}: is not that of this device"


def _problems(fields: Mapping[str, Any], form: Mapping[str, Check]) -> Iterator[str]:
    """Say what is wrong with the fields of a form; one with an asterisk must be there."""
    for starred, check in form.items():
        name = starred.rstrip("*")
        if name in fields:
            problem = check.says(fields[name])
            if problem:
                yield problem if problem.startswith(name) else f"{name}: {problem}"
        elif starred.endswith("*"):
            yield f"{name}: is required"


def _text(pattern: str = "", longest: int = _LONGEST_ID) -> Check:
    form = re.compile(pattern) if pattern else None

    def check(value: Any) -> str:
        if not isinstance(value, str):
            return "is not a string"
        if not value or len(value) > longest:
            return f"must have 1 to {longest} characters"
        if not value.isprintable() or (form is not None and not form.fullmatch(value)):
            return "is not of the documented form"
        return ""

    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return Check(says=check, schema=schema | ({"pattern": f"^({pattern})$"} if pattern else {}))


def _number(*, places: int, least: int = 0) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, Decimal):
            return "is not a number"
        has_places = value.scaleb(places) == value.scaleb(places).to_integral_value()
        if not least <= value <= _MOST or not has_places:
            return "is not a number of the documented form"
        return ""

    step = 1 if places == 0 else float(Decimal(1).scaleb(-places))
    bounds = {"minimum": least, "maximum": int(_MOST), "multipleOf": step}
    return Check(says=check, schema={"type": "number", **bounds})


def _moment(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 40 or not value.isascii():
        return "is not a moment"
    try:
        has_offset = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return "is not a moment"
    return "" if has_offset else "has no offset"


def _offer_id(value: Any) -> str:
    # The pages print it as text and as a number.
    check = _number(places=0) if isinstance(value, Decimal) else _text()
    return check.says(value)


def _texts(value: Any) -> str:
    if not isinstance(value, list):
        return "is not a list"
    return next((problem for one in value if (problem := _text().says(one))), "")


def _pairs(value: Any) -> str:
    is_sound = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    return "" if is_sound else "is not an object of strings"


def _each(name: str, form: Mapping[str, Check], *, may_be_empty: bool) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            return "is not a list of objects"
        if not value and not may_be_empty:
            return "must not be empty"
        for number, one in enumerate(value):
            for problem in _problems(one, form):
                return f"{name}[{number}].{problem}"
        return ""

    schema = {"type": "array", "items": schema_of(form), "minItems": 0 if may_be_empty else 1}
    return Check(says=check, schema=schema)


def schema_of(form: Mapping[str, Check]) -> dict[str, Any]:
    """Return a form in the words of JSON Schema; what it does not know is passed on."""
    return {
        "type": "object",
        "properties": {name.rstrip("*"): check.schema for name, check in form.items()},
        "required": sorted(name.rstrip("*") for name in form if name.endswith("*")),
    }


_MOMENTS: Final = Check(says=_moment, schema={"type": "string", "format": "date-time"})
_OFFER_IDS: Final = Check(
    says=_offer_id,
    schema={"oneOf": [_text().schema, {"type": "integer", "minimum": 0, "maximum": int(_MOST)}]},
)
_LISTS: Final = Check(says=_texts, schema={"type": "array", "items": _text().schema})
_CONTEXT: Final = Check(
    says=_pairs, schema={"type": "object", "additionalProperties": {"type": "string"}}
)
_ITEM: Final[dict[str, Check]] = {
    "id*": _text(),
    "name*": _text(longest=_LONGEST_TEXT),
    "number*": _number(places=0),
    "quantity*": _number(places=3),
    "baseAmount*": _number(places=2),
    "finalAmount*": _number(places=2),
    "departmentId": _text(),
    "categoryId": _text(),
}
_OFFER: Final[dict[str, Check]] = {
    "issuanceOfferCode*": _text(),
    "offerId*": _OFFER_IDS,
    "milesAmount*": _number(places=0, least=1),
    "locationCode": _text("[A-Za-z0-9]{1,4}"),
    "offerDescription": _text(longest=_LONGEST_TEXT),
    "contributingItemIds": _LISTS,
}
_COLLECTOR: Final = _text("8[0-9]{10}")
_ANY: Final[dict[str, Check]] = {
    "sponsorCode": _text("[A-Za-z0-9]{1,4}"),
    "deviceId": _text(),
    "coupon": _LISTS,
    "context": _CONTEXT,
}
_BASKET: Final[dict[str, Check]] = _ANY | {
    "basketGSTAmount": _number(places=2),
    "basketHSTAmount": _number(places=2),
    "basketPSTAmount": _number(places=2),
    "basketQSTAmount": _number(places=2),
    "basketPreTaxAmount*": _number(places=2),
    "basketPostTaxAmount*": _number(places=2),
    "checkoutDateTime*": _MOMENTS,
    "checkoutTransactionId*": _text(),
    "items": _each("items", _ITEM, may_be_empty=True),
    "locationCode": _text("[A-Za-z0-9]{1,4}"),
    "originalTransactionId": _text(),
    "tender": _LISTS,
}
_EVENT: Final[dict[str, Check]] = _ANY | {
    "clientTransactionId*": _text(),
    "collectorNumber*": _COLLECTOR,
    "issuances*": _each("issuances", _OFFER, may_be_empty=False),
    "originalClientTransactionId": _text(),
    "transactionDateTime*": _MOMENTS,
}
_SALE: Final[dict[str, Check]] = _BASKET | {"collectorNumber*": _COLLECTOR}
_AWARDED: Final[dict[str, Check]] = _SALE | {
    "issuances*": _each("issuances", _OFFER, may_be_empty=False)
}
_TYPE: Final = _text("PURCHASE|RETURN")
BODIES: Final[dict[Message, dict[str, Check]]] = {
    Message.POST: _AWARDED,
    Message.REVERSE: _AWARDED,
    Message.POST_EVENT: _EVENT,
    Message.REVERSE_EVENT: _EVENT,
    Message.RECORD: _BASKET
    | {
        "collectorNumber": _COLLECTOR,
        "issuances": _each("issuances", _OFFER, may_be_empty=True),
        "transactionType*": _TYPE,
    },
    Message.CALCULATE: _SALE | {"transactionType*": _TYPE},
    Message.ISSUE: _SALE,
    Message.RETURN: _SALE | {"originalTransactionId*": _text()},
}
assert set(BODIES) == set(FORMS)
