"""`manage.py settle --forever` outlives a fault of our own, tells it, and hides nothing."""

import signal
from collections.abc import Callable, Iterator, MutableMapping
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from structlog.testing import capture_logs

from backoffice.audit.models import AuditEntry
from backoffice.journal import watch
from backoffice.office.management.commands import settle
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


class Waits:
    """Stands in for the event that ends the loop: counts its waits, and ends after so many."""

    def __init__(self, rounds: int) -> None:
        self.rounds, self.waited = rounds, list[float]()

    def set(self) -> None:
        raise AssertionError("nobody stops it")

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        watch.forget()
        return len(self.waited) >= self.rounds


@pytest.fixture(autouse=True)
def _signals_stay_as_they_are() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def settled(
    monkeypatch: pytest.MonkeyPatch, *rounds: Exception | Callable[[], None] | None
) -> tuple[list[float], list[MutableMapping[str, Any]]]:
    """Let it make these rounds; return how long it waited after each, and what it logged."""
    waits, left = Waits(len(rounds)), list(rounds)

    def one_round(_sender: str, _stop: object) -> None:
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        if now is not None:
            now()

    monkeypatch.setattr(settle, "_round", one_round)
    monkeypatch.setattr(settle, "threading", SimpleNamespace(Event=lambda: waits))
    with capture_logs() as said:
        call_command("settle", "--forever")
    return waits.waited, said


def test_a_fault_of_ours_is_told_with_its_traceback_and_the_next_round_comes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    waited, said = settled(
        monkeypatch,
        ValueError("a bug"),
        ValueError("a bug"),
        KeyError("another"),
        lambda: done.append("a round"),
    )
    assert done == ["a round"]
    told = [one for one in said if one["event"] == "settle.failed"]
    assert [(one["log_level"], one["times"]) for one in told] == [
        ("error", 1),
        ("error", 2),
        ("error", 3),
    ]
    assert all(one["exc_info"] for one in told)
    # Each wait after a fault is longer, and a good round ends that.
    assert waited[0] < waited[1] < waited[2] and waited[3] < waited[0]
    events = AuditEntry.objects.filter(subject="sweep").order_by("id")
    assert list(events.values_list("event", flat=True)) == ["sweep.failed", "sweep.recovered"]


def test_it_never_waits_longer_than_a_minute(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    waited, _said = settled(monkeypatch, *[ValueError("a bug")] * 40)
    assert max(waited) == 60


def test_a_database_that_is_away_is_no_fault_of_ours(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, said = settled(monkeypatch, OperationalError("away"), None)
    assert waited[0] == waited[1]
    told = [one["event"] for one in said if str(one["event"]).startswith("settle.")]
    assert told == ["settle.database_away"]
    assert not AuditEntry.objects.filter(subject="sweep").exists()


def test_once_it_ends_with_the_fault(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_sender: str, _stop: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(settle, "_round", broken)
    with pytest.raises(ValueError, match="a bug"):
        call_command("settle")
