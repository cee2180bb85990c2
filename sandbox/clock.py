"""The programme's calendar as pure functions: the trading day and the reversal deadline.

Nothing here asks what time it is.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_STARTS_AT = time(hour=3)


def trading_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day whose allowance a moment draws on: from 03:00 to 03:00 on the zone's clock."""
    assert moment.tzinfo is not None
    # Arithmetic on the wall clock, not in UTC: at 03:30 on a day that skipped an hour, only two
    # and a half hours have passed since midnight, and the new day has still begun.
    wall = moment.astimezone(zone).replace(tzinfo=None)
    return (wall - timedelta(hours=DAY_STARTS_AT.hour)).date()


def reversal_deadline(redeemed_at: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment at which a redemption can no longer be reversed."""
    assert redeemed_at.tzinfo is not None
    next_day = redeemed_at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(next_day, DAY_STARTS_AT, tzinfo=zone)


def platform_stamp(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment as the platform prints it: Eastern wall clock, no offset (PLATFORM 2.2)."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
