"""Claims due rows for a sweep, or closes those whose time to be sent is over."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Q
from django.db.transaction import atomic

from backoffice.journal import decisions, programme, safety
from backoffice.journal.decisions import Change
from backoffice.journal.entries import rows
from backoffice.journal.models import Transaction
from backoffice.journal.states import CLAIMABLE, SETTLED, Operation, State


def due(operations: Iterable[Operation], *, now: datetime, limit: int) -> list[Transaction]:
    """Return at most `limit` rows that are due, nearest deadline first. Nothing is claimed yet.

    While the breaker is open these are only the rows whose time to be sent is over.
    """
    rows_due = Transaction.objects.filter(
        operation__in=list(operations), state__in=CLAIMABLE, due_at__lte=now
    )
    if programme.standing().is_open:
        # What waits for the programme must not stand before what can be closed without it;
        # `decisions.when_due` has the last word on each.
        rows_due = rows_due.filter(
            Q(state=State.QUEUED, operation=Operation.REDEEM)
            | Q(state=State.QUEUED, deadline_at__lte=now)
            | (~Q(state=State.QUEUED) & Q(replay_until__lte=now))
        )
    return list(
        rows_due.order_by("deadline_at", "due_at").select_related(
            "store__sponsor", "device", "user"
        )[:limit]
    )


def claim(row: Transaction, *, sender: str, now: datetime, lease: timedelta) -> bool:
    """Arm one due row for this sweep, and say whether it is ours to send.

    Two sweeps never share a row: each claim is a compare-and-set on the fence (RELIABILITY 4.7).
    A row whose time to be sent is over is closed instead. Nothing is armed on a database, a clock
    or triggers that cannot be trusted, or while the breaker is open: the row stays due, and no try
    is spent on it.
    """
    has_lapsed = row.state == State.ARMED
    change = decisions.when_due(rows.facts(row, has_lapsed=has_lapsed), now=now)
    if change is not None:
        _close(row, change, sender, now)
        return False
    if programme.standing().is_open or safety.refusal():
        return False
    try:
        with atomic(durable=True):
            if not rows.arm(row, sender=sender, now=now, lease=lease, only=State(row.state)):
                return False
            rows.log(row, "claimed", actor=sender)
    except IntegrityError:
        # Another send for this collector is under way; the row stays due.
        return False
    return True


def _close(row: Transaction, change: Change, sender: str, now: datetime) -> None:
    with atomic(durable=True):
        if rows.advance(
            row,
            change.state,
            held=row.fence,
            only=State(row.state),
            due_at=None,
            needs_person=change.needs_person,
            settled_at=now if change.state in SETTLED else None,
        ):
            rows.log(row, str(change.state), actor=sender, why=change.needs_person)
