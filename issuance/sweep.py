"""The sweep as a process runs it: settles until nothing is due, in as many threads as it may.

What is due, and who may send it, the database decides; threads only shorten the wait.
"""

import threading

from django.conf import settings
from django.utils import timezone

from backoffice.journal import crew, entries, watch
from issuance import services

# So few that a sweep says that it lives within a minute although every call takes its whole time.
_ROWS = 5


def until_done(*, sender: str, stop: threading.Event | None = None) -> int:
    """Settle until nothing more is sent, or until told to stop; return how many were sent.

    Threads are called in only while more than one row is due. Each has one call under way, so the
    platform never has more of ours at once than `SETTLE_AT_ONCE` for each process.
    """
    sent = 0
    while stop is None or not stop.is_set():
        waiting = entries.due(
            services.OPERATIONS, now=timezone.now(), limit=settings.SETTLE_AT_ONCE
        )
        done = crew.together(len(waiting), lambda: _settle(sender))
        if not done:
            break
        sent += done
    return sent


def _settle(sender: str) -> int:
    watch.keep(sender=sender, now=timezone.now())
    return services.settle_due(sender=sender, limit=_ROWS)
