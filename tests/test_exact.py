"""Numbers go through JSON as they were written; what is no JSON is refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice import exact

LEAVES = st.text() | st.booleans() | st.decimals(-(10**9), 10**9, places=3).map(Decimal)
VALUES = st.recursive(
    LEAVES, lambda of: st.lists(of) | st.dictionaries(st.text(), of), max_leaves=20
)


@pytest.mark.parametrize("number", ["0", "0.00", "16.10", "3.250", "24.97", "-5", "123456789.01"])
def test_a_number_keeps_its_places(number: str) -> None:
    body = f'{{"a":{number}}}'.encode()
    read = exact.loads(body)
    assert read == {"a": Decimal(number)}
    assert str(read["a"]) == number
    assert exact.dumps(read) == body


def test_a_binary_fraction_written_in_full_is_read() -> None:
    # What many a till's language makes of 0.1 + 0.2, and the longest that it writes.
    for number in ("0.30000000000000004", "-2.2250738585072014e-308"):
        assert exact.loads(number.encode()) == Decimal(number)


@pytest.mark.parametrize("number", ["1" * 17, "1e16", "-1e16", "1." + "0" * 31])
def test_a_number_beyond_bounds_is_told_from_what_is_no_json(number: str) -> None:
    with pytest.raises(exact.BeyondBounds):
        exact.loads(f'{{"a":[{number}]}}'.encode())


@given(VALUES)
def test_what_was_written_is_read_back_and_written_the_same(value: Any) -> None:
    body = exact.dumps(value)
    assert exact.loads(body) == value
    assert exact.dumps(exact.loads(body)) == body


def test_keys_have_one_order_and_letters_stay_letters() -> None:
    assert exact.dumps({"b": [1, Decimal("2.0")], "a": "é"}) == '{"a":"é","b":[1,2.0]}'.encode()
    assert exact.dumps({"a": True, "b": False}) == b'{"a":true,"b":false}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' + b"9" * 17 + b"}",
        b'{"a":1.' + b"0" * 31 + b"}",
        b'{"a":1e16}',
        b'{"a":1e99999999999999}',
    ],
)
def test_what_is_no_json_of_ours_is_refused(body: bytes) -> None:
    with pytest.raises(exact.NotJson):
        exact.loads(body)


@pytest.mark.parametrize("value", [0.5, None, {"a": 0.5}, b"bytes"])
def test_nothing_is_written_that_has_no_exact_form(value: object) -> None:
    with pytest.raises(AssertionError):
        exact.dumps(value)
