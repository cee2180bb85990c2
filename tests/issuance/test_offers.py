"""Our own offers: what a basket earns, by the rules of docs/offers.md."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.units import Cents, Miles
from issuance import offers
from issuance.offers import Catalogue, Kind, Offer, Reach, Role, Selection, Verdict, Why
from issuance.orders import Basket, Item
from issuance.terms import Share, Terms
from tests.issuance import catalogues
from tests.issuance.catalogues import (
    GIFT_CARDS,
    STORE,
    TODAY,
    for_each,
    line,
    multiplier,
    named,
    offer,
    sale,
)


def weighed(basket: Basket, *kept: Offer) -> dict[str, Verdict]:
    catalogue = Catalogue(offers=kept, exclusions=(GIFT_CARDS,))
    verdicts = offers.weighed(basket, catalogue, store=STORE, on=TODAY)
    return {verdict.offer.offer_id: verdict for verdict in verdicts}


def miles(basket: Basket, *kept: Offer) -> dict[str, int]:
    return {number: verdict.miles for number, verdict in weighed(basket, *kept).items()}


def total(basket: Basket, catalogue: Catalogue) -> int:
    found = offers.weighed(basket, catalogue, store=STORE, on=TODAY)
    return sum(verdict.miles for verdict in found)


@pytest.mark.parametrize(
    ("cents", "earned"), [(0, 0), (1999, 0), (2000, 1), (3999, 1), (4000, 2), (200_000, 100)]
)
def test_the_base_rate_counts_full_amounts(cents: int, earned: int) -> None:
    assert miles(sale(line(1, cents)), offer()) == {"100": earned}


def test_amounts_are_added_up_before_they_are_rounded() -> None:
    basket = sale(line(1, 1500), line(2, 1500), line(3, 1000))
    assert miles(basket, offer()) == {"100": 2}


def test_a_multiplier_gives_what_it_adds_to_the_base_miles() -> None:
    assert miles(sale(line(1, 5500)), offer(), multiplier()) == {"100": 2, "300": 4}


def test_half_a_mile_is_rounded_down_once_at_the_end() -> None:
    basket = sale(line(1, 6000))
    assert miles(basket, offer(), multiplier(factor="1.5")) == {"100": 3, "300": 1}


def test_a_multiplier_counts_the_base_miles_of_its_own_items() -> None:
    bakery = multiplier(selects=named(departments="20"))
    basket = sale(line(1, 3000, department="10"), line(2, 4500, department="20"))
    assert miles(basket, offer(), bakery) == {"100": 3, "300": 4}
    assert weighed(basket, offer(), bakery)["300"].skus == ("SKU2",)


def test_a_multiplier_takes_the_base_rate_that_gives_most_for_its_items() -> None:
    fuel = offer("200", terms=for_each(1000), selects=named(departments="90"), group="fuel")
    basket = sale(line(1, 2000), line(2, 5000, department="90"))
    verdict = weighed(basket, offer(leaves_out=named(departments="90")), fuel, multiplier())["300"]
    assert (verdict.miles, verdict.base, verdict.skus) == (10, "200", ("SKU2",))


def test_an_item_that_no_base_rate_counts_is_told_as_left_out_by_a_multiplier() -> None:
    base = offer(leaves_out=named(departments="90"))
    verdict = weighed(sale(line(1, 9000, department="90")), base, multiplier())["300"]
    assert verdict.why is Why.NO_ITEM
    assert [each.role for each in verdict.lines] == [Role.LEFT_OUT]


def test_a_multiplier_without_a_base_rate_gives_nothing() -> None:
    assert weighed(sale(line(1, 9000)), multiplier())["300"].why is Why.NO_BASE


def test_pieces_are_counted_in_full_steps_up_to_the_most() -> None:
    each_two = offer(
        "400",
        Kind.ITEM,
        terms=Terms(miles=Miles(5), per_quantity=2, at_most=2),
        selects=named(items="SKU1"),
    )
    assert [
        miles(sale(line(1, 900, quantity)), each_two)["400"]
        for quantity in ("1", "2", "3", "4", "9")
    ] == [0, 5, 5, 10, 10]


def test_goods_by_weight_are_counted_exactly() -> None:
    each_kilo = offer("400", Kind.ITEM, terms=Terms(miles=Miles(3), per_quantity=1))
    tenths = [line(number, 100, "0.1") for number in range(1, 11)]
    assert miles(sale(*tenths), each_kilo) == {"400": 3}
    assert miles(sale(*tenths[1:]), each_kilo) == {"400": 0}


def test_an_offer_without_a_step_gives_once_however_much_there_is() -> None:
    once = offer("500", Kind.COUPON, terms=Terms(miles=Miles(25)), coupon="57841")
    basket = sale(line(1, 900, "3"), coupons=("57841", "57841"))
    assert miles(basket, once) == {"500": 25}
    assert weighed(replace(basket, coupons=("57862",)), once)["500"].why is Why.NO_COUPON


def test_one_of_several_payments_is_enough_for_a_tender() -> None:
    card = offer("600", Kind.TENDER, terms=Terms(miles=Miles(5)), tender="CREDIT")
    assert miles(sale(line(1, 900), tenders=("CASH", "CREDIT")), card) == {"600": 5}
    assert weighed(sale(line(1, 900), tenders=("CASH",)), card)["600"].why is Why.NO_TENDER


@pytest.mark.parametrize(
    ("selects", "earned"),
    [
        (named(items="SKU1"), 1),
        (named(departments="20"), 2),
        (named(categories="B"), 3),
        (named(items="SKU1", departments="20"), 3),
        (named(items="SKU9"), 0),
        (Selection(), 6),
    ],
)
def test_items_departments_and_categories_are_each_enough(selects: Selection, earned: int) -> None:
    basket = sale(line(1, 2000), line(2, 4000, department="20"), line(3, 6000, category="B"))
    assert miles(basket, offer(selects=selects)) == {"100": earned}


def test_what_an_offer_leaves_out_does_not_count_for_it_alone() -> None:
    basket = sale(line(1, 4000), line(2, 4000, department="90"))
    kept = offer(leaves_out=named(departments="90")), offer("200", group="other")
    assert miles(basket, *kept) == {"100": 2, "200": 4}


def test_gift_cards_count_for_nothing_and_the_exclusion_is_named() -> None:
    basket = sale(line(1, 4000, department="GIFT"))
    verdict = weighed(basket, offer(), offer("200", selects=named(departments="GIFT")))["200"]
    assert (verdict.miles, verdict.why) == (0, Why.NO_ITEM)
    assert [(each.role, each.excluded_by) for each in verdict.lines] == [
        (Role.EXCLUDED, "Gift cards")
    ]


def test_an_exclusion_holds_in_its_stores_on_its_days_only() -> None:
    basket = sale(line(1, 4000, department="GIFT"))
    for reach, earned in (
        (Reach(stores=frozenset({"0002"})), 2),
        (Reach(stores=frozenset({STORE})), 0),
        (Reach(ends_on=TODAY - timedelta(days=1)), 2),
        (Reach(is_active=False), 2),
    ):
        catalogue = Catalogue(offers=(offer(),), exclusions=(replace(GIFT_CARDS, reach=reach),))
        assert total(basket, catalogue) == earned


@pytest.mark.parametrize(
    ("reach", "why"),
    [
        (Reach(), None),
        (Reach(starts_on=TODAY, ends_on=TODAY), None),
        (Reach(starts_on=date(2026, 11, 21)), Why.TOO_EARLY),
        (Reach(ends_on=date(2026, 11, 19)), Why.TOO_LATE),
        (Reach(stores=frozenset({"0001", "0002"})), None),
        (Reach(stores=frozenset({"0002"})), Why.OTHER_STORE),
        (Reach(is_active=False), Why.SWITCHED_OFF),
    ],
)
def test_both_days_of_an_offer_count_and_no_store_is_every_store(
    reach: Reach, why: Why | None
) -> None:
    assert weighed(sale(line(1, 2000)), offer(reach=reach))["100"].why is why


def test_base_offers_without_a_group_never_add_up() -> None:
    found = weighed(sale(line(1, 6000)), offer("100"), offer("101", terms=for_each(1500)))
    assert {number: verdict.miles for number, verdict in found.items()} == {"100": 0, "101": 4}
    assert (found["100"].why, found["100"].outdone_by) == (Why.OUTDONE, "101")


def test_in_a_group_the_best_counts_and_of_equals_the_lower_number() -> None:
    rivals = [offer(number, Kind.DEPARTMENT, group="spring") for number in ("203", "201", "202")]
    assert miles(sale(line(1, 6000)), *rivals) == {"201": 3, "202": 0, "203": 0}


def test_offers_without_a_group_add_up() -> None:
    bonuses = [offer(number, Kind.DEPARTMENT) for number in ("201", "202")]
    assert sum(miles(sale(line(1, 2000)), offer(), *bonuses).values()) == 3


def test_a_sale_entered_by_its_totals_earns_by_offers_for_the_whole_basket() -> None:
    basket = sale(pre_tax_cents=Cents(9000), excluded_cents=Cents(2500))
    bakery = offer("200", Kind.DEPARTMENT, selects=named(departments="20"))
    found = weighed(basket, offer(), bakery, multiplier())
    assert {number: verdict.miles for number, verdict in found.items()} == {
        "100": 3,
        "200": 0,
        "300": 6,
    }
    assert found["100"].skus == ()
    assert weighed(sale(), offer(terms=Terms(miles=Miles(5))))["100"].why is Why.TOO_LITTLE


def test_what_is_sent_names_the_offer_the_place_and_the_items_once() -> None:
    kept = offer(description_en="Base miles", description_fr="Milles de base", location_code="1100")
    basket = sale(line(2, 2000), line(1, 2000), line(3, 2000, sku="SKU1"))
    verdict = weighed(basket, kept)["100"]
    award = verdict.award("fr-CA")
    assert (award.offer_id, award.offer_code, award.miles) == ("100", "STANDARD", 3)
    assert (award.description, award.location_code) == ("Milles de base", "1100")
    assert award.contributing_skus == ("SKU1", "SKU2")
    assert verdict.award("en").description == "Base miles"
    assert replace(kept, description_fr="").description("fr") == "Base miles"
    assert Terms.read(award.terms) == kept.terms


@pytest.mark.parametrize(
    "terms",
    [
        Terms(miles=Miles(5)),
        Terms(miles=Miles(1), per_cents=Cents(2000), at_most=3, times=Decimal("0.5")),
        Terms(miles=Miles(7), per_quantity=2),
    ],
)
def test_terms_read_as_they_were_written(terms: Terms) -> None:
    assert Terms.read(terms.text()) == terms
    assert len(terms.text()) <= 120


def test_less_than_nothing_earns_nothing() -> None:
    less = Share(amount_cents=Cents(-5000), quantity=Decimal(-3))
    for terms in (for_each(2000), Terms(miles=Miles(5), per_quantity=1), Terms(miles=Miles(5))):
        assert terms.earned(less) == 0


@catalogues.at_leisure
@given(catalogues.baskets(), catalogues.catalogues())
def test_no_offer_gives_less_than_nothing_and_each_says_why_it_gives_nothing(
    basket: Basket, catalogue: Catalogue
) -> None:
    found = offers.weighed(basket, catalogue, store=STORE, on=TODAY)
    assert [verdict.offer for verdict in found] == list(catalogue.offers)
    for verdict in found:
        assert verdict.miles >= 0
        assert (verdict.why is None) == (verdict.miles > 0)
        if verdict.miles:
            assert verdict.counted and verdict.award("en").miles == verdict.miles


@catalogues.at_leisure
@given(catalogues.baskets(least=2), catalogues.catalogues(), st.randoms(use_true_random=False))
def test_the_order_of_items_and_of_offers_is_no_matter(
    basket: Basket, catalogue: Catalogue, random: Random
) -> None:
    def told(basket: Basket, catalogue: Catalogue) -> list[tuple[object, ...]]:
        found = offers.weighed(basket, catalogue, store=STORE, on=TODAY)
        return [(v.offer.offer_id, v.miles, v.why, v.skus, v.base, v.outdone_by) for v in found]

    shuffled = random.sample(basket.items, len(basket.items))
    offered = random.sample(catalogue.offers, len(catalogue.offers))
    assert told(basket, catalogue) == told(
        replace(basket, items=tuple(shuffled)), replace(catalogue, offers=tuple(offered))
    )


@catalogues.at_leisure
@given(catalogues.baskets(least=1), catalogues.items(9, department="GIFT"), catalogues.catalogues())
def test_adding_an_excluded_item_changes_nothing(
    basket: Basket, card: Item, catalogue: Catalogue
) -> None:
    def told(basket: Basket) -> list[tuple[object, ...]]:
        found = offers.weighed(basket, catalogue, store=STORE, on=TODAY)
        return [(v.offer.offer_id, v.miles, v.why, v.counted) for v in found]

    assert told(basket) == told(replace(basket, items=(*basket.items, card)))


@catalogues.at_leisure
@given(catalogues.items(1, department="GIFT"), catalogues.catalogues())
def test_excluded_items_alone_earn_nothing(card: Item, catalogue: Catalogue) -> None:
    basket = sale(card, coupons=("57841", "57862"), tenders=("CASH", "CREDIT"))
    assert offers.earned(basket, catalogue, store=STORE, on=TODAY) == ()


@catalogues.at_leisure
@given(catalogues.baskets(least=1), catalogues.items(9), catalogues.catalogues())
def test_another_item_never_lowers_what_a_sale_earns(
    basket: Basket, item: Item, catalogue: Catalogue
) -> None:
    more = replace(basket, items=(*basket.items, item))
    assert total(basket, catalogue) <= total(more, catalogue)


@catalogues.at_leisure
@given(
    catalogues.baskets(),
    catalogues.catalogues(),
    st.integers(0, 20_000),
    st.integers(0, 5),
)
def test_a_higher_amount_never_lowers_what_a_sale_earns(
    basket: Basket, catalogue: Catalogue, more_cents: int, which: int
) -> None:
    dearer = replace(basket, pre_tax_cents=Cents(basket.pre_tax_cents + more_cents))
    if basket.items:
        found = list(basket.items)
        item = found[which % len(found)]
        found[which % len(found)] = replace(item, final_cents=Cents(item.final_cents + more_cents))
        dearer = replace(basket, items=tuple(found))
    assert total(basket, catalogue) <= total(dearer, catalogue)
