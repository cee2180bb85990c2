"""`manage.py doctor` finds each thing that is out of bounds, names it, and says what to do."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone

from backoffice import clock
from backoffice.audit import trail
from backoffice.journal import health, line, programme, quarantine, safety, watch
from backoffice.journal.models import LogState, ProgrammeState, Transaction
from backoffice.journal.states import Product
from backoffice.office.management.commands import doctor
from tests.cast import COLLECTOR, Cast
from tests.journal.rows import sql, written
from tests.late import uncommitted

pytestmark = pytest.mark.django_db
IS_POSTGRESQL = connection.vendor == "postgresql"


def examined(*options: str) -> tuple[str, int]:
    """What it says, and what it leaves with."""
    said = io.StringIO()
    try:
        call_command("doctor", *options, stdout=said)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return said.getvalue(), end.code
    return said.getvalue(), 0


def report() -> dict[str, Any]:
    """The report for machines, whose exit code says the same as its verdict."""
    said, status = examined("--json")
    found: dict[str, Any] = json.loads(said)
    assert status == (0 if found["is_well"] else 1)
    assert found["is_well"] is (found["faults"] == [])
    return found


def faults() -> list[str]:
    """The names of what is out of bounds; each says what was found and what to do."""
    found = report()["faults"]
    assert all(fault["found"] and fault["to_do"] for fault in found)
    return [fault["name"] for fault in found]


@pytest.fixture(autouse=True)
def _heard(db: None) -> None:
    heard()
    swept()


def swept(*, seconds_ago: int = 2) -> None:
    """Have a sweep say that it lives."""
    watch.forget()
    sender = line.sender_name("settle")
    watch.keep(sender=sender, now=timezone.now() - timedelta(seconds=seconds_ago))


def audited(*, seconds_ago: int) -> None:
    """Have something logged."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    with time_machine.travel(at, tick=False):
        trail.record("till.opened", subject="till:001", actor="ada", channel="console")


def heard(*, is_up: bool = True, seconds_ago: int = 5, code: str = "0000") -> None:
    """Note an ECHO."""
    now = timezone.now() - timedelta(seconds=seconds_ago)
    programme.heard(is_up=is_up, answer_ms=20, response_code=code, now=now)


def row(cast: Cast, **values: Any) -> Transaction:
    """A row whose times are those of a redemption of a minute ago."""
    now = timezone.now()
    times = {
        "opened_at": now - timedelta(minutes=1),
        "deadline_at": now + timedelta(hours=9),
        "replay_until": now + timedelta(hours=8),
        "due_at": now + timedelta(seconds=30),
    }
    return written(cast, **{**times, **values})


def ago(**span: int) -> Any:
    """A moment of the past."""
    return timezone.now() - timedelta(**span)


def test_an_idle_healthy_place_is_well(cast: Cast) -> None:
    said, status = examined()
    assert status == 0
    assert said.rstrip().endswith("All is well.") and "OUT OF BOUNDS" not in said
    assert clock.tzdata_version() in said
    assert report()["states"]["doubt"] == {"count": 0, "oldest_s": None}


def test_what_is_open_and_in_time_is_counted_with_its_age_and_is_no_fault(cast: Cast) -> None:
    row(cast, state="armed", fence=1)
    row(cast, state="armed", fence=1, due_at=ago(seconds=10))
    row(cast, state="doubt", opened_at=ago(minutes=5))
    row(cast, state="doubt", opened_at=ago(minutes=3))
    row(cast, state="approved", due_at=None)
    found = report()
    assert found["is_well"]
    counts = {state: tally["count"] for state, tally in found["states"].items()}
    assert counts == {
        "queued": 0,
        "armed": 2,
        "doubt": 2,
        "pending": 0,
        "approved": 1,
        "manual": 0,
    }
    assert 300 <= found["states"]["doubt"]["oldest_s"] < 330
    assert found["lapsed"]["count"] == 1 and 10 <= found["lapsed"]["oldest_s"] < 40


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "armed", "fence": 1, "due_at": {"seconds": 61}}, "due_too_long"),
        ({"state": "doubt", "due_at": {"seconds": 61}}, "due_too_long"),
        ({"state": "queued", "due_at": {"minutes": 3}}, "due_too_long"),
        ({"state": "doubt", "replay_until": {"seconds": 61}}, "past_their_time"),
        ({"state": "approved", "due_at": None, "opened_at": {"minutes": 16}}, "not_presented"),
    ],
)
def test_a_row_out_of_bounds_is_named_with_what_to_do(
    cast: Cast, values: dict[str, Any], name: str
) -> None:
    past = {
        key: ago(**value) if isinstance(value, dict) else value for key, value in values.items()
    }
    row(cast, **past)
    assert faults() == [name]
    said, status = examined()
    assert status == 1
    assert f"OUT OF BOUNDS  {name}" in said and "All is well" not in said


