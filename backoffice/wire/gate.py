"""How many threads may be inside a call to the platform at once, so that a slow platform never
takes the threads that serve pages. No I/O.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ANY_NUMBER = 1_000_000


class Gate:
    """At most `limit` threads inside; others wait for a place, but never longer than `wait_s`.

    A thread that waits serves no page either, so no more than `waiting_limit` wait at a time; who
    comes after them is turned away at once.
    """

    def __init__(self, limit: int, wait_s: float, *, waiting_limit: int | None = None) -> None:
        if limit < 1:
            raise ValueError("A gate needs room for at least one call.")

        self.limit = limit
        self._wait_s = wait_s
        self._places = threading.BoundedSemaphore(limit)
        self._seats = threading.BoundedSemaphore(
            _ANY_NUMBER if waiting_limit is None else waiting_limit
        )

    @contextmanager
    def entered(self, *, start_by: float | None = None) -> Iterator[bool]:
        """Yield whether there was a place in time; it is given back on the way out.

        There is no point in waiting past `start_by` (monotonic), when nothing may be sent any more.
        """
        wait_s = self._wait_s
        if start_by is not None:
            wait_s = min(wait_s, start_by - time.monotonic())
        if not self._places.acquire(blocking=False) and not self._waited(wait_s):
            yield False
            return

        try:
            yield True
        finally:
            self._places.release()

    def _waited(self, wait_s: float) -> bool:
        if not self._seats.acquire(blocking=False):
            return False
        try:
            return self._places.acquire(timeout=max(wait_s, 0))
        finally:
            self._seats.release()
