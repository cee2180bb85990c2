"""PINs: kept as nothing that can be searched, proved at a device, guessed at a crawl."""

import random
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from backoffice.audit.models import AuditEntry
from backoffice.people import pins
from backoffice.people.models import User
from backoffice.people.pin_rules import Fault
from backoffice.people.tries import TooMany
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
PIN, WRONG = "735194", "735195"
# Taken before the suite makes it fast.
SLOW = pins._SLOW


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that is computed to see whether a PIN is right, without the time that takes."""
    seen: list[str] = []

    def matches(kept: str, given: str) -> bool:
        seen.append(given)
        return False

    monkeypatch.setattr(pins, "_matches", matches)
    return seen


def test_a_guess_costs_what_the_pages_of_argon2_ask_for() -> None:
    """DEPENDENCIES 10: 19 MiB, two passes, one lane."""
    assert (SLOW.memory_cost, SLOW.time_cost, SLOW.parallelism) == (19 * 1024, 2, 1)
    assert SLOW.type.name == "ID"


def given(user: User, pin: str = PIN) -> User:
    pins.set_pin(user, pin, by=user)
    return user


def test_the_right_pin_is_right_and_any_other_is_not(cast: Cast) -> None:
    given(cast.cashier)
    assert pins.is_right(cast.cashier, PIN, device=cast.till, now=NOW)
    assert not pins.is_right(cast.cashier, WRONG, device=cast.till, now=NOW)
    assert not pins.is_right(cast.cashier, "", device=cast.till, now=NOW)


def test_two_people_with_one_pin_cannot_use_each_others_hash(cast: Cast) -> None:
    given(cast.cashier)
    cast.manager.pin_hash = cast.cashier.pin_hash
    assert not pins.is_right(cast.manager, PIN, device=cast.till, now=NOW)


def test_without_the_keyring_the_hash_tells_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(cast.cashier)
    assert PIN not in cast.cashier.pin_hash
    monkeypatch.setattr(pins, "_peppered", lambda pk, pin: f"{pk}:{pin}")
    assert not pins.is_right(cast.cashier, PIN, device=cast.till, now=NOW)


@pytest.mark.parametrize("who", ["nobody", "without a PIN", "disabled"])
def test_whoever_cannot_sign_in_costs_a_hash_and_a_try_all_the_same(
    cast: Cast, looked_at: list[str], who: str
) -> None:
    person = None if who == "nobody" else cast.cashier
    if who == "disabled":
        given(cast.cashier)
        cast.cashier.is_active = False
    for _ in range(5):
        assert not pins.is_right(person, PIN, device=cast.till, now=NOW)
    with pytest.raises(TooMany):
        pins.is_right(person, PIN, device=cast.till, now=NOW)
    assert len(looked_at) == 5


def test_a_person_is_locked_out_at_one_device_and_not_at_another(cast: Cast) -> None:
    given(cast.cashier)
    for _ in range(5):
        pins.is_right(cast.cashier, WRONG, device=cast.till, now=NOW)
    with pytest.raises(TooMany):
        pins.is_right(cast.cashier, PIN, device=cast.till, now=NOW)
    assert pins.is_right(cast.cashier, PIN, device=cast.second_till, now=NOW)
    assert pins.is_right(given(cast.manager), PIN, device=cast.till, now=NOW)


@pytest.mark.parametrize("patience_s", [0.36, 61, 7 * 60, 31 * 60])
@override_settings(
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                        "LOCATION": "redis://127.0.0.1:9"}},
    CELERY_BROKER_URL="redis://127.0.0.1:9",
)  # fmt: skip
def test_of_ten_thousand_guesses_from_one_device_at_most_forty_an_hour_are_evaluated(
    cast: Cast, looked_at: list[str], patience_s: float
) -> None:
    chance = random.Random(5)
    people = [cast.cashier, cast.french_cashier, cast.manager, cast.south_manager]
    people += [cast.administrator, cast.auditor, None]  # type: ignore[list-item]
    evaluated: deque[datetime] = deque()
    now, most = NOW, 0
    for _ in range(10_000 if patience_s < 1 else 300):
        before = len(looked_at)
        try:
            pin = f"{chance.randrange(10**6):06}"
            pins.is_right(chance.choice(people), pin, device=cast.till, now=now)
        except TooMany:
            pass
        evaluated.extend([now] * (len(looked_at) - before))
        while evaluated and evaluated[0] <= now - timedelta(hours=1):
            evaluated.popleft()
        most = max(most, len(evaluated))
        now += timedelta(seconds=patience_s)
    assert 0 < most <= 40


def test_a_good_pin_of_ones_own_gives_no_more_guesses(cast: Cast) -> None:
    given(cast.cashier)
    now, wrong = NOW, 0
    for _ in range(150):
        for person, pin in ((cast.cashier, PIN), (cast.manager, WRONG), (None, WRONG)):
            with suppress(TooMany):
                wrong += not pins.is_right(person, pin, device=cast.till, now=now)
        now += timedelta(seconds=24)
    assert 20 <= wrong <= 40


def test_a_trivial_pin_is_refused_and_nothing_is_changed(cast: Cast) -> None:
    given(cast.manager)
    before = cast.manager.pin_hash
    with pytest.raises(pins.WeakPin) as refused:
        pins.set_pin(cast.manager, "73519", by=cast.manager)
    assert refused.value.fault is Fault.TOO_SHORT
    cast.manager.refresh_from_db()
    assert cast.manager.pin_hash == before


def test_who_changed_a_pin_is_recorded_and_no_pin_is(cast: Cast) -> None:
    pins.set_pin(cast.cashier, PIN, by=cast.manager)
    pins.is_right(cast.cashier, WRONG, device=cast.till, now=NOW)
    pins.remove_pin(cast.cashier, by=cast.manager)
    told = list(AuditEntry.objects.order_by("id").values_list("event", "actor", "subject"))
    subject = f"user:{cast.cashier.pk}"
    assert told == [
        ("pin.changed", "manager", subject),
        ("pin.refused", "cashier", subject),
        ("pin.removed", "manager", subject),
    ]
    dump = str(list(AuditEntry.objects.values())) + cast.cashier.pin_hash
    assert PIN not in dump and WRONG not in dump


def test_a_pin_is_in_no_statement_but_as_a_hash(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as queries:
        given(cast.cashier)
        pins.is_right(cast.cashier, PIN, device=cast.till, now=NOW)
    assert all(PIN not in query["sql"] for query in queries.captured_queries)
