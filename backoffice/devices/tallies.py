"""Counts tries in the database, so that neither a restart nor a cache's outage forgets them."""

import zlib
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q

from backoffice.devices.models import Tally

_PLACES: Final = 4096


def count(key: str, *, now: datetime, window: timedelta) -> int:
    """Count one more try under `key` and return how many there were within the window.

    The window begins with its first try. Counted before the try is looked at, so that of many at
    once none gets a number that is too low.
    """
    # A window that begins later than it could end was begun by a clock that has been set back
    # since; a little ahead is only another process's clock.
    is_over = Q(began_at__lte=now - window) | Q(began_at__gt=now + window)
    if not Tally.objects.filter(~is_over, key=key).update(count=F("count") + 1):
        begun = Tally.objects.filter(is_over, key=key)
        if not begun.update(began_at=now, count=1):
            _row, is_new = Tally.objects.get_or_create(
                key=key, defaults={"began_at": now, "count": 1}
            )
            if not is_new:
                Tally.objects.filter(key=key).update(count=F("count") + 1)
    return Tally.objects.values_list("count", flat=True).get(key=key)


def left(key: str, *, now: datetime, window: timedelta) -> timedelta:
    """Return how long the window of `key` still lasts; nothing where none is open."""
    began_at = Tally.objects.filter(key=key).values_list("began_at", flat=True).first()
    return max(timedelta(0), began_at + window - now) if began_at else timedelta(0)


def place_of(address: str) -> str:
    """Return which of a fixed number of places an address counts for.

    Whoever has a million addresses fills no table, and shares the limits of a few others.
    """
    return str(zlib.crc32(address.encode()) % _PLACES)


def forget_old(*, before: datetime) -> None:
    """Remove what nobody has tried since."""
    Tally.objects.filter(began_at__lt=before).delete()
