"""`manage.py settle --forever` outlives a fault of our own, tells it, and hides nothing."""

import signal
from collections.abc import Iterator, MutableMapping
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from structlog.testing import capture_logs

from amcash import pulse
from amcash import sweep as cash
from backoffice.audit.models import AuditEntry
from backoffice.journal import watch
from backoffice.office.management.commands import settle
from issuance import sweep as miles
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


class Waits:
    """Stands in for the event that ends the loop and for the clock: a wait costs no time, and it
    ends after so many seconds.
    """

    def __init__(self, ends_s: float) -> None:
        self.now_s, self._ends_s = 0.0, ends_s

    def monotonic(self) -> float:
        return self.now_s

    def set(self) -> None:
        raise AssertionError("nobody stops it")

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self.now_s += seconds
        watch.forget()
        return self.now_s >= self._ends_s


@pytest.fixture(autouse=True)
def _signals_stay_as_they_are() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Play:
    """A part of the sweep that does as it is told, one turn after the other, and then nothing."""

    def __init__(self, *turns: Exception | int, again: Exception | None = None) -> None:
        self._turns, self._again = list(turns), again
        self.came_at_s: list[float] = []
        self.clock = Waits(0)

    def __call__(self, sender: str, stop: object) -> int:
        self.came_at_s.append(self.clock.now_s)
        now = self._turns.pop(0) if self._turns else (self._again or 0)
        if isinstance(now, Exception):
            raise now
        return now


def settled(
    monkeypatch: pytest.MonkeyPatch, *plays: Play, for_s: float = 60
) -> list[MutableMapping[str, Any]]:
    """Let these parts have their turns for a while; return what was logged."""
    waits = Waits(for_s)
    for play in plays:
        play.clock = waits
    monkeypatch.setattr(settle, "_settling", lambda: [settle.Part(run=play) for play in plays])
    monkeypatch.setattr(settle, "_purging", lambda _sender: lambda _s, _stop: 0)
    monkeypatch.setattr(settle, "threading", SimpleNamespace(Event=lambda: waits))
    monkeypatch.setattr(settle, "time", SimpleNamespace(monotonic=waits.monotonic))
    with capture_logs() as said:
        call_command("settle", "--forever")
    return said


def gaps(play: Play) -> list[float]:
    return [after - before for before, after in pairwise(play.came_at_s)]


def test_a_fault_of_ours_is_told_with_its_traceback_and_the_next_turn_comes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(ValueError("a bug"), ValueError("a bug"), KeyError("another"))
    said = settled(monkeypatch, play)
    told = [one for one in said if one["event"] == "settle.failed"]
    assert [(one["log_level"], one["times"]) for one in told] == [
        ("error", 1),
        ("error", 2),
        ("error", 3),
    ]
    assert all(one["exc_info"] for one in told)
    # Each wait after a fault is longer, and a good turn ends that.
    waited = gaps(play)
    assert waited[0] < waited[1] < waited[2] and waited[3] < waited[0]
    events = AuditEntry.objects.filter(subject="sweep").order_by("id")
    assert list(events.values_list("event", flat=True)) == ["sweep.failed", "sweep.recovered"]


def test_it_never_waits_longer_than_a_minute(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(again=ValueError("a bug"))
    settled(monkeypatch, play, for_s=1800)
    assert max(gaps(play)) == 60 and len(play.came_at_s) > 20


@pytest.mark.parametrize("fault", [ValueError("a bug"), OperationalError("locked")])
@pytest.mark.parametrize("is_first", [True, False])
def test_each_product_has_its_turn_whatever_the_other_does(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, fault: Exception, is_first: bool
) -> None:
    broken, good = Play(again=fault), Play(1, 1, 1)
    settled(monkeypatch, *((broken, good) if is_first else (good, broken)))
    # Its first turns came one after the other, and then one whenever it was looked whether more is
    # due: nothing of the other's rest is its own.
    assert good.came_at_s[:4] == [0, 0, 0, 0]
    assert set(gaps(good)[3:]) == {settings.SETTLE_EVERY_S} and good.came_at_s[-1] > 50
    assert len(broken.came_at_s) > 3
    is_told = AuditEntry.objects.filter(event="sweep.recovered").exists()
    assert not is_told or isinstance(fault, OperationalError)


def test_a_round_of_the_real_parts_gives_miles_their_turn_after_a_fault_of_cash(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[str] = []

    def broken(**_options: object) -> int:
        raise ValueError("a bug")

    def turn(**_options: object) -> int:
        came.append("miles")
        return 0

    monkeypatch.setattr(cash, "until_done", broken)
    monkeypatch.setattr(pulse, "take_if_open", broken)
    monkeypatch.setattr(miles, "a_turn", turn)
    with pytest.raises(ValueError, match="a bug"):
        call_command("settle")
    assert came == ["miles"]


def test_a_database_that_is_away_is_no_fault_of_ours(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(OperationalError("away"))
    said = settled(monkeypatch, play)
    assert len(set(gaps(play))) == 1
    told = [one["event"] for one in said if str(one["event"]).startswith("settle.")]
    assert told == ["settle.database_away"]
    assert not AuditEntry.objects.filter(subject="sweep").exists()


def test_once_it_ends_with_the_fault(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(again=ValueError("a bug"))
    monkeypatch.setattr(settle, "_settling", lambda: [settle.Part(run=play)])
    with pytest.raises(ValueError, match="a bug"):
        call_command("settle")
    assert len(play.came_at_s) == 1
