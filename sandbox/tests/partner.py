"""A partner for the sandbox's own tests of issuance: well-formed requests, and how to send them."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from sandbox.tests.till import REGULAR, Answer, Till, sample

PATHS = {
    "post": "post",
    "post-event": "post/event",
    "issuance-reverse": "reverse",
    "issuance-reverse-event": "reverse/event",
    "record": "record",
    "calculate": "calculate",
    "issue": "issue",
    "return": "return",
}
EVENTS = ("post-event", "issuance-reverse-event")
WITH_ISSUANCES = ("post", "post-event", "issuance-reverse", "issuance-reverse-event")
SAMPLES = {
    one["name"]: one for one in sample("samples") if one["path"].startswith("/checkout/issuance/")
}

_own_ids = itertools.count(1)


def item(sku: str = "SKU1", quantity: int = 1, price: float = 10.0, **more: str) -> dict[str, Any]:
    """Return an item of a basket; prices in these tests are whole dollars or exact as printed."""
    return {
        "id": sku,
        "name": f"Item {sku}",
        "number": 1,
        "quantity": quantity,
        "baseAmount": price,
        "finalAmount": round(price * quantity, 2),
        **more,
    }


def issuance(miles: int = 5, code: str = "STANDARD", **more: Any) -> dict[str, Any]:
    return {"issuanceOfferCode": code, "milesAmount": miles, "offerId": code, **more}


def message(call: str, **changes: Any) -> dict[str, Any]:
    """Return a well-formed request of one of the eight calls; None leaves a field out."""
    number = f"OWN{next(_own_ids):09d}"
    fields: dict[str, Any] = {"collectorNumber": REGULAR, "sponsorCode": "LOY1"}
    if call in EVENTS:
        fields |= {
            "clientTransactionId": number,
            "transactionDateTime": "2026-07-16T17:32:00.000Z",
        }
    else:
        fields |= {
            "basketPostTaxAmount": 113,
            "basketPreTaxAmount": 100,
            "checkoutDateTime": "2026-07-16T13:32:00-04:00",
            "checkoutTransactionId": number,
        }
    if call in WITH_ISSUANCES:
        fields["issuances"] = [issuance()]
    if call in {"record", "calculate"}:
        fields["transactionType"] = "PURCHASE"
    fields |= changes
    return {name: value for name, value in fields.items() if value is not None}


def send(till: Till, call: str, body: Mapping[str, Any] | bytes, key: str = "") -> Answer:
    """Send a body as it is, under a key if one is given."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {till.token}"} if till.token else {}
    if key:
        headers["Idempotency-Key"] = key
    return till.post(f"/checkout/issuance/{PATHS[call]}", raw, headers)


def ask(till: Till, call: str, key: str = "", **changes: Any) -> Answer:
    """Send a well-formed request with some fields changed."""
    return send(till, call, message(call, **changes), key)


def statuses(answer: Answer) -> list[str]:
    """Return what became of each item."""
    return [one["status"] for one in answer.body["issuances"]]


def errors(answer: Answer) -> list[str]:
    """Return the error of each item or, where a request was refused as a whole, its own."""
    bearers = [answer.body, *answer.body.get("issuances", [])]
    return [one["errorCode"] for bearer in bearers for one in bearer.get("errors", [])]


def given(till: Till, call: str = "post", **changes: Any) -> str:
    """Give miles, and return the platform's id of the transaction."""
    answer = ask(till, call, **changes)
    assert answer.status == 200, answer.raw
    return str(answer.body["transactionId"])
