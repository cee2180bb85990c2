"""Up to where the audit log is whole, with writers that commit late and in another order."""

import pytest
from django.db import connection
from django.db.transaction import atomic

from backoffice.audit import places, trail
from backoffice.audit.models import AuditEntry
from backoffice.journal import triggers
from tests.late import uncommitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
ONLY_POSTGRES = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)


def add(subject: str = "x:1") -> int:
    return trail.record("thing.done", subject=subject, actor="a", channel="x").pk


def test_a_log_that_nobody_writes_to_is_whole_to_its_end() -> None:
    assert not AuditEntry.objects.exists()
    numbers = [add(), add()]
    reach = places.reach()
    assert reach.whole_until == reach.last == numbers[-1]


@ONLY_POSTGRES
def test_the_first_entry_of_all_is_still_to_come_in_a_log_that_has_none() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SEQUENCE {places.TABLE}_id_seq RESTART")
    reach = places.reach()
    assert add() == 1 and reach.whole_until == reach.last == 0
    assert places.reach().whole_until == 1


@ONLY_POSTGRES
def test_nothing_is_passed_that_an_open_commit_may_still_bring() -> None:
    first = add()
    with uncommitted(add):
        later = add()
        reach = places.reach()
        assert first <= reach.whole_until < later == reach.last
        seen = AuditEntry.objects.filter(id__lte=reach.whole_until)
        assert list(seen.values_list("id", flat=True)) == [first]
    assert places.reach().whole_until == later
    assert AuditEntry.objects.count() == 3


@ONLY_POSTGRES
def test_an_entry_that_is_rolled_back_holds_nobody_up_for_long() -> None:
    add()
    with uncommitted(add, rolls_back=True):
        later = add()
        assert places.reach().whole_until < later
    assert places.reach().whole_until == later


@ONLY_POSTGRES
def test_a_number_that_came_to_nothing_is_not_passed_because_a_crash_may_give_it_again() -> None:
    kept = add()
    with uncommitted(add, rolls_back=True):
        pass
    reach = places.reach()
    assert reach.whole_until == reach.last == kept
    # What a crash leaves of a sequence whose last steps were not yet on the disk.
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SEQUENCE {places.TABLE}_id_seq RESTART WITH {kept + 1}")
    assert add() == kept + 1
    assert places.reach().whole_until == kept + 1


@ONLY_POSTGRES
def test_who_has_held_a_place_for_longest_is_named() -> None:
    assert places.holder() is None
    with uncommitted(add), uncommitted(add):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'"
                " AND datname = current_database() ORDER BY xact_start"
            )
            (longest,), *others = cursor.fetchall()
        held = places.holder()
        assert held is not None and held.pid == longest and len(others) == 1
        assert 0 <= held.open_s < 60
    assert places.holder() is None


@ONLY_POSTGRES
def test_many_entries_of_one_commit_hold_one_place() -> None:
    before = add()

    def many() -> None:
        for _ in range(50):
            add()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND pid = pg_backend_pid()"
            )
            assert cursor.fetchone() == (1,)

    with uncommitted(many):
        assert places.reach().whole_until == before
    assert places.reach().whole_until == before + 50


@ONLY_POSTGRES
def test_a_part_that_is_undone_gives_up_its_place_and_the_next_takes_another() -> None:
    before = add()

    def half_undone() -> None:
        with pytest.raises(ZeroDivisionError), atomic():
            add()
            raise ZeroDivisionError
        add()

    with uncommitted(half_undone):
        add()
        assert before <= places.reach().whole_until <= before + 1
    assert places.reach().whole_until == before + 3


@ONLY_POSTGRES
def test_without_its_trigger_nothing_is_armed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {places.TRIGGER} ON {places.TABLE}")
    try:
        assert triggers.missing() == [places.TRIGGER]
    finally:
        triggers.install()
    assert triggers.missing() == []
