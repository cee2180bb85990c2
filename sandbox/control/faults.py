"""Faults to come: which request meets one, and what happens to it. Plain values, no sockets.

Faults live as long as the process; a restart of the sandbox is a clean line.
"""

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any


class Kind(StrEnum):
    """What can happen to an exchange."""

    DELAY = "delay"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    CUT = "cut"
    STATUS = "status"
    MALFORMED = "malformed"
    DRIP = "drip"
    REDIRECT = "redirect"
    HANG = "hang"


class When(StrEnum):
    """Whether the fault comes before the request is applied (and may replace that), or after."""

    BEFORE = "before"
    AFTER = "after"


# The harder of the two is the default, where both make sense.
DEFAULT_WHEN = {
    Kind.DELAY: When.AFTER,
    Kind.DROP_BEFORE: When.BEFORE,
    Kind.DROP_AFTER: When.AFTER,
    Kind.CUT: When.AFTER,
    Kind.STATUS: When.BEFORE,
    Kind.MALFORMED: When.AFTER,
    Kind.DRIP: When.AFTER,
    Kind.REDIRECT: When.BEFORE,
    Kind.HANG: When.AFTER,
}
DEFAULT_SECONDS = {Kind.DELAY: 1.0, Kind.DRIP: 0.05, Kind.HANG: 3600.0}


@dataclass(frozen=True, kw_only=True)
class Match:
    """Which requests a fault is for. What is empty matches everything."""

    path: str = ""
    collector: str = ""
    key: str = ""

    def fits(self, path: str, collector: str, key: str) -> bool:
        return (
            self.path in {"", path} and self.collector in {"", collector} and self.key in {"", key}
        )


@dataclass(kw_only=True)
class Fault:
    """One fault and how often it still happens; `left` None means until it is cleared."""

    number: int = 0
    kind: Kind
    when: When
    match: Match = field(default_factory=Match)
    left: int | None = 1
    skip: int = 0
    seconds: float = 0.0
    status: int = 0
    body: str = ""
    content_type: str = ""
    location: str = ""
    is_reset: bool = False

    def shown(self) -> dict[str, Any]:
        """Return the fault as the control plane prints it."""
        return {
            "id": self.number,
            "kind": self.kind.value,
            "when": self.when.value,
            "match": {name: value for name, value in vars(self.match).items() if value},
            "times": self.left,
            "skip": self.skip,
            "seconds": self.seconds,
            "status": self.status,
            "body": self.body,
            "content_type": self.content_type,
            "location": self.location,
            "reset": self.is_reset,
        }


class FaultBook:
    """The faults to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = count(1)

    def add(self, fault: Fault) -> Fault:
        """Book a fault and number it."""
        with self._lock:
            fault.number = next(self._numbers)
            self._faults.append(fault)
            return fault

    def take(self, path: str, collector: str, key: str) -> Fault | None:
        """Return the first fault for a request and count it; at most one fault meets a request."""
        with self._lock:
            for fault in self._faults:
                if not fault.match.fits(path, collector, key):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left == 0:
                        self._faults.remove(fault)
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.shown() for fault in self._faults]

    def is_empty(self) -> bool:
        return not self._faults

    def clear(self, number: int | None = None) -> int:
        """Strike out one fault, or all of them; return how many that were."""
        with self._lock:
            kept = [] if number is None else [f for f in self._faults if f.number != number]
            cleared = len(self._faults) - len(kept)
            self._faults = kept
            return cleared


book = FaultBook()
