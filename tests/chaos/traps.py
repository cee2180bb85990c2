"""Traps for requests: a fault at the programme that keeps one in flight, and the sender's name when
it is there. So a kill can meet a call before its effect, after it, or in the middle of its answer.
"""

import random
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

import psycopg

from amcash.messages import REDEEM_PATH, REVERSE_PATH
from issuance.codes import FORMS, Message
from tests.chaos import traces
from tests.chaos.stage import Stage

# What holds a request up, for how long, and when its sender dies, seconds after its arrival.
# The answer of about 1,000 bytes is dripped; `answered` dies around the outcome's own commit.
_POINTS: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "before_effect": ({"kind": "delay", "when": "before", "seconds": 0.7}, (0.03, 0.5)),
    "after_effect": ({"kind": "delay", "when": "after", "seconds": 0.7}, (0.05, 0.6)),
    "in_answer": ({"kind": "drip", "seconds": 0.0005}, (0.05, 0.6)),
    "answered": ({"kind": "delay", "when": "after", "seconds": 0.15}, (0.15, 0.2)),
}
# Retries of a doubt are up to 30 s apart; a trap that nobody walks into in that time is taken away.
_LASTS_S = 40.0
# Whose senders die: tills that redeem, and tills that give miles.
_PATHS = (
    *(REDEEM_PATH, REDEEM_PATH, REVERSE_PATH),
    *(FORMS[one].path for one in (Message.POST, Message.ISSUE, Message.REVERSE, Message.RETURN)),
)
_MOST = 8


@dataclass(frozen=True, kw_only=True)
class Trap:
    """A booked fault, the key or path it waits for, and when its victim dies after it arrived."""

    point: str
    number: int
    key: str
    path: str
    dies_after_s: float
    laid_at: float


class Traps:
    """The traps that are laid, and what has walked into one."""

    def __init__(self, on_stage: Stage, seeded: random.Random) -> None:
        self._stage = on_stage
        self._random = seeded
        self._laid: list[Trap] = []
        self._caught: list[tuple[float, Trap, str]] = []
        self._seen = 0

    def at_a_call(self) -> None:
        """Lay a trap for the next call of one kind, whoever sends it."""
        if not any(trap.path for trap in self._laid):
            self._lay(path=self._random.choice(_PATHS))

    def at_a_replay(self) -> None:
        """Lay a trap for the next try of what is in doubt or pending; the sweep walks into it."""
        try:
            keys = traces.doubts(self._stage.database)
        except (sqlite3.OperationalError, psycopg.OperationalError):
            return
        taken = {trap.key for trap in self._laid}
        for key in [key for key in keys if key not in taken][: max(0, _MOST - len(self._laid))]:
            self._lay(key=key)

    def sprung(self) -> list[tuple[Trap, int]]:
        """Return the traps whose victim is to die now, each with the victim's process id."""
        if not self._laid and not self._caught:
            self._seen = traces.last_arrival(self._stage.exchanges)
            return []
        self._see_arrivals()
        now = time.time()
        due = [one for one in self._caught if one[0] <= now]
        self._caught = [one for one in self._caught if one[0] > now]
        found = []
        for _at, trap, key in due:
            pid = self._sender_of(key)
            if pid is not None:
                found.append((trap, pid))
        return found

    def _lay(self, *, key: str = "", path: str = "") -> None:
        point = self._random.choice(list(_POINTS))
        fault, (soonest, latest) = _POINTS[point]
        match = {"key": key} if key else {"path": path}
        booked = self._stage.sandbox.control("faults", times=1, match=match, **fault)
        self._laid.append(
            Trap(
                point=point,
                number=booked["id"],
                key=key,
                path=path,
                dies_after_s=self._random.uniform(soonest, latest),
                laid_at=time.monotonic(),
            )
        )

    def _see_arrivals(self) -> None:
        for number, key, path, arrived_at in traces.arrivals(self._stage.exchanges, self._seen):
            self._seen = number
            trap = next((one for one in self._laid if key and key == one.key), None)
            # One that waits for a path only knows its victim by being the next there.
            trap = trap or next((one for one in self._laid if one.path == path), None)
            if trap is not None:
                self._laid.remove(trap)
                self._caught.append((arrived_at.timestamp() + trap.dies_after_s, trap, key))
        for trap in [one for one in self._laid if one.laid_at + _LASTS_S < time.monotonic()]:
            self._laid.remove(trap)
            self._stage.sandbox.forget_fault(trap.number)

    def _sender_of(self, key: str) -> int | None:
        try:
            return traces.sender_of(self._stage.database, key)
        except (sqlite3.OperationalError, psycopg.OperationalError):
            return None
