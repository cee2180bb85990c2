"""Cents, miles and units of an offer, exactly. Pure: text and integers, never a float."""

import re
from decimal import Decimal
from typing import Final, NewType

Cents = NewType("Cents", int)
Miles = NewType("Miles", int)

# PLATFORM 2.1: an amount has up to 16 characters, a balance up to 16 digits.
LONGEST_NUMBER: Final = 16

_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def parse_cents(text: str) -> Cents:
    """Read an amount such as ``43.35``, ``10`` or ``170.00``, to the cent.

    Anything else is a ValueError with a sentence: a sign, an exponent, a separator, a fraction of a
    cent, or more than 16 characters. Zeros after the cents are harmless and accepted.
    """
    cents = _decimal(text, "an amount") * 100
    if cents != cents.to_integral_value():
        raise ValueError("An amount cannot have a fraction of a cent.")

    return Cents(int(cents))


def parse_miles(text: str) -> Miles:
    """Read a number of miles such as ``1615``; ``95.00`` is the same as ``95``."""
    return Miles(parse_count(text))


def parse_count(text: str) -> int:
    """Read a number of things (units, a daily limit), whole and not negative."""
    count = _decimal(text, "a whole number")
    if count != count.to_integral_value():
        raise ValueError("A count of miles or units must be a whole number.")

    return int(count)


def wire_amount(cents: Cents) -> str:
    """Write an amount as the platform's samples do: ``43.35``, always with two decimals."""
    if cents < 0:
        raise ValueError("A negative amount is never sent.")

    return f"{cents // 100}.{cents % 100:02d}"


def whole_units(basket_cents: Cents, unit_value_cents: Cents) -> int:
    """How many whole units of an offer fit into a basket, rounded down.

    A unit that would exceed the basket is not offered: nobody gets change for miles.
    """
    if unit_value_cents <= 0:
        raise ValueError("A unit must be worth more than nothing.")
    if basket_cents < 0:
        raise ValueError("A basket cannot be worth less than nothing.")

    return basket_cents // unit_value_cents


def units_value(units: int, unit_value_cents: Cents) -> Cents:
    """What a number of units takes off the sale."""
    return Cents(units * unit_value_cents)


def units_miles(units: int, unit_value_miles: Miles) -> Miles:
    """What a number of units costs the collector."""
    return Miles(units * unit_value_miles)


def _decimal(text: str, what: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"This is too long for {what}: at most {LONGEST_NUMBER} characters.")
    # Decimal itself would read "NaN", "1e9", "+1", " 1 ", "1_000" and digits of other scripts.
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"This is not {what}: digits and at most one decimal point.")

    return Decimal(text)
