"""What may be offered, asked, shown and given back: every rule of AIR MILES Cash by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amcash import rules
from amcash.codes import CODES
from amcash.orders import Card, EntryMode, RedemptionOrder
from amcash.rules import Offer, Reason
from backoffice.units import Cents, Miles

READ = (EntryMode.SCAN, EntryMode.SWIPE)


def offer(**changes: object) -> Offer | None:
    """The offer of a collector with plenty, on a $43.35 basket."""
    fields: dict[str, object] = {
        "code": "0000",
        "entry_mode": EntryMode.SCAN,
        "basket_cents": Cents(4335),
        "unit_cents": Cents(1000),
        "unit_miles": Miles(95),
        "available_units": 9,
        "daily_units": 12,
        "offer_id": "1111111111",
        "is_special": False,
        "description_en": "Sample",
        "description_fr": "Exemple",
    }
    return rules.offer_of(**{**fields, **changes})  # type: ignore[arg-type]


def order(**changes: object) -> RedemptionOrder:
    fields: dict[str, object] = {
        "client_ref": "press",
        "sale_ref": "sale",
        "card": Card(number="80000010001", entry_mode=EntryMode.SCAN),
        "basket_cents": Cents(4335),
        "original_cents": Cents(4335),
        "asked_cents": Cents(4000),
        "language": "en",
    }
    return RedemptionOrder(**{**fields, **changes})  # type: ignore[arg-type]


# --- Offers ---------------------------------------------------------------------------------------


def test_the_most_is_the_basket_rounded_down_to_whole_units_and_is_the_default() -> None:
    found = offer()
    assert found is not None
    assert (found.max_units, found.default_units, found.today_units) == (4, 4, 12)
    assert found.steps[-1] == found.step(4)
    assert (found.step(4).off_cents, found.step(4).miles, found.step(4).left_cents) == (
        4000,
        380,
        335,
    )
    assert [step.units for step in found.steps] == [1, 2, 3, 4]


@pytest.mark.parametrize(("available", "most"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (999, 4)])
def test_the_most_is_never_more_than_the_platform_allows(available: int, most: int) -> None:
    found = offer(available_units=available)
    assert found is not None and found.max_units == most


def test_another_programme_brings_its_own_unit() -> None:
    found = offer(unit_miles=Miles(1500), basket_cents=Cents(2999), is_special=True)
    assert found is not None and found.is_special
    assert [(step.off_cents, step.miles, step.left_cents) for step in found.steps] == [
        (1000, 1500, 1999),
        (2000, 3000, 999),
    ]


def test_a_unit_need_not_be_ten_dollars() -> None:
    found = offer(unit_cents=Cents(250), unit_miles=Miles(24), basket_cents=Cents(1000))
    assert found is not None
    assert found.max_units == 4 and found.step(4).left_cents == 0


@pytest.mark.parametrize(
    ("basket", "units"), [(999, 0), (1000, 1), (1001, 1), (1999, 1), (2000, 2), (0, 0)]
)
def test_a_unit_is_offered_from_the_very_cent_that_it_fits(basket: int, units: int) -> None:
    found = offer(basket_cents=Cents(basket))
    assert (found.max_units if found else 0) == units


def test_nothing_is_offered_when_nothing_is_available() -> None:
    assert offer(available_units=0) is None


@pytest.mark.parametrize("code", [*CODES, "9999", ""])
@pytest.mark.parametrize("mode", EntryMode)
def test_an_offer_is_prompted_only_for_a_read_card_and_where_the_code_allows(
    code: str, mode: EntryMode
) -> None:
    is_offered = offer(code=code, entry_mode=mode) is not None
    assert is_offered == (code in {"0000", "0001"} and mode in READ)


def test_a_suppressed_account_hides_what_is_left_today_and_nothing_else() -> None:
    plain, suppressed = offer(), offer(code="0001")
    assert plain is not None and suppressed is not None
    assert suppressed.today_units is None
    assert suppressed.steps == plain.steps and suppressed.default_units == plain.default_units


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    basket=st.integers(0, 100_000),
    unit_cents=st.integers(1, 5_000),
    unit_miles=st.integers(1, 5_000),
    available=st.integers(0, 999),
)
def test_no_step_ever_exceeds_the_basket_or_what_is_available(
    basket: int, unit_cents: int, unit_miles: int, available: int
) -> None:
    found = offer(
        basket_cents=Cents(basket),
        unit_cents=Cents(unit_cents),
        unit_miles=Miles(unit_miles),
        available_units=available,
    )
    if found is None:
        assert available == 0 or unit_cents > basket
        return
    for step in (found.step(1), found.step(found.max_units)):
        assert 1 <= step.units <= available
        assert 0 <= step.left_cents == basket - step.off_cents
        assert step.miles == step.units * unit_miles
    # One unit more would exceed one of the two.
    one_more = found.max_units + 1
    assert one_more > available or one_more * unit_cents > basket


# --- Asking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"asked_cents": Cents(4335)}, None),
        ({"asked_cents": Cents(1612)}, None),
        ({"asked_cents": Cents(1)}, None),
        ({"asked_cents": Cents(0)}, Reason.NOTHING_ASKED),
        ({"asked_cents": Cents(-1000)}, Reason.NOTHING_ASKED),
        ({"asked_cents": Cents(4336)}, Reason.OVER_BASKET),
        ({"basket_cents": Cents(4336)}, Reason.OVER_BASKET),
        ({"original_cents": Cents(9999)}, None),
        ({"card": Card(number="80000010001", entry_mode=EntryMode.SWIPE)}, None),
        ({"card": Card(number="80000010001", entry_mode=EntryMode.MANUAL)}, Reason.TYPED_CARD),
        (
            {
                "card": Card(number="80000010001", entry_mode=EntryMode.MANUAL),
                "asked_cents": Cents(0),
            },
            Reason.TYPED_CARD,
        ),
    ],
)
def test_an_order_is_refused_before_sending_for_what_can_never_work(
    changes: dict[str, object], reason: Reason | None
) -> None:
    assert rules.why_not_redeem(order(**changes)) is reason


# --- Giving back ----------------------------------------------------------------------------------

DEADLINE = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "may"),
    [
        (timedelta(hours=24), True),
        (timedelta(minutes=2, seconds=1), True),
        (timedelta(minutes=2, microseconds=1), True),
        (timedelta(minutes=2), False),
        (timedelta(minutes=1, seconds=59), False),
        (timedelta(0), False),
        (timedelta(seconds=-1), False),
        (timedelta(days=-1), False),
    ],
)
def test_a_reversal_begins_until_two_minutes_before_its_deadline(
    before: timedelta, may: bool
) -> None:
    assert rules.may_reverse(now=DEADLINE - before, deadline_at=DEADLINE) is may


# --- Balances -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*CODES, "9999", ""])
@pytest.mark.parametrize("balance", [None, Miles(0), Miles(1200)])
def test_a_balance_is_shown_only_where_its_code_allows(code: str, balance: Miles | None) -> None:
    shown = rules.shown_balance(balance, code=code)
    assert shown == (balance if code in {"0000", "0006"} else None)
