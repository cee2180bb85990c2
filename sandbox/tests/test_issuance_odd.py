"""Whatever is put in place of any part of a message: an answer in form, and never a failure."""

import copy
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.tests.partner import SAMPLES, send
from sandbox.tests.till import Till

Path = tuple[str | int, ...]

ODD: list[Any] = [
    *(None, True, 0, -1, 2.5, 1e300, -1e-300, 10**30, 10**400, float("nan")),
    *("", "x" * 300, "\ud800", "\u0000", "RETURN", "1900-01-01T00:00:00+23:59"),
    *([], [[]], [{}], {}, {"a": 1}, {"\ud800": ""}, ["a"], "80000020207", "80000020203"),
]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the way to every part of a message."""
    if path:
        yield path
    parts: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for name, inner in parts:
        yield from paths(inner, (*path, name))


def changed(body: Any, path: Path, odd: object) -> Any:
    body = copy.deepcopy(body)
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = odd
    return body


NASTY = ["\ud800", 10**400, {"\ud800": ["\ud800"]}]
PLACES = [(name, path) for name, one in SAMPLES.items() for path in paths(one["request"])]


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(PLACES), st.sampled_from(ODD), st.sampled_from(["", "key-1", "key-2"]))
def test_any_odd_part_is_answered_in_form(
    till: Till, place: tuple[str, Path], odd: object, key: str
) -> None:
    assert_in_form(till, *place, odd, key)


@pytest.mark.parametrize("odd", NASTY, ids=["surrogate", "huge", "surrogates"])
def test_every_part_can_be_nasty(till: Till, odd: object) -> None:
    for name, path in PLACES:
        assert_in_form(till, name, path, odd, "")


def assert_in_form(till: Till, name: str, path: Path, odd: object, key: str) -> None:
    body = changed(SAMPLES[name]["request"], path, odd)
    answer = send(till, name.partition(" ")[0], json.dumps(body).encode(), key)
    assert answer.status in {200, 202, 400}
    assert ("errors" in answer.body) <= (answer.status == 400)
    assert answer.body.get("errors") or answer.body["sponsorCode"]
