"""What a drawn day sells: goods of every kind that an offer knows, and baskets of them. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from backoffice.units import Cents
from issuance.orders import Basket, Item, Taxes
from issuance.rules import line_total

# The demo partner's coupon and one that no offer knows; the programme's words for paying.
_COUPONS = ("57841", "57862")
_TENDERS = ("CASH", "CREDIT", "DEBIT")
_MOST_PIECES = 5
_MOST_GOODS = 6


@dataclass(frozen=True, kw_only=True)
class Good:
    """One thing on the shelf. What is weighed is sold in grams of a kilogram."""

    sku: str
    name: str
    cents: int
    department: str
    category: str = ""
    is_weighed: bool = False


_GOODS = (
    Good(sku="SKU1234", name="Dog Food", cents=999, department="10001", category="11101"),
    Good(sku="SKU1252", name="Potato Chips", cents=499, department="DEPT2", category="CAT2"),
    Good(sku="SKU2001", name="Rye Bread", cents=449, department="20"),
    Good(sku="SKU3001", name="Croissant", cents=325, department="30"),
    Good(sku="SKU4001", name="Apples", cents=399, department="10001", is_weighed=True),
    Good(sku="SKU4002", name="Old Cheddar", cents=2199, department="DEPT2", is_weighed=True),
    Good(sku="SKU5001", name="Coffee", cents=1749, department="10001", category="CAT2"),
    Good(sku="SKU5002", name="Oak Table", cents=41900, department="50"),
    Good(sku="SKU6001", name="Gift Card", cents=5000, department="GIFT"),
    Good(sku="SKU7001", name="Prescription", cents=1250, department="RX", category="RX"),
)


def basket(drawn: random.Random) -> Basket:
    """Return what somebody buys: mostly goods, sometimes only what they come to."""
    coupons = tuple(one for one in _COUPONS if drawn.random() < 0.2)
    tenders = tuple(drawn.sample(_TENDERS, drawn.choice((1, 1, 2))))
    if drawn.random() < 0.12:
        sold = totals(drawn.randrange(500, 40_000))
        excluded = Cents(drawn.randrange(sold.pre_tax_cents)) if drawn.random() < 0.2 else Cents(0)
        return replace(sold, excluded_cents=excluded, coupons=coupons, tenders=tenders)
    goods = drawn.sample(_GOODS, drawn.randrange(1, _MOST_GOODS))
    items = (_item(number, good, drawn) for number, good in enumerate(goods, 1))
    return replace(_of(tuple(items)), coupons=coupons, tenders=tenders)


def totals(cents: int) -> Basket:
    """Return a basket of which only the amount is known."""
    return Basket(pre_tax_cents=Cents(cents), post_tax_cents=Cents(cents))


def brought(sold: Basket, pieces: Mapping[int, Decimal]) -> Basket:
    """Return the basket of what is brought back of a sale, by its items' numbers."""
    items = (
        replace(item, quantity=pieces[item.number], final_cents=_price(item, pieces[item.number]))
        for item in sold.items
        if item.number in pieces
    )
    return _of(tuple(items))


def some_of(left: Mapping[int, Decimal], drawn: random.Random) -> dict[int, Decimal]:
    """Return what a customer brings of what is left: some of the goods, some of their pieces."""
    chosen = drawn.sample(sorted(left), drawn.randrange(1, len(left) + 1))
    return {number: _share(left[number], drawn) for number in chosen}


def _share(quantity: Decimal, drawn: random.Random) -> Decimal:
    if quantity == quantity.to_integral_value():
        return Decimal(drawn.randrange(1, int(quantity) + 1))
    # What was weighed comes back whole.
    return quantity


def _item(number: int, good: Good, drawn: random.Random) -> Item:
    quantity = Decimal(drawn.randrange(1, _MOST_PIECES))
    if good.is_weighed:
        quantity = Decimal(drawn.randrange(101, 3000)).scaleb(-3)
    return Item(
        number=number,
        sku=good.sku,
        name=good.name,
        quantity=quantity,
        base_cents=Cents(good.cents),
        final_cents=line_total(Cents(good.cents), quantity),
        department=good.department,
        category=good.category,
    )


def _price(item: Item, quantity: Decimal) -> Cents:
    return line_total(item.base_cents, quantity)


def _of(items: tuple[Item, ...]) -> Basket:
    cents = Cents(sum(item.final_cents for item in items))
    tax = Cents(cents * 13 // 100)
    return Basket(
        pre_tax_cents=cents,
        post_tax_cents=Cents(cents + tax),
        items=items,
        taxes=Taxes(hst_cents=tax),
    )
