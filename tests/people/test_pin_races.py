"""A crowd of guesses at one moment: no more are evaluated than one after the other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.people import pins
from backoffice.people.tries import TooMany
from tests.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
CROWD = 12


@pytest.mark.parametrize(("is_one_person", "most"), [(True, 5), (False, 20)])
def test_parallel_guesses_do_not_pass_the_limit(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, is_one_person: bool, most: int
) -> None:
    looked_at: list[str] = []

    def matches(kept: str, given: str) -> bool:
        looked_at.append(given)
        return False

    monkeypatch.setattr(pins, "_matches", matches)
    people = [cast.cashier] if is_one_person else [
        cast.cashier, cast.french_cashier, cast.manager, cast.south_manager, cast.auditor, None
    ]  # fmt: skip
    now = timezone.now()
    barrier = threading.Barrier(CROWD)

    def guess(number: int) -> list[Exception]:
        faults: list[Exception] = []
        connection.ensure_connection()
        barrier.wait(timeout=120)
        for turn in range(4):
            try:
                person = people[(number + turn) % len(people)]
                pins.is_right(person, f"{number:06}", device=cast.till, now=now)
            except TooMany:
                continue
            except Exception as error:
                faults.append(error)
        connection.close()
        return faults

    with ThreadPoolExecutor(CROWD) as pool:
        faults = [fault for found in pool.map(guess, range(CROWD)) for fault in found]
    assert faults == []
    assert len(looked_at) == most
