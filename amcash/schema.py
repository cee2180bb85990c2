"""The messages of AM Cash in OpenAPI, from the forms by which `tills` reads them."""

from collections.abc import Mapping
from typing import Any, Final

from amcash import codes, messages
from amcash.tills import FORMS, REQUIRED, VOID_FIELD, Call, known_fields
from backoffice import plain
from backoffice.switch import schema
from backoffice.switch.schema import Link

_PATHS: Final = {
    Call.ECHO: messages.ECHO_PATH,
    Call.INQUIRE: messages.INQUIRE_PATH,
    Call.REDEEM: messages.REDEEM_PATH,
    Call.REVERSE: messages.REVERSE_PATH,
}
_SUMMARIES: Final = {
    Call.ECHO: "Is the platform up?",
    Call.INQUIRE: "What may this collector redeem on this basket?",
    Call.REDEEM: "Take dollars off a sale.",
    Call.REVERSE: "Give a redemption back, or void one by its trace number.",
}
_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Every value is a string; balances come with 0000 only.",
    "additionalProperties": {"type": "string"},
    "properties": {"responseCode": {"type": "string"}, "message": {"type": "string"}},
    "required": ["message", "responseCode"],
}

_CONFIRMATION: Final = "redemptionConfirmationNumber"
_CARD: Final = frozenset({"cardEntryMode", "collectorNumber"})
# What may follow a call, by the status of its answer: see `schema.Link`.
_LINKS: Final[Mapping[Call, tuple[Link, ...]]] = {
    Call.INQUIRE: (
        Link(
            name="redeem",
            says="Take off as much as may be redeemed.",
            on=(200,),
            operation="amcash_redeem",
            same=_CARD | {"postTaxBasketAmount"},
            told={"dollarRedeemRequest": "availableDollarAmount"},
        ),
    ),
    Call.REDEEM: (
        Link(
            name="giveBack",
            says="Give the redemption back by its confirmation number. A 202 that declines has "
            "none.",
            on=(200, 202),
            operation="amcash_reverse",
            same=_CARD,
            told={_CONFIRMATION: "txnConfirmationNumber"},
        ),
        Link(
            name="void",
            says="Void the redemption by its own trace number, whatever has become of it.",
            on=(200, 202, 408),
            operation="amcash_reverse",
            same=_CARD,
            known={VOID_FIELD: "traceId"},
            empty=frozenset({_CONFIRMATION}),
        ),
    ),
}


def of(call: Call) -> dict[str, Any]:
    """Return how `extend_schema` describes a call."""
    has_key = call in {Call.REDEEM, Call.REVERSE}
    answers: dict[int, list[str]] = {}
    for code in codes.CODES.values():
        if call.value in code.endpoints:
            answers.setdefault(code.http, []).append(f"{code.code} {code.message}")
    if has_key:
        answers[422] = ["0035 the key was used for another request"]
    return schema.operation(
        _PATHS[call],
        name=f"amcash_{call.value}",
        tag="AM Cash",
        summary=_SUMMARIES[call],
        request=_request(call),
        answers={status: ("; ".join(texts), _ANSWER) for status, texts in answers.items()},
        has_key=has_key,
        links=_LINKS.get(call, ()),
    )


def _request(call: Call) -> dict[str, Any]:
    text = f"^{plain.TEXT}$"
    form: dict[str, Any] = {
        "type": "object",
        "additionalProperties": {"type": "string", "pattern": text},
        "propertyNames": {"pattern": text},
        "properties": {
            name: _field(name, is_required=name in REQUIRED[call]) for name in known_fields(call)
        },
        "required": sorted(REQUIRED[call]),
    }
    if call is Call.REVERSE:
        form["anyOf"] = [_is_there(_CONFIRMATION), _is_there(VOID_FIELD)]
    return form


def _field(name: str, *, is_required: bool) -> dict[str, Any]:
    # An empty one is the same as one left out.
    may_be_empty = "" if is_required else "?"
    field = {"type": "string", "pattern": f"^({FORMS[name].pattern}){may_be_empty}$"}
    if name == "cardEntryMode":
        modes = FORMS[name].pattern.split("|")
        return {"type": "string", "enum": modes if is_required else [*modes, ""]}
    if name == "dateTime":
        field["description"] = "ISO 8601 with an offset, as 1972-07-16T13:32:00+0400"
    if name == "dollarRedeemRequest":
        return field | {"allOf": [{"pattern": "[1-9]"}], "description": "More than nothing"}
    return field


def _is_there(name: str) -> dict[str, Any]:
    return {"properties": {name: {"minLength": 1}}, "required": [name]}
