"""Nothing is armed, sent or written on a database, a clock or triggers that cannot be trusted."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.checks import Error
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from amcash import services
from amcash.rules import Reason
from backoffice import clock
from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, safety, triggers
from backoffice.journal.models import Payload, Transaction
from backoffice.journal.states import State
from tests.amcash.stories import order, redeem
from tests.cast import Cast
from tests.journal.rows import LEASE, sql, written
from tests.scripted import ScriptedPlatform, approved, not_sent

pytestmark = pytest.mark.django_db
IS_POSTGRESQL = connection.vendor == "postgresql"
on_sqlite = pytest.mark.skipif(IS_POSTGRESQL, reason="settings of SQLite")
on_postgresql = pytest.mark.skipif(not IS_POSTGRESQL, reason="settings of PostgreSQL")


def drop_a_trigger(monkeypatch: pytest.MonkeyPatch) -> str:
    name = "milepost_transaction_terminal"
    sql(f"DROP TRIGGER {name}" + (" ON journal_transaction" if IS_POSTGRESQL else ""))
    return name


def use_old_rules(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(clock, "tzdata_version", lambda: "2025.2")
    return "tzdata"


def defer_transactions(monkeypatch: pytest.MonkeyPatch) -> str:
    options = {**connection.settings_dict["OPTIONS"], "transaction_mode": "DEFERRED"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    return "transaction_mode"


def commit_asynchronously(monkeypatch: pytest.MonkeyPatch) -> str:
    sql("SET LOCAL synchronous_commit = off")
    return "synchronous_commit"


def turn_the_clock_ahead(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(safety, "clock_skew", lambda: timedelta(minutes=5, seconds=1))
    return "301 s ahead of the database's"


def turn_the_clock_back(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(safety, "clock_skew", lambda: -timedelta(hours=1))
    return "3600 s behind the database's"


UNSAFE = [
    turn_the_clock_ahead,
    turn_the_clock_back,
    drop_a_trigger,
    use_old_rules,
    pytest.param(defer_transactions, marks=on_sqlite),
    pytest.param(commit_asynchronously, marks=on_postgresql),
]
Spoil = Callable[[pytest.MonkeyPatch], str]


def test_this_suites_own_database_is_safe() -> None:
    assert safety.refusal() == ""


@pytest.mark.parametrize("spoil", UNSAFE)
def test_nothing_is_sent_or_written_where_it_is_not_safe(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    named = spoil(monkeypatch)
    with pytest.raises(services.Refused) as refused:
        services.redeem(order(), actor=cast.actor, now=timezone.now())
    assert refused.value.reason is Reason.UNSAFE
    assert named in refused.value.why and refused.value.why.endswith(".")
    assert not scripted.sent
    assert not Transaction.objects.exists() and not Payload.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("spoil", UNSAFE)
def test_neither_the_cashier_nor_the_sweep_sends_again_where_it_is_not_safe(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    scripted.will(not_sent())
    queued = redeem(cast)
    redemption = written(cast, state="approved")
    later = timezone.now() + (redemption.deadline_at - redemption.opened_at)
    owed = written(
        cast,
        operation="reverse",
        reverses=redemption,
        due_at=timezone.now(),
        deadline_at=later,
        replay_until=later,
    )
    scripted.will(approved())
    sends = len(scripted.sent)
    safety.forget()
    spoil(monkeypatch)
    with pytest.raises(services.Refused) as refused:
        services.send_again(queued, actor=cast.actor, now=timezone.now())
    assert refused.value.reason is Reason.UNSAFE
    assert services.settle_due(sender="test") == 0
    assert not entries.claim(owed, sender="test", now=timezone.now(), lease=LEASE)
    owed.refresh_from_db()
    assert (owed.state, owed.fence) == (State.QUEUED, 0)
    assert len(scripted.sent) == sends


@on_sqlite
def test_every_pragma_that_could_lose_a_commit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: dict[str, object] = {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": 2}

    class Cursor:
        def __enter__(self) -> "Cursor":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def execute(self, statement: str) -> None:
            self.statement = statement

        def fetchone(self) -> tuple[object]:
            return (said[self.statement],)

    # A pragma cannot be changed inside the transaction that this test runs in.
    monkeypatch.setattr(connection, "cursor", Cursor)
    assert safety._unsafe_settings() == ""
    unsafe: dict[str, list[object]] = {
        "PRAGMA journal_mode": ["delete", "truncate", "persist", "memory", "off"],
        "PRAGMA synchronous": [0, 1],
    }
    for pragma, values in unsafe.items():
        for value in values:
            monkeypatch.setitem(said, pragma, value)
            assert pragma.removeprefix("PRAGMA ") in safety._unsafe_settings()
        monkeypatch.undo()
        monkeypatch.setattr(connection, "cursor", Cursor)
    monkeypatch.setitem(said, "PRAGMA synchronous", 3)
    assert safety._unsafe_settings() == ""


@on_postgresql
@pytest.mark.parametrize("value", ["on", "local", "remote_write", "remote_apply"])
def test_a_commit_that_waits_for_its_own_disk_is_safe(value: str) -> None:
    sql(f"SET LOCAL synchronous_commit = {value}")
    assert safety.refusal() == ""


@pytest.mark.parametrize("skew", [None, timedelta(0), timedelta(minutes=5), -timedelta(minutes=5)])
def test_a_clock_that_is_off_by_no_more_than_five_minutes_is_served(
    monkeypatch: pytest.MonkeyPatch, skew: timedelta | None
) -> None:
    monkeypatch.setattr(safety, "clock_skew", lambda: skew)
    assert safety.refusal() == ""


@on_postgresql
@pytest.mark.parametrize("minutes", [-6, 6])
def test_this_machines_clock_is_held_against_the_databases(minutes: int) -> None:
    assert abs(safety.clock_skew() or timedelta(0)) < timedelta(seconds=1)
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True):
        skew = safety.clock_skew()
        assert skew is not None and abs(skew - timedelta(minutes=minutes)) < timedelta(seconds=2)
        assert "clock of this machine" in safety.refusal()


@on_sqlite
def test_a_database_in_a_file_has_no_clock_of_its_own() -> None:
    assert safety.clock_skew() is None


def test_every_reason_is_named_and_not_only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [spoil(monkeypatch) for spoil in (use_old_rules, drop_a_trigger, turn_the_clock_ahead)]
    found = list(safety.faults())
    assert all(name in why for name, why in zip(named, found, strict=True))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Counts how often the triggers are looked for."""
    looks: list[int] = []

    def missing() -> list[str]:
        looks.append(1)
        return []

    monkeypatch.setattr(triggers, "missing", missing)
    yield looks


