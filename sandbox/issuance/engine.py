"""What the platform decides: which miles are given and taken back, and when a transaction ends.

Every rule takes its `now` and its switches; none looks at a clock or at a message's JSON.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F

from sandbox.answers.engine import Request
from sandbox.conditions.switches import Switches
from sandbox.issuance import cards, catalogue, offers, originals
from sandbox.issuance.codes import GIVING, TAKING, Call, Status
from sandbox.issuance.models import Item, Stumble, Transaction
from sandbox.issuance.orders import Asked, Order, Refused
from sandbox.issuance.originals import Plan
from sandbox.members import engine as members
from sandbox.members.models import Member

# What the card of half an answer is offered and never given.
TARGETED = Asked(
    offer_code="TARGETED",
    offer_id="TARGETED",
    miles=1,
    description="An offer for this collector alone",
    error="OfferExpired",
)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The sandbox's time, the machine's, and the switches: what a decision is made under."""

    now: datetime
    real_now: datetime
    switches: Switches


def check_stumble(order: Order, request: Request) -> None:
    """Fail the first two sends of each request of the card that stumbles."""
    if order.collector != cards.STUMBLES:
        return
    row, _ = Stumble.objects.get_or_create(
        path=request.path, key=request.key, body_sha256=request.body_sha256
    )
    if row.times < cards.STUMBLES_TIMES:
        Stumble.objects.filter(pk=row.pk).update(times=F("times") + 1)
        raise Refused("InternalError")


def calculate(order: Order, moment: Moment) -> tuple[Asked, ...]:
    """Say what a basket earns or, for a return, what would be taken back. Nothing happens."""
    error = _why_not(members.find(order.collector), order.collector)
    if error:
        raise Refused(error)
    if order.is_return and order.original:
        return originals.returned(order, moment.switches.tz).asked
    return _earned(order, moment.switches)


def carry_out(
    order: Order, request: Request, moment: Moment, written: Callable[[Sequence[Asked]], bytes]
) -> Transaction:
    """Accept a transaction and, unless it is to be pending, bring it to its end.

    `written` gives the answer's fields for the items that were planned.
    """
    settle_due(moment)
    open_ones = Transaction.objects.filter(collector=order.collector, is_pending=True)
    if moment.switches.pending_blocks and open_ones.exists():
        raise Refused("TransactionInProgress")
    plan = _plan(order, moment.switches)
    ending = cards.ending_of(order.collector, moment.switches)
    transaction = _record(order, request, moment.now, plan, written(plan.asked))
    transaction.ends_rejected = ending.is_rejected
    if ending.mode != "at_once" and any(not one.error for one in plan.asked):
        transaction.is_pending = True
        transaction.looks_left = ending.looks if ending.mode == "looks" else None
        if ending.mode == "seconds":
            transaction.ends_at = moment.now + timedelta(seconds=ending.seconds)
    transaction.save(force_insert=True)
    Item.objects.bulk_create(
        Item(
            transaction=transaction,
            offer_code=one.offer_code,
            offer_id=one.offer_id,
            location=one.location,
            miles=one.miles,
            status=Status.REJECTED if one.error else Status.PENDING,
            error=one.error,
        )
        for one in plan.asked
    )
    if not transaction.is_pending:
        settle(transaction, moment)
    return transaction


def log_only(order: Order, request: Request, now: datetime, mirror: bytes) -> Transaction:
    """Keep what RECORD sends, and do nothing about it."""
    transaction = _record(order, request, now, Plan(asked=()), mirror)
    transaction.save(force_insert=True)
    return transaction


def look(request: Request, moment: Moment) -> tuple[Transaction, bool]:
    """Return the transaction a repeated request asks about, and whether this look ended it."""
    known = Transaction.objects.filter(
        path=request.path, key=request.key, body_sha256=request.body_sha256
    )
    was_pending = known.latest("id").is_pending
    settle_due(moment)
    transaction = known.latest("id")
    if transaction.is_pending and transaction.looks_left is not None:
        transaction.looks_left -= 1
        if transaction.looks_left == 0:
            settle(transaction, moment)
        else:
            transaction.save(update_fields=["looks_left"])
    return transaction, was_pending and not transaction.is_pending


def settle_due(moment: Moment) -> None:
    """End every pending transaction whose time has come."""
    due = Transaction.objects.filter(is_pending=True, ends_at__lte=moment.now)
    # Not in the order of their numbers: for that the whole table would be read, at every request.
    for transaction in due.order_by("ends_at"):
        settle(transaction, moment)


def settle_all(moment: Moment, collector: str, *, is_rejected: bool) -> int:
    """End every pending transaction, of one collector if one is named; return how many."""
    pending = Transaction.objects.filter(is_pending=True)
    if collector:
        pending = pending.filter(collector=collector)
    rows = list(pending)
    for transaction in rows:
        transaction.ends_rejected = is_rejected
        settle(transaction, moment)
    return len(rows)


