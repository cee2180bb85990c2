"""What happens to the calls to the programme: a fault on about one of five, and short outages.

One thread books the next fault when the last one has happened, in the order the seed gives.
"""

import random
import threading
from collections import Counter
from typing import Any

from tests.servers.stack import Sandbox, ask

# One call in five meets one of these; `delay` and `drip` outlast the client's patience at times.
SHARE = 0.2
_KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "delay", "when": "before", "seconds": 0.4},
    {"kind": "delay", "when": "before", "seconds": 1.6},
    {"kind": "delay", "when": "after", "seconds": 0.4},
    {"kind": "delay", "when": "after", "seconds": 1.6},
    {"kind": "drop_before"},
    {"kind": "drop_before", "reset": True},
    {"kind": "drop_after"},
    {"kind": "drop_after", "reset": True},
    {"kind": "cut"},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 503, "body": {"responseCode": "0092"}},
    {"kind": "status", "status": 200, "body": {"responseCode": "0096"}},
    {"kind": "status", "status": 200, "body": {"responseCode": "0008"}, "when": "after"},
    {"kind": "status", "status": 401, "body": {"message": "No token"}},
    {"kind": "malformed"},
    {"kind": "redirect", "location": "/checkout/amcash/echo"},
    {"kind": "drip", "seconds": 0.05},
)
_PENDING: tuple[dict[str, Any], ...] = (
    {"mode": "at_once"},
    {"mode": "at_once"},
    {"mode": "looks", "looks": 1},
    {"mode": "seconds", "seconds": 1.5},
)
_OUTAGES = ("0008", "0092", "0096")


class Weather(threading.Thread):
    """Faults until it is told to clear up."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        super().__init__(daemon=True)
        self._sandbox = sandbox
        self._random = random.Random(f"weather {seed}")
        self._over = threading.Event()
        self._booked = 0
        self.faults: Counter[str] = Counter()

    def run(self) -> None:
        while not self._over.wait(0.03):
            if self._is_booked():
                continue
            lot = self._random.random()
            if lot < 0.02:
                self._outage()
            elif lot < 0.1:
                self._pending()
            else:
                self._book()

    def clear_up(self) -> None:
        """Stop, and have nothing happen to any call any more."""
        self._over.set()
        self.join(timeout=30)
        self._sandbox.clear_faults()
        self._sandbox.control("pending", mode="at_once")
        self._sandbox.control("settings", outage="")

    def _is_booked(self) -> bool:
        # Others book faults as well, for a key of their own.
        listed = ask("GET", f"{self._sandbox.url}/_control/faults").fields["faults"]
        return any(fault["id"] == self._booked for fault in listed)

    def _book(self) -> None:
        fields = dict(self._random.choice(_KINDS))
        skip = 0
        while self._random.random() >= SHARE:
            skip += 1
        self._booked = self._sandbox.control("faults", times=1, skip=skip, **fields)["id"]
        self.faults[fields["kind"]] += 1

    def _pending(self) -> None:
        """From now on miles are given at once, or after a look, or after some seconds."""
        rule = self._random.choice(_PENDING)
        self._sandbox.control("pending", **rule)
        self.faults[f"pending_{rule['mode']}"] += 1

    def _outage(self) -> None:
        self._sandbox.control("settings", outage=self._random.choice(_OUTAGES))
        self.faults["outage"] += 1
        self._over.wait(self._random.uniform(0.5, 1.5))
        self._sandbox.control("settings", outage="")
        if self._random.random() < 0.5:
            self._sandbox.control("tokens/expire")
            self.faults["tokens"] += 1
