"""A sale by our own offers and its returns, from the basket to what is sent and back."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from backoffice.journal.models import Transaction
from backoffice.journal.states import State
from backoffice.stores.models import Calculation
from backoffice.units import Cents
from issuance import selectors, services
from issuance.models import Offer
from issuance.orders import Basket, ReturnOrder
from issuance.returns import NotReturnable
from tests.cast import Cast
from tests.issuance.baskets import CARD
from tests.issuance.catalogues import line, sale
from tests.issuance.stories import confirmed, give, pending, take_back
from tests.scripted import ScriptedPlatform, silence

pytestmark = pytest.mark.django_db

# $60.00 of bread in six pieces, and $25.00 of gift cards that earn nothing.
BOUGHT = sale(
    line(1, 6000, "6", department="20", name="Bread"),
    line(2, 2500, department="GIFT", name="Gift card"),
)


@pytest.fixture
def partner(cast: Cast) -> Cast:
    """A sponsor that works out the miles: a mile for each $20 of bread, and 5 once per sale."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    fields: dict[str, Any] = {
        "sponsor": cast.sponsor,
        "code": "STANDARD",
        "description_en": "Bread",
        "departments": "20",
    }
    Offer.objects.create(offer_id="100", kind="base", miles=1, per_cents=2000, **fields)
    Offer.objects.create(offer_id="200", kind="department", miles=5, **fields)
    return cast


def given(cast: Cast, basket: Basket = BOUGHT) -> Transaction:
    """Give what the sale earns."""
    awards = selectors.awards_for(basket, store=cast.north, at=timezone.now(), language="en")
    return give(cast, basket=basket, awards=awards)


def some(quantity: int) -> Basket:
    """So many pieces of the bread, as they are brought back."""
    return sale(line(1, 1000 * quantity, str(quantity), department="20", name="Bread"))


def back(row: Transaction, brought: Basket) -> dict[str, int]:
    return {award.offer_id: award.miles for award in selectors.awards_back(row, brought)}


def returned(cast: Cast, row: Transaction, brought: Basket) -> Transaction:
    """Take back what the return takes back."""
    return take_back(cast, row, basket=brought, awards=selectors.awards_back(row, brought))


def test_a_sale_is_posted_with_what_its_return_will_need(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    row = given(partner)
    (sent,) = scripted.sent
    assert sent.path == "/checkout/issuance/post"
    assert sent.fields["context"] == {
        "terms 100": "miles=1 per_cents=2000 times=1",
        "terms 200": "miles=5 times=1",
    }
    assert [offer["contributingItemIds"] for offer in sent.fields["issuances"]] == [["SKU1"]] * 2
    sold = selectors.sale_of(row)
    assert sold is not None and sold.basket == BOUGHT
    assert [award.miles for award in sold.awards] == [3, 5]


def test_returns_in_parts_take_back_what_was_given_and_no_more(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    row = _given_and_confirmed(partner, scripted)
    assert back(row, some(1)) == {"100": 1}
    scripted.will(confirmed("CONFIRMED"))
    first = returned(partner, row, some(1))
    assert (first.state, first.miles) == (State.CONFIRMED, 1)
    assert "context" not in scripted.sent[-1].fields
    # Five pieces are left: $40.00 and $50.00 earn the same two miles.
    assert back(row, some(1)) == {}
    assert back(row, some(5)) == {"100": 2, "200": 5}
    with pytest.raises(NotReturnable):
        selectors.awards_back(row, some(6))


def test_what_the_back_office_changes_later_is_no_matter(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    row = _given_and_confirmed(partner, scripted)
    Offer.objects.update(miles=90, is_active=False)
    assert back(row, BOUGHT) == {"100": 3, "200": 5}


def test_a_return_that_is_not_finished_counts_as_one(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    row = _given_and_confirmed(partner, scripted)
    scripted.will(pending())
    assert returned(partner, row, some(3)).state == State.PENDING
    assert back(row, some(3)) == {"100": 1, "200": 5}


def test_a_return_that_left_nothing_behind_does_not(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    row = _given_and_confirmed(partner, scripted)
    scripted.will(confirmed("REJECTED"))
    assert returned(partner, row, some(3)).state == State.REJECTED
    assert back(row, some(3)) == {"100": 2}


def test_offers_that_the_programme_rejected_are_not_taken_back(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED", "REJECTED"))
    row = given(partner)
    assert row.state == State.PARTIAL
    assert back(row, BOUGHT) == {"100": 3}


def test_what_was_never_answered_is_taken_as_it_was_asked(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = given(partner)
    assert row.state == State.DOUBT
    assert back(row, BOUGHT) == {"100": 3, "200": 5}


def test_a_sale_entered_by_its_totals_comes_back_by_its_amount(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    Offer.objects.update(departments="")
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    bought = sale(pre_tax_cents=Cents(8500), excluded_cents=Cents(2500), post_tax_cents=Cents(9000))
    row = given(partner, bought)
    assert scripted.sent[-1].fields["context"]["excluded cents"] == "2500"
    brought = replace(bought, pre_tax_cents=Cents(3000), excluded_cents=Cents(1000))
    assert back(row, brought) == {"100": 1}
    assert back(row, bought) == {"100": 3, "200": 5}


def test_miles_that_the_programme_worked_out_come_back_in_proportion(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED"))
    row = give(cast, basket=BOUGHT)
    assert "context" not in scripted.sent[-1].fields
    assert [award.miles for award in selectors.awards_back(row, some(6))] == [4]
    assert back(row, BOUGHT) == {"OFFER0": 5}


def _given_and_confirmed(cast: Cast, scripted: ScriptedPlatform) -> Transaction:
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    row = given(cast)
    assert (row.state, row.miles) == (State.CONFIRMED, 8)
    return row


def test_goods_of_a_return_that_was_put_right_came_back_once(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    row = given(partner)
    whole = selectors.left_of(row)
    assert isinstance(whole, dict)
    awards = selectors.awards_back(row, some(6))
    scripted.will(confirmed("CONFIRMED", "REJECTED"))
    first = take_back(partner, row, basket=some(6), awards=awards)
    order = ReturnOrder(
        client_ref="put right",
        sale_ref=first.sale_ref,
        card=CARD,
        basket=some(6),
        language="en",
        original=row.reference,
        awards=awards[1:],
    )
    scripted.will(confirmed())
    services.take_back(order, row, actor=partner.actor, now=timezone.now(), corrects=first)
    left = selectors.left_of(row)
    assert isinstance(left, dict)
    assert left == {**whole, 1: whole[1] - 6}