def settle(transaction: Transaction, moment: Moment) -> None:
    """Bring a transaction to its end: its pending items are confirmed and the miles move."""
    if transaction.is_pending:
        transaction.is_pending = False
        transaction.save(update_fields=["is_pending"])
    member = members.find(transaction.collector)
    for item in transaction.items.filter(status=Status.PENDING):
        if transaction.ends_rejected or member is None:
            _reject(item, "NotProcessed")
        else:
            _confirm(transaction, item, member, moment)


def new_id() -> str:
    """Return an id as the platform gives them."""
    return str(uuid.uuid4())


def start_over() -> None:
    """Forget every transaction; put the samples' originals and the offers back."""
    Transaction.objects.all().delete()
    Stumble.objects.all().delete()
    catalogue.start_over()
    originals.samples()


def _confirm(transaction: Transaction, item: Item, member: Member, moment: Moment) -> None:
    is_giving = transaction.call in GIVING
    account = moment.switches.earned_into
    if not is_giving and getattr(member, f"{account}_miles") < item.miles:
        _reject(item, "InsufficientMiles")
        return
    item.status = Status.CONFIRMED
    item.confirmation = new_id()
    item.processed_at = moment.now
    item.save(update_fields=["status", "confirmation", "processed_at"])
    movement = members.Movement(
        kind=transaction.call,
        miles=item.miles if is_giving else -item.miles,
        units=0,
        amount_cents=0,
        confirmation=item.confirmation,
        undoes=transaction.original.transaction_id if transaction.original else "",
        account=account,
        transaction_id=transaction.transaction_id,
        offer_code=item.offer_code,
        offer_id=item.offer_id,
        location_code=item.location,
    )
    cause = members.Cause(
        path=transaction.path,
        key=transaction.key,
        body_sha256=transaction.body_sha256,
        happened_at=moment.now,
        recorded_at=moment.real_now,
    )
    members.move(member, movement, cause)


def _reject(item: Item, error: str) -> None:
    item.status, item.error = Status.REJECTED, error
    item.save(update_fields=["status", "error"])


def _record(
    order: Order, request: Request, now: datetime, plan: Plan, mirror: bytes
) -> Transaction:
    """Return the row of a transaction, unsaved."""
    return Transaction(
        transaction_id=new_id(),
        own_id=order.own_id,
        call=order.call.value,
        sponsor=order.sponsor,
        collector=order.collector,
        original=plan.original,
        basket=offers.stored(order.basket),
        mirror=mirror,
        path=request.path,
        key=request.key,
        body_sha256=request.body_sha256,
        happened_at=now,
        checkout_at=order.checkout_at,
    )


def _plan(order: Order, switches: Switches) -> Plan:
    """Return the items of a transaction, with an error on each that will not be tried."""
    error = _why_not(members.find(order.collector), order.collector)
    if order.call is Call.RETURN:
        if error:
            raise Refused(error)
        return originals.returned(order, switches.tz)
    plan = originals.reversal(order) if order.call in TAKING else _gift(order, switches)
    if not error:
        return plan
    if not plan.asked:
        # There is no item that could bear the error.
        raise Refused(error)
    return Plan(asked=tuple(replace(one, error=error) for one in plan.asked))


def _gift(order: Order, switches: Switches) -> Plan:
    if order.call is Call.ISSUE:
        asked = _earned(order, switches)
        if order.collector == cards.PARTIAL and asked:
            asked = (*asked, TARGETED)
        return Plan(asked=asked)
    asked = order.asked
    if switches.unknown_offers == "reject":
        asked = tuple(replace(one, error=_offer_error(order, one, switches)) for one in asked)
    if order.collector == cards.PARTIAL and len(asked) > 1:
        asked = (*asked[:-1], replace(asked[-1], error="OfferExpired"))
    return Plan(asked=asked)


def _earned(order: Order, switches: Switches) -> tuple[Asked, ...]:
    day = order.checkout_at.astimezone(switches.tz).date()
    return tuple(
        Asked(
            offer_code=award.offer.code,
            offer_id=award.offer.offer_id,
            location=award.offer.location or order.location,
            miles=award.miles,
            description=award.offer.description,
            contributing=award.skus,
        )
        for award in offers.awards(order.basket, catalogue.offers_for(order.sponsor), day)
    )


def _offer_error(order: Order, one: Asked, switches: Switches) -> str:
    day = order.checkout_at.astimezone(switches.tz).date()
    known = [offer for offer in catalogue.offers_for(order.sponsor) if offer.code == one.offer_code]
    if not known:
        return "OfferNotFound"
    return "" if any(offer.runs_on(day) for offer in known) else "OfferExpired"


def _why_not(member: Member | None, collector: str) -> str:
    """Return why nothing can be done for a collector, or nothing."""
    if member is None or collector == cards.NOT_FOUND:
        return "CollectorNotFound"
    return "" if member.is_active else "CollectorInactive"
