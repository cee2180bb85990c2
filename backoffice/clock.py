"""The programme's clocks, in one place: 03:00 for reversals and the daily cap, 00:00 for the
issuance day and the settlement. Pure: the moment is always an argument, nothing here asks what
time it is. It also sees to it that time zone rules are the pinned ones, never the machine's own.
"""

import functools
import importlib.metadata
import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# A redemption can be given back until 03:00 on the calendar day after it.
REVERSAL_ENDS_AT: Final = time(3)
# The trading day, and with it the daily cap, starts over at 03:00.
DAY_STARTS_AT: Final = timedelta(hours=3)
# Issuance and the settlement files count calendar days.
SETTLEMENT_DAY_STARTS_AT: Final = time(0)

# 2026f: British Columbia (March), Alberta and Manitoba (November) stopped changing their clocks in
# 2026. With older rules their deadlines are an hour late: a reversal promised and then refused.
MINIMUM_TZDATA: Final = "2026.6"

_ONE_DAY = timedelta(days=1)
# Deadlines that only the rules of MINIMUM_TZDATA get right: zone, moment, deadline.
_PROBES = (
    (
        "America/Vancouver",
        datetime(2026, 11, 21, 5, tzinfo=UTC),
        datetime(2026, 11, 21, 10, tzinfo=UTC),
    ),
    (
        "America/Edmonton",
        datetime(2026, 11, 21, 4, tzinfo=UTC),
        datetime(2026, 11, 21, 9, tzinfo=UTC),
    ),
    (
        "America/Winnipeg",
        datetime(2026, 11, 21, 3, tzinfo=UTC),
        datetime(2026, 11, 21, 8, tzinfo=UTC),
    ),
)


def business_day(moment: datetime, zone: ZoneInfo) -> date:
    """The trading day a moment belongs to: it, and the daily cap, start at 03:00 local time."""
    assert moment.tzinfo is not None
    # Wall-clock arithmetic on purpose: the rule is about the clock on the shop wall, so it must
    # hold on the two days a year when an hour is skipped or repeated.
    return (moment.astimezone(zone) - DAY_STARTS_AT).date()


def business_day_starts(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a trading day starts; it ends where the next one starts."""
    return instant_of(day, REVERSAL_ENDS_AT, zone)


def settlement_day(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day a moment is settled in. It starts at 00:00 local time."""
    assert moment.tzinfo is not None
    return moment.astimezone(zone).date()


def settlement_day_starts(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a settlement day starts; it ends where the next one starts."""
    return instant_of(day, SETTLEMENT_DAY_STARTS_AT, zone)


def issuance_day(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day miles are issued in: the settlement's clock, not the reversal's."""
    return settlement_day(moment, zone)


def reversal_deadline(redeemed_at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which a redemption can no longer be given back.

    03:00 on the calendar day after the local date of the redemption; so a redemption at 00:30 has
    until 03:00 of the *next* day. An attempt at the deadline itself is too late.
    """
    assert redeemed_at.tzinfo is not None
    return instant_of(redeemed_at.astimezone(zone).date() + _ONE_DAY, REVERSAL_ENDS_AT, zone)


def is_too_late(moment: datetime, deadline: datetime) -> bool:
    """Whether a moment lies at or after a deadline."""
    return time_left(moment, deadline) == timedelta(0)


def time_left(moment: datetime, deadline: datetime) -> timedelta:
    """How long a deadline is away in elapsed time, never less than nothing."""
    # Python subtracts two datetimes of the same zone by wall clock, which is an hour wrong across a
    # change of clocks; only in UTC is the difference the time that passes.
    return max(deadline.astimezone(UTC) - moment.astimezone(UTC), timedelta(0))


def instant_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a clock on a wall in this zone first shows this day and time.

    Where that time is skipped it is the first instant after the gap; where it is shown twice, the
    first time.
    """
    local = datetime.combine(day, wall, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return _end_of_gap(local, zone)

    return instant


def zone_named(name: str) -> ZoneInfo:
    """The zone of this IANA name; a ValueError with a sentence where there is none."""
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"There is no time zone named {name!r}.") from error


def use_pinned_tzdata() -> None:
    """Take time zone rules from the pinned package only, from here on.

    Python prefers the machine's own copy, whose age nobody here controls. A ZoneInfo made earlier
    keeps the rules it was made with, so this runs before anything else makes one.
    """
    zoneinfo.reset_tzpath(to=[])
    ZoneInfo.clear_cache()


@functools.cache
def tzdata_version() -> str:
    """The version of the pinned package, such as ``2026.6`` (which IANA calls 2026f).

    Asked once: a process keeps the rules it has read, whatever is installed under it later.
    """
    return importlib.metadata.version("tzdata")


def tzdata_fault() -> str:
    """Why deadlines cannot be trusted in this process, as a sentence; empty when they can."""
    version = tzdata_version()
    if _ordered(version) < _ordered(MINIMUM_TZDATA):
        return (
            f"The tzdata package is {version!r}, but {MINIMUM_TZDATA} or later is needed:"
            " older time zone rules promise reversals that the programme refuses."
        )
    if zoneinfo.TZPATH:
        return "Time zone rules come from this machine and not from the pinned tzdata package."
    for name, moment, deadline in _PROBES:
        if reversal_deadline(moment, ZoneInfo(name)) != deadline:
            return f"The rules of the time zone {name} are out of date in this process."

    return ""


def refuse_old_tzdata() -> None:
    """Stop the start of a process whose deadlines would be wrong."""
    fault = tzdata_fault()
    if fault:
        raise RuntimeError(fault)


def _end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
    # PEP 495: inside a gap, fold=1 reads the wall with the offset after the change, which lies
    # before it; fold=0 reads it with the offset before, which lies after. The change is in between.
    before = int(local.replace(fold=1).timestamp())
    after = int(local.replace(fold=0).timestamp())
    new_offset = datetime.fromtimestamp(after, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == new_offset:
            after = middle
        else:
            before = middle

    return datetime.fromtimestamp(after, UTC)


def _ordered(version: str) -> tuple[int, int]:
    # A version that does not read as one counts as the oldest of all.
    found = re.match(r"([0-9]{4})\.([0-9]+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
