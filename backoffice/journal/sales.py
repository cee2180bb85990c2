"""Finds what belongs to one sale: its redemption, its miles, its returns. Changes nothing."""

import uuid

from django.db.models import QuerySet

from backoffice.journal.models import Transaction
from backoffice.journal.selectors import EMPTY, NEWEST_FIRST, Reader, visible
from backoffice.journal.states import GRANTED, TAKING, Operation, State


def issuance_of(user: Reader, row: Transaction) -> Transaction | None:
    """Return the issuance of the sale that a row belongs to, as far as `user` may read it."""
    if row.operation == Operation.ISSUE:
        return row
    if row.original_id:
        same = visible(user, is_training=row.is_training)
        return same.filter(pk=row.original_id, operation=Operation.ISSUE).first()
    found = _beside(user, row).filter(operation=Operation.ISSUE).exclude(state=State.NOT_SENT)
    newest = list(found.order_by(*NEWEST_FIRST))
    given = [one for one in newest if one.state in TAKING]
    # What was given first stands for the sale; its corrections are found from it.
    return given[-1] if given else next(iter(newest), None)


def corrected_with(row: Transaction) -> list[Transaction]:
    """Return a row and all that puts it right, or that it puts right, oldest first."""
    first = row
    while first.corrects is not None:
        first = first.corrects
    chain = [first]
    while (correction := chain[-1].corrections.first()) is not None:
        chain.append(correction)
    return chain


def given_of(issued: Transaction) -> list[Transaction]:
    """Return all that gave the miles of one sale, or may yet: an issuance and its corrections."""
    return [one for one in corrected_with(issued) if one.state in TAKING]


def returned_with(row: Transaction) -> list[Transaction]:
    """Return the returns of one press: of an issuance and of each of its corrections.

    What puts one of them right is among them, for whichever card it was sent.
    """
    same = Transaction.objects.filter(
        collector_mac=row.collector_mac, sale_ref=row.sale_ref, store=row.store_id
    )
    found = same.filter(operation=Operation.RETURN)
    every = {each.pk: each for one in found for each in corrected_with(one)}
    return sorted(every.values(), key=lambda one: one.pk)


def redemption_of(user: Reader, row: Transaction) -> Transaction | None:
    """Return the approved redemption of a sale's issuance, or None."""
    found = _beside(user, row).filter(operation=Operation.REDEEM, state__in=sorted(GRANTED))
    return found.order_by(*NEWEST_FIRST).first()


def find_issuance(user: Reader, number: str, *, is_training: bool = False) -> Transaction | None:
    """Return the issuance that a number names: ours, the programme's transactionId or a till's own.

    Our own may be written as on a receipt's code: 40 digits.
    """
    real_or_not = visible(user, is_training=is_training)
    sold = real_or_not.filter(operation=Operation.ISSUE).order_by(*NEWEST_FIRST)
    reference = _uuid(number)
    if reference is not None:
        named = sold.filter(reference=reference).first()
        if named is not None:
            return named
    written = {number, number.lower(), *([str(reference)] if reference else [])}
    for name in ("confirmation_number", "checkout_id"):
        # The indexes leave out what is empty; said literally, both databases see that.
        found = sold.filter(**{f"{name}__in": sorted(written)}).exclude(**{name: EMPTY})
        if (row := found.first()) is not None:
            return row
    return None


def code_of(row: Transaction) -> str:
    """Return our number of a sale as digits alone, which a scanner reads from a narrow paper."""
    return f"{row.reference.int:040d}"


def _beside(user: Reader, row: Transaction) -> QuerySet[Transaction]:
    # By the card: a collector has few rows, and the index begins with it.
    return visible(user, is_training=row.is_training).filter(
        collector_mac=row.collector_mac, sale_ref=row.sale_ref, store=row.store_id
    )


def _uuid(number: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(int=int(number)) if len(number) == 40 else uuid.UUID(number)
    except ValueError:
        return None
