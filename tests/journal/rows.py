"""Rows of the log for its own tests: opened as a door would, or written as nobody may."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection
from django.db.transaction import atomic
from django.utils import timezone

from backoffice.journal import entries
from backoffice.journal.decisions import Finding, Verdict
from backoffice.journal.entries import Intent
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from backoffice.people.actors import Actor
from tests.cast import COLLECTOR, Cast

LEASE = timedelta(seconds=30)
CONFIRMATION = "7KQ420X9B1TM"
DEADLINE = datetime(2026, 11, 21, 8, tzinfo=UTC)


def intent(**changes: Any) -> Intent:
    """A redemption of $40 of a $43.35 basket."""
    number = changes.get("card_number", COLLECTOR)
    fields: dict[str, Any] = {
        "operation": Operation.REDEEM,
        "path": "/checkout/amcash/redeem",
        "body": json.dumps({"collectorNumber": number, "cardEntryMode": "SCAN"}).encode(),
        "trace_id": "000012345678",
        "client_ref": str(uuid.uuid4()),
        "sale_ref": str(uuid.uuid4()),
        "language": "en",
        "card_number": number,
        "card_entry_mode": "SCAN",
        "basket_cents": 4335,
        "asked_cents": 4000,
        "asked": "forty dollars",
    }
    return Intent(**{**fields, **changes})


def reversal_of(redemption: Transaction, now: datetime) -> Intent:
    """The reversal that nobody pressed for, as a product makes it."""
    return intent(
        operation=Operation.REVERSE,
        path="/checkout/amcash/reverse",
        client_ref=f"unwanted:{redemption.reference}",
        sale_ref=redemption.sale_ref,
        asked=str(redemption.reference),
        reverses=redemption,
    )


def opened(cast: Cast, *, actor: Actor | None = None, **changes: Any) -> Transaction:
    """A row that was opened and armed, as a door would."""
    now = changes.pop("now", None) or timezone.now()
    row, is_new = entries.open_transaction(
        intent(**changes), actor=actor or cast.actor, sender="web", now=now, lease=LEASE
    )
    assert is_new
    return row


def finding(verdict: Verdict, **fields: Any) -> Finding:
    """What an attempt brought; an approval is a whole one."""
    if verdict is Verdict.APPROVED:
        granted = {
            "confirmation_number": CONFIRMATION,
            "units": 4,
            "miles": 380,
            "amount_cents": 4000,
            "unit_cents": 1000,
            "unit_miles": 95,
            "http_status": 200,
            "response_code": "0000",
            "answer": b'{"responseCode":"0000"}',
        }
        fields = {**granted, **fields}
    return Finding(verdict=verdict, **fields)


def record(row: Transaction, verdict: Verdict, **fields: Any) -> Transaction:
    """Record what an attempt brought, at this moment."""
    return entries.record(
        row, finding(verdict, **fields), now=timezone.now(), make_reversal=reversal_of
    )


def approved(cast: Cast, **changes: Any) -> Transaction:
    """An approved redemption."""
    return record(opened(cast, **changes), Verdict.APPROVED)


def make_due(row: Transaction) -> Transaction:
    """The same row, due now: its wait, or its sender's lease, is over."""
    Transaction.objects.filter(pk=row.pk).update(due_at=timezone.now())
    return entries.reread(row)


def claimed(row: Transaction, sender: str = "sweep") -> Transaction:
    """The same row, taken by a sweep."""
    row = make_due(row)
    assert entries.claim(row, sender=sender, now=timezone.now(), lease=LEASE)
    return row


def cancel(cast: Cast, row: Transaction) -> Transaction:
    """The customer paid another way."""
    return entries.cancel(row, actor=cast.actor, now=timezone.now(), make_reversal=reversal_of)


def written(cast: Cast, **values: Any) -> Transaction:
    """A row written past `entries`, as a bug would: only the database stands in its way."""
    row = unwritten(cast, **values)
    row.save(force_insert=True)
    return row


def unwritten(cast: Cast, **values: Any) -> Transaction:
    """The same, before it is written."""
    fields: dict[str, Any] = {
        "operation": "redeem",
        "state": "queued",
        "due_at": DEADLINE,
        "store": cast.north,
        "device": cast.till,
        "user": cast.cashier,
        "channel": "console",
        "client_ref": str(uuid.uuid4()),
        "intent_mac": "0" * 64,
        "sale_ref": str(uuid.uuid4()),
        "language": "en",
        "path": "/checkout/amcash/redeem",
        "trace_id": "000012345678",
        "collector_mac": uuid.uuid4().hex,
        "collector_last4": "0001",
        "card_entry_mode": "SCAN",
        "replay_until": DEADLINE,
        "opened_at": DEADLINE - timedelta(hours=10),
        "deadline_at": DEADLINE,
        "local_date": DEADLINE.date(),
        "zone": "America/Toronto",
        "tzdata_version": "2026.6",
    }
    return Transaction(**{**fields, **values})


def sql(statement: str, *values: str | int | bytes) -> None:
    """Run one statement as somebody with a database shell would."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def refused(match: str, statement: str, *values: str | int | bytes) -> None:
    """Assert that the database refuses a statement, for this reason."""
    with pytest.raises(Error, match=match), atomic():
        sql(statement, *values)
