"""The messages of issuance in OpenAPI, from the forms by which `tills` reads them."""

from typing import Any, Final

from backoffice.switch import schema
from issuance.codes import FORMS, Message
from issuance.tills import BODIES, schema_of

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
        request=schema_of(BODIES[message]),
        answers={
            status: (_TEXTS[status], _ANSWER if status < 400 else _ERRORS) for status in statuses
        },
        has_key=is_kept,
    )
