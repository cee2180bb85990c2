"""Offers, catalogues and baskets, by hand and as Hypothesis invents them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from backoffice.units import Cents, Miles
from issuance.offers import Catalogue, Exclusion, Kind, Offer, Reach, Selection
from issuance.orders import Award, Basket, Item
from issuance.terms import Terms

# The machine may be busy; what is slow then says nothing about the code.
at_leisure = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

STORE = "0001"
TODAY = date(2026, 11, 20)
GIFT_CARDS = Exclusion(name="Gift cards", selects=Selection(departments=frozenset({"GIFT"})))

_SKUS = [f"SKU{number}" for number in range(1, 7)]
_DEPARTMENTS = ["", "10", "20", "30"]
_CATEGORIES = ["", "A", "B"]
_COUPONS = ["57841", "57862"]
_TENDERS = ["CASH", "CREDIT"]


def for_each(amount_cents: int, miles: int = 1, **changes: Any) -> Terms:
    """A mile for each full amount."""
    return Terms(miles=Miles(miles), per_cents=Cents(amount_cents), **changes)


def offer(offer_id: str = "100", kind: Kind = Kind.BASE, **changes: Any) -> Offer:
    """The base rate, a mile for each full $20; or whatever is changed of it."""
    fields: dict[str, Any] = {"offer_id": offer_id, "code": "STANDARD", "kind": kind}
    if kind is not Kind.MULTIPLIER:
        fields["terms"] = for_each(2000)
    return Offer(**{**fields, **changes})


def multiplier(offer_id: str = "300", factor: str = "3", **changes: Any) -> Offer:
    """So many times the base miles."""
    return offer(offer_id, Kind.MULTIPLIER, factor=Decimal(factor), **changes)


def named(*, items: str = "", departments: str = "", categories: str = "") -> Selection:
    """Items named by words with spaces between them."""
    return Selection(
        items=frozenset(items.split()),
        departments=frozenset(departments.split()),
        categories=frozenset(categories.split()),
    )


def line(number: int, cents: int, quantity: str = "1", **changes: Any) -> Item:
    """A line of the basket: so many pieces that came to so much together."""
    fields: dict[str, Any] = {
        "number": number,
        "sku": f"SKU{number}",
        "name": f"Thing {number}",
        "quantity": Decimal(quantity),
        "base_cents": Cents(int(cents // Decimal(quantity))),
        "final_cents": Cents(cents),
    }
    return Item(**{**fields, **changes})


def sale(*items: Item, **changes: Any) -> Basket:
    """A basket of these items."""
    total = Cents(sum(item.final_cents for item in items))
    fields: dict[str, Any] = {"pre_tax_cents": total, "post_tax_cents": total, "items": items}
    return Basket(**{**fields, **changes})


@st.composite
def items(draw: st.DrawFn, /, number: int = 1, **fixed: Any) -> Item:
    """Any line of goods, in pieces or by weight."""
    quantity = draw(
        st.integers(1, 5).map(Decimal)
        | st.decimals(Decimal("0.001"), Decimal(3), places=3, allow_nan=False)
    )
    base_cents = draw(st.integers(0, 12_000))
    fields: dict[str, Any] = {
        "sku": draw(st.sampled_from(_SKUS)),
        "department": draw(st.sampled_from(_DEPARTMENTS)),
        "category": draw(st.sampled_from(_CATEGORIES)),
    }
    return Item(
        number=number,
        name="",
        quantity=quantity,
        base_cents=Cents(base_cents),
        final_cents=Cents(int(base_cents * quantity)),
        **(fields | fixed),
    )


@st.composite
def baskets(draw: st.DrawFn, least: int = 0) -> Basket:
    """Any basket of up to four lines; without a line, one entered by its totals."""
    count = draw(st.integers(least, 4))
    found = [draw(items(number)) for number in range(1, count + 1)]
    basket = sale(
        *found,
        coupons=tuple(draw(st.lists(st.sampled_from(_COUPONS), unique=True))),
        tenders=tuple(draw(st.lists(st.sampled_from(_TENDERS), unique=True))),
    )
    if found:
        return basket
    total = draw(st.integers(0, 60_000))
    excluded = Cents(draw(st.integers(0, total)))
    return replace(basket, pre_tax_cents=Cents(total), excluded_cents=excluded)


def _selections() -> st.SearchStrategy[Selection]:
    return st.builds(
        Selection,
        items=st.frozensets(st.sampled_from(_SKUS), max_size=2),
        departments=st.frozensets(st.sampled_from(_DEPARTMENTS[1:]), max_size=2),
        categories=st.frozensets(st.sampled_from(_CATEGORIES[1:]), max_size=1),
    )


def _terms() -> st.SearchStrategy[Terms]:
    at_most = st.none() | st.integers(1, 5)
    miles = st.integers(1, 60).map(Miles)
    return st.one_of(
        st.builds(Terms, miles=miles, at_most=at_most),
        st.builds(Terms, miles=miles, per_cents=st.integers(1, 9000).map(Cents), at_most=at_most),
        st.builds(Terms, miles=miles, per_quantity=st.integers(1, 4), at_most=at_most),
    )


@st.composite
def offers(draw: st.DrawFn, offer_id: str) -> Offer:
    """Any offer; most of them hold today."""
    kind = draw(st.sampled_from([Kind.BASE, Kind.MULTIPLIER, *Kind]))
    is_multiplier = kind is Kind.MULTIPLIER
    factors = st.sampled_from(["1.5", "2", "3", "10", "1.25"]).map(Decimal)
    return Offer(
        offer_id=offer_id,
        code="STANDARD",
        kind=kind,
        terms=None if is_multiplier else draw(_terms()),
        factor=draw(factors) if is_multiplier else None,
        reach=Reach(
            stores=draw(st.sampled_from([frozenset(), frozenset({STORE}), frozenset({"9999"})])),
            ends_on=draw(st.sampled_from([None, TODAY, date(2026, 11, 19)])),
        ),
        selects=draw(_selections() | st.just(Selection())),
        leaves_out=draw(st.just(Selection()) | _selections()),
        coupon=draw(st.sampled_from(["", "", *_COUPONS])),
        tender=draw(st.sampled_from(["", "", *_TENDERS])),
        group=draw(st.sampled_from(["", "", "spring"])),
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """Any catalogue of up to four offers, always without gift cards."""
    count = draw(st.integers(1, 4))
    return Catalogue(
        offers=tuple(draw(offers(str(100 + number))) for number in range(count)),
        exclusions=(GIFT_CARDS,),
    )


@st.composite
def returned_pieces(draw: st.DrawFn, basket: Basket) -> dict[int, Decimal]:
    """Any part of a basket that comes back."""
    return {
        item.number: draw(
            st.just(item.quantity)
            | st.integers(0, int(item.quantity)).map(Decimal)
            | st.decimals(0, item.quantity, places=3, allow_nan=False)
        )
        for item in basket.items
        if draw(st.booleans())
    }


def without_terms(award: Award) -> Award:
    """The award as a till would have calculated it."""
    return replace(award, terms="")
