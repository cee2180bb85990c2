"""Makes it known that an open reversal comes close to its deadline: each alarm of a row once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog
from django.db.transaction import atomic

from backoffice.audit.models import AuditEntry
from backoffice.journal import deadlines, decisions
from backoffice.journal.entries import rows
from backoffice.journal.models import Transaction
from backoffice.journal.states import CLAIMABLE

log = structlog.get_logger(__name__)

_EVENT: Final = "deadline_near"


def warn_of_deadlines(*, sender: str, now: datetime) -> int:
    """Add the alarms that open reversals have come to since the last look; return how many.

    An alarm is an audit entry `reversal.deadline_near` with its minutes, and a line in our log.
    """
    rows_near = deadlines.near_among(Transaction.objects.all(), now=now)
    reached = [
        (row, minutes)
        for row in rows_near.prefetch_related("store", "device")
        if (minutes := decisions.alarm_minutes(deadline_at=row.deadline_at, now=now))
    ]
    told = _told(row for row, _minutes in reached)
    return sum(
        _warn(row, minutes, sender)
        for row, minutes in reached
        if (_subject(row), minutes) not in told
    )


def _warn(row: Transaction, minutes: int, sender: str) -> bool:
    with atomic(durable=True):
        # Several sweeps may come here at once: the row's lock puts them in order.
        held = Transaction.objects.select_for_update().filter(pk=row.pk, state__in=CLAIMABLE)
        if held.first() is None or (_subject(row), minutes) in _told([row]):
            return False
        rows.log(row, _EVENT, actor=sender, minutes=minutes)
    log.warning("reversal.deadline_near", reference=str(row.reference), minutes=minutes)
    return True


def _told(near: Iterable[Transaction]) -> set[tuple[str, int]]:
    entries = AuditEntry.objects.filter(
        event=f"reversal.{_EVENT}", subject__in=[_subject(row) for row in near]
    )
    return {
        (subject, details["minutes"])
        for subject, details in entries.values_list("subject", "details")
    }


def _subject(row: Transaction) -> str:
    return f"transaction:{row.reference}"
