"""What a basket earns, as pure functions: no database, no clock, no float.

Every offer earns more for more goods or the same, never less. So what a return takes back is never
negative, and the returns of everything take back exactly what was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from typing import Any

CENT = Decimal("0.01")
ROUNDINGS = {"down": ROUND_DOWN, "nearest": ROUND_HALF_UP, "up": ROUND_UP}


class Kind(StrEnum):
    """What an offer looks at."""

    BASE = "base"
    DEPARTMENT = "department"
    CATEGORY = "category"
    ITEM = "item"
    COUPON = "coupon"
    TENDER = "tender"


class MoreThanBought(ValueError):
    """More of an item, or more dollars, would come back than there is left."""


class ItemsRequired(ValueError):
    """A part of a basket with items can only be named by its items."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One item of a basket. Its amount is its unit price times its quantity, to the cent."""

    sku: str
    quantity: Decimal
    unit_price: Decimal
    department: str = ""
    category: str = ""

    @property
    def amount(self) -> Decimal:
        return (self.unit_price * self.quantity).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, kw_only=True)
class Basket:
    """A sale: its lines or, where it has none, its total before tax."""

    lines: tuple[Line, ...] = ()
    total: Decimal = Decimal(0)
    coupons: tuple[str, ...] = ()
    tender: tuple[str, ...] = ()

    @property
    def amount(self) -> Decimal:
        if not self.lines:
            return self.total
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A rule that earns miles.

    `per` dollars of what it matches earn `miles`; where `per` is zero, a matched item earns them
    for each one bought, a matched coupon, tender or basket once.
    """

    code: str
    offer_id: str
    kind: Kind
    miles: int
    per: Decimal = Decimal(0)
    match: str = ""
    rounding: str = "down"
    location: str = ""
    description: str = ""
    starts_on: date | None = None
    ends_on: date | None = None

    def runs_on(self, day: date) -> bool:
        return (self.starts_on is None or self.starts_on <= day) and (
            self.ends_on is None or day <= self.ends_on
        )


@dataclass(frozen=True, kw_only=True)
class Award:
    """Miles that one offer earns, and the items that contributed, in the order of the basket."""

    offer: Offer
    miles: int
    skus: tuple[str, ...] = field(default=())


def awards(basket: Basket, offers: Iterable[Offer], day: date) -> tuple[Award, ...]:
    """Return what a basket earns on a day, an award for each offer that earns anything."""
    earned = (_award(basket, offer) for offer in offers if offer.runs_on(day))
    return tuple(award for award in earned if award.miles > 0)


def _award(basket: Basket, offer: Offer) -> Award:
    lines = _matched(basket, offer)
    is_whole = offer.kind in {Kind.BASE, Kind.COUPON, Kind.TENDER}
    amount = basket.amount if is_whole else sum((line.amount for line in lines), Decimal(0))
    if is_whole and not _is_asked(basket, offer):
        earned = Decimal(0)
    elif offer.per:
        # Multiplied before it is divided: thirds of a dollar would lose the last mile.
        earned = amount * offer.miles / offer.per
    elif is_whole:
        earned = Decimal(offer.miles if amount > 0 else 0)
    else:
        earned = sum((line.quantity for line in lines), Decimal(0)) * offer.miles
    miles = int(earned.quantize(Decimal(1), ROUNDINGS[offer.rounding]))
    return Award(offer=offer, miles=miles, skus=tuple(dict.fromkeys(line.sku for line in lines)))


def _matched(basket: Basket, offer: Offer) -> list[Line]:
    values = {
        Kind.DEPARTMENT: lambda line: line.department,
        Kind.CATEGORY: lambda line: line.category,
        Kind.ITEM: lambda line: line.sku,
    }
    value = values.get(offer.kind)
    return [line for line in basket.lines if value is None or value(line) == offer.match]


def _is_asked(basket: Basket, offer: Offer) -> bool:
    shown = {Kind.COUPON: basket.coupons, Kind.TENDER: basket.tender}
    return offer.kind is Kind.BASE or offer.match in shown[offer.kind]


def less(basket: Basket, returned: Basket) -> Basket:
    """Return what is left of a basket once some of it came back."""
    if not basket.lines:
        if returned.amount > basket.total:
            raise MoreThanBought
        return replace(basket, total=basket.total - returned.amount)
    if not returned.lines:
        if returned.total > basket.amount:
            raise MoreThanBought
        if returned.total != basket.amount:
            raise ItemsRequired
        return replace(basket, lines=(), total=Decimal(0))
    back: dict[str, Decimal] = {}
    for line in returned.lines:
        back[line.sku] = back.get(line.sku, Decimal(0)) + line.quantity
    left = []
    for line in basket.lines:
        gone = min(line.quantity, back.get(line.sku, Decimal(0)))
        if gone:
            back[line.sku] -= gone
        if gone < line.quantity:
            left.append(replace(line, quantity=line.quantity - gone))
    if any(back.values()):
        raise MoreThanBought
    return replace(basket, lines=tuple(left), total=Decimal(0))


def stored(basket: Basket) -> dict[str, Any]:
    """Return a basket as JSON values; numbers as text, so that none becomes a float."""
    return {
        "lines": [
            [line.sku, str(line.quantity), str(line.unit_price), line.department, line.category]
            for line in basket.lines
        ],
        "total": str(basket.total),
        "coupons": list(basket.coupons),
        "tender": list(basket.tender),
    }


def restored(fields: Mapping[str, Any]) -> Basket:
    """Return the basket that `stored` wrote."""
    lines: Sequence[Sequence[str]] = fields["lines"]
    return Basket(
        lines=tuple(
            Line(
                sku=sku,
                quantity=Decimal(quantity),
                unit_price=Decimal(price),
                department=department,
                category=category,
            )
            for sku, quantity, price, department, category in lines
        ),
        total=Decimal(fields["total"]),
        coupons=tuple(fields["coupons"]),
        tender=tuple(fields["tender"]),
    )
