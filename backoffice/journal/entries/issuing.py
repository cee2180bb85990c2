"""Commits intents to give miles or take them back: armed at once where nothing stands before them.

The programme has the issuances of one collector one after the other, a pending one included
(PLATFORM 2.9). What cannot be sent now is queued and never refused: the customer has left.
"""

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from backoffice.journal import issuing, payloads, programme, safety
from backoffice.journal.choices import NeedsPerson, OfferStatus
from backoffice.journal.decisions import OfferFinding
from backoffice.journal.entries import rows
from backoffice.journal.entries.intents import Conflict, Intent, Refused
from backoffice.journal.models import OfferResult, Transaction
from backoffice.journal.states import (
    CLAIMABLE,
    ISSUANCE,
    ORDERED,
    TAKING,
    UNSETTLED,
    Operation,
    Product,
    State,
)
from backoffice.people.actors import Actor
from backoffice.wire import conceal


class _Behind(Exception):
    """Another issuance of the collector stands before this one."""


def open_issuance(
    intent: Intent,
    *,
    actor: Actor,
    sender: str,
    now: datetime,
    lease: timedelta,
    is_probe: bool = False,
) -> tuple[Transaction, bool]:
    """Commit the intent; return the row, armed or queued, and whether it is new.

    The same `client_ref` with the same content returns the row that exists (R2). It is queued
    while the breaker is open unless it is to probe it, where nothing may be armed, behind an
    unsettled issuance of its collector or of its original, and while another send of the collector
    is under way. Raises Refused when the sale has its issuance, when what it corrects needs none
    any more, or when its original has a return that the caller did not count with.
    """
    assert intent.operation in ISSUANCE
    mac = rows.intent_mac(intent.operation, intent.asked)
    number = intent.card_number
    is_training = actor.is_training
    collector_mac = payloads.collector_mac(number, is_training=is_training) if number else ""
    is_down = not is_training and programme.standing(Product.ISSUANCE).is_open
    may_arm = (is_probe or not is_down) and not safety.refusal()
    rights = [rows.Right(sender=sender, lease=lease)] if may_arm else []
    for right in (*rights, None):
        try:
            with atomic(durable=True):
                return _inserted(intent, mac, collector_mac, actor, now, right), True
        except _Behind:
            continue
        except IntegrityError as error:
            existing = _existing(intent, mac)
            if existing is not None:
                return existing, False
            if right is None or not rows.is_busy_collector(error):
                raise
    raise AssertionError("what is queued stands behind nobody")


def ahead_of(row: Transaction) -> Transaction | None:
    """Return the unsettled issuance that must end before this one is sent, or None."""
    if row.operation not in ORDERED:
        return None
    # Read anew: it may have come to its end since whoever asks has read it.
    if row.original_id is not None:
        same = Transaction.objects.filter(pk=row.original_id, state__in=sorted(UNSETTLED))
        original = same.first()
        if original is not None:
            return original
    return _earlier(row).order_by("-id").first()


def postpone(row: Transaction, ahead: Transaction, *, now: datetime) -> None:
    """Put a row off until the one before it may have ended, in the caller's commit.

    No try is spent on it.
    """
    # With a person, its end is nobody's schedule; whoever settles it makes this one due.
    ends_at = ahead.due_at or now + issuing.PENDING_WAITS[-1]
    due_at = max(now + issuing.BEHIND_FOR, ends_at)
    same = Transaction.objects.filter(pk=row.pk, fence=row.fence, state=State.QUEUED)
    same.update(due_at=due_at)


def release(row: Transaction, now: datetime) -> None:
    """Make due what waited for this row, in the commit that settles it."""
    if row.operation not in ORDERED:
        return
    waiting = Q(collector_mac=row.collector_mac) | Q(original=row.pk)
    Transaction.objects.filter(
        waiting, operation__in=sorted(ORDERED), state=State.QUEUED, due_at__gt=now
    ).update(due_at=now)


