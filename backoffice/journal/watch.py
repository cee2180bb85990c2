"""What a sweep does for the log itself, every few seconds: says that it lives, and keeps the mark.

Settles nothing and decides nothing of a transaction.
"""

import time
from datetime import datetime, timedelta

from django.db import connection

from backoffice.journal import quarantine
from backoffice.journal.models import LogState

_THE_ONE = 1
EVERY = timedelta(seconds=5)
_kept: dict[str, float] = {}


def keep(*, sender: str, now: datetime) -> None:
    """Note that this sweep lives, and how far the log has come; at most every few seconds."""
    name = str(connection.settings_dict["NAME"])
    if time.monotonic() - _kept.get(name, -EVERY.total_seconds()) < EVERY.total_seconds():
        return
    quarantine.keep_mark(sender=sender, now=now)
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
