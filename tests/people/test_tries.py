"""Guesses are counted in the database, in a commit of their own, before any is looked at."""

from datetime import UTC, datetime, timedelta

import pytest

from backoffice.people import tries
from backoffice.people.tables import TryCount
from backoffice.people.tries import Limit, TooMany

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
WIDE, OWN = Limit(key="wide", free=20), Limit(key="own", free=5)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_waits_grow_to_a_quarter_of_an_hour() -> None:
    waits = [tries.wait_after(failures, free=5) / minutes(1) for failures in range(3, 12)]
    assert waits == [0, 0, 1, 2, 4, 8, 15, 15, 15]


def test_five_tries_are_free_and_the_sixth_waits() -> None:
    for _ in range(5):
        tries.take([WIDE, OWN], now=NOW)
    with pytest.raises(TooMany) as refused:
        tries.take([WIDE, OWN], now=NOW)
    assert refused.value.free_at == NOW + minutes(1)
    tries.take([WIDE, OWN], now=NOW + minutes(1))
    with pytest.raises(TooMany) as refused:
        tries.take([WIDE, OWN], now=NOW + minutes(2))
    assert refused.value.free_at == NOW + minutes(3)


def test_a_clock_that_was_set_back_keeps_nobody_out() -> None:
    ahead = NOW + timedelta(days=100)
    tries.take([WIDE, OWN], now=ahead)
    tries.give_back([WIDE, OWN], now=ahead)
    tries.take([WIDE, OWN], now=NOW)


def test_a_refused_try_is_counted_nowhere() -> None:
    for _ in range(5):
        tries.take([WIDE, OWN], now=NOW)
    for _ in range(50):
        with pytest.raises(TooMany):
            tries.take([WIDE, OWN], now=NOW)
    assert dict(TryCount.objects.values_list("key", "failures")) == {"wide": 5, "own": 5}


def test_a_wide_limit_that_refuses_leaves_no_trace_of_the_narrow_one() -> None:
    for number in range(20):
        tries.take([WIDE, Limit(key=f"person {number}", free=5)], now=NOW)
    with pytest.raises(TooMany):
        tries.take([WIDE, Limit(key="another", free=5)], now=NOW)
    assert not TryCount.objects.filter(key="another").exists()


def test_a_right_try_empties_its_own_count_and_takes_one_from_the_wide_one() -> None:
    for _ in range(4):
        tries.take([WIDE, OWN], now=NOW)
    tries.give_back([WIDE, OWN], now=NOW)
    assert dict(TryCount.objects.values_list("key", "failures")) == {"wide": 3, "own": 0}


def test_one_failure_is_forgotten_for_each_half_hour_without_any() -> None:
    for _ in range(5):
        tries.take([OWN], now=NOW)
    tries.take([OWN], now=NOW + minutes(65))
    assert TryCount.objects.get(key="own").failures == 4


def test_a_value_is_good_once_within_its_time() -> None:
    def use(now: datetime) -> bool:
        return tries.take_once("code", for_how_long=minutes(2), now=now)

    assert use(NOW)
    assert not use(NOW + minutes(1))
    assert use(NOW + minutes(2))


def test_counts_that_say_nothing_any_more_are_deleted() -> None:
    tries.take([OWN], now=NOW)
    assert tries.forget_old(now=NOW + timedelta(hours=23)) == 0
    assert tries.forget_old(now=NOW + timedelta(hours=25)) == 1
