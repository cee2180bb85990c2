"""The forms of single values in issuance's messages. What passes is kept as it was sent.

Numbers are JSON numbers and never become floats; text in a number's place is refused.
"""

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rest_framework import serializers

MAX_AMOUNT = 10**7
MAX_MILES = 10**9
MAX_QUANTITY = 10**6
CENT = Decimal("0.01")

Number = int | Decimal

COLLECTOR = re.compile(r"8[0-9]{10}", re.ASCII)
MOMENT = re.compile(
    r"(19|20|21)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)", re.ASCII
)
LOCATION = re.compile(r"[A-Za-z0-9]{1,4}", re.ASCII)
SPONSOR = re.compile(r"[A-Za-z0-9]{1,10}", re.ASCII)
TRANSACTION_TYPE = re.compile(r"PURCHASE|RETURN")
OFFER_CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)


class Text(serializers.Field[str, str, str, Any]):
    """A JSON string, not empty, of a certain length and perhaps a certain shape."""

    default_error_messages = {"invalid": "not of the documented form"}

    def __init__(
        self, max_length: int = 64, pattern: "re.Pattern[str] | None" = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.max_length = max_length
        self.pattern = pattern

    def to_internal_value(self, data: object) -> str:
        if (
            not isinstance(data, str)
            or not 0 < len(data) <= self.max_length
            or not _is_writable(data)
            or (self.pattern is not None and self.pattern.fullmatch(data) is None)
        ):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        return value


class Moment(Text):
    """ISO 8601 with an offset, in a year that every zone's calendar has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, pattern=MOMENT, **options)

    def to_internal_value(self, data: object) -> str:
        moment = super().to_internal_value(data)
        try:
            datetime.fromisoformat(moment)
        except ValueError:
            self.fail("invalid")
        return moment


class OfferId(serializers.Field[str, str, str, Any]):
    """A string, or a whole number, which comes back as a string."""

    default_error_messages = {"invalid": "not of the documented form"}

    def to_internal_value(self, data: object) -> str:
        text = data
        if isinstance(data, int | Decimal) and not isinstance(data, bool):
            is_number = 0 <= data < 10**18 and _places(data) == 0
            text = str(int(data)) if is_number else ""
        if not isinstance(text, str) or not 0 < len(text) <= 64 or not _is_writable(text):
            self.fail("invalid")
        return text

    def to_representation(self, value: str) -> str:
        return value


class Numeric(serializers.Field[Number, Number, Number, Any]):
    """A JSON number within bounds, with at most so many decimals."""

    default_error_messages = {"invalid": "not a number of the documented form"}

    def __init__(self, *, least: int = 0, most: int, places: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most, self.places = least, most, places

    def to_internal_value(self, data: object) -> Number:
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        if not self.least <= data <= self.most or _places(data) > self.places:
            self.fail("invalid")
        return data

    def to_representation(self, value: Number) -> Number:
        return value


class Amount(Numeric):
    """Dollars, not negative."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=MAX_AMOUNT, places=2, **options)


class Quantity(Numeric):
    """How many, or how much of what is weighed; more than none."""

    default_error_messages = {"zero": "must be more than zero"}

    def __init__(self) -> None:
        super().__init__(most=MAX_QUANTITY, places=3)

    def to_internal_value(self, data: object) -> Number:
        quantity = super().to_internal_value(data)
        if quantity == 0:
            self.fail("zero")
        return quantity


class Miles(Numeric):
    """Whole miles, at least one."""

    def __init__(self) -> None:
        super().__init__(least=1, most=MAX_MILES, places=0)


class Pairs(serializers.Field[dict[str, str], dict[str, str], dict[str, str], Any]):
    """An object of text: the context."""

    default_error_messages = {"invalid": "not an object of strings"}

    def to_internal_value(self, data: object) -> dict[str, str]:
        if not isinstance(data, dict) or not all(
            isinstance(value, str) and _is_writable(name) and _is_writable(value)
            for name, value in data.items()
        ):
            self.fail("invalid")
        return data

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        return value


def line_total(base: Number, quantity: Number) -> Decimal:
    """Return what so many of an item cost, to the cent."""
    return (Decimal(base) * Decimal(quantity)).quantize(CENT, ROUND_HALF_UP)


def _places(number: Number) -> int:
    """Return how many digits stand behind the point; 9.990 has three, 5.0, which is whole, none."""
    if isinstance(number, int) or number == number.to_integral_value():
        return 0
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _is_writable(text: str) -> bool:
    # Half a surrogate pair is JSON, and cannot be written in UTF-8.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
