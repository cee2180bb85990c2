"""Quarantine: after a restore nothing is sent and nothing closed until a person says so.

Also the mark that tells a restored database: how far the log had come, kept in a file beside it
(RELIABILITY 4.9.5). With `watch` the only writer of LogState.
"""

import contextlib
import hashlib
import json
import os
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.transaction import atomic
from django.utils.translation import gettext as _

from backoffice.audit import trail
from backoffice.audit.models import AuditEntry
from backoffice.journal.models import LogState, Transaction

_THE_ONE = 1
_SUBJECT = "log"
# A mark is written in an instant; a half that is so much older than the mark is nobody's.
_HALF_KEPT_S = 60
# What a mark that cannot be kept means, for whoever reads a log of this machine.
UNMARKED = (
    "How far the log has come cannot be written down: the folder is not writable, or its disk is "
    "full. All goes on, and a restored database would not be noticed."
)


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """That it is on, since when and why; `since` is None before anybody has recorded it."""

    since: datetime | None
    why: str


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """How far the log of one life had come when it was last looked at.

    `entries` is the number of its last entry, `at` that entry's own time as text, or nothing in a
    mark that was written before the time was kept.
    """

    life: str
    entries: int
    at: str = ""


def standing() -> Quarantine | None:
    """Return the quarantine that is on, or None. A log behind its mark is in one unrecorded."""
    state = LogState.objects.filter(pk=_THE_ONE).first()
    if state is not None and state.quarantined_at is not None:
        return Quarantine(since=state.quarantined_at, why=state.quarantine_why)
    behind = _behind(state)
    return Quarantine(since=None, why=behind) if behind else None


def fault() -> str:
    """Return why nothing may be sent, in a sentence for whoever is at a screen, or nothing."""
    if standing() is None:
        return ""
    return _("Milepost is in quarantine after a restore: an administrator must lift it.")


def start(*, why: str, actor: str, channel: str, now: datetime) -> bool:
    """Begin a quarantine; say whether it was not on already.

    The life of the mark beside it is noted along, so that it may be lifted from any machine: none
    but this one may have the mark.
    """
    mark = _read()
    with atomic(durable=True):
        state = _locked()
        if state.quarantined_at is not None:
            return False
        state.quarantined_at, state.quarantine_why = now, why[:200]
        if mark is not None and mark.life not in state.lives:
            state.lives = [mark.life, *state.lives]
        state.save(update_fields=["lives", "quarantined_at", "quarantine_why"])
        _log("started", why, actor, channel)
    return True


def lift(*, why: str, actor: str, channel: str) -> bool:
    """End it; say whether it was on. The log begins a new life, so that old marks are done with.

    Everything that is open is settled by the usual rules from then on: the same bytes and keys
    while the programme surely knows them, else a person.
    """
    with atomic(durable=True):
        state = _locked()
        if state.quarantined_at is None and not _behind(state):
            return False
        mark = _read()
        known = {*state.lives, *([mark.life] if mark else [])}
        state.lives = [*sorted(known), uuid.uuid4().hex]
        state.quarantined_at, state.quarantine_why = None, ""
        state.save(update_fields=["lives", "quarantined_at", "quarantine_why"])
        _log("lifted", why, actor, channel)
    return True


def keep_mark(*, sender: str, now: datetime) -> bool:
    """Write down how far the log has come; begin a quarantine when it has come less far than that.

    A sweep calls this every few seconds. A log in quarantine keeps the mark it was found by. Says
    whether a quarantine is on.
    Raises OSError when the mark cannot be written.
    """
    state = LogState.objects.filter(pk=_THE_ONE).first()
    if state is None or not state.lives:
        state = _born()
    if state.quarantined_at is not None:
        return True
    behind = _behind(state)
    if behind:
        start(why=behind, actor=sender, channel="settle", now=now)
        return True
    mark = _reached(state.lives[-1])
    if mark != _read():
        _write(mark)
    return False


