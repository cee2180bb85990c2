"""What changed in the log since a place: every change, and of the right stores."""

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.audit import trail
from backoffice.journal import changes, entries, quarantine
from backoffice.journal.changes import AnotherLife, Changes, Place
from backoffice.journal.choices import Credit
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import LogState, Transaction
from backoffice.journal.selectors import EVERY_STORE, Scope
from backoffice.people.actors import Actor
from tests.cast import COLLECTOR_WITHOUT_CASH, Cast
from tests.journal.rows import approved, cancel, claimed, opened, record
from tests.late import uncommitted

pytestmark = pytest.mark.django_db(transaction=True)


def since(place: Place | None, scope: Scope = EVERY_STORE, most_entries: int = 500) -> Changes:
    return changes.since(place, scope, most_entries=most_entries)


def changed(place: Place | None, scope: Scope = EVERY_STORE) -> list[int]:
    found = since(place, scope)
    assert not found.has_more
    return [row.pk for row in found.rows]


def test_a_change_is_told_once_and_then_nothing_is(cast: Cast) -> None:
    place = changes.latest()
    row = opened(cast)
    found = since(place)
    assert [(one.pk, one.state) for one in found.rows] == [(row.pk, "armed")]
    assert changed(found.place) == []
    record(row, Verdict.APPROVED)
    again = since(found.place)
    assert [(one.pk, one.state) for one in again.rows] == [(row.pk, "approved")]
    assert changed(again.place) == []


def test_without_a_place_the_whole_log_is_told(cast: Cast) -> None:
    rows = [approved(cast), approved(cast, card_number=COLLECTOR_WITHOUT_CASH)]
    assert changed(None) == [row.pk for row in rows]


def test_a_reversal_brings_its_redemption_along(cast: Cast) -> None:
    row = approved(cast)
    cancel(cast, row)
    reversal = Transaction.objects.get(reverses=row)
    place = changes.latest()
    record(claimed(reversal), Verdict.APPROVED)
    found = since(place)
    assert [one.pk for one in found.rows] == [row.pk, reversal.pk]
    assert found.rows[0].reversed_at is not None


def test_what_was_given_instead_is_a_change(cast: Cast) -> None:
    row = entries.present(approved(cast), actor=cast.actor, now=timezone.now())
    place = changes.latest()
    _row, is_given = entries.give_credit(
        row, Credit.GIFT_CARD, is_over=True, actor=cast.actor, now=timezone.now()
    )
    assert is_given and changed(place) == [row.pk]


def test_every_store_has_its_own_changes(cast: Cast) -> None:
    row = opened(cast)
    south = Actor(user=cast.south_manager, device=cast.south_till)
    other = opened(cast, actor=south, card_number=COLLECTOR_WITHOUT_CASH)
    assert changed(None, Scope(store_ids=(cast.north.pk,))) == [row.pk]
    assert changed(None, Scope(store_ids=(cast.south.pk,))) == [other.pk]
    assert changed(None, Scope(store_ids=())) == []


def test_what_is_no_transaction_is_passed_over(cast: Cast) -> None:
    place = changes.latest()
    for subject in ("device:1", "transaction:", "transaction:none", "log"):
        trail.record("thing.done", subject=subject, actor="a", channel="x")
    found = since(place)
    assert found.rows == () and found.place.entry >= place.entry + 4


def test_so_many_entries_are_read_at_a_time_and_none_is_passed_over(cast: Cast) -> None:
    row = opened(cast)
    for _ in range(4):
        trail.record("thing.done", subject="device:1", actor="a", channel="x")
    record(row, Verdict.APPROVED)
    place, told, pages = None, [], 0
    while True:
        found = since(place, most_entries=2)
        told += [(one.pk, one.state) for one in found.rows]
        place, pages = found.place, pages + 1
        if not found.has_more:
            break
    # What it is now is told at each of its entries.
    assert told == [(row.pk, "approved")] * 2 and pages == 3


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_what_is_committed_late_is_told_when_it_comes(cast: Cast) -> None:
    place = changes.latest()
    row = opened(cast)
    place = since(place).place

    def alone() -> None:
        Transaction.objects.filter(pk=row.pk).update(wanted="cancel")
        trail.record(
            "redemption.cancelled", subject=f"transaction:{row.reference}", actor="a", channel="x"
        )

    with uncommitted(alone):
        other = opened(cast, card_number=COLLECTOR_WITHOUT_CASH)
        found = since(place)
        # The later one waits behind the open one: nothing is passed.
        assert found.rows == () and not found.has_more
        again = since(found.place)
        assert again.rows == () and again.place == found.place
    told = since(again.place)
    assert [(one.pk, one.wanted) for one in told.rows] == [
        (row.pk, "cancel"),
        (other.pk, "keep"),
    ]
    assert changed(told.place) == []


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_place_stays_good_while_an_older_one_is_held(cast: Cast) -> None:
    opened(cast)
    place = changes.latest()
    with uncommitted(
        lambda: trail.record("thing.done", subject="device:1", actor="a", channel="x")
    ):
        assert since(place).place == place


def test_a_place_of_another_life_of_the_log_is_refused(cast: Cast) -> None:
    opened(cast)
    place = changes.latest()
    LogState.objects.update_or_create(pk=1, defaults={"lives": ["a" * 32]})
    # A log is born with its first sweep; what was read before was the same log.
    assert since(place).place.life == "a" * 32
    place = changes.latest()
    quarantine.start(why="restored", actor="a", channel="shell", now=timezone.now())
    assert since(place).rows == ()
    assert quarantine.lift(why="looked", actor="a", channel="shell")
    with pytest.raises(AnotherLife):
        since(place)
    since(changes.latest())


def test_a_place_that_the_log_has_not_come_to_is_refused(cast: Cast) -> None:
    opened(cast)
    place = changes.latest()
    with pytest.raises(AnotherLife):
        since(Place(life=place.life, entry=place.entry + 40))
