"""What a sweep does for the log itself, every few seconds: says that it lives, and keeps the mark.

Settles nothing and decides nothing of a transaction.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.db import connection

from backoffice.journal import quarantine, safety
from backoffice.journal.models import LogState

log = structlog.get_logger(__name__)

_THE_ONE = 1
EVERY = timedelta(seconds=5)
_kept: dict[str, float] = {}
_is_unmarked: dict[str, bool] = {}


def keep(*, sender: str, now: datetime) -> None:
    """Note that this sweep lives, and how far the log has come; at most every few seconds.

    Where the mark cannot be written the log says so, once until it can be again: what is due must
    not wait for it, and `doctor` finds a mark that is left behind.
    """
    name = str(connection.settings_dict["NAME"])
    if time.monotonic() - _kept.get(name, -EVERY.total_seconds()) < EVERY.total_seconds():
        return
    try:
        if quarantine.keep_mark(sender=sender, now=now):
            # That all was well a moment ago must let this sweep neither send nor close any more.
            safety.forget()
        _is_unmarked[name] = False
    except OSError as error:
        if not _is_unmarked.get(name):
            log.error("sweep.mark_not_written", why=quarantine.UNMARKED, error=str(error))
        _is_unmarked[name] = True
    LogState.objects.filter(pk=_THE_ONE).update(swept_at=now, swept_by=sender)
    _kept[name] = time.monotonic()


def last_sweep() -> tuple[datetime, str] | None:
    """Return when a sweep last lived, and which; None if none ever did."""
    state = LogState.objects.filter(pk=_THE_ONE).first()
    if state is None or state.swept_at is None:
        return None
    return state.swept_at, state.swept_by


def forget() -> None:
    """Keep anew at the next call."""
    _kept.clear()
    _is_unmarked.clear()
