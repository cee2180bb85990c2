"""How long the log keeps what is about a person, and when the nightly purge is due. Pure rules.

What is kept for good (totals, states, proofs) and why stands in docs/operator.md.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from backoffice import clock

# After the reversals of the night are over (03:00) and long before shops open.
PURGE_AT: Final = time(4, 30)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Whole days: of bodies and answers since they settled, of a sale that may be returned and of
    whatever leads back to a collector since they were opened.
    """

    payload_days: int
    return_days: int
    number_days: int

    def settled_by(self, now: datetime) -> datetime:
        """Return the moment by which something settled if its bytes may be emptied now."""
        return now - timedelta(days=self.payload_days)

    def sold_by(self, now: datetime) -> datetime:
        """Return the moment by which a sale was made if it can be returned no more."""
        return now - timedelta(days=self.return_days)

    def opened_by(self, now: datetime) -> datetime:
        """Return the moment by which something was opened if its collector may be forgotten now."""
        return now - timedelta(days=self.number_days)


def next_purge(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment after `now` at which a purge is due, on the clock of `zone`."""
    today = now.astimezone(zone).date()
    due_at = clock.instant_of(today, PURGE_AT, zone)
    if due_at > now:
        return due_at
    return clock.instant_of(today + timedelta(days=1), PURGE_AT, zone)
