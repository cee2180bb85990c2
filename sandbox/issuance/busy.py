"""One transaction at a time for a collector, among requests that are under way at once.

Kept in the process: who is under way is forgotten with it. What is pending is in the rows.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.answers.engine import Request


class Busy(Exception):
    """Another transaction of this collector is under way."""


class Floor:
    """Who is being served. The same request again waits for its twin; another one is refused."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._served: dict[str, Request] = {}

    def served(self) -> list[str]:
        """Return the collectors that are being served."""
        with self._changed:
            return sorted(self._served)

    @contextmanager
    def turn(self, collector: str, request: Request) -> Iterator[None]:
        """Serve a request of a collector; raise `Busy` while another request is being served."""
        with self._changed:
            while collector in self._served:
                if self._served[collector] != request:
                    raise Busy
                self._changed.wait()
            self._served[collector] = request
        try:
            yield
        finally:
            with self._changed:
                del self._served[collector]
                self._changed.notify_all()


floor = Floor()
