"""Open reversals whose deadline is near. Reads only, bounded by what a person may see."""

from datetime import datetime

from django.db.models import Q

from backoffice.journal import selectors
from backoffice.journal.decisions import HURRIED_BEFORE_DEADLINE
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import Reader
from backoffice.journal.states import CLAIMABLE, Operation


def is_near(now: datetime) -> Q:
    """Return the condition of a reversal that is still open within an hour of its deadline."""
    return Q(
        operation=Operation.REVERSE,
        state__in=sorted(CLAIMABLE),
        deadline_at__gt=now,
        deadline_at__lte=now + HURRIED_BEFORE_DEADLINE,
    )


def near(user: Reader, *, now: datetime, limit: int) -> list[Transaction]:
    """Return such reversals, nearest deadline first; one that a person holds is not among them."""
    rows = selectors.visible(user).filter(is_near(now), needs_person="")
    return list(rows.order_by("deadline_at", "id")[:limit])
