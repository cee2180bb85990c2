"""The sweep as a process runs it: settles what is due in turns, in as many threads as it may.

What is due, and who may send it, the database decides; threads only shorten the wait.
"""

import threading
import time

from django.conf import settings
from django.utils import timezone

from backoffice.journal import crew, entries, watch
from issuance import services

# Nobody waits at a till for miles, but a redemption's doubt and a reversal may fall due meanwhile.
_TURN_S = 5.0
# So few that a sweep says that it lives within a minute although every call takes its whole time.
_ROWS = 5


def a_turn(*, sender: str, stop: threading.Event | None = None) -> int:
    """Settle until nothing more is sent, a few seconds are over or told to stop; return how many.

    However much is due, the other product's turn comes. Threads are called in only while more than
    one row is due. Each has one call under way, so the platform never has more of ours at once
    than `SETTLE_AT_ONCE` for each process.
    """
    sent = 0
    ends = time.monotonic() + _TURN_S
    while stop is None or not stop.is_set():
        waiting = entries.due(
            services.OPERATIONS, now=timezone.now(), limit=settings.SETTLE_AT_ONCE
        )
        done = crew.together(len(waiting), lambda: _settle(sender))
        sent += done
        if not done or time.monotonic() >= ends:
            break
    return sent


def _settle(sender: str) -> int:
    watch.keep(sender=sender, now=timezone.now())
    return services.settle_due(sender=sender, limit=_ROWS)
