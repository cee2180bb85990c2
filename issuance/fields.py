"""What the fields of issuance's messages must look like, for reading them and for OpenAPI. Pure.

Remote field names appear here, in `tills` and in `messages` only. PLATFORM 2.8.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from backoffice import plain
from issuance.codes import FORMS, Message

_LONGEST_ID: Final = 64
_LONGEST_TEXT: Final = 255
_MOST: Final = Decimal(10**9)


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a field must be: `says` tells what is wrong with a value, or nothing; `schema` tells the
    same to a reader, in the words of JSON Schema."""

    says: Callable[[Any], str]
    schema: Mapping[str, Any]


def problems_of(fields: Mapping[str, Any], form: Mapping[str, Check]) -> Iterator[str]:
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
        if not plain.is_text(value) or (form is not None and not form.fullmatch(value)):
            return "is not of the documented form"
        return ""

    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return Check(says=check, schema=schema | {"pattern": f"^({pattern or plain.TEXT})$"})


def _one_of(*known: str) -> Check:
    says = _text("|".join(known)).says
    return Check(says=says, schema={"type": "string", "enum": list(known)})


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
    is_moment = isinstance(value, str) and plain.is_moment(value)
    return "" if is_moment else "is not a moment with an offset, as 2019-05-30T14:12:59.479Z"


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
            for problem in problems_of(one, form):
                return f"{name}[{number}].{problem}"
        return ""

    schema = {"type": "array", "items": schema_of(form), "minItems": 0 if may_be_empty else 1}
    return Check(says=check, schema=schema)


def schema_of(form: Mapping[str, Check]) -> dict[str, Any]:
    """Return a form in the words of JSON Schema; what it does not know is passed on."""
    properties = {
        name.rstrip("*"): check.schema if name.endswith("*") else _or_null(check.schema)
        for name, check in form.items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(name.rstrip("*") for name in form if name.endswith("*")),
    }


def _or_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a form that may also be null, which is the same as left out."""
    if "oneOf" in schema:
        return {**schema, "oneOf": [*schema["oneOf"], {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


_MOMENTS: Final = Check(
    says=_moment,
    schema={
        "type": "string",
        "pattern": f"^({plain.MOMENT})$",
        "description": "ISO 8601 with an offset, as 2019-05-30T14:12:59.479Z",
    },
)
_OFFER_IDS: Final = Check(
    says=_offer_id,
    schema={"oneOf": [_text().schema, {"type": "integer", "minimum": 0, "maximum": int(_MOST)}]},
)
_LISTS: Final = Check(says=_texts, schema={"type": "array", "items": _text().schema})
_CONTEXT: Final = Check(
    says=_pairs,
    schema={"type": "object", "additionalProperties": {"type": ["string", "null"]}},
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
_TYPE: Final = _one_of("PURCHASE", "RETURN")
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
    Message.RETURN: {
        f"{name}*" if name == "originalTransactionId" else name: check
        for name, check in _SALE.items()
    },
}
assert set(BODIES) == set(FORMS)
