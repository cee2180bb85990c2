"""JSON whose numbers stay exactly as they were written: Decimals, never floats. Pure."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

# PLATFORM 2.1: no amount or count of the programme has more digits before its point.
MOST_DIGITS: Final = 16
# As long as a binary fraction is that a till writes out in full (0.30000000000000004), and more.
LONGEST_NUMBER: Final = 32

_QUOTED = json.JSONEncoder(ensure_ascii=False).encode


class NotJson(ValueError):
    """These bytes are no JSON that we read: broken, too deep, or with a number beyond bounds."""


class BeyondBounds(NotJson):
    """This is JSON, with a number that we do not read."""


def loads(body: bytes) -> Any:
    """Read JSON; every number is a Decimal that keeps its places. Raises NotJson."""
    try:
        return json.loads(
            body, parse_float=_number, parse_int=_number, parse_constant=_refuse_constant
        )
    except BeyondBounds:
        raise
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise NotJson("This is not JSON.") from error


def dumps(value: Any) -> bytes:
    """Write JSON compactly, keys in order, so that equal values have equal bytes.

    Takes dicts with string keys, lists and tuples, strings, booleans, integers and Decimals.
    """
    return _written(value).encode()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return _QUOTED(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        assert value.is_finite()
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{_QUOTED(key)}:{_written(value[key])}" for key in sorted(value))
        return "{" + ",".join(pairs) + "}"
    assert isinstance(value, list | tuple), type(value).__name__
    return "[" + ",".join(_written(one) for one in value) + "]"


def _number(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise BeyondBounds("A number is too long.")
    number = Decimal(text)
    # Whoever makes an integer of 1e999999 waits for ever.
    if number.adjusted() >= MOST_DIGITS:
        raise BeyondBounds("A number is too large.")
    return number


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, which no JSON has.
    raise ValueError(name)
