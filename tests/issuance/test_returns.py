"""What a return takes back: what was given for what came back, and never more."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.units import Cents, Miles
from issuance import messages, offers, returns
from issuance.codes import Message
from issuance.lines import BasketMessage, ItemLine, OfferLine
from issuance.offers import Catalogue, Kind
from issuance.orders import Award, Basket
from issuance.returns import Given, NotReturnable
from issuance.terms import Terms
from tests.issuance import catalogues
from tests.issuance.catalogues import STORE, TODAY, line, multiplier, named, offer, sale


def awards(basket: Basket, catalogue: Catalogue) -> tuple[Award, ...]:
    found = offers.earned(basket, catalogue, store=STORE, on=TODAY)
    return tuple(verdict.award("en") for verdict in found)


def taken(
    given: dict[str, Given],
    basket: Basket,
    returned: dict[int, Decimal],
    returned_cents: int = 0,
) -> dict[str, int]:
    found = returns.take_back(
        given.values(), sold=basket, returned=returned, returned_cents=Cents(returned_cents)
    )
    return {award.offer_id: award.miles for award in found}


def stands(*found: Award, taken_back: int = 0) -> dict[str, Given]:
    return {award.offer_id: Given(award=award, taken_back=Miles(taken_back)) for award in found}


def everything(basket: Basket) -> dict[int, Decimal]:
    return {item.number: item.quantity for item in basket.items}


def test_what_is_kept_is_counted_again_and_the_rest_taken_back() -> None:
    basket = sale(line(1, 5000, "5"), line(2, 1500))
    given = stands(*awards(basket, Catalogue(offers=(offer(), multiplier()))))
    assert {number: gift.award.miles for number, gift in given.items()} == {"100": 3, "300": 6}
    # $35.00 is kept: one mile, and twice that for the multiplier.
    assert taken(given, basket, {1: Decimal(3)}) == {"100": 2, "300": 4}


def test_a_return_that_leaves_every_full_amount_takes_nothing() -> None:
    basket = sale(line(1, 5000, "5"), line(2, 1500))
    assert (
        taken(stands(*awards(basket, Catalogue(offers=(offer(),)))), basket, {1: Decimal(0)}) == {}
    )
    assert (
        taken(
            stands(*awards(sale(line(1, 4500, "9")), Catalogue(offers=(offer(),)))),
            sale(line(1, 4500, "9")),
            {1: Decimal(1)},
        )
        == {}
    )


def test_two_for_five_miles_are_lost_with_one_of_the_two() -> None:
    two = offer("400", Kind.ITEM, terms=Terms(miles=Miles(5), per_quantity=2))
    basket = sale(line(1, 900, "2"))
    assert taken(stands(*awards(basket, Catalogue(offers=(two,)))), basket, {1: Decimal(1)}) == {
        "400": 5
    }


def test_only_what_contributed_matters() -> None:
    bakery = offer("200", Kind.DEPARTMENT, selects=named(departments="20"))
    basket = sale(line(1, 9000), line(2, 2000, department="20"))
    given = stands(*awards(basket, Catalogue(offers=(bakery,))))
    assert taken(given, basket, {1: Decimal(1)}) == {}
    assert taken(given, basket, {2: Decimal(1)}) == {"200": 1}


def test_what_an_earlier_return_took_is_not_taken_again() -> None:
    basket = sale(line(1, 10_000, "5"))
    (award,) = awards(basket, Catalogue(offers=(offer(),)))
    assert taken(stands(award, taken_back=1), basket, {1: Decimal(2)}) == {"100": 1}
    assert taken(stands(award, taken_back=2), basket, {1: Decimal(2)}) == {}


def test_what_an_earlier_return_failed_to_take_is_taken_now() -> None:
    basket = sale(line(1, 10_000, "5"))
    (award,) = awards(basket, Catalogue(offers=(offer(),)))
    assert taken(stands(award), basket, {1: Decimal(3)}) == {"100": 3}


def test_miles_that_a_till_calculated_come_back_in_proportion() -> None:
    basket = sale(line(1, 9000, "3"), line(2, 1000))
    given = stands(Award(offer_id="7", offer_code="STANDARD", miles=Miles(11)))
    # $40.00 of $100.00 is kept, for four of the eleven miles.
    assert taken(given, basket, {1: Decimal(2)}) == {"7": 7}
    assert taken(given, basket, everything(basket)) == {"7": 11}
    assert taken(given, basket, {}) == {}


def test_miles_for_what_cost_nothing_come_back_with_the_last_of_it() -> None:
    basket = sale(line(1, 0, "2"))
    given = stands(Award(offer_id="7", offer_code="STANDARD", miles=Miles(3)))
    assert taken(given, basket, {}) == {}
    assert taken(given, basket, {1: Decimal(1)}) == {"7": 3}


def test_a_sale_entered_by_its_totals_is_returned_by_its_amount() -> None:
    basket = sale(pre_tax_cents=Cents(10_000), excluded_cents=Cents(1500))
    once = offer("500", Kind.TENDER, terms=Terms(miles=Miles(5)))
    given = stands(*awards(basket, Catalogue(offers=(offer(), once))))
    assert taken(given, basket, {}, 4500) == {"100": 2}
    assert taken(given, basket, {}, 8500) == {"100": 4, "500": 5}


@pytest.mark.parametrize(
    ("returned", "returned_cents"),
    [
        ({1: Decimal(3)}, 0),
        ({1: Decimal("-1")}, 0),
        ({2: Decimal(1)}, 0),
        ({1: Decimal(1)}, 500),
    ],
)
def test_more_than_was_sold_cannot_come_back(
    returned: dict[int, Decimal], returned_cents: int
) -> None:
    with pytest.raises(NotReturnable):
        taken({}, sale(line(1, 900, "2")), returned, returned_cents)


@pytest.mark.parametrize(("returned", "cents"), [({}, 901), ({}, -1), ({1: Decimal(1)}, 0)])
def test_more_than_a_total_cannot_come_back(returned: dict[int, Decimal], cents: int) -> None:
    with pytest.raises(NotReturnable):
        taken({}, sale(pre_tax_cents=Cents(900)), returned, cents)


@catalogues.at_leisure
@given(catalogues.baskets(), catalogues.catalogues())
def test_a_return_of_everything_takes_back_exactly_what_was_given(
    basket: Basket, catalogue: Catalogue
) -> None:
    found = awards(basket, catalogue)
    total = offers.lines_of(basket)[0].final_cents if not basket.items else 0
    assert taken(stands(*found), basket, everything(basket), total) == {
        award.offer_id: award.miles for award in found
    }


@catalogues.at_leisure
@given(catalogues.baskets(least=1), catalogues.catalogues())
def test_a_return_of_nothing_takes_nothing(basket: Basket, catalogue: Catalogue) -> None:
    assert taken(stands(*awards(basket, catalogue)), basket, {}) == {}


@catalogues.at_leisure
@given(st.data(), catalogues.baskets(least=1), catalogues.catalogues(), st.booleans())
def test_returns_in_parts_add_up_to_what_was_given_and_never_to_more(
    data: st.DataObject, basket: Basket, catalogue: Catalogue, with_terms: bool
) -> None:
    found = awards(basket, catalogue)
    if not with_terms:
        found = tuple(catalogues.without_terms(award) for award in found)
    gone = {award.offer_id: 0 for award in found}
    returned: dict[int, Decimal] = {}
    parts = data.draw(st.lists(catalogues.returned_pieces(basket), max_size=3))
    for part in [*parts, everything(basket)]:
        # A part counts from the sale on, so the larger of what came back before and now.
        returned = {
            item.number: max(
                returned.get(item.number, Decimal(0)), part.get(item.number, Decimal(0))
            )
            for item in basket.items
        }
        given = {
            award.offer_id: Given(award=award, taken_back=Miles(gone[award.offer_id]))
            for award in found
        }
        for offer_id, miles in taken(given, basket, returned).items():
            assert miles > 0
            gone[offer_id] += miles
        assert all(gone[award.offer_id] <= award.miles for award in found)
    assert gone == {award.offer_id: award.miles for award in found}


@catalogues.at_leisure
@given(st.data(), catalogues.baskets(least=1), catalogues.catalogues())
def test_one_return_takes_what_two_in_turn_take(
    data: st.DataObject, basket: Basket, catalogue: Catalogue
) -> None:
    found = awards(basket, catalogue)
    part = data.draw(catalogues.returned_pieces(basket))
    half = {number: quantity / 2 for number, quantity in part.items()}
    first = taken(stands(*found), basket, half)
    given = {
        award.offer_id: Given(award=award, taken_back=Miles(first.get(award.offer_id, 0)))
        for award in found
    }
    second = taken(given, basket, part)
    at_once = taken(stands(*found), basket, part)
    assert at_once == {
        number: first.get(number, 0) + second.get(number, 0)
        for number in first.keys() | second.keys()
    }


def sent(basket: Basket, found: tuple[Award, ...]) -> BasketMessage:
    """The sale's message as it is read from its own bytes."""
    message = BasketMessage(
        checkout_id="1",
        checkout_at="2026-11-20T12:00:00.000-05:00",
        sponsor_code="LOY1",
        pre_tax=Decimal(basket.pre_tax_cents).scaleb(-2),
        post_tax=Decimal(basket.post_tax_cents).scaleb(-2),
        collector_number="80000010001",
        context=returns.notes(basket, found),
        coupons=basket.coupons,
        tenders=basket.tenders,
        items=tuple(
            ItemLine(
                id=item.sku,
                name=item.name,
                number=Decimal(item.number),
                quantity=item.quantity,
                base_amount=Decimal(item.base_cents).scaleb(-2),
                final_amount=Decimal(item.final_cents).scaleb(-2),
                department_id=item.department,
                category_id=item.category,
            )
            for item in basket.items
        ),
        offers=tuple(
            OfferLine(
                offer_code=award.offer_code,
                offer_id=award.offer_id,
                miles=Decimal(award.miles),
                contributing_ids=award.contributing_skus,
            )
            for award in found
        ),
    )
    read = messages.parse_request(Message.POST, messages.build(message))
    assert isinstance(read, BasketMessage)
    return read


@catalogues.at_leisure
@given(catalogues.baskets(), catalogues.catalogues())
def test_a_sale_is_read_back_from_its_own_bytes(basket: Basket, catalogue: Catalogue) -> None:
    # Without a name a message cannot be read, and the tills name every item.
    named_items = tuple(replace(item, name=item.sku) for item in basket.items)
    sold = replace(basket, items=named_items)
    found = awards(sold, catalogue)
    assert returns.sold_in(sent(sold, found)) == returns.Sold(basket=sold, awards=found)


@pytest.mark.parametrize(
    "note", ["", "miles", "miles=1", "miles=0 times=1", "miles=1 times=x", "miles=1 times=1 more=2"]
)
def test_what_a_till_says_in_its_context_is_not_taken_for_our_terms(note: str) -> None:
    basket = sale(line(1, 5000))
    read = sent(basket, awards(basket, Catalogue(offers=(offer(),))))
    odd = replace(read, context=(("terms 100", note), ("excluded cents", "-5")))
    sold = returns.sold_in(odd)
    assert [award.terms for award in sold.awards] == [""]
    assert sold.basket.excluded_cents == 0
