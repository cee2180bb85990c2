"""What waits for a person, as the overview lists it. Reads only, bounded by what one may see."""

from datetime import datetime

from django.db.models import Q, QuerySet

from backoffice.journal.models import Transaction
from backoffice.journal.selectors import EMPTY, NEWEST_FIRST, Reader, Scope, residually_within
from backoffice.journal.states import CLAIMABLE, Operation, State


def waiting_for_a_person(user: Reader, *, limit: int) -> list[Transaction]:
    """Return the rows that carry a reason for a person, oldest first."""
    rows = _few(user).exclude(needs_person=EMPTY).prefetch_related("decisions__person")
    return list(rows.order_by("opened_at", "id")[:limit])


def overdue(user: Reader, *, opened_before: datetime, limit: int) -> list[Transaction]:
    """Return rows that still owe an outcome though they are old, nearest deadline first.

    A queued redemption is left out: nothing of it has left, and only its cashier may send it.
    """
    rows = _few(user).filter(
        state__in=sorted(CLAIMABLE), opened_at__lt=opened_before, needs_person=""
    )
    queued_redemption = Q(state=State.QUEUED, operation=Operation.REDEEM)
    return list(rows.exclude(queued_redemption).order_by("deadline_at", "id")[:limit])


def not_presented(user: Reader, *, opened_before: datetime, limit: int) -> list[Transaction]:
    """Return approved redemptions that no till has shown to anybody, newest first."""
    rows = _few(user).filter(
        operation=Operation.REDEEM,
        state=State.APPROVED,
        presented_at=None,
        reversed_at=None,
        credit_given="",
        opened_at__lt=opened_before,
    )
    return list(rows.order_by(*NEWEST_FIRST)[:limit])


def _few(user: Reader) -> QuerySet[Transaction]:
    """Return what `user` may read, for conditions that few rows meet and that have an index."""
    rows = Transaction.objects.prefetch_related("store", "device", "user", "reverses")
    store_ids = Scope.of(user).store_ids
    return rows if store_ids is None else residually_within(rows, store_ids)
