"""Commits an intent and the right to send it, before any byte leaves."""

from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Q
from django.db.transaction import atomic

from backoffice.journal import decisions, payloads, programme, safety
from backoffice.journal.entries import rows
from backoffice.journal.entries.credits import is_credited
from backoffice.journal.entries.intents import Conflict, Intent, Refused
from backoffice.journal.entries.voids import is_voided
from backoffice.journal.models import Transaction
from backoffice.journal.states import (
    GRANTED,
    LIVE_REVERSAL,
    UNSETTLED,
    Operation,
    Product,
    State,
)
from backoffice.people.actors import Actor

_IN_DOUBT = frozenset({State.DOUBT, State.MANUAL})
_RACES = {
    rows.ONE_ARMED: Conflict.COLLECTOR_BUSY,
    rows.ONE_REVERSAL: Conflict.REVERSAL_LIVE,
    rows.ONE_REDEMPTION: Conflict.SALE_OPEN,
}


def open_transaction(
    intent: Intent, *, actor: Actor, sender: str, now: datetime, lease: timedelta
) -> tuple[Transaction, bool]:
    """Commit the intent and the right to send it once; return the row and whether it is new.

    The same `client_ref` with the same content returns the row that exists, to be shown and not
    sent (R2). While the breaker is open a reversal is queued for the sweep instead of armed: it is
    owed, as after an outage's own answer (V9). Training heeds no breaker: its sandbox is another
    line. Raises Refused, and then nothing was written.
    """
    mac = rows.intent_mac(intent.operation, intent.asked)
    is_down = _is_down(is_training=actor.is_training)
    refusal = _refusal(is_down=is_down and intent.operation is Operation.REDEEM)
    if refusal is not None:
        existing = _existing(intent.client_ref, mac)
        if existing is not None:
            return existing, False
        raise refusal
    collector_mac = payloads.collector_mac(intent.card_number, is_training=actor.is_training)
    try:
        with atomic(durable=True):
            # A repeated press is found by the database's own rule that a `client_ref` is unique:
            # to ask first would cost every sale a query and still not be sure.
            right = None if is_down else rows.Right(sender=sender, lease=lease)
            row = rows.insert(intent, mac, collector_mac, actor, now, right=right)
            # Looked at after arming: the unique index has by then made any other send for this
            # collector finish, so a doubt that it left is visible here.
            _refuse_after_doubt(row, actor, now)
            if is_voided(row, now):
                raise Refused(Conflict.VOIDED)
            if row.reverses_id is not None and is_credited(row.reverses_id):
                raise Refused(Conflict.CREDIT_GIVEN)
            event = "queued" if is_down else "armed"
            rows.log(
                row,
                event,
                actor=rows.name(actor),
                channel=actor.channel,
                approved_by=actor.approved_by,
            )
    except IntegrityError as error:
        existing = _after_collision(intent, mac, collector_mac, now)
        if existing is not None:
            return existing, False
        # Whatever stood in the way has ended since; the database has said what it was.
        conflict = _RACES.get(rows.rule_broken(error))
        if conflict is None:
            raise
        raise Refused(conflict) from error
    return row, True


def repeated(operation: Operation, *, client_ref: str, asked: str) -> Transaction | None:
    """Return the row that an earlier press with this `client_ref` opened, or None (R2).

    Raises Refused when that press asked for something else.
    """
    return _existing(client_ref, rows.intent_mac(operation, asked))


def send_again(
    row: Transaction, *, actor: Actor, sender: str, now: datetime, lease: timedelta
) -> Transaction:
    """Arm a redemption of which nothing left, with the same bytes and key (R6a).

    Raises Refused when it is not queued any more, when its collector is busy, when the breaker is
    open, or when it is so late that it could not be given back.
    """
    if row.operation != Operation.REDEEM:
        # A reversal that has not left is sent by the sweep, which knows its deadline.
        raise Refused(Conflict.STATE_CHANGED)
    if not decisions.may_send_first(rows.facts(row), now=now):
        # The sweep closes it soon, and the sale begins anew.
        raise Refused(Conflict.STATE_CHANGED)
    refusal = _refusal(is_down=_is_down(is_training=row.is_training))
    if refusal is not None:
        raise refusal
    try:
        with atomic(durable=True):
            if not rows.arm(row, sender=sender, now=now, lease=lease, only=State.QUEUED):
                raise Refused(Conflict.STATE_CHANGED)
            _refuse_after_doubt(row, actor, now)
            rows.log(
                row,
                "armed",
                actor=rows.name(actor),
                channel=actor.channel,
                approved_by=actor.approved_by,
            )
    except IntegrityError as error:
        if not rows.is_busy_collector(error):
            raise
        raise Refused(Conflict.COLLECTOR_BUSY) from error
    return rows.reread(row)


def _is_down(*, is_training: bool) -> bool:
    return not is_training and programme.standing(Product.CASH).is_open


def _refusal(*, is_down: bool) -> Refused | None:
    why = safety.refusal()
    if why:
        return Refused(Conflict.UNSAFE, why)
    return Refused(Conflict.PROGRAMME_DOWN) if is_down else None


def _existing(client_ref: str, mac: str) -> Transaction | None:
    row = Transaction.objects.filter(client_ref=client_ref).first()
    if row is None:
        return None
    if row.intent_mac != mac:
        raise Refused(Conflict.OTHER_CONTENT)
    return rows.reread(row)


def _refuse_after_doubt(row: Transaction, actor: Actor, now: datetime) -> None:
    if row.operation != Operation.REDEEM:
        return
    others = Transaction.objects.filter(
        collector_mac=row.collector_mac, operation=Operation.REDEEM
    ).exclude(pk=row.pk)
    doubtful = ["declined_after_doubt", "conflict"]
    flagged = Q(needs_person__in=doubtful, state=State.DECLINED, deadline_at__gt=now)
    standing = others.filter(Q(state__in=_IN_DOUBT) | flagged)
    states = set(standing.order_by().values_list("state", flat=True).distinct())
    if states & _IN_DOUBT:
        raise Refused(Conflict.COLLECTOR_IN_DOUBT)
    if states and not actor.has_supervisor:
        raise Refused(Conflict.SUPERVISOR_NEEDED)


def _after_collision(
    intent: Intent, mac: str, collector_mac: str, now: datetime
) -> Transaction | None:
    """Return the row that won a race, or say which row stands in the way; None where none does."""
    existing = _existing(intent.client_ref, mac)
    if existing is not None:
        return existing
    others = Transaction.objects
    if (
        intent.reverses
        and others.filter(reverses=intent.reverses, state__in=LIVE_REVERSAL).exists()
    ):
        raise Refused(Conflict.REVERSAL_LIVE)
    of_sale = others.filter(sale_ref=intent.sale_ref, operation=Operation.REDEEM, reversed_at=None)
    if (
        intent.operation is Operation.REDEEM
        and of_sale.filter(state__in=UNSETTLED | GRANTED).exists()
    ):
        raise Refused(Conflict.SALE_OPEN)
    if others.filter(
        collector_mac=collector_mac, state=State.ARMED, operation=Operation.REDEEM, due_at__lte=now
    ).exists():
        # Its sender died: what became of it is not known yet.
        raise Refused(Conflict.COLLECTOR_IN_DOUBT)
    return None