def test_a_good_answer_is_remembered_for_a_moment_and_a_bad_one_never(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert safety.refusal() == "" and safety.refusal() == ""
    assert len(asked) == 1
    safety.forget()
    assert safety.refusal() == "" and len(asked) == 2
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 31)
    assert safety.refusal() == "" and len(asked) == 3
    safety.forget()
    use_old_rules(monkeypatch)
    assert safety.refusal() and safety.refusal()
    monkeypatch.undo()
    assert safety.refusal() == ""


@pytest.mark.parametrize(
    ("connect", "total", "margin", "lease", "is_good"),
    [
        (3, 10, 5, 30, True),
        (0.3, 1, 0.5, 3, True),
        (10, 10, 5, 15.001, True),
        (3, 10, 5, 15, False),
        (3, 10, 25, 30, False),
        (3, 30, 5, 30, False),
        (11, 10, 5, 30, False),
        (0, 10, 5, 30, False),
        (-1, 10, 5, 30, False),
    ],
)
def test_a_lease_outlasts_its_call(
    connect: float, total: float, margin: float, lease: float, is_good: bool
) -> None:
    with override_settings(
        PLATFORM_CONNECT_S=connect,
        PLATFORM_TOTAL_S=total,
        PLATFORM_MARGIN_S=margin,
        PLATFORM_LEASE_S=lease,
    ):
        found = safety.check_timings(None)
    assert found == [] if is_good else isinstance(found[0], Error) and "LEASE" in found[0].msg
