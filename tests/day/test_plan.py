"""A day is drawn from its seed alone, and holds everything that a day may hold."""

from decimal import Decimal

from issuance import rules
from tests.day import plan
from tests.day.plan import Event, NamedBy, Press, Return, Sale

OPERATIONS = 4000
DAY = [plan.of_till(number, seed=7, operations=OPERATIONS) for number in range(plan.TILLS)]
ACTS = [act for till in DAY for act in till]
SALES = [act for act in ACTS if isinstance(act, Sale)]
RETURNS = [act for act in ACTS if isinstance(act, Return)]


def test_the_same_seed_draws_the_same_day_and_another_one_another_day() -> None:
    assert plan.of_till(3, seed=7, operations=OPERATIONS) == DAY[3]
    assert plan.of_till(3, seed=8, operations=OPERATIONS) != DAY[3]
    assert len(ACTS) == OPERATIONS


def test_a_day_is_mixed() -> None:
    assert {sale.is_ours for sale in SALES} == {True, False}
    assert {act.press for act in ACTS} == set(Press)
    assert {back.named_by for back in RETURNS} == set(NamedBy)
    assert set(plan.TEST_CARDS) | {plan.SLOW_CARD} < {sale.card for sale in SALES}
    assert {bool(sale.basket.items) for sale in SALES} == {True, False}
    assert {bool(sale.basket.coupons) for sale in SALES} == {True, False}
    assert any(sale.redeems_cents for sale in SALES)
    assert len(RETURNS) > OPERATIONS / 5
    assert {act.is_taking_back for act in ACTS if isinstance(act, Event)} == {True, False}


def test_every_basket_is_one_that_the_services_take() -> None:
    baskets = [*(sale.basket for sale in SALES), *(back.basket for back in RETURNS)]
    assert [one for one in baskets if rules.why_not_basket(one)] == []


def test_no_more_of_a_sale_is_brought_back_than_was_sold() -> None:
    # Returns of a till name that till's own sales, so the sale itself tells them apart.
    gone: dict[tuple[int, int, int], Decimal] = {}
    has_part = has_whole = False
    for place, till in enumerate(DAY):
        for back in (act for act in till if isinstance(act, Return)):
            sold = {item.number: item.quantity for item in back.sale.basket.items}
            pieces = {item.number: item.quantity for item in back.basket.items}
            has_whole |= bool(pieces) and pieces == sold
            has_part |= pieces != sold
            for number, quantity in pieces.items():
                key = (place, back.sale.number, number)
                gone[key] = gone.get(key, Decimal(0)) + quantity
                assert gone[key] <= sold[number]
    assert has_part and has_whole


def test_collectors_are_told_apart_by_their_last_four_digits() -> None:
    cards = [*plan.cards(), *plan.TEST_CARDS]
    assert len({card[-4:] for card in cards}) == len(cards)
    assert {len(card) for card in cards} == {11}
