"""Commits what the people at the till want of an operation: shown, cancelled, hurried, given up."""

from datetime import datetime

from django.db import IntegrityError
from django.db.models import Q
from django.db.transaction import atomic

from backoffice.journal.entries import rows
from backoffice.journal.entries.intents import MakeReversal
from backoffice.journal.models import Transaction
from backoffice.journal.states import (
    GRANTED,
    LIVE_REVERSAL,
    OPERATIONS_OF,
    UNSETTLED,
    Operation,
    Product,
    State,
    Wanted,
)
from backoffice.people.actors import Actor, Channel


def give_up_unsent(row: Transaction, *, actor: Actor, now: datetime) -> Transaction:
    """Close a redemption of which nothing left: the customer pays another way (R6b)."""
    # A queued reversal is owed to the customer; nobody at a till may drop it.
    is_ours = row.operation == Operation.REDEEM
    with atomic(durable=True):
        if is_ours and rows.advance(
            row, State.NOT_SENT, only=State.QUEUED, due_at=None, settled_at=now
        ):
            rows.log(row, "not_sent", actor=rows.name(actor), channel=actor.channel)
    return rows.reread(row)


def cancel(
    row: Transaction, *, actor: Actor, now: datetime, make_reversal: MakeReversal
) -> Transaction:
    """Note that the customer paid another way (R11): what was or will be approved is given back.

    A doubt is asked to its end and then reversed; an approval that no till has shown is reversed
    now. Does nothing once the approval was shown, or when it is too late to reverse: the customer
    is owed credit.
    """
    open_or_unshown = Q(state__in=UNSETTLED) | Q(
        state__in=GRANTED, presented_at=None, reversed_at=None, deadline_at__gt=now
    )
    with atomic(durable=True):
        changed = (
            Transaction.objects.filter(open_or_unshown, pk=row.pk, wanted=Wanted.KEEP)
            .filter(credit_given="")
            .filter(operation=Operation.REDEEM)
            .exclude(state=State.QUEUED)
            .update(wanted=Wanted.CANCEL)
        )
        if changed:
            row.refresh_from_db()
            rows.log(row, "cancelled", actor=rows.name(actor), channel=actor.channel)
            queue_reversal(row, make_reversal, now)
    return rows.reread(row)


def present(row: Transaction, *, actor: Actor, now: datetime) -> Transaction:
    """Note that the till has shown the approval, unless it is being given back already."""
    shown = Q(pk=row.pk, state=State.APPROVED, wanted=Wanted.KEEP)
    with atomic(durable=True):
        if Transaction.objects.filter(shown).update(state=State.DONE, presented_at=now):
            rows.log(row, "presented", actor=rows.name(actor), channel=actor.channel)
    return rows.reread(row)


def hurry(row: Transaction, *, actor: Actor, now: datetime) -> Transaction:
    """Make a doubt or what is pending due at once; the sweep, not this caller, sends it."""
    open_states = (State.DOUBT, State.PENDING)
    with atomic(durable=True):
        changed = Transaction.objects.filter(pk=row.pk, state__in=open_states, due_at__gt=now)
        if changed.update(due_at=now):
            rows.log(row, "hurried", actor=rows.name(actor), channel=actor.channel)
    return rows.reread(row)


def hurry_all(product: Product, *, now: datetime) -> int:
    """Make due at once every doubt of a product, and what waits to be sent by a sweep; return how
    many.

    The programme answers again. The sweep takes them nearest deadline first, a few at a time, each
    process one after the other, so what waited does not come down on the programme at once.
    """
    operations = OPERATIONS_OF[product]
    sent_by_sweep = sorted(operations - {Operation.REDEEM})
    waiting = Q(state=State.DOUBT) | Q(state=State.QUEUED, operation__in=sent_by_sweep)
    rows_waiting = Transaction.objects.filter(waiting, operation__in=sorted(operations))
    with atomic(durable=True):
        return rows_waiting.filter(due_at__gt=now).update(due_at=now)


def queue_reversal(row: Transaction, make_reversal: MakeReversal, now: datetime) -> None:
    """Queue the reversal of an approval that is not wanted, in the caller's commit (R10)."""
    if not row.is_granted or row.reversed_at is not None or not row.confirmation_number:
        return
    live = Transaction.objects.filter(reverses=row, state__in=LIVE_REVERSAL)
    if live.exists():
        return
    intent = make_reversal(row, now)
    mac = rows.intent_mac(intent.operation, intent.asked)
    actor = Actor(
        user=row.user, device=row.device, channel=Channel.SETTLE, is_training=row.is_training
    )
    try:
        with atomic():
            reversal = rows.insert(intent, mac, row.collector_mac, actor, now)
    except IntegrityError:
        # Somebody has pressed Reverse in this very moment: theirs gives it back.
        if not live.exists():
            raise
        return
    rows.log(reversal, "queued", actor=Channel.SETTLE.value)
