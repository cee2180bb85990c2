"""What the tests of the services do again and again, as the cashier of store North."""

import json
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.cards import Card, EntryMode
from backoffice.journal.models import Transaction
from backoffice.wire import Reply
from issuance import services
from issuance.orders import EventOrder, IssuanceOrder, RecordOrder, ReturnOrder, TransactionType
from tests.cast import Cast
from tests.issuance.baskets import CARD, award, basket
from tests.scripted import Answer, Sent, raw

TRANSACTION_ID = "c4f6cd00-dd00-4aaf-9099-b0685ab710b3"


def card(number: int) -> Card:
    """Another collector's card."""
    return Card(number=f"8000001{number:04d}", entry_mode=EntryMode.SCAN)


def give(cast: Cast, **changes: Any) -> Transaction:
    """Give the miles of the samples' basket, as North's cashier."""
    corrects = changes.pop("corrects", None)
    return services.give(
        order(**changes), actor=cast.actor, now=timezone.now(), corrects=corrects
    ).transaction


def order(**changes: Any) -> IssuanceOrder:
    """Give the miles of the samples' basket."""
    return IssuanceOrder(**{**_sale(), **changes})


def take_back(cast: Cast, original: Transaction | None, **changes: Any) -> Transaction:
    """Take back the miles of the whole basket."""
    fields = {"original": original.reference if original else None, **_sale(), **changes}
    wanted = ReturnOrder(**fields)
    return services.take_back(wanted, original, actor=cast.actor, now=timezone.now()).transaction


def event(cast: Cast, **changes: Any) -> Transaction:
    """Give eight miles for no sale."""
    fields = {
        "client_ref": str(uuid.uuid4()),
        "card": CARD,
        "awards": (award(8, contributing_skus=()),),
        "language": "en",
        **changes,
    }
    return services.event(EventOrder(**fields), actor=cast.actor, now=timezone.now()).transaction


def record(cast: Cast, **changes: Any) -> Transaction:
    """Log a sale that earned nothing, without a collector."""
    fields = {
        **_sale(),
        "card": None,
        "transaction_type": TransactionType.PURCHASE,
        **changes,
    }
    return services.record(RecordOrder(**fields), actor=cast.actor, now=timezone.now()).transaction


def settle(row: Transaction) -> Transaction:
    """Let the sweep find this row due."""
    make_due(row)
    services.settle_due(sender="settle in a test")
    return Transaction.objects.get(pk=row.pk)


def make_due(row: Transaction) -> None:
    """Its wait, or its sender's lease, is over."""
    Transaction.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def events(row: Transaction) -> list[str]:
    """What the audit log says of a transaction, oldest first."""
    entries = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    return [entry.event for entry in entries]


def answered(status: int, *statuses: str, **fields: Any) -> Answer:
    """An answer with these offers' statuses, five miles each, made of the request it answers."""

    def answer(sent: Sent) -> Reply:
        asked = sent.fields.get("issuances") or [{"issuanceOfferCode": "STANDARD"}] * len(statuses)
        return told(status, [_offer(one, name, i) for i, (one, name) in _zip(asked, statuses)])

    def told(status: int, offers: Sequence[dict[str, Any]]) -> Reply:
        body = {"transactionId": TRANSACTION_ID, "issuances": offers, **fields}
        return raw(status, json.dumps(body).encode())

    return answer


def confirmed(*statuses: str) -> Answer:
    """A final answer: confirmed, unless it says otherwise."""
    return answered(200, *(statuses or ("CONFIRMED",)))


def pending() -> Answer:
    """Accepted, not finished."""
    return answered(202, "PENDING")


def failed() -> Reply:
    """The programme's own error."""
    return raw(500, b"{}")


def refused(*error_codes: str) -> Reply:
    """A bad request."""
    errors = [{"errorCode": code, "errorReason": f"Because of {code}."} for code in error_codes]
    return raw(400, json.dumps({"errors": errors}).encode())


def _zip(asked: Sequence[Any], statuses: Sequence[str]) -> list[tuple[int, tuple[Any, str]]]:
    return list(enumerate(zip(asked, statuses, strict=False)))


def _offer(asked: dict[str, Any], status: str, place: int) -> dict[str, Any]:
    offer = {
        "offerId": str(asked.get("offerId", f"OFFER{place}")),
        "issuanceOfferCode": asked["issuanceOfferCode"],
        "milesAmount": asked.get("milesAmount", 5),
        "status": status,
    }
    if status.upper() == "CONFIRMED":
        offer |= {
            "confirmationNumber": f"0ed100a4-fc9a-41bb-a747-94{place:010d}",
            "processedDateTime": "2026-11-20T14:12:59.479-05:00",
        }
    if status.upper() == "REJECTED":
        error = {"errorCode": "OfferExpired", "errorReason": "The offer has expired."}
        offer |= {"errors": [error]}
    return offer


def _sale() -> dict[str, Any]:
    return {
        "client_ref": str(uuid.uuid4()),
        "sale_ref": str(uuid.uuid4()),
        "card": CARD,
        "basket": basket(),
        "language": "en",
    }
