"""Counts guesses in the database, before any of them is looked at (RELIABILITY 8).

A try is counted in a commit of its own and given back when it was right, so that no crowd of
parallel guesses and no kill between two steps lets more be evaluated than the limits allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F
from django.db.transaction import atomic

from backoffice.people.tables import TryCount

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(minutes=15)
# An honest day's slips are forgotten; an attacker gains two tries an hour by keeping still.
FORGOTTEN_EVERY: Final = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What is counted, and how many failures there may be before each costs a growing wait."""

    key: str
    free: int


class TooMany(Exception):
    """No try is allowed before `free_at`. Nothing was evaluated and nothing was counted."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__("Too many tries.")
        self.free_at = free_at


def wait_after(failures: int, *, free: int) -> timedelta:
    """Return how long nothing may be tried after this many failures: 1, 2, 4, 8, 15 minutes."""
    if failures < free:
        return timedelta()
    # The power is bounded first: nobody waits for the doubling of a large number.
    return min(LONGEST_WAIT, FIRST_WAIT * float(2 ** min(failures - free, 4)))


def take(limits: Sequence[Limit], *, now: datetime) -> None:
    """Count one try against each limit, in its own commit; raise TooMany when one forbids it.

    The widest limit stands first: rows are locked in the order given, and nothing is kept of a
    narrower one that a wider one refuses.
    """
    with atomic(durable=True):
        rows = [_locked(limit, now) for limit in limits]
        for row, limit in zip(rows, limits, strict=True):
            row.failures = _remembered(row, now) + 1
            row.counted_at = now
            row.free_at = now + wait_after(row.failures, free=limit.free)
            row.save(update_fields=["failures", "counted_at", "free_at"])


def give_back(limits: Sequence[Limit], *, now: datetime) -> None:
    """The try was right: forget the narrowest limit's failures, and this one of the others'.

    A wider one is not emptied, or somebody with one good PIN could guess at the others for ever.
    """
    *wider, own = limits
    with atomic():
        for limit in wider:
            give_one_back(limit, now=now)
        TryCount.objects.filter(key=own.key).update(failures=0, free_at=now)


def give_one_back(limit: Limit, *, now: datetime) -> None:
    """The try was right: forget this one, and nothing that was tried in vain."""
    TryCount.objects.filter(key=limit.key, failures__gt=0).update(
        failures=F("failures") - 1, free_at=now
    )


def take_once(key: str, *, for_how_long: timedelta, now: datetime) -> bool:
    """Say whether this is the first use of `key` within the time, and remember it."""
    with atomic(durable=True):
        row, is_new = TryCount.objects.select_for_update().get_or_create(
            key=key, defaults={"failures": 1, "counted_at": now, "free_at": now + for_how_long}
        )
        if is_new:
            return True
        if row.free_at > now:
            return False
        row.counted_at, row.free_at = now, now + for_how_long
        row.save(update_fields=["counted_at", "free_at"])
    return True


def forget_old(*, now: datetime) -> int:
    """Delete counts that no longer say anything; return how many."""
    # A count of n failures is empty after n half hours without one; a day is more than any needs.
    return TryCount.objects.filter(free_at__lt=now - timedelta(days=1)).delete()[0]


def _locked(limit: Limit, now: datetime) -> TryCount:
    row, _new = TryCount.objects.select_for_update().get_or_create(
        key=limit.key, defaults={"counted_at": now, "free_at": now}
    )
    # A wait that is longer than any was begun by a clock that has been set back since.
    if now < row.free_at <= now + LONGEST_WAIT:
        raise TooMany(row.free_at)
    return row


def _remembered(row: TryCount, now: datetime) -> int:
    forgotten = max(timedelta(), now - row.counted_at) // FORGOTTEN_EVERY
    return max(0, row.failures - forgotten)
