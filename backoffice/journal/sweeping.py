"""A product's sweep: passes over what is due, in as many threads as it may, one row after another.

What is due, and who may send it, the database decides; threads only shorten the wait.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.utils import timezone

from backoffice.journal import crew, entries, exchange, watch
from backoffice.journal.exchange import Delivery
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from backoffice.vault import VaultError

log = structlog.get_logger(__name__)

# So few that a sweep says that it lives within a minute although every call takes its whole time.
ROWS = 5
# To close a row takes a commit and no call.
_CLOSED_FOR_EACH = 20


def settle(
    operations: Sequence[Operation], delivery: Delivery, *, due_by: datetime, limit: int
) -> int:
    """Send at most `limit` rows due by a moment, nearest deadline first; return how many it got on
    with: sent, or closed because their time is over.

    What falls due meanwhile is the next sweep's: this one ends. What must wait for another row is
    put off and counts for nothing: whatever stands behind it is not to wait as well.
    """
    sent = closed = 0
    looked_at: set[int] = set()
    while sent < limit and closed < limit * _CLOSED_FOR_EACH:
        stamped = exchange.stamp()
        taken = entries.claim_next(
            operations,
            sender=delivery.sender,
            now=timezone.now(),
            lease=exchange.lease(),
            due_by=due_by,
            besides=looked_at,
            is_probe=delivery.is_probe,
        )
        if taken is None:
            break
        looked_at.add(taken.row.pk)
        if taken.is_ours:
            sent += _sent_again(taken.row, delivery, stamped)
        closed += taken.is_closed
    return sent + closed


def in_passes(
    operations: Sequence[Operation],
    settle_due: Callable[[int], int],
    *,
    sender: str,
    before_each: Callable[[], object],
    stop: threading.Event | None = None,
    for_s: float = math.inf,
) -> int:
    """Let threads settle until a pass gets on with nothing, time is over or told to stop.

    Returns how many rows were sent or closed.

    `settle_due` is what one thread does with at most so many rows, `before_each` what is done once
    before each pass. Threads are called in only while more than one row is due. Each has one call
    under way, so the platform never has more of ours at once than `SETTLE_AT_ONCE` for each
    process.
    """

    def of_one_thread() -> int:
        watch.keep(sender=sender, now=timezone.now())
        return settle_due(ROWS)

    settled = 0
    ends = time.monotonic() + for_s
    while stop is None or not stop.is_set():
        before_each()
        waiting = entries.due(operations, now=timezone.now(), limit=settings.SETTLE_AT_ONCE)
        done = crew.together(len(waiting), of_one_thread)
        settled += done
        if not done or time.monotonic() >= ends:
            break
    return settled


def _sent_again(row: Transaction, delivery: Delivery, stamped: float) -> bool:
    try:
        exchange.deliver(row, delivery, stamped=stamped)
    except VaultError:
        # Its bytes cannot be read. It stays armed and is due again when the lease is over; the
        # others must not wait for somebody to bring back the key.
        log.error("settle.unreadable", reference=str(row.reference))
        return False
    return True
