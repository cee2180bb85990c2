"""What is refused before anything is written, and what a line of a basket costs."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.units import Cents, Miles
from issuance import rules
from issuance.orders import Calculation
from issuance.rules import Reason
from tests.issuance.baskets import CHIPS, award, basket, item


@pytest.mark.parametrize(
    ("base", "quantity", "total"),
    [
        (999, "2", 1998),
        (999, "2.000", 1998),
        (399, "1.234", 492),
        (100, "0.005", 1),
        (100, "0.004", 0),
        (0, "3", 0),
        (1, "0.5", 1),
    ],
)
def test_a_line_costs_its_price_times_its_quantity_half_a_cent_up(
    base: int, quantity: str, total: int
) -> None:
    assert rules.line_total(Cents(base), Decimal(quantity)) == total


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"items": ()},
        {"items": (CHIPS, item())},
        {"items": (item(quantity=Decimal("1.234"), base_cents=399, final_cents=492),)},
        # Discounts and deposits may stand between the lines and the totals.
        {"pre_tax_cents": Cents(1)},
        {"excluded_cents": Cents(2497)},
    ],
)
def test_a_sound_basket_is_taken(changes: dict[str, Any]) -> None:
    assert rules.why_not_basket(basket(**changes)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"pre_tax_cents": Cents(0)},
        {"pre_tax_cents": Cents(-1)},
        {"post_tax_cents": Cents(-1)},
        {"excluded_cents": Cents(2498)},
        {"excluded_cents": Cents(-1)},
        {"items": (item(), item())},
        {"items": (item(final_cents=Cents(1997)),)},
        {"items": (item(quantity=Decimal(0), final_cents=Cents(0)),)},
        {"items": (item(quantity=Decimal(-2), final_cents=Cents(-1998)),)},
        {"items": (item(quantity=Decimal("NaN")),)},
        {"items": (item(0),)},
        {"items": (item(sku=""),)},
        {"items": (item(name=""),)},
    ],
)
def test_a_basket_that_is_no_sale_is_refused(changes: dict[str, Any]) -> None:
    assert rules.why_not_basket(basket(**changes)) is Reason.BAD_BASKET


def test_awards_are_named_by_whoever_calculates() -> None:
    why_not = rules.why_not_awards
    assert why_not((), Calculation.AMRP) is None
    assert why_not((award(),), Calculation.AMRP) is Reason.CALCULATED_THERE
    assert why_not((award(),), Calculation.PARTNER) is None
    assert why_not((), Calculation.PARTNER) is Reason.NOTHING_EARNED


@pytest.mark.parametrize(
    "changes",
    [{"miles": Miles(-1)}, {"miles": Miles(10**7 + 1)}, {"offer_id": ""}, {"offer_code": ""}],
)
def test_an_award_that_the_programme_would_refuse_is_refused_here(changes: dict[str, Any]) -> None:
    awards = (award(), award(**changes))
    assert rules.why_not_awards(awards, Calculation.PARTNER) is Reason.BAD_AWARDS
