"""Commits what a store has decided once for all: to give back what no till has shown (R11)."""

from datetime import datetime, timedelta

import structlog
from django.db.models import CharField, Func, QuerySet
from django.db.transaction import atomic

from backoffice.journal.decisions import UNSHOWN_KEPT
from backoffice.journal.entries import rows
from backoffice.journal.entries.intents import MakeReversal
from backoffice.journal.entries.wishes import queue_reversal
from backoffice.journal.models import Transaction
from backoffice.journal.states import State, Wanted
from backoffice.people.actors import Channel
from backoffice.stores.models import Store
from backoffice.vault import VaultError

log = structlog.get_logger(__name__)


def give_back_unshown(
    *, make_reversal: MakeReversal, margin: timedelta, sender: str, now: datetime, limit: int
) -> int:
    """Give back at most `limit` approvals that no till has shown for five minutes, in the stores
    that want it; return how many.

    Never what came by the switch, whose tills show it without our knowing; nor later than `margin`
    before the deadline: then it is a person's. Whoever shows it in the same moment wins or loses by
    compare-and-set.
    """
    stores = list(Store.objects.filter(gives_back_unshown=True).values_list("pk", flat=True))
    if not stores:
        return 0
    waiting = unshown(settled_by=now - UNSHOWN_KEPT).filter(
        store_id__in=stores, deadline_at__gt=now + margin, needs_person="", credit_given=""
    )
    waiting = waiting.exclude(channel=Channel.SWITCH).exclude(confirmation_number="")
    found = waiting.select_related("store", "device", "user").order_by("settled_at")[:limit]
    return sum(_give_back(row, make_reversal, sender, now) for row in found)


def unshown(*, settled_by: datetime) -> QuerySet[Transaction]:
    """Return the redemptions that were approved by then, stand, and were shown by no till."""
    return Transaction.objects.filter(
        # Literals: SQLite does not see that a parameter meets the condition of a partial index.
        operation=_literal("redeem"),
        state=_literal("approved"),
        wanted=_literal("keep"),
        presented_at=None,
        reversed_at=None,
        settled_at__lte=settled_by,
        is_training=False,
    )


def _give_back(row: Transaction, make_reversal: MakeReversal, sender: str, now: datetime) -> bool:
    standing = Transaction.objects.filter(
        pk=row.pk,
        state=State.APPROVED,
        wanted=Wanted.KEEP,
        presented_at=None,
        reversed_at=None,
        credit_given="",
        needs_person="",
    )
    try:
        with atomic(durable=True):
            if not standing.update(wanted=Wanted.CANCEL):
                return False
            row.refresh_from_db()
            rows.log(row, "given_back_unshown", actor=sender, why="store_policy")
            queue_reversal(row, make_reversal, now)
    except VaultError:
        # Its card cannot be read, so nothing can be sent; the others must not wait for that.
        log.error("policy.unreadable", reference=str(row.reference))
        return False
    return True


def _literal(word: str) -> Func:
    return Func(template=f"'{word}'", output_field=CharField())
