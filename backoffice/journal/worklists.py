"""What waits for a person, as the overview lists it. Reads only, bounded by what one may see."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q, QuerySet

from backoffice.journal import waiting
from backoffice.journal.choices import NeedsPerson
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import EMPTY, NEWEST_FIRST, Reader, Scope, residually_within
from backoffice.journal.states import CLAIMABLE, ISSUANCE, Operation, State


class IssuanceTask(StrEnum):
    """Why an issuance stands on the work list."""

    REJECTED = "rejected"
    PARTIAL = "partial"
    PERSON = "person"
    PENDING = "pending"
    STUCK = "stuck"


@dataclass(frozen=True, kw_only=True)
class IssuanceTasks:
    """One group of the work list, oldest first. `count` stops at `limit` and one."""

    task: IssuanceTask
    rows: tuple[Transaction, ...]
    count: int


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


def issuances(user: Reader, *, opened_before: datetime, limit: int) -> list[IssuanceTasks]:
    """Return the issuances that people must see to, and those open since before a moment."""
    rows = _few(user).filter(operation__in=sorted(ISSUANCE))
    held = rows.exclude(needs_person=EMPTY)
    rejected = held.filter(needs_person=NeedsPerson.REJECTED)
    old = waiting.among(rows).filter(opened_at__lt=opened_before, needs_person=EMPTY)
    # An acknowledged one is pending at the programme, also while it is asked about once more.
    acknowledged = Q(state=State.PENDING) | Q(acknowledged_fence__isnull=False)
    groups = {
        IssuanceTask.REJECTED: rejected.filter(state=State.REJECTED),
        IssuanceTask.PARTIAL: rejected.filter(state=State.PARTIAL),
        IssuanceTask.PERSON: held.exclude(needs_person=NeedsPerson.REJECTED),
        IssuanceTask.PENDING: old.filter(acknowledged),
        IssuanceTask.STUCK: old.exclude(acknowledged),
    }
    return [_group(task, found, limit) for task, found in groups.items()]


def _group(task: IssuanceTask, rows: QuerySet[Transaction], limit: int) -> IssuanceTasks:
    found = list(rows.prefetch_related("offers").order_by("opened_at", "id")[: limit + 1])
    return IssuanceTasks(task=task, rows=tuple(found[:limit]), count=len(found))


def _few(user: Reader) -> QuerySet[Transaction]:
    """Return what `user` may read, for conditions that few rows meet and that have an index; of
    what was practised nothing waits for anybody."""
    rows = Transaction.objects.prefetch_related("store", "device", "user", "reverses")
    rows = rows.filter(is_training=False)
    store_ids = Scope.of(user).store_ids
    return rows if store_ids is None else residually_within(rows, store_ids)
