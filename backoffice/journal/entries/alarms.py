"""Makes known what is open too long: a reversal near its deadline, an issuance that does not end.

Each alarm of a row is given once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db.transaction import atomic

from backoffice.audit.models import AuditEntry
from backoffice.journal import deadlines, decisions, issuing, waiting
from backoffice.journal.entries import rows
from backoffice.journal.models import Transaction
from backoffice.journal.states import CLAIMABLE, ISSUANCE

log = structlog.get_logger(__name__)

_DEADLINE: Final = "deadline_near"
_WAITING: Final = "waiting"


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
    told = _told((row for row, _minutes in reached), _DEADLINE, "minutes")
    return sum(
        _warn(row, _DEADLINE, sender, minutes=minutes)
        for row, minutes in reached
        if (_subject(row), minutes) not in told
    )


def warn_of_waiting(*, sender: str, now: datetime) -> int:
    """Add the alarms that open issuances have come to since the last look; return how many.

    An alarm is an audit entry `waiting` of the row's kind with its hours, and a line in our log.
    """
    first = now - timedelta(hours=issuing.ALARMS_HOURS[0])
    rows_old = waiting.rows().filter(
        operation__in=sorted(ISSUANCE), opened_at__lte=first, is_training=False
    )
    reached = [
        (row, hours)
        for row in rows_old.select_related("store", "device")
        if (hours := issuing.alarm_hours(opened_at=row.opened_at, now=now))
    ]
    told = _told((row for row, _hours in reached), _WAITING, "hours")
    return sum(
        _warn(row, _WAITING, sender, hours=hours)
        for row, hours in reached
        if (_subject(row), hours) not in told
    )


def _warn(row: Transaction, event: str, sender: str, **details: int) -> bool:
    ((name, reached),) = details.items()
    with atomic(durable=True):
        # Several sweeps may come here at once: the row's lock puts them in order.
        held = Transaction.objects.select_for_update().filter(pk=row.pk, state__in=CLAIMABLE)
        if held.first() is None or (_subject(row), reached) in _told([row], event, name):
            return False
        rows.log(row, event, actor=sender, channel="", **details)
    log.warning(rows.event_name(row, event), reference=str(row.reference), **details)
    return True


def _told(near: Iterable[Transaction], event: str, name: str) -> set[tuple[str, int]]:
    told_of = list(near)
    entries = AuditEntry.objects.filter(
        event__in={rows.event_name(row, event) for row in told_of},
        subject__in=[_subject(row) for row in told_of],
    )
    return {
        (subject, details[name]) for subject, details in entries.values_list("subject", "details")
    }


def _subject(row: Transaction) -> str:
    return f"transaction:{row.reference}"
