"""No order of events breaks the promise over the real database, and known mistakes are found."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from amcash import services
from backoffice.journal import decisions, safety
from backoffice.journal.decisions import Change, Facts, Finding, Verdict
from backoffice.journal.entries import policies, rows, settling, wishes
from backoffice.journal.models import Transaction
from tests.amcash.machine import NOON, Milepost
from tests.cast import Cast
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db
STEPS = 12


@pytest.fixture
def search(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    """Look for a bad sequence in so many examples, always the same ones."""
    # A database server does not travel along.
    monkeypatch.setattr(safety, "clock_skew", lambda: None)
    # Waits are spread by a row's number, which the tests before this one move.
    monkeypatch.setattr(settling, "_spread", lambda _number: 0.0)

    def look(examples: int) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            run_state_machine_as_test(
                lambda: Milepost(cast, scripted, clock),  # type: ignore[arg-type]
                settings=settings(
                    derandomize=True,
                    max_examples=examples,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    # Making a failure shorter takes minutes on a database; it is told as found.
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )

    return look


@pytest.mark.postgres
def test_no_sequence_of_events_loses_or_doubles_an_effect(search: Callable[[int], None]) -> None:
    search(25)


# --- Known mistakes are found ---------------------------------------------------------------------


def takes_silence_for_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*told: Any) -> Finding:
        finding = classify(*told)
        is_unknown = finding.verdict is Verdict.UNKNOWN
        return replace(finding, verdict=Verdict.NOT_SENT) if is_unknown else finding

    classify = services._classify
    monkeypatch.setattr(services, "_classify", mistaken)


def forgets_that_an_earlier_send_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(facts: Facts, verdict: Verdict, **more: Any) -> Change:
        return after_silence(replace(facts, has_unknown=False), verdict, **more)

    after_silence = decisions.after_silence
    monkeypatch.setattr(decisions, "after_silence", mistaken)


def keeps_what_the_customer_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "queue_reversal", lambda *_: None)


def cancels_without_a_reversal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "queue_reversal", lambda *_: None)


def gives_back_without_a_reversal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "queue_reversal", lambda *_: None)


def sends_again_with_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(row: Transaction, *args: Any, **more: Any) -> bool:
        if row.fence:
            row.idempotency_key = uuid.uuid5(row.idempotency_key, str(row.fence))
        return arm(row, *args, **more)

    arm = rows.arm
    monkeypatch.setattr(rows, "arm", mistaken)


@pytest.mark.parametrize(
    "mistake",
    [
        takes_silence_for_nothing_sent,
        forgets_that_an_earlier_send_is_unknown,
        keeps_what_the_customer_cancelled,
        cancels_without_a_reversal,
        gives_back_without_a_reversal,
        sends_again_with_another_key,
    ],
)
def test_a_known_mistake_is_found(
    search: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    mistake: Callable[[pytest.MonkeyPatch], None],
) -> None:
    mistake(monkeypatch)
    with pytest.raises(AssertionError):
        # Ends at the first example that shows it.
        search(40)
