"""What doors hand to issuance: values that can be compared, kept in sets and never changed."""

import dataclasses
from decimal import Decimal

import pytest

from backoffice.units import Cents
from issuance.orders import CalculationOrder, TransactionType
from tests.issuance.baskets import CARD, CHIPS, award, basket, item


def test_equal_baskets_are_equal_and_may_stand_in_a_set() -> None:
    assert basket() == basket()
    assert len({basket(), basket(), basket(items=(CHIPS,))}) == 2
    assert len({award(), award(), award(6)}) == 2


def test_a_quantity_keeps_its_places() -> None:
    weighed = item(quantity=Decimal("1.234"), base_cents=Cents(399), final_cents=Cents(492))
    assert str(weighed.quantity) == "1.234"


@pytest.mark.parametrize("value", [basket(), item(), award()])
def test_nothing_changes_a_value_that_crosses_layers(value: object) -> None:
    name = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


def test_an_order_never_shows_the_collector_number() -> None:
    order = CalculationOrder(card=CARD, basket=basket(), transaction_type=TransactionType.PURCHASE)
    assert CARD.number not in repr(order)
