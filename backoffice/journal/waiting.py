"""The rows that are not settled and whose turn comes, found by their own index. Reads only.

Every sweep asks for them, so what it costs must not grow with the rows that are settled.
"""

from django.db.models import CharField, Func, QuerySet

from backoffice.devices.models import Device
from backoffice.journal.models import Transaction
from backoffice.journal.states import CASH, CLAIMABLE, State

# Literals: SQLite does not see that parameters meet the condition of a partial index, and reads
# the whole log instead once its statistics say that a state is common.
_OPEN = [Func(template=f"'{state}'", output_field=CharField()) for state in sorted(CLAIMABLE)]


def rows() -> QuerySet[Transaction]:
    """Return what the sweep may claim now or later, in no order."""
    return among(Transaction.objects.all())


def is_unknown_at(device: Device) -> bool:
    """Say whether a redemption or reversal of this till is being sent, or is in doubt."""
    mine = Transaction.objects.filter(device=device, is_training=False, operation__in=sorted(CASH))
    return mine.filter(state__in=(State.ARMED, State.DOUBT)).exists()


def among(some: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """Return those of some rows."""
    return some.filter(state__in=_OPEN, due_at__isnull=False)
