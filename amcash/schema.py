"""The messages of AM Cash in OpenAPI, from the forms by which `tills` reads them."""

from typing import Any, Final

from amcash import codes, messages
from amcash.tills import FORMS, REQUIRED, Call, known_fields
from backoffice.switch import schema

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
    )


def _request(call: Call) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "properties": {name: _field(name) for name in known_fields(call)},
        "required": sorted(REQUIRED[call]),
    }


def _field(name: str) -> dict[str, Any]:
    if name == "dateTime":
        return {"type": "string", "maxLength": 32, "description": "ISO 8601 with an offset"}
    return {"type": "string", "pattern": f"^({FORMS[name].pattern})$"}