@pytest.mark.parametrize(
    "values",
    [
        {"presented_at": timezone.now()},
        {"reversed_at": timezone.now()},
        {"state": "done"},
        {"state": "declined"},
    ],
)
def test_what_was_shown_or_given_back_or_is_settled_is_no_fault(
    cast: Cast, values: dict[str, Any]
) -> None:
    row(cast, **{"state": "approved", "due_at": None, "opened_at": ago(hours=2), **values})
    assert faults() == []


def test_a_reversal_that_missed_its_deadline_is_a_fault_for_a_day(cast: Cast) -> None:
    redemption = row(cast, state="done", due_at=None)
    late = {"operation": "reverse", "state": "expired", "needs_person": "late_by_us"}
    row(cast, **late, reverses=redemption, due_at=None, settled_at=ago(hours=25))
    assert faults() == []
    row(cast, **late, reverses=redemption, due_at=None, settled_at=ago(hours=23))
    assert faults() == ["missed_deadlines"]


def test_rows_with_a_person_are_counted_by_reason_and_are_no_fault(cast: Cast) -> None:
    row(cast, state="manual", needs_person="replay_over", due_at=None)
    row(cast, state="manual", needs_person="replay_over", due_at=None)
    row(cast, state="declined", needs_person="declined_after_doubt", due_at=None)
    found = report()
    assert found["is_well"]
    counts = {reason: tally["count"] for reason, tally in found["with_a_person"].items()}
    assert counts == {"replay_over": 2, "declined_after_doubt": 1}
    assert "replay_over: 2" in examined()[0]


def test_a_pulse_that_nobody_feels_is_a_fault(cast: Cast) -> None:
    heard(seconds_ago=55)
    assert faults() == []
    heard(seconds_ago=90)
    assert faults() == ["echo"]
    with override_settings(ECHO_EVERY_S=30):
        assert faults() == []
    ProgrammeState.objects.all().delete()
    assert faults() == ["echo"] and "never asked" in examined()[0]


def test_a_sweep_that_nobody_has_seen_for_a_minute_is_a_fault(cast: Cast) -> None:
    swept(seconds_ago=55)
    assert faults() == []
    swept(seconds_ago=90)
    assert faults() == ["sweep"]
    LogState.objects.all().delete()
    assert faults() == ["sweep"] and "last sweep         never" in examined()[0]


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_writer_that_never_ends_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    heard()
    swept()
    with uncommitted(lambda: audited(seconds_ago=0)):
        assert faults() == []
        monkeypatch.setattr(health, "MOST_HELD", timedelta(seconds=-1))
        assert faults() == ["held_up"]
        assert "pg_terminate_backend(" in examined()[0]
    assert faults() == []


def test_a_mark_that_stays_behind_a_living_sweep_is_a_fault(cast: Cast, tmp_path: Path) -> None:
    with override_settings(MILEPOST_MARKS=str(tmp_path / "marks")):
        audited(seconds_ago=90)
        swept()
        assert faults() == [] and report()["unmarked_s"] is None
        audited(seconds_ago=55)
        assert faults() == []
        audited(seconds_ago=90)
        (tmp_path / "marks").rename(tmp_path / "gone")
        (tmp_path / "marks").write_text("")
        swept()
        assert faults() == ["mark"] and quarantine.UNMARKED in examined()[0]
        # A sweep that does not live, or a quarantine, is told as such.
        swept(seconds_ago=90)
        assert faults() == ["sweep"]
        swept()
        (tmp_path / "marks").unlink()
        swept()
        assert faults() == []


def test_an_open_breaker_is_a_fault_until_it_closes(cast: Cast) -> None:
    programme.outage(Product.CASH, timezone.now())
    assert faults() == ["breaker"] and "The breaker of AM Cash is open" in examined()[0]
    heard()
    assert faults() == []


def test_a_quarantine_is_a_fault_of_its_own_name_until_it_is_lifted(cast: Cast) -> None:
    quarantine.start(why="Restored.", actor="ada", channel="shell", now=timezone.now())
    assert faults() == ["quarantine"] and "may be armed       no" in examined()[0]
    quarantine.lift(why="Imported.", actor="ada", channel="shell")
    assert faults() == []


@pytest.mark.parametrize("code", ["0092", ""])
def test_a_programme_that_is_down_is_a_fault(cast: Cast, code: str) -> None:
    heard(is_up=False, code=code)
    assert faults() == ["programme"]
    assert report()["programme_code"] == code


