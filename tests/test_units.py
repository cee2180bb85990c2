"""Amounts and counts: what is read, to the cent, and what is not."""

import ast
import inspect

import pytest

from backoffice import units
from backoffice.units import (
    Cents,
    Miles,
    parse_cents,
    parse_count,
    parse_miles,
    units_miles,
    units_value,
    whole_units,
    wire_amount,
)

NOT_NUMBERS = [
    *["", " ", "NaN", "nan", "Infinity", "-inf", "1e3", "1E3", "+1", "-1", "-0", "--1", ".5", "5."],
    *["1.", ".", "1..2", "1.2.3", "1,50", "1 000", "1_000", " 1", "1 ", "1\n", "0x10", "10$"],
    *["٣", "１", "½", "²", "1.٣", "10\x00"],
]


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("43.35", 4335),
        ("10", 1000),
        ("10.00", 1000),
        ("170.00", 17000),
        ("16.1", 1610),
        ("16.10", 1610),
        ("0", 0),
        ("0.00", 0),
        ("0.01", 1),
        ("007.50", 750),
        ("3.250", 325),
        ("10.000000", 1000),
        ("9999999999999.99", 999999999999999),
        ("9999999999999999", 999999999999999900),
        # Each of these is off by a cent when it passes through a binary float.
        ("1.15", 115),
        ("4.35", 435),
        ("8.41", 841),
        ("1.005000", None),
        ("0.001", None),
        ("16.129", None),
    ],
)
def test_an_amount_is_read_to_the_cent_or_not_at_all(text: str, cents: int | None) -> None:
    if cents is None:
        with pytest.raises(ValueError, match="fraction of a cent"):
            parse_cents(text)
    else:
        assert parse_cents(text) == cents


def test_every_amount_up_to_a_thousand_dollars_survives_the_wire() -> None:
    for number in range(100_001):
        assert parse_cents(wire_amount(Cents(number))) == number


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_what_is_not_a_plain_decimal_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not an amount: .*\.$"):
        parse_cents(text)
    for parse in (parse_miles, parse_count):
        with pytest.raises(ValueError, match=r"^This is not a whole number: .*\.$"):
            parse(text)


@pytest.mark.parametrize("text", ["1" * 17, "0." + "0" * 15, "1" * 1_000_000])
def test_a_number_longer_than_any_field_is_refused(text: str) -> None:
    for parse in (parse_cents, parse_miles, parse_count):
        with pytest.raises(ValueError, match="at most 16 characters"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("95", 95), ("007", 7), ("95.00", 95), ("9" * 16, 10**16 - 1)]
)
def test_miles_and_counts_are_whole(text: str, count: int) -> None:
    assert parse_miles(text) == parse_count(text) == count


@pytest.mark.parametrize("text", ["0.5", "95.01"])
def test_half_a_mile_is_refused(text: str) -> None:
    for parse in (parse_miles, parse_count):
        with pytest.raises(ValueError, match="whole number"):
            parse(text)


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (1, "0.01"), (10, "0.10"), (4335, "43.35"), (4000, "40.00"), (17000, "170.00")],
)
def test_an_amount_is_written_with_two_decimals(cents: int, text: str) -> None:
    assert wire_amount(Cents(cents)) == text


def test_a_negative_amount_is_never_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        wire_amount(Cents(-1))


@pytest.mark.parametrize(
    ("basket_cents", "unit_cents", "units_that_fit"),
    [
        (4335, 1000, 4),
        (5500, 1000, 5),
        (1000, 1000, 1),
        (999, 1000, 0),
        (0, 1000, 0),
        (1612, 1000, 1),
        (1, 1, 1),
    ],
)
def test_only_whole_units_that_fit_are_counted(
    basket_cents: int, unit_cents: int, units_that_fit: int
) -> None:
    assert whole_units(Cents(basket_cents), Cents(unit_cents)) == units_that_fit


def test_no_unit_ever_exceeds_the_basket() -> None:
    for unit in (1, 7, 950, 1000, 1001):
        for basket in range(0, 12_000, 13):
            fit = whole_units(Cents(basket), Cents(unit))
            assert units_value(fit, Cents(unit)) <= basket < units_value(fit + 1, Cents(unit))


@pytest.mark.parametrize(("basket_cents", "unit_cents"), [(100, 0), (100, -1), (-1, 100)])
def test_impossible_units_are_refused(basket_cents: int, unit_cents: int) -> None:
    with pytest.raises(ValueError, match=r"nothing\.$"):
        whole_units(Cents(basket_cents), Cents(unit_cents))


def test_units_are_worth_their_dollars_and_cost_their_miles() -> None:
    assert units_value(4, Cents(1000)) == 4000
    assert units_miles(4, Miles(95)) == 380


def test_no_float_is_anywhere_near_an_amount() -> None:
    tree = ast.parse(inspect.getsource(units))
    assert not [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
