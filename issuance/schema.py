"""The messages of issuance in OpenAPI, from the forms by which `fields` reads them."""

from collections.abc import Mapping
from typing import Any, Final

from backoffice.switch import schema
from backoffice.switch.schema import Link
from issuance.codes import FORMS, Message
from issuance.fields import BODIES, schema_of

_SUMMARIES: Final = {
    Message.POST: "Give the miles that the retailer worked out for a basket.",
    Message.POST_EVENT: "Give miles without a basket.",
    Message.REVERSE: "Take back the miles that the retailer states.",
    Message.REVERSE_EVENT: "Take back miles without a basket.",
    Message.RECORD: "Log a sale that earned nothing.",
    Message.CALCULATE: "What would a basket earn?",
    Message.ISSUE: "Have the programme work out what a basket earns, and give it.",
    Message.RETURN: "Have the programme work out what returned goods had earned, and take it back.",
}
_ERRORS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "errorCode": {"type": "string"},
                    "errorReason": {"type": "string"},
                },
                "required": ["errorCode", "errorReason"],
            },
        },
    },
}
_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The request's fields again, with what became of each offer.",
    "properties": {
        "transactionId": {"type": "string"},
        "issuances": {"type": "array", "items": {"type": "object"}},
    },
}
_TEXTS: Final = {
    200: "Final; an event may be PENDING",
    202: "PENDING: not finished, or its outcome is not known",
    400: "Rejected by the programme, or a bad field: `errors` says why",
    422: "The key was used for another request",
    500: "Nothing was sent; with Milepost-Transaction it is kept, and sent in its turn",
}

_GIVEN: Final = frozenset({"collectorNumber", "issuances"})
_SOLD: Final = frozenset(
    {"collectorNumber", "coupon", "items", "tender"}
    | {name.rstrip("*") for name in BODIES[Message.ISSUE] if name.startswith("basket")}
)
# What may follow a call, by the status of its answer: see `schema.Link`.
_LINKS: Final[Mapping[Message, tuple[Link, ...]]] = {
    Message.CALCULATE: (
        Link(
            name="give",
            says="Give what was worked out, for the same basket.",
            on=(200,),
            operation="issuance_issue",
            same=_SOLD,
        ),
    ),
    Message.POST: (
        Link(
            name="takeBack",
            says="Take the miles of this sale back.",
            on=(200,),
            operation="issuance_reverse",
            same=_SOLD | _GIVEN,
            told={"originalTransactionId": "transactionId"},
        ),
        Link(
            name="takeBackWhatIsPending",
            says="Take the miles back of a sale that is not finished: named by the till's own "
            "number, it waits for it.",
            on=(202,),
            operation="issuance_reverse",
            same=_SOLD | _GIVEN,
            known={"originalTransactionId": "checkoutTransactionId"},
        ),
    ),
    Message.ISSUE: (
        Link(
            name="takeBack",
            says="Return goods of this sale.",
            on=(200,),
            operation="issuance_return",
            same=_SOLD,
            told={"originalTransactionId": "transactionId"},
        ),
        Link(
            name="takeBackWhatIsPending",
            says="Return goods of a sale that is not finished: named by the till's own number, "
            "it waits for it.",
            on=(202,),
            operation="issuance_return",
            same=_SOLD,
            known={"originalTransactionId": "checkoutTransactionId"},
        ),
    ),
    Message.POST_EVENT: (
        Link(
            name="takeBack",
            says="Take the miles of this event back.",
            on=(200, 202),
            operation="issuance_reverse_event",
            same=_GIVEN,
            known={"originalClientTransactionId": "clientTransactionId"},
        ),
    ),
}


def of(message: Message) -> dict[str, Any]:
    """Return how `extend_schema` describes a message."""
    form = FORMS[message]
    is_kept = message is not Message.CALCULATE
    statuses = form.statuses | ({202, 422} if is_kept else set())
    return schema.operation(
        form.path,
        name=f"issuance_{message.value}",
        tag="Issuance",
        summary=_SUMMARIES[message],
        request=_open(schema_of(BODIES[message])),
        answers={
            status: (_TEXTS[status], _ANSWER if status < 400 else _ERRORS) for status in statuses
        },
        has_key=is_kept,
        links=_LINKS.get(message, ()),
    )


def _open(form: Mapping[str, Any]) -> dict[str, Any]:
    """Say of a form, and of those inside it, that fields beside the known ones are passed on."""
    opened = dict(form)
    if "properties" in form:
        known = form["properties"].items()
        opened["properties"] = {name: _open(one) for name, one in known}
        opened["additionalProperties"] = schema.ANYTHING
    if "items" in form:
        opened["items"] = _open(form["items"])
    return opened