def unmarked_since() -> datetime | None:
    """Return when something was first logged that the mark does not know yet; None if it knows all.

    None also where no mark is kept, and in a quarantine, which keeps the mark it was found by.
    """
    if _file() is None or standing() is not None:
        return None
    state = LogState.objects.filter(pk=_THE_ONE).first()
    mark = _read()
    is_of_this_life = mark is not None and state is not None and mark.life in state.lives[-1:]
    known = mark.entries if mark is not None and is_of_this_life else 0
    first = AuditEntry.objects.filter(pk__gt=known).order_by("pk").first()
    return None if first is None else first.at


def _behind(state: LogState | None) -> str:
    mark = _read()
    if mark is None:
        return ""
    lives = state.lives if state is not None else []
    if mark.life in lives:
        is_older = mark.life == lives[-1] and not _has(mark)
        return "The log is older than it was." if is_older else ""
    # An empty log is a new one and no old one.
    is_empty = not Transaction.objects.exists()
    return "" if is_empty else "The log has not lived through what is marked beside it."


def _reached(life: str) -> _Mark:
    # The audit log's own number: it only grows, and every change of the journal adds to it.
    last = AuditEntry.objects.order_by("-pk").first()
    if last is None:
        return _Mark(life=life, entries=0)
    return _Mark(life=life, entries=last.pk, at=last.at.isoformat())


def _has(mark: _Mark) -> bool:
    """Say whether the log has the very entry that was its last one when it was marked.

    A number alone would be reached again: after a crash or on a standby PostgreSQL goes on up to
    32 numbers further, so the first entry after a lost one may already be beyond the mark.
    """
    entry = AuditEntry.objects.filter(pk=mark.entries).first()
    if entry is None:
        return mark.entries == 0
    return mark.at in {"", entry.at.isoformat()}


def _born() -> LogState:
    with atomic(durable=True):
        state = _locked()
        if not state.lives:
            state.lives = [uuid.uuid4().hex]
            state.save(update_fields=["lives"])
    return state


def _locked() -> LogState:
    LogState.objects.get_or_create(pk=_THE_ONE)
    return LogState.objects.select_for_update().get(pk=_THE_ONE)


def _log(event: str, why: str, actor: str, channel: str) -> None:
    trail.record(
        f"quarantine.{event}", subject=_SUBJECT, actor=actor, channel=channel, details={"why": why}
    )


def _file() -> Path | None:
    if not settings.MILEPOST_MARKS:
        return None
    # One data folder may have seen several databases; each has a mark of its own.
    names = [str(connection.settings_dict[key]) for key in ("ENGINE", "HOST", "PORT", "NAME")]
    name = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    return Path(settings.MILEPOST_MARKS) / f"log-{name}.json"


def _read() -> _Mark | None:
    file = _file()
    if file is None:
        return None
    try:
        fields = json.loads(file.read_bytes())
        return _Mark(
            life=str(fields["life"]),
            entries=int(fields["entries"]),
            at=str(fields.get("at", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        # No mark, or one that nobody can read, tells nothing; it is written anew.
        return None


def _write(mark: _Mark) -> None:
    file = _file()
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    _sweep_up(file)
    # Of its own name: the threads of a sweep may write at the same moment.
    fresh = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        with fresh.open("w") as stream:
            json.dump(asdict(mark), stream)
            stream.flush()
            os.fsync(stream.fileno())
        # Renamed, so that whoever reads meanwhile finds the one mark or the other.
        fresh.replace(file)
    except OSError:
        # A full disk must not be filled with halves of marks as well.
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def _sweep_up(file: Path) -> None:
    """Take away halves that killed processes left; one that another thread is at stays."""
    with contextlib.suppress(OSError):
        marked_at = file.stat().st_mtime
        for half in file.parent.glob(f"{file.name}.*"):
            if half.stat().st_mtime < marked_at - _HALF_KEPT_S:
                half.unlink()
