"""What is text and what is a moment, as a till may write them."""

import json

import jsonschema
import pytest

from backoffice import plain

TEXTS = ["", "Dog Food", "Épicerie\u00a0: 5\u202f$", "日本", "\U0001f34e", "\ue000", "\u200b"]
NO_TEXTS = ["\u0000", "a\nb", "\t", "\u007f", "\u0085", "\u2028", "\u202e", "\u2066", "\u200f"]
MOMENTS = [
    "1972-07-16T13:32:00+0400",
    "2018-10-04T04:39:59.503-0400",
    "2019-05-30T14:12:59.479Z",
    "2026-07-16T13:32:00.123456+04:00",
    "2024-02-29T00:00:00Z",
]
NO_MOMENTS = [
    "",
    "yesterday",
    "2026-07-16",
    "2026-07-16T13:32:00",
    "2026-07-16T13:32:00.1234567Z",
    "2026-07-16T24:00:00Z",
    "2026-07-16T13:32:60Z",
    "2026-07-16 13:32:00Z",
    "2026-W29-4T13:32:00Z",
    "0001-01-01T00:00:00+13:00",
    "2026-07-16T13:32:00Z\n",
    "２026-07-16T13:32:00Z",
]


def is_of(form: str, value: str) -> bool:
    """Say what a reader of our OpenAPI document makes of it."""
    validator = jsonschema.Draft202012Validator({"type": "string", "pattern": f"^({form})\\Z"})
    return bool(validator.is_valid(json.loads(json.dumps(value))))


@pytest.mark.parametrize("value", TEXTS)
def test_what_can_be_shown_and_printed_is_text(value: str) -> None:
    assert plain.is_text(value) and is_of(plain.TEXT, value)


@pytest.mark.parametrize("value", NO_TEXTS)
def test_what_forges_a_line_or_a_screen_is_no_text(value: str) -> None:
    assert not plain.is_text(value) and not is_of(plain.TEXT, value)


def test_half_a_letter_is_no_text() -> None:
    assert not plain.is_text("\ud800") and not plain.is_text("a\udfff")


@pytest.mark.parametrize("value", MOMENTS)
def test_a_moment_has_an_offset(value: str) -> None:
    assert plain.is_moment(value) and is_of(plain.MOMENT, value)


@pytest.mark.parametrize("value", NO_MOMENTS)
def test_what_is_of_another_form_is_no_moment(value: str) -> None:
    assert not plain.is_moment(value) and not is_of(plain.MOMENT, value)


def test_a_moment_is_in_the_calendar() -> None:
    assert not plain.is_moment("2026-02-29T00:00:00Z")
