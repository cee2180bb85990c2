"""When nothing new is sent because the programme cannot answer (RELIABILITY 4.4). Pure: no clock.

Each product has a breaker of its own. An outage opens it, and so do unknown outcomes of different
collectors in a row; only a good probe closes it. `programme` keeps what is decided here.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

UNKNOWNS_TO_OPEN = 5
PROBE_EVERY = timedelta(seconds=5)
# A sweep probes within seconds. When nobody has for so long, a till's own request may: a breaker
# must not keep the tills closed because no sweep runs.
FORSAKEN_AFTER = timedelta(seconds=15)


class Why(StrEnum):
    """What opened the breaker."""

    OUTAGE = "outage"
    UNKNOWNS = "unknowns"


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """How it stands. `suspects` are blind indexes of the collectors with the last unknowns."""

    opened_at: datetime | None = None
    why: str = ""
    probe_at: datetime | None = None
    suspects: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing new may be sent."""
        return self.opened_at is not None


CLOSED = Breaker()


def after_outage(before: Breaker, *, now: datetime) -> Breaker:
    """Return what the programme's own word of an outage makes of it: open, to be probed at once."""
    return _opened(before, Why.OUTAGE, now)


def after_unknown(before: Breaker, *, collector: str, now: datetime) -> Breaker:
    """Return what one more unknown outcome makes of it.

    One collector counts once, however often we ask: its own account may be what hangs.
    """
    if before.is_open or collector in before.suspects:
        return before
    suspects = (*before.suspects, collector)
    if len(suspects) >= UNKNOWNS_TO_OPEN:
        return _opened(before, Why.UNKNOWNS, now)
    return replace(before, suspects=suspects)


def after_answer(before: Breaker) -> Breaker:
    """Return what an answer to a till makes of it: the row of unknowns is over.

    It does not close an open breaker; it may be older than the trouble.
    """
    return replace(before, suspects=())


def is_probe_due(standing: Breaker, *, now: datetime, patience: timedelta = timedelta(0)) -> bool:
    """Say whether to send an ECHO now; `patience` is how long others are given to do it first."""
    return standing.probe_at is not None and now >= standing.probe_at + patience


def after_probe(before: Breaker, *, now: datetime) -> Breaker:
    """Return it with the next ECHO put off: somebody is sending this one."""
    return replace(before, probe_at=now + PROBE_EVERY)


def _opened(before: Breaker, why: Why, now: datetime) -> Breaker:
    if before.is_open:
        return before
    return Breaker(opened_at=now, why=why, probe_at=now)
