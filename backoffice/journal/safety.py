"""When nothing may be sent: a database, a clock or a trigger that cannot be trusted.

`refusal` is asked before every first arming, so it remembers a good answer for a moment.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connection
from django.utils import timezone

from backoffice import clock
from backoffice.journal import quarantine, triggers

# Deadlines are kept by this process's clock; one that is further off than this is not trusted.
MOST_SKEW: Final = timedelta(minutes=5)

_REMEMBERED_S = 30.0
_checked: dict[str, float] = {}

_POSTGRESQL = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "local", "remote_write", "remote_apply"},
}


def refusal() -> str:
    """Return why nothing may be armed, in one sentence, or an empty string."""
    name = str(connection.settings_dict["NAME"])
    if time.monotonic() - _checked.get(name, -_REMEMBERED_S) < _REMEMBERED_S:
        return ""
    why = next(faults(), "")
    if not why:
        _checked[name] = time.monotonic()
    return why


def faults() -> Iterator[str]:
    """Yield every reason why nothing may be armed, each in one sentence, looked for just now."""
    for find in _LOOKS:
        fault = find()
        if fault:
            yield fault


def clock_skew() -> timedelta | None:
    """Return how far this process's clock is ahead of the database's; negative when it is behind.

    None on SQLite, which tells the time by the very same clock.
    """
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        there: datetime = cursor.fetchone()[0]
        after = timezone.now()
    # The database looked at its clock at some moment in between.
    if before <= there <= after:
        return timedelta(0)
    return before - there if there < before else after - there


def forget() -> None:
    """Check anew at the next arming."""
    _checked.clear()


def check_timings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to start when a lease could end while its call is still running (S3)."""
    longest = settings.PLATFORM_TOTAL_S + settings.PLATFORM_MARGIN_S
    if longest < settings.PLATFORM_LEASE_S and (
        0 < settings.PLATFORM_CONNECT_S <= settings.PLATFORM_TOTAL_S
    ):
        return []
    return [
        Error(
            "PLATFORM_LEASE_S must exceed PLATFORM_TOTAL_S + PLATFORM_MARGIN_S, "
            "and PLATFORM_CONNECT_S must be positive and at most PLATFORM_TOTAL_S.",
            id="journal.E001",
        )
    ]


def _unsafe_settings() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(_POSTGRESQL)]
            )
            unsafe = [name for name, value in cursor.fetchall() if value not in _POSTGRESQL[name]]
        else:
            cursor.execute("PRAGMA journal_mode")
            unsafe = [] if cursor.fetchone()[0] == "wal" else ["journal_mode"]
            cursor.execute("PRAGMA synchronous")
            unsafe += [] if cursor.fetchone()[0] >= 2 else ["synchronous"]  # 2 is FULL.
            mode = connection.settings_dict["OPTIONS"].get("transaction_mode")
            unsafe += [] if mode == "IMMEDIATE" else ["transaction_mode"]
    if unsafe:
        return f"The database could lose committed rows: unsafe {', '.join(unsafe)}."
    return ""


def _missing_triggers() -> str:
    missing = triggers.missing()
    if missing:
        return f"The database lacks {', '.join(missing)}; run the migrations."
    return ""


def _skewed_clock() -> str:
    skew = clock_skew()
    if skew is None or abs(skew) <= MOST_SKEW:
        return ""
    side = "ahead of" if skew > timedelta(0) else "behind"
    return (
        f"The clock of this machine is {round(abs(skew).total_seconds())} s {side} the database's,"
        " so deadlines cannot be kept; set the clocks."
    )


_LOOKS: Final = (
    quarantine.fault,
    clock.tzdata_fault,
    _unsafe_settings,
    _missing_triggers,
    _skewed_clock,
)
