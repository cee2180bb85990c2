"""The nightly purge: when it is due, who does it, and how far it came. In small steps.

What may go the writer decides (`entries.keeping`); this goes through the log batch by batch, and
stops wherever it is told to. With a refusal of `safety` it does nothing: a restored log may not
know what is open.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from backoffice.journal import entries, retention, safety, traces
from backoffice.journal.entries import Place
from backoffice.journal.models import Payload
from backoffice.journal.retention import Retention
from backoffice.journal.surroundings import RetentionState

log = structlog.get_logger(__name__)

_THE_ONE = 1
# Whoever dies in the middle leaves the rest of the night to somebody else.
_TAKEN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Purged:
    """How many payloads were emptied, and in how many rows, of the log and of what products keep
    beside it, a collector was forgotten."""

    emptied: int = 0
    forgotten: int = 0


def kept() -> Retention:
    """Return how long this installation keeps what."""
    return Retention(
        payload_days=settings.MILEPOST_KEEP_PAYLOADS_DAYS,
        return_days=settings.MILEPOST_RETURN_WINDOW_DAYS,
        number_days=settings.MILEPOST_KEEP_NUMBERS_DAYS,
    )


class Purge:
    """One process's hand in the purge, kept between its turns."""

    def __init__(self, *, sender: str) -> None:
        self._sender = sender
        self._steps: Iterator[Purged] | None = None
        self._done = Purged()

    def turn(self, *, now: datetime, for_s: float = math.inf) -> Purged | None:
        """Go on for some seconds where a purge is due; return what the whole of it did at its end.

        None means that none is due, that another process is at it, or that more is left.
        """
        if not _take(self._sender, now):
            self._steps = None
            return None
        if self._steps is None:
            if safety.refusal():
                return None
            self._steps, self._done = _steps(self._sender), Purged()
        ends = time.monotonic() + for_s
        for step in self._steps:
            self._done = Purged(
                emptied=self._done.emptied + step.emptied,
                forgotten=self._done.forgotten + step.forgotten,
            )
            if time.monotonic() >= ends:
                return None
        self._steps = None
        return _finished(self._done, now)


def now_and_whole(*, sender: str, now: datetime) -> Purged | None:
    """Purge all that may go, due or not; None where another process is at it or nothing may."""
    state = _state()
    RetentionState.objects.filter(pk=state.pk).update(due_at=None)
    return Purge(sender=sender).turn(now=now)


def standing() -> RetentionState:
    """Return when the purge last came to its end, and what it did."""
    return RetentionState.objects.filter(pk=_THE_ONE).first() or RetentionState(pk=_THE_ONE)


def _steps(sender: str) -> Iterator[Purged]:
    keep = kept()
    # Sessions hold what a till was about to do; one that is over is of no use to anybody.
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    keys = Payload.objects.exclude(key_id="").order_by().values_list("key_id", flat=True)
    for key_id in sorted(keys.distinct()):
        place: Place | None = Place()
        while place is not None:
            batch = entries.empty_payloads(
                key_id, place, keep=keep, sender=sender, now=timezone.now()
            )
            yield Purged(emptied=batch.done)
            place = batch.place
    place = Place()
    while place is not None:
        batch = entries.forget_collectors(place, keep=keep, sender=sender, now=timezone.now())
        yield Purged(forgotten=batch.done)
        place = batch.place
    for kept_elsewhere in traces.everywhere():
        for done in kept_elsewhere.forget(keep=keep, sender=sender, now=timezone.now()):
            yield Purged(forgotten=done)
    entries.forget_disclosures(keep=keep, sender=sender, now=timezone.now())
    yield Purged()


def _state() -> RetentionState:
    state, _is_new = RetentionState.objects.get_or_create(pk=_THE_ONE)
    return state


def _take(sender: str, now: datetime) -> bool:
    """Say whether a purge is due and this process's to do, and keep it so for a while."""
    state = _state()
    if state.due_at is not None and state.due_at > now:
        return False
    is_free = Q(taken_until=None) | Q(taken_until__lte=now) | Q(taken_by=sender)
    free = RetentionState.objects.filter(is_free, pk=state.pk, due_at=state.due_at)
    return free.update(taken_by=sender, taken_until=now + _TAKEN_FOR) == 1


def _finished(done: Purged, now: datetime) -> Purged:
    due_at = retention.next_purge(now, ZoneInfo(settings.TIME_ZONE))
    RetentionState.objects.filter(pk=_THE_ONE).update(
        due_at=due_at,
        taken_by="",
        taken_until=None,
        purged_at=now,
        emptied=done.emptied,
        forgotten=done.forgotten,
    )
    log.info("purge.done", emptied=done.emptied, forgotten=done.forgotten)
    return done
