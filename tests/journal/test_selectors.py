"""Reading the log: whose rows, in which order, and none twice or left out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.journal import selectors, worklists
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.selectors import (
    EVERY_STORE,
    Cursor,
    LogFilters,
    ProgrammeWord,
    Scope,
)
from backoffice.journal.states import Operation
from backoffice.people.models import User
from tests.cast import Cast
from tests.office.factories import (
    NOON,
    NOT_GRANTED,
    declined,
    redemption,
    reversal,
    unsettled,
)


def references(rows: object) -> list[str]:
    assert isinstance(rows, list | tuple)
    return [str(row.reference) for row in rows]


def every_page(user: User, filters: LogFilters, limit: int) -> list[Transaction]:
    """Read to the oldest end, then back, and see that both ways show the same."""
    down: list[list[Transaction]] = []
    cursor: Cursor | None = None
    while True:
        page = selectors.log_page(user, filters, cursor, limit)
        down.append(list(page.rows))
        if page.older is None:
            break
        cursor = page.older
    up = [list(page.rows)]
    while page.newer is not None:
        page = selectors.log_page(user, filters, page.newer, limit)
        up.append(list(page.rows))
    assert [row.pk for rows in reversed(up) for row in rows] == [
        row.pk for rows in down for row in rows
    ]
    return [row for rows in down for row in rows]


def test_a_manager_sees_nothing_of_another_store(cast: Cast) -> None:
    northern = redemption(cast.till, cast.cashier)
    southern = redemption(cast.south_till, confirmation_number="SOUTH")
    found = selectors.log_page(cast.south_manager, LogFilters())
    assert [row.pk for row in found.rows] == [southern.pk]
    assert selectors.latest(cast.south_manager, store=cast.north) == []
    assert selectors.latest(cast.south_manager, device=cast.till) == []
    assert selectors.log_page(cast.south_manager, LogFilters(store_id=cast.north.pk)).rows == ()
    with pytest.raises(Transaction.DoesNotExist):
        selectors.get_visible(cast.south_manager, northern.reference)
    assert (
        selectors.find_redemption(cast.manager, store=cast.south, confirmation_number="SOUTH")
        is None
    )


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_administrators_and_auditors_see_every_store(cast: Cast, role: str) -> None:
    redemption(cast.till)
    redemption(cast.south_till)
    assert len(selectors.log_page(getattr(cast, role), LogFilters()).rows) == 2


def test_a_stranger_and_a_person_who_left_see_nothing(cast: Cast) -> None:
    redemption(cast.till)
    cast.administrator.is_active = False
    cast.administrator.save()
    for user in (AnonymousUser(), cast.administrator):
        assert selectors.log_page(user, LogFilters()).rows == ()
        assert selectors.Scope.of(user) == Scope(store_ids=())
        assert not selectors.visible(user).exists()


def test_somebody_of_two_stores_sees_both_in_one_order(cast: Cast) -> None:
    cast.manager.stores.add(cast.south)
    rows = [
        redemption(till, at=NOON + timedelta(seconds=number))
        for number, till in enumerate([cast.till, cast.south_till] * 5)
    ]
    found = every_page(cast.manager, LogFilters(), limit=3)
    assert [row.pk for row in found] == [row.pk for row in reversed(rows)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("filters", [LogFilters(), LogFilters(states=("done",))], ids=str)
def test_pages_are_whole_when_many_rows_share_a_moment(
    cast: Cast, limit: int, filters: LogFilters
) -> None:
    for number in range(14):
        at = NOON + timedelta(seconds=number // 5)
        redemption(cast.till if number % 2 else cast.south_till, at=at)
    found = every_page(cast.administrator, filters, limit)
    assert len(found) == 14
    assert [(row.opened_at, row.pk) for row in found] == sorted(
        ((row.opened_at, row.pk) for row in found), reverse=True
    )


def test_a_row_that_arrives_moves_no_page(cast: Cast) -> None:
    for number in range(6):
        redemption(cast.till, at=NOON + timedelta(seconds=number))
    first = selectors.log_page(cast.manager, LogFilters(), limit=3)
    expected = selectors.log_page(cast.manager, LogFilters(), first.older, limit=3)
    redemption(cast.till, at=NOON + timedelta(minutes=1))
    second = selectors.log_page(cast.manager, LogFilters(), first.older, limit=3)
    assert references(second.rows) == references(expected.rows)


def rows_of_every_kind(cast: Cast) -> dict[str, Transaction]:
    """Return one row for each thing that a filter can look for."""
    given_back = redemption(
        cast.till, at=NOON - timedelta(hours=3), reversed_at=NOON, collector_last4="7777"
    )
    return {
        "plain": redemption(cast.till, cast.cashier, confirmation_number="7KQ420X9B1TM"),
        "reversed": given_back,
        "reversal": reversal(given_back, at=NOON - timedelta(hours=2)),
        "second till": redemption(cast.second_till, at=NOON + timedelta(hours=1)),
        "south": redemption(cast.south_till, at=NOON + timedelta(hours=2)),
        "declined": declined(cast.till, at=NOON + timedelta(hours=3)),
        "doubt": unsettled(cast.till, at=NOON + timedelta(hours=4)),
        "armed": unsettled(cast.till, at=NOON + timedelta(hours=5), state="armed"),
        "manual": unsettled(
            cast.till,
            at=NOON + timedelta(hours=6),
            state="manual",
            due_at=None,
            needs_person="replay_over",
        ),
    }


_ALL = {
    "plain",
    "reversed",
    "reversal",
    "second till",
    "south",
    "declined",
    "doubt",
    "armed",
    "manual",
}
_CASES: list[tuple[Callable[[Cast], LogFilters], set[str]]] = [
    (lambda _: LogFilters(), _ALL),
    (lambda _: LogFilters(opened_from=NOON + timedelta(hours=5)), {"armed", "manual"}),
    (lambda _: LogFilters(opened_before=NOON - timedelta(hours=2)), {"reversed"}),
    (lambda cast: LogFilters(store_id=cast.south.pk), {"south"}),
    (lambda cast: LogFilters(device_id=cast.second_till.pk), {"second till"}),
    (lambda cast: LogFilters(device_id=cast.till.pk, store_id=cast.south.pk), set()),
    (lambda _: LogFilters(operation="reverse"), {"reversal"}),
    (lambda _: LogFilters(states=("declined",)), {"declined"}),
    (lambda _: LogFilters(states=("armed", "doubt")), {"doubt", "armed"}),
    (
        lambda _: LogFilters(states=("done",), is_reversed=False),
        {"plain", "reversal", "second till", "south"},
    ),
    (lambda _: LogFilters(is_reversed=True), {"reversed"}),
    (lambda _: LogFilters(response_code="0051"), {"declined"}),
    (lambda _: LogFilters(response_code="0051", operation="reverse"), set()),
    (lambda _: LogFilters(response_code="0000", states=("declined",)), set()),
    (lambda _: LogFilters(collector_last4="7777"), {"reversed", "reversal"}),
    (lambda _: LogFilters(confirmation_number="7KQ420X9B1TM"), {"plain"}),
    (lambda _: LogFilters(is_for_a_person=True), {"manual"}),
    (
        lambda cast: LogFilters(
            store_id=cast.north.pk, operation="reverse", states=("done",), response_code="0000"
        ),
        {"reversal"},
    ),
]


@pytest.mark.parametrize(("make", "expected"), _CASES)
@pytest.mark.parametrize("who", ["administrator", "both stores' manager"])
def test_each_filter_finds_exactly_what_it_names(
    cast: Cast, make: Callable[[Cast], LogFilters], expected: set[str], who: str
) -> None:
    cast.manager.stores.add(cast.south)
    user = cast.administrator if who == "administrator" else cast.manager
    rows = rows_of_every_kind(cast)
    filters = make(cast)
    found = {row.pk for row in every_page(user, filters, limit=2)}
    assert {name for name, row in rows.items() if row.pk in found} == expected
    exported = [row["id"] for row in selectors.log_rows(Scope.of(user), filters, ("reference",))]
    assert set(exported) == found
    assert len(exported) == len(found)


def test_more_stores_than_streams_are_read_in_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "_MOST_STREAMS", 1)
    cast.manager.stores.add(cast.south)
    expected = [
        redemption(till, at=NOON + timedelta(seconds=number)).pk
        for number, till in enumerate([cast.till, cast.south_till] * 3)
    ]
    assert [row.pk for row in every_page(cast.manager, LogFilters(), 2)] == expected[::-1]


def test_an_export_reads_on_across_chunks_that_share_a_moment(cast: Cast) -> None:
    for _number in range(250):
        redemption(cast.till)
    rows = selectors.log_rows(EVERY_STORE, LogFilters(), ("reference",), chunk_rows=100)
    assert len({row["reference"] for row in rows}) == 250


@pytest.mark.parametrize(
    "filters",
    [
        LogFilters(),
        LogFilters(store_id=1),
        LogFilters(device_id=1),
        LogFilters(operation="reverse"),
        LogFilters(states=("declined",)),
        LogFilters(states=("done",), is_reversed=False),
        LogFilters(response_code="0051"),
        LogFilters(response_code="0000", states=("declined",)),
        LogFilters(collector_last4="0001"),
        LogFilters(is_for_a_person=True),
        LogFilters(is_reversed=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("scope", [EVERY_STORE, Scope(store_ids=(1, 2, 3))], ids=str)
def test_every_filter_is_read_in_the_order_of_an_index(
    db: None, filters: LogFilters, scope: Scope
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by the table's contents; these are SQLite's plans.")
    cursor = Cursor(opened_at=NOON, id=1)
    for stream in selectors._streams(scope, filters):
        plan = selectors._placed(stream, cursor, False)[:51].explain()
        assert "USING INDEX transaction_" in plan
        assert "TEMP B-TREE" not in plan


def test_the_latest_of_a_till_since_a_moment(cast: Cast) -> None:
    redemption(cast.till, at=NOON - timedelta(hours=2))
    recent = redemption(cast.till, at=NOON)
    redemption(cast.second_till, at=NOON)
    found = selectors.latest(
        cast.manager, device=cast.till, on_or_after=NOON - timedelta(hours=1), limit=5
    )
    assert references(found) == [str(recent.reference)]


def test_a_redemption_is_found_by_its_confirmation_number(cast: Cast) -> None:
    row = redemption(cast.till, confirmation_number="7KQ420X9B1TM")
    reversal(row, confirmation_number="7KQ420X9B1TM")
    unsettled(cast.till)
    found = selectors.find_redemption(
        cast.cashier, store=cast.north, confirmation_number="7KQ420X9B1TM"
    )
    assert found == row
    assert selectors.find_redemption(cast.cashier, store=cast.north, confirmation_number="") is None


def test_what_needs_a_person_is_listed_by_its_reason(cast: Cast) -> None:
    rows = rows_of_every_kind(cast)
    unshown = redemption(cast.till, at=NOON, state="approved", presented_at=None)
    queued = unsettled(cast.till, at=NOON, state="queued")
    later = NOON + timedelta(days=1)
    assert worklists.waiting_for_a_person(cast.manager, limit=9) == [rows["manual"]]
    overdue = worklists.overdue(cast.manager, opened_before=later, limit=9)
    assert set(overdue) == {rows["doubt"], rows["armed"]}
    assert queued not in overdue
    assert worklists.not_presented(cast.manager, opened_before=later, limit=9) == [unshown]
    assert worklists.not_presented(cast.manager, opened_before=NOON, limit=9) == []
    for found in (
        worklists.waiting_for_a_person(cast.south_manager, limit=9),
        worklists.overdue(cast.south_manager, opened_before=later, limit=9),
        worklists.not_presented(cast.south_manager, opened_before=later, limit=9),
    ):
        assert found == []


def test_a_queued_reversal_is_overdue_because_its_deadline_runs(cast: Cast) -> None:
    original = redemption(cast.till)
    row = reversal(original, state="queued", due_at=NOON, **NOT_GRANTED)
    found = worklists.overdue(cast.manager, opened_before=NOON + timedelta(days=1), limit=9)
    assert found == [row]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, ProgrammeWord.UNKNOWN),
        ({"heard_at": NOON, "answer_ms": 600}, ProgrammeWord.UP),
        ({"heard_at": NOON, "answer_ms": 6_000}, ProgrammeWord.SLOW),
        ({"heard_at": NOON, "is_up": False}, ProgrammeWord.DOWN),
        ({"heard_at": NOON, "breaker_opened_at": NOON}, ProgrammeWord.DOWN),
        ({"breaker_opened_at": NOON - timedelta(hours=1)}, ProgrammeWord.DOWN),
        ({"heard_at": NOON - timedelta(hours=1), "answer_ms": 600}, ProgrammeWord.UNKNOWN),
    ],
)
def test_the_programme_is_what_was_last_heard_of_it(
    db: None, fields: dict[str, object], word: ProgrammeWord
) -> None:
    ProgrammeState.objects.all().delete()
    if fields:
        ProgrammeState.objects.create(**fields)
    assert selectors.programme_state(now=NOON).word == word


def test_every_kind_of_operation_can_be_found_by_its_code() -> None:
    assert set(selectors._STATES_OF) == set(Operation)


def test_what_needs_a_person_is_not_sought_among_all_rows_of_a_store(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by the table's contents; these are SQLite's plans.")
    with CaptureQueriesContext(connection) as queries:
        worklists.waiting_for_a_person(cast.manager, limit=9)
        worklists.overdue(cast.manager, opened_before=NOON, limit=9)
        worklists.not_presented(cast.manager, opened_before=NOON, limit=9)
    plans = []
    for query in queries.captured_queries:
        if "journal_transaction" in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plans.append(str(cursor.fetchall()))
    assert len(plans) == 3
    assert "transaction_needs_person" in plans[0]
    assert "transaction_state_log" in plans[1]
    assert "transaction_state_log" in plans[2]
