"""Open reversals whose deadline is near. Reads only, bounded by what a person may see."""

from datetime import datetime

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from backoffice.journal import selectors, waiting
from backoffice.journal.decisions import HURRIED_BEFORE_DEADLINE
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import Reader
from backoffice.journal.states import Operation


def near_among(rows: QuerySet[Transaction], *, now: datetime) -> QuerySet[Transaction]:
    """Return the reversals of these that are open within an hour of their deadline, nearest first;
    none of training.

    What it costs depends on the open rows alone: every sweep asks it.
    """
    # The call keeps planners from the index of kinds, which would read every reversal there was.
    return (
        waiting.among(rows)
        .alias(kind=Coalesce("operation", Value("")))
        .filter(
            kind=Operation.REVERSE,
            deadline_at__gt=now,
            deadline_at__lte=now + HURRIED_BEFORE_DEADLINE,
            is_training=False,
        )
        .order_by("deadline_at", "id")
    )


def near(user: Reader, *, now: datetime, limit: int) -> list[Transaction]:
    """Return such reversals, nearest deadline first; one that a person holds is not among them."""
    rows = near_among(selectors.visible(user), now=now)
    return list(rows.filter(needs_person="")[:limit])
