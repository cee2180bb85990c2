"""What a sweep does for the log itself, every few seconds: says that it lives, and keeps the mark.

Settles nothing and decides nothing of a transaction.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.db import connection

from backoffice.audit import trail
from backoffice.audit.models import AuditEntry
from backoffice.journal import quarantine, safety
from backoffice.journal.models import LogState
from backoffice.people.actors import Channel

log = structlog.get_logger(__name__)

_THE_ONE = 1
EVERY = timedelta(seconds=5)
_SUBJECT = "sweep"
_FAILED = "sweep.failed"
_kept: dict[str, float] = {}
_recovered: dict[str, float] = {}
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


def failed(*, sender: str, error: str) -> None:
    """Note in the audit log that a round of this sweep failed by a fault of ours; once in a row."""
    if failing() is None:
        trail.record(
            _FAILED,
            subject=_SUBJECT,
            actor=sender,
            channel=Channel.SETTLE,
            details={"error": error},
        )


def recovered(*, sender: str) -> None:
    """Note that a sweep came through a whole round, where the last one had failed."""
    name = str(connection.settings_dict["NAME"])
    if time.monotonic() - _recovered.get(name, -EVERY.total_seconds()) < EVERY.total_seconds():
        return
    if failing() is not None:
        trail.record("sweep.recovered", subject=_SUBJECT, actor=sender, channel=Channel.SETTLE)
    _recovered[name] = time.monotonic()


def failing() -> AuditEntry | None:
    """Return what the audit log says of a sweep that fails and has not come through since."""
    last = AuditEntry.objects.filter(subject=_SUBJECT).order_by("id").last()
    return last if last is not None and last.event == _FAILED else None


def last_sweep() -> tuple[datetime, str] | None:
    """Return when a sweep last lived, and which; None if none ever did."""
    state = LogState.objects.filter(pk=_THE_ONE).first()
    if state is None or state.swept_at is None:
        return None
    return state.swept_at, state.swept_by


def forget() -> None:
    """Keep anew at the next call."""
    _kept.clear()
    _recovered.clear()
    _is_unmarked.clear()