@pytest.mark.parametrize(
    ("skew", "names"),
    [
        (None, []),
        (timedelta(seconds=30), []),
        (timedelta(seconds=31), ["clock_skew"]),
        (-timedelta(seconds=31), ["clock_skew"]),
        (timedelta(minutes=5), ["clock_skew"]),
        (timedelta(minutes=6), ["safety"]),
    ],
)
def test_a_clock_that_is_off_is_told_and_one_far_off_arms_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, skew: timedelta | None, names: list[str]
) -> None:
    monkeypatch.setattr(safety, "clock_skew", lambda: skew)
    assert faults() == names


def test_every_reason_to_arm_nothing_is_a_fault_however_lately_it_was_well(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert safety.refusal() == ""
    monkeypatch.setattr(clock, "tzdata_version", lambda: "2025.2")
    name = "milepost_transaction_terminal"
    sql(f"DROP TRIGGER {name}" + (" ON journal_transaction" if IS_POSTGRESQL else ""))
    found = report()
    assert [fault["name"] for fault in found["faults"]] == ["safety", "safety"]
    assert "2025.2" in found["faults"][0]["found"] and name in found["faults"][1]["found"]


@pytest.mark.parametrize("name", ["SETTLE_EVERY_S", "PLATFORM_TOTAL_S"])
def test_settings_that_make_no_sense_are_told_and_do_not_hide_the_rest(
    cast: Cast, name: str
) -> None:
    heard(is_up=False)
    with override_settings(**{name: 31.0}):
        assert faults() == ["settings", "programme"]


def test_a_schema_that_is_behind_is_told_and_not_tripped_over(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql("DELETE FROM django_migrations WHERE app = 'journal'")
    assert faults() == ["migrations"]


def test_a_database_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_connection: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(doctor, "MigrationExecutor", away)
    assert faults() == ["database"]


def test_it_changes_nothing_and_names_no_card(
    cast: Cast, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    row(cast, state="doubt", collector_last4=COLLECTOR[-4:], due_at=ago(minutes=5))
    before = list(Transaction.objects.values())
    with django_assert_max_num_queries(40) as seen:
        said, _status = examined()
    assert not [
        query["sql"]
        for query in seen.captured_queries
        if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    assert list(Transaction.objects.values()) == before
    assert COLLECTOR not in said and COLLECTOR[-4:] not in said


def test_the_breaker_of_issuance_is_told_by_its_name(cast: Cast) -> None:
    programme.outage(Product.ISSUANCE, timezone.now())
    assert faults() == ["breaker"] and "The breaker of issuance is open" in examined()[0]
    assert "issuance open (outage)" in examined()[0]
    heard()
    assert faults() == ["breaker"]  # ECHO is AM Cash's.
    programme.recovered(Product.ISSUANCE)
    assert faults() == []


def test_a_sweep_that_fails_by_a_fault_of_ours_is_named_until_one_comes_through(cast: Cast) -> None:
    watch.failed(sender="settle at till-server/4711", error="ValueError")
    watch.failed(sender="settle at till-server/4711", error="ValueError")
    assert faults() == ["sweep_fault"]
    assert "ValueError in settle at till-server/4711" in examined()[0]
    watch.recovered(sender="settle at till-server/4712")
    assert faults() == []


def test_a_machine_without_a_sweep_misses_no_mark(cast: Cast, tmp_path: Path) -> None:
    with override_settings(MILEPOST_MARKS=str(tmp_path / "marks")):
        audited(seconds_ago=90)
        LogState.objects.update(swept_by="settle at another-host/12", swept_at=timezone.now())
        assert faults() == [] and report()["unmarked_s"] is None
        LogState.objects.update(swept_by=line.sender_name("settle"))
        assert faults() == ["mark"]


@pytest.mark.parametrize(
    ("ahead_s", "said"), [(31, "31 s ahead of"), (-40, "40 s behind"), (29, ""), (-29, "")]
)
def test_a_clock_that_is_not_the_programmes_is_named_and_stops_nothing(
    cast: Cast, client: Client, ahead_s: int, said: str
) -> None:
    now = timezone.now()
    dated = now - timedelta(seconds=ahead_s)
    programme.heard(is_up=True, answer_ms=20, response_code="0000", now=now, dated=dated)
    assert faults() == (["programme_clock"] if said else [])
    ready = client.get("/readyz")
    assert ready.status_code == 200 and said in ready.json().get("detail", "")
    assert ("detail" in ready.json()) is bool(said)
    # An ECHO that nobody answered says nothing of clocks.
    heard()
    assert faults() == []
