"""Rows of the log as they would stand after a day of work, put there directly. For tests of
reading alone: what writes the log is tested where it lives."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from backoffice.devices.models import Device
from backoffice.journal.models import Attempt, Transaction
from backoffice.people.models import User

# Noon in Toronto, 13:30 in St. John's; long past, for exports end at the present moment.
NOON = datetime(2025, 11, 20, 17, tzinfo=UTC)


def redemption(
    device: Device, user: User | None = None, *, at: datetime = NOON, **fields: Any
) -> Transaction:
    """Add a redemption of $40, done unless told otherwise."""
    number = uuid.uuid4()
    values: dict[str, Any] = {
        "operation": "redeem",
        "state": "done",
        "store": device.store,
        "device": device,
        "user": user,
        "channel": "console" if user else "switch",
        "client_ref": number.hex,
        "intent_mac": "mac",
        "sale_ref": number.hex[:12],
        "language": "en",
        "path": "/redeem",
        "trace_id": number.hex[:12],
        "collector_mac": number.hex,
        "collector_last4": "0001",
        "card_entry_mode": "SCAN",
        "basket_cents": 4335,
        "asked_cents": 4000,
        "amount_cents": 4000,
        "units": 4,
        "miles": 380,
        "unit_cents": 1000,
        "unit_miles": 95,
        "fence": 1,
        "replay_until": at + timedelta(hours=12),
        "opened_at": at,
        "first_sent_at": at,
        "settled_at": at + timedelta(seconds=1),
        "presented_at": at + timedelta(seconds=3),
        "deadline_at": at + timedelta(hours=15),
        "local_date": at.date(),
        "zone": "America/Toronto",
        "tzdata_version": "2026.6",
        "response_code": "0000",
        "http_status": 200,
        "confirmation_number": number.hex[:12].upper(),
    }
    return Transaction.objects.create(**(values | fields))


def unsettled(device: Device, user: User | None = None, **fields: Any) -> Transaction:
    """Add a redemption whose outcome is not known."""
    values = {
        "state": "doubt",
        "due_at": NOON,
        "doubted_at": NOON,
        "has_unknown": True,
        **NOT_GRANTED,
    }
    return redemption(device, user, **(values | fields))


def declined(device: Device, user: User | None = None, **fields: Any) -> Transaction:
    """Add a redemption that the programme refused with 0051."""
    values = {"state": "declined", **NOT_GRANTED, "response_code": "0051", "http_status": 403}
    return redemption(device, user, **(values | fields))


def reversal(original: Transaction, **fields: Any) -> Transaction:
    """Add the reversal of a redemption, done unless told otherwise."""
    values: dict[str, Any] = {
        "operation": "reverse",
        "reverses": original,
        "collector_last4": original.collector_last4,
        "at": original.opened_at + timedelta(minutes=10),
        "basket_cents": None,
        "asked_cents": None,
        "amount_cents": None,
        "units": None,
        "miles": None,
        "unit_cents": None,
        "unit_miles": None,
    }
    return redemption(original.device, original.user, **(values | fields))


def attempt(row: Transaction, fence: int = 1, **fields: Any) -> Attempt:
    """Add one send of a transaction."""
    values: dict[str, Any] = {
        "sender": "web-1",
        "armed_at": row.opened_at,
        "finished_at": row.opened_at + timedelta(seconds=10),
        "result": "unknown",
        "silence": "read_timeout",
        "duration_ms": 10_000,
    }
    return Attempt.objects.create(transaction=row, fence=fence, **(values | fields))


NOT_GRANTED: dict[str, Any] = {
    "amount_cents": None,
    "units": None,
    "miles": None,
    "settled_at": None,
    "presented_at": None,
    "response_code": "",
    "http_status": None,
    "confirmation_number": "",
}
