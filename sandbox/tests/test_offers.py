"""The offers engine: what each kind of offer earns, and what holds for every basket."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.issuance import offers
from sandbox.issuance.offers import Basket, Kind, Line, Offer

DAY = date(2026, 7, 16)
BREAD = Line(
    sku="BREAD",
    quantity=Decimal(2),
    unit_price=Decimal("4.99"),
    department="BAKERY",
    category="FRESH",
)
SOAP = Line(
    sku="SOAP",
    quantity=Decimal(1),
    unit_price=Decimal("15.00"),
    department="HOME",
    category="CARE",
)
BASKET = Basket(lines=(BREAD, SOAP), coupons=("C1",), tender=("CASH",))


def offer(kind: Kind, miles: int = 1, per: str = "0", match: str = "", **more: Any) -> Offer:
    return replace(
        Offer(code=kind.upper(), offer_id=kind, kind=kind, miles=miles, per=Decimal(per)),
        match=match,
        **more,
    )


def earned(basket: Basket, *rules: Offer, day: date = DAY) -> list[tuple[int, tuple[str, ...]]]:
    return [(award.miles, award.skus) for award in offers.awards(basket, rules, day)]


@pytest.mark.parametrize(
    ("rule", "miles", "skus"),
    [
        (offer(Kind.BASE, 1, "5"), 4, ("BREAD", "SOAP")),
        (offer(Kind.BASE, 1, "5", rounding="nearest"), 5, ("BREAD", "SOAP")),
        (offer(Kind.BASE, 1, "10", rounding="up"), 3, ("BREAD", "SOAP")),
        (offer(Kind.BASE, 3, "10"), 7, ("BREAD", "SOAP")),
        (offer(Kind.BASE, 3, "8.3266666"), 9, ("BREAD", "SOAP")),
        (offer(Kind.BASE, 25), 25, ("BREAD", "SOAP")),
        (offer(Kind.DEPARTMENT, 1, "4.99", "BAKERY"), 2, ("BREAD",)),
        (offer(Kind.DEPARTMENT, 5, match="BAKERY"), 10, ("BREAD",)),
        (offer(Kind.CATEGORY, 1, "3", "CARE"), 5, ("SOAP",)),
        (offer(Kind.ITEM, 7, match="BREAD"), 14, ("BREAD",)),
        (offer(Kind.COUPON, 10, match="C1"), 10, ("BREAD", "SOAP")),
        (offer(Kind.COUPON, 1, "20", "C1"), 1, ("BREAD", "SOAP")),
        (offer(Kind.TENDER, 1, "8", "CASH"), 3, ("BREAD", "SOAP")),
    ],
)
def test_an_offer_earns_what_it_says(rule: Offer, miles: int, skus: tuple[str, ...]) -> None:
    assert earned(BASKET, rule) == [(miles, skus)]


@pytest.mark.parametrize(
    "rule",
    [
        offer(Kind.BASE, 1, "25"),
        offer(Kind.DEPARTMENT, 1, "5", "GARDEN"),
        offer(Kind.CATEGORY, 1, match="GARDEN"),
        offer(Kind.ITEM, 1, match="bread"),
        offer(Kind.COUPON, 10, match="C2"),
        offer(Kind.TENDER, 10, match="CREDIT"),
        offer(Kind.BASE, 25, starts_on=date(2026, 7, 17)),
        offer(Kind.BASE, 25, ends_on=date(2026, 7, 15)),
    ],
)
def test_an_offer_that_does_not_apply_earns_nothing(rule: Offer) -> None:
    assert earned(BASKET, rule) == []


@pytest.mark.parametrize("day", [date(2026, 7, 16), date(2026, 7, 18)])
def test_an_offers_first_and_last_day_belong_to_it(day: date) -> None:
    rule = offer(Kind.BASE, 25, starts_on=date(2026, 7, 16), ends_on=date(2026, 7, 18))
    assert earned(BASKET, rule, day=day) == [(25, ("BREAD", "SOAP"))]


def test_nothing_bought_earns_nothing() -> None:
    every = [offer(kind, 5, match="" if kind is Kind.BASE else "C1") for kind in Kind]
    assert earned(Basket(coupons=("C1",), tender=("C1",)), *every) == []


def test_a_basket_without_lines_earns_on_its_total() -> None:
    assert earned(Basket(total=Decimal("24.97")), offer(Kind.BASE, 1, "5")) == [(4, ())]


def test_what_came_back_is_taken_off_line_by_line() -> None:
    lines = (BREAD, SOAP, replace(BREAD, quantity=Decimal(3)))
    left = offers.less(replace(BASKET, lines=lines), _back(BREAD=4))
    assert [(line.sku, int(line.quantity)) for line in left.lines] == [("SOAP", 1), ("BREAD", 1)]


@pytest.mark.parametrize("back", [{"BREAD": 3}, {"SOAP": 2}, {"MILK": 1}, {"BREAD": 2, "MILK": 1}])
def test_more_than_was_bought_cannot_come_back(back: dict[str, int]) -> None:
    with pytest.raises(offers.MoreThanBought):
        offers.less(BASKET, _back(**back))


def test_a_basket_with_lines_comes_back_whole_or_by_its_items() -> None:
    assert offers.less(BASKET, Basket(total=Decimal("24.98"))).amount == 0
    with pytest.raises(offers.ItemsRequired):
        offers.less(BASKET, Basket(total=Decimal("10.00")))
    with pytest.raises(offers.MoreThanBought):
        offers.less(BASKET, Basket(total=Decimal("24.99")))


def test_a_basket_is_stored_and_restored_without_a_loss() -> None:
    assert offers.restored(offers.stored(BASKET)) == BASKET


def _back(**quantities: int) -> Basket:
    return Basket(
        lines=tuple(
            Line(sku=sku, quantity=Decimal(quantity), unit_price=Decimal(1))
            for sku, quantity in quantities.items()
        )
    )


SKUS = ("A", "B", "C", "D")
prices = st.decimals(min_value=0, max_value=500, places=2)
lines = st.builds(
    lambda sku, quantity, price: Line(
        sku=sku,
        quantity=Decimal(quantity),
        unit_price=price,
        department=f"DEPT{sku}",
        category="CAT1" if sku in "AB" else "CAT2",
    ),
    st.sampled_from(SKUS),
    st.integers(1, 5),
    prices,
)
baskets = st.builds(
    lambda bought: Basket(lines=tuple(bought), coupons=("C1",), tender=("CASH",)),
    # One price for each article: what comes back of it is worth what was bought of it.
    st.lists(lines, min_size=1, max_size=6, unique_by=lambda line: line.sku),
)
MATCHES = {
    Kind.BASE: ("",),
    Kind.DEPARTMENT: ("DEPTA", "DEPTB"),
    Kind.CATEGORY: ("CAT1", "CAT2"),
    Kind.ITEM: SKUS,
    Kind.COUPON: ("C1", "C2"),
    Kind.TENDER: ("CASH", "CREDIT"),
}
rules = st.sampled_from(list(Kind)).flatmap(
    lambda kind: st.builds(
        lambda miles, per, match, rounding: offer(kind, miles, str(per), match, rounding=rounding),
        st.integers(1, 30),
        st.one_of(st.just(Decimal(0)), st.decimals("0.01", 40, places=2)),
        st.sampled_from(MATCHES[kind]),
        st.sampled_from(sorted(offers.ROUNDINGS)),
    )
)
rule_lists = st.lists(rules, max_size=5, unique_by=lambda rule: rule.offer_id)


def miles_by_offer(basket: Basket, chosen: Sequence[Offer]) -> dict[str, int]:
    return {award.offer.offer_id: award.miles for award in offers.awards(basket, chosen, DAY)}


@settings(deadline=None)
@given(baskets, rule_lists, st.randoms(use_true_random=False))
def test_the_order_of_lines_is_of_no_consequence(
    basket: Basket, chosen: list[Offer], random: Random
) -> None:
    shuffled = list(basket.lines)
    random.shuffle(shuffled)
    other = replace(basket, lines=tuple(shuffled))
    assert miles_by_offer(other, chosen) == miles_by_offer(basket, chosen)


@settings(deadline=None)
@given(baskets, rule_lists, st.data())
def test_returns_of_everything_in_any_parts_take_back_what_was_given(
    basket: Basket, chosen: list[Offer], data: st.DataObject
) -> None:
    before = miles_by_offer(basket, chosen)
    taken = dict.fromkeys(before, 0)
    left = basket
    while left.lines:
        line = data.draw(st.sampled_from(left.lines))
        back = data.draw(st.integers(1, int(line.quantity)))
        after = offers.less(left, _back(**{line.sku: back}))
        had, has = miles_by_offer(left, chosen), miles_by_offer(after, chosen)
        for offer_id in had:
            assert had[offer_id] >= has.get(offer_id, 0)
            taken[offer_id] += had[offer_id] - has.get(offer_id, 0)
        assert set(has) <= set(had)
        left = after
    assert taken == before
