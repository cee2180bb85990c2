"""The messages of issuance as North's till sends them, by the programme's samples."""

from typing import Any

from issuance.codes import FORMS, Message
from tests.contract.peer import sample

SAMPLES = {one["path"]: one["request"] for one in sample("samples")}
POST = FORMS[Message.POST].path
ISSUE = FORMS[Message.ISSUE].path
RETURN = FORMS[Message.RETURN].path
RECORD = FORMS[Message.RECORD].path
CALCULATE = FORMS[Message.CALCULATE].path
POST_EVENT = FORMS[Message.POST_EVENT].path
REVERSE = FORMS[Message.REVERSE].path
REVERSE_EVENT = FORMS[Message.REVERSE_EVENT].path
ORIGINAL = {
    REVERSE: "originalTransactionId",
    RETURN: "originalTransactionId",
    REVERSE_EVENT: "originalClientTransactionId",
}
MOVING = [form.path for form in FORMS.values() if form.earns_by_offer]


def asked(path: str, **changes: Any) -> dict[str, Any]:
    """Return a sample's request as North's till sends it; what is None is left out."""
    fields = {**SAMPLES[path], "sponsorCode": "LOY1"}
    if "locationCode" in fields:
        fields["locationCode"] = "0001"
    changed = {**fields, **changes}
    return {name: value for name, value in changed.items() if value is not None}
