"""Claims due rows for a sweep, or closes those whose time to be sent is over."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import IntegrityError, connection
from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from backoffice.journal import decisions, issuing, programme, quarantine, safety, waiting
from backoffice.journal.decisions import Change
from backoffice.journal.entries import rows
from backoffice.journal.entries.issuing import ahead_of, postpone, release
from backoffice.journal.models import Transaction
from backoffice.journal.states import ISSUANCE, SETTLED, Operation, Product, State, product_of


class Take(Enum):
    """What became of a due row that a sweep looked at."""

    OURS = auto()  # Armed, for this sweep to send.
    CLOSED = auto()  # Its time to be sent was over.
    HELD = auto()  # It waits: for another row, for its collector, or until anything may be armed.


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A due row that a sweep has looked at, and what became of it."""

    row: Transaction
    take: Take

    @property
    def is_ours(self) -> bool:
        """Whether it is this sweep's to send."""
        return self.take is Take.OURS

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is sent of it."""
        return self.take is Take.CLOSED


def due(operations: Iterable[Operation], *, now: datetime, limit: int) -> list[Transaction]:
    """Return at most `limit` rows that are due, nearest deadline first. Nothing is claimed yet.

    While nothing may be armed these are only the rows whose time to be sent is over.
    """
    rows_due = _due(operations, now).select_related("store__sponsor", "device", "user", "original")
    return list(rows_due[:limit])


def claim_next(
    operations: Iterable[Operation],
    *,
    sender: str,
    now: datetime,
    lease: timedelta,
    due_by: datetime,
    besides: Collection[int] = (),
    is_probe: bool = False,
) -> Taken | None:
    """Take the row nearest its deadline of those due by a moment, but `besides`; None if none is.

    On PostgreSQL rows that another sweep is taking are passed over (`SKIP LOCKED`). On SQLite there
    is one writer at a time. On both the change itself is a compare-and-set on the fence. Each row
    is taken in a commit of its own: two sweeps that held several rows each could wait for each
    other's collectors. What is to probe an open breaker is taken in spite of it.
    """
    # Only its key: all that is due is sorted, and nothing else of it should be carried along.
    rows_due = _due(operations, due_by, is_probe=is_probe)
    keys = rows_due.exclude(pk__in=list(besides)).values_list("pk", flat=True)
    if connection.vendor == "postgresql":
        keys = keys.select_for_update(skip_locked=True)
    try:
        with atomic(durable=True):
            found = keys.first()
            if found is None:
                return None
            row = rows.read(found)
            take = _take(row, sender, now, lease, is_just_read=True, is_probe=is_probe)
            return Taken(row=row, take=take)
    except IntegrityError as error:
        if not rows.is_busy_collector(error):
            raise
        # Another send for this collector is under way; the row stays due.
        return Taken(row=row, take=Take.HELD)


def claim(row: Transaction, *, sender: str, now: datetime, lease: timedelta) -> bool:
    """Arm one due row for this sweep, and say whether it is ours to send.

    Two sweeps never share a row: each claim is a compare-and-set on the fence (RELIABILITY 4.7).
    A row whose time to be sent is over is closed instead. Nothing is armed on a database, a clock
    or triggers that cannot be trusted, or while the breaker is open: the row stays due, and no try
    is spent on it.
    """
    try:
        with atomic(durable=True):
            return _take(row, sender, now, lease) is Take.OURS
    except IntegrityError as error:
        if not rows.is_busy_collector(error):
            raise
        # Another send for this collector is under way; the row stays due.
        return False


def _may_arm(product: Product, *, is_probe: bool = False, is_training: bool = False) -> bool:
    # Training has a line of its own, which no breaker of the programme's speaks of.
    is_free = is_probe or is_training or not programme.standing(product).is_open
    return is_free and not safety.refusal()


def _may_close() -> bool:
    # A restored log does not know what became of its open rows: closing one could be a lie.
    return not safety.refusal() or quarantine.standing() is None


def _due(
    operations: Iterable[Operation], now: datetime, *, is_probe: bool = False
) -> QuerySet[Transaction]:
    asked = set(operations)
    shut = {
        product
        for product in {product_of(operation) for operation in asked}
        if not _may_arm(product, is_probe=is_probe)
    }
    rows_due = waiting.rows().filter(operation__in=sorted(asked), due_at__lte=now)
    if not _may_close():
        return rows_due.none()
    if is_probe:
        # What the training sandbox answers says nothing of the programme.
        rows_due = rows_due.filter(is_training=False)
    if shut:
        # What waits must not stand before what can be closed without the programme;
        # `decisions.when_due` has the last word on each.
        practised = Q(is_training=True) if not safety.refusal() else Q()
        rows_due = rows_due.filter(
            practised
            | Q(operation__in=[one for one in asked if product_of(one) not in shut])
            | Q(state=State.QUEUED, operation=Operation.REDEEM)
            | Q(state=State.QUEUED, operation=Operation.REVERSE, deadline_at__lte=now)
            | (~Q(state=State.QUEUED) & Q(acknowledged_fence=None, replay_until__lte=now))
        )
    # However much of training is due, and however its sandbox fares, customers come first.
    return rows_due.order_by("is_training", "deadline_at", "due_at")


def _take(
    row: Transaction,
    sender: str,
    now: datetime,
    lease: timedelta,
    *,
    is_just_read: bool = False,
    is_probe: bool = False,
) -> Take:
    """Arm the row for this sweep or close it, in the caller's commit; say which, if either."""
    has_lapsed = row.state == State.ARMED
    table = issuing if row.operation in ISSUANCE else decisions
    change = table.when_due(rows.facts(row, has_lapsed=has_lapsed), now=now)
    if change is not None:
        is_closed = _may_close() and _close(row, change, sender, now)
        return Take.CLOSED if is_closed else Take.HELD
    product = product_of(Operation(row.operation))
    if not _may_arm(product, is_probe=is_probe, is_training=row.is_training):
        return Take.HELD
    ahead = ahead_of(row) if row.state == State.QUEUED else None
    if ahead is not None:
        postpone(row, ahead, now=now)
        return Take.HELD
    before = State(row.state)
    if not rows.arm(
        row, sender=sender, now=now, lease=lease, only=before, is_just_read=is_just_read
    ):
        return Take.HELD
    rows.log(row, "claimed", actor=sender)
    return Take.OURS


def _close(row: Transaction, change: Change, sender: str, now: datetime) -> bool:
    is_ours = rows.advance(
        row,
        change.state,
        held=row.fence,
        only=State(row.state),
        due_at=None,
        needs_person=change.needs_person,
        settled_at=now if change.state in SETTLED else None,
    )
    if is_ours:
        release(row, now)
        rows.log(row, str(change.state), actor=sender, why=change.needs_person)
    return is_ours
