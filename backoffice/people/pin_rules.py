"""Which PINs are good enough. Pure: digits in, a verdict out (RELIABILITY 8)."""

from enum import StrEnum
from itertools import pairwise
from typing import Final

SHORTEST: Final = 4
SHORTEST_OF_A_MANAGER: Final = 6
LONGEST: Final = 6
LONGEST_OF_A_MANAGER: Final = 10

# What people choose most often and no other rule here finds: columns of the pad, and its corners.
_OFTEN: Final = frozenset({"2580", "0852", "1397", "7931", "1379", "147258", "159753", "789456"})
# A year is the first guess after a row of digits.
_FIRST_YEAR, _LAST_YEAR = 1900, 2059


class Fault(StrEnum):
    """Why a PIN is refused."""

    NOT_DIGITS = "not_digits"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TRIVIAL = "trivial"


def bounds(*, is_cashier: bool) -> tuple[int, int]:
    """Return the fewest and the most digits of this person's PIN."""
    if is_cashier:
        return SHORTEST, LONGEST
    return SHORTEST_OF_A_MANAGER, LONGEST_OF_A_MANAGER


def fault_of(pin: str, *, is_cashier: bool) -> Fault | None:
    """Return why this PIN is refused, or None when it is good enough."""
    fewest, most = bounds(is_cashier=is_cashier)
    if not (pin.isascii() and pin.isdigit()):
        return Fault.NOT_DIGITS
    if len(pin) < fewest:
        return Fault.TOO_SHORT
    if len(pin) > most:
        return Fault.TOO_LONG
    return Fault.TRIVIAL if _is_trivial(pin) else None


def _is_trivial(pin: str) -> bool:
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    # 1111, 4567, 9876, 7890: one step all the way, the pad's own order included.
    if steps in ({0}, {1}, {9}):
        return True
    # 1212, 123123: the same few digits again and again.
    if any(pin == pin[:size] * (len(pin) // size) for size in range(1, len(pin) // 2 + 1)):
        return True
    if len(set(digits)) == 2 and len(pin) <= SHORTEST:
        # 1122, 1211: two digits in four places are a few hundred PINs, tried first.
        return True
    if len(pin) == SHORTEST and _FIRST_YEAR <= int(pin) <= _LAST_YEAR:
        return True
    return pin in _OFTEN
