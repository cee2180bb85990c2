"""What a return takes back of the miles that our own offers gave for a sale. Pure.

What the collector keeps is counted again, by the terms the sale was counted by; the rest is taken
back. So a return of everything takes back exactly what was given, and returns never take more than
that together, whatever the back office has changed in between.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from backoffice.units import Cents, Miles
from issuance import offers
from issuance.lines import BasketMessage, EventMessage
from issuance.orders import Award, Basket, Item
from issuance.terms import Share, Terms

_NOTHING: Final = Cents(0)
_NO_MILES: Final = Miles(0)


# What a later return needs stands in the message's context, so it is frozen with the sale's bytes.
_TERMS: Final = "terms "
_EXCLUDED: Final = "excluded cents"


class NotReturnable(ValueError):
    """More was brought back than was sold."""


@dataclass(frozen=True, kw_only=True)
class Sold:
    """A sale as it was sent: what was bought, and what our offers gave for it."""

    basket: Basket
    awards: tuple[Award, ...]


@dataclass(frozen=True, kw_only=True)
class Given:
    """An award that stands, and the miles of it that earlier returns took back.

    Without terms (a till calculated the miles) what is kept earns in proportion to its amount.
    Without contributing items the whole basket earned it.
    """

    award: Award
    taken_back: Miles = _NO_MILES


@dataclass(frozen=True, kw_only=True)
class _Left:
    """What is kept of one line of the sale, and what it was."""

    sku: str
    sold: Share
    kept: Share


def notes(basket: Basket, awards: Iterable[Award]) -> tuple[tuple[str, str], ...]:
    """Return what a sale's message says in its context for a later return: `sold_in` reads it."""
    excluded = ((_EXCLUDED, str(basket.excluded_cents)),) if basket.excluded_cents else ()
    terms = ((f"{_TERMS}{award.offer_id}", award.terms) for award in awards if award.terms)
    return (*excluded, *terms)


def sold_in(message: BasketMessage | EventMessage) -> Sold:
    """Return the sale of a POST or ISSUE, from its own frozen bytes; an event has no goods."""
    if isinstance(message, EventMessage):
        nothing = Basket(pre_tax_cents=_NOTHING, post_tax_cents=_NOTHING)
        return Sold(basket=nothing, awards=_awards_in(message))
    context = dict(message.context)
    items = tuple(
        Item(
            number=int(line.number),
            sku=line.id,
            name=line.name,
            quantity=line.quantity,
            base_cents=_cents(line.base_amount),
            final_cents=_cents(line.final_amount),
            department=line.department_id,
            category=line.category_id,
        )
        for line in message.items
    )
    basket = Basket(
        pre_tax_cents=_cents(message.pre_tax),
        post_tax_cents=_cents(message.post_tax),
        items=items,
        excluded_cents=_excluded(context.get(_EXCLUDED, "")),
        coupons=message.coupons,
        tenders=message.tenders,
    )
    return Sold(basket=basket, awards=_awards_in(message))


def _awards_in(message: BasketMessage | EventMessage) -> tuple[Award, ...]:
    context = dict(message.context)
    return tuple(
        Award(
            offer_id=str(line.offer_id),
            offer_code=line.offer_code,
            miles=Miles(int(line.miles)),
            description=line.description,
            location_code=line.location_code,
            contributing_skus=line.contributing_ids,
            terms=_readable(context.get(f"{_TERMS}{line.offer_id}", "")),
        )
        for line in message.offers
    )


def take_back(
    given: Iterable[Given],
    *,
    sold: Basket,
    returned: Mapping[int, Decimal],
    returned_cents: Cents = _NOTHING,
) -> tuple[Award, ...]:
    """Return the miles to take back of each award of a sale, those without any left out.

    `returned` is all that has come back of the sale, this return and earlier ones: quantities by
    the item's number in its basket. `returned_cents` is the same for a sale entered by its totals.
    More than was sold is a NotReturnable.
    """
    lines = _left(sold, returned, returned_cents)
    found = []
    for gift in given:
        # Counted from what has really been taken, so what an earlier return failed to take is
        # taken now.
        miles = gift.award.miles - gift.taken_back - _deserved(gift.award, lines)
        if miles > 0:
            found.append(replace(gift.award, miles=Miles(miles), terms=""))
    return tuple(found)


def _left(
    sold: Basket, returned: Mapping[int, Decimal], returned_cents: Cents
) -> tuple[_Left, ...]:
    lines = offers.lines_of(sold)
    if not sold.items:
        total = lines[0].final_cents
        if returned or not 0 <= returned_cents <= total:
            raise NotReturnable("More is brought back than the sale came to.")
        kept_cents = Cents(total - returned_cents)
        kept = Share(amount_cents=kept_cents, quantity=Decimal(1 if kept_cents else 0))
        return (_Left(sku="", sold=Share.of(lines), kept=kept),)
    if returned_cents or set(returned) - {item.number for item in lines}:
        raise NotReturnable("Something is brought back that was not sold.")
    found = []
    for item in lines:
        gone = returned.get(item.number, Decimal(0))
        if not 0 <= gone <= item.quantity:
            raise NotReturnable("More of an item is brought back than was sold.")
        quantity = item.quantity - gone
        # Whole cents, rounded down: what is kept never counts for more than was paid for it.
        cents = Cents(int(item.final_cents * quantity // item.quantity)) if quantity else _NOTHING
        kept = Share(amount_cents=cents, quantity=quantity)
        found.append(_Left(sku=item.sku, sold=Share.of([item]), kept=kept))
    return tuple(found)


def _deserved(award: Award, lines: tuple[_Left, ...]) -> int:
    """Return the miles that what is kept deserves."""
    skus = award.contributing_skus
    counted = [line for line in lines if not skus or line.sku in skus]
    kept = Share.total(line.kept for line in counted)
    if award.terms:
        return Terms.read(award.terms).earned(kept)
    sold = Share.total(line.sold for line in counted)
    if sold.amount_cents <= 0:
        # Nothing was paid for it, so there is no proportion but all or nothing.
        return award.miles if kept.quantity == sold.quantity else 0
    return award.miles * max(0, kept.amount_cents) // sold.amount_cents


def _cents(dollars: Decimal) -> Cents:
    return Cents(int(dollars.scaleb(2)))


def _readable(terms: str) -> str:
    # A till's own message may say anything in its context; such a sale has no terms of ours.
    try:
        Terms.read(terms)
    except ValueError:
        return ""
    return terms


def _excluded(text: str) -> Cents:
    return Cents(int(text)) if re.fullmatch(r"[0-9]{1,12}", text) else _NOTHING