def keep_offers(row: Transaction, offers: tuple[OfferFinding, ...]) -> None:
    """Write what an answer says of each offer, in the caller's commit.

    What was final stays as it was: an answer that says otherwise is a conflict of the whole.
    """
    if not offers:
        return
    kept = {(one.offer_id, one.nth): one for one in OfferResult.objects.filter(transaction=row)}
    seen: dict[str, int] = {}
    for offer in offers:
        nth = seen[offer.offer_id] = seen.get(offer.offer_id, 0) + 1
        before = kept.get((offer.offer_id, nth))
        fields = {
            "offer_code": offer.offer_code,
            "location_code": offer.location_code,
            "description": offer.description,
            "miles": offer.miles,
            "status": offer.status,
            "confirmation_number": offer.confirmation_number,
            "processed_at": offer.processed_at,
            # The programme's own words may name the collector, and stay when it is forgotten.
            "error_code": conceal(offer.error_code),
            "error_reason": conceal(offer.error_reason),
        }
        if before is None:
            OfferResult.objects.create(transaction=row, offer_id=offer.offer_id, nth=nth, **fields)
        elif before.status == OfferStatus.PENDING:
            OfferResult.objects.filter(pk=before.pk).update(**fields)


def _inserted(
    intent: Intent,
    mac: str,
    collector_mac: str,
    actor: Actor,
    now: datetime,
    right: rows.Right | None,
) -> Transaction:
    row = rows.insert(intent, mac, collector_mac, actor, now, right=right)
    # Looked at after the insert: by now the unique index has made any other send for this
    # collector finish, so what it left is visible.
    ahead = ahead_of(row)
    if right is not None and ahead is not None:
        raise _Behind
    if ahead is not None and ahead.due_at is not None and ahead.due_at > now:
        Transaction.objects.filter(pk=row.pk).update(due_at=ahead.due_at)
    if intent.counted is not None and intent.original is not None:
        _refuse_uncounted(row, intent.original, intent.counted)
    if intent.corrects is not None:
        _take_off_the_list(intent.corrects)
    event = "queued" if right is None else "armed"
    rows.log(row, event, actor=rows.name(actor), channel=actor.channel)
    return rows.reread(row) if right is None else row


def _refuse_uncounted(
    row: Transaction, original: Transaction, counted: frozenset[uuid.UUID]
) -> None:
    """Refuse a return of a sale that another till has returned from since the miles were counted.

    Two of them wait for each other at the original's row; whoever comes second sees the first.
    """
    # Without the key: the rows that name it hold a share of that until they are committed.
    Transaction.objects.select_for_update(no_key=True).get(pk=original.pk)
    others = Transaction.objects.filter(original=original, state__in=sorted(TAKING))
    there = set(others.exclude(pk=row.pk).values_list("reference", flat=True))
    if there - counted:
        raise Refused(Conflict.STATE_CHANGED)


def _take_off_the_list(corrected: Transaction) -> None:
    # One that somebody closed with a note may still be put right, once; two different answers of
    # the programme are settled by people first.
    plain = Transaction.objects.filter(pk=corrected.pk, needs_person__in=["", NeedsPerson.REJECTED])
    if plain.update(needs_person="") != 1:
        raise Refused(Conflict.STATE_CHANGED)


def _earlier(row: Transaction) -> QuerySet[Transaction]:
    return Transaction.objects.filter(
        collector_mac=row.collector_mac,
        operation__in=sorted(ORDERED),
        state__in=sorted(CLAIMABLE),
        pk__lt=row.pk,
        # What waits until people have ruled on its sale may wait for days, and nothing of it is
        # with the programme: it keeps nobody waiting either (014).
    ).exclude(state=State.QUEUED, original__state=State.MANUAL)


def _existing(intent: Intent, mac: str) -> Transaction | None:
    """Return the row that the same press opened before; None when the collector is busy."""
    row = Transaction.objects.filter(client_ref=intent.client_ref).first()
    if row is not None:
        if row.intent_mac != mac:
            raise Refused(Conflict.OTHER_CONTENT)
        return rows.reread(row)
    corrects = intent.corrects
    if corrects is not None and Transaction.objects.filter(corrects=corrects).exists():
        raise Refused(Conflict.STATE_CHANGED)
    of_sale = Transaction.objects.filter(
        sale_ref=intent.sale_ref, operation=Operation.ISSUE, corrects=None
    )
    is_first = intent.operation is Operation.ISSUE and corrects is None
    if is_first and of_sale.exclude(state=State.NOT_SENT).exists():
        raise Refused(Conflict.SALE_OPEN)
    return None
