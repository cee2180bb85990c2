"""The table of what people may decide, and how many it takes; without a database."""

import itertools
from datetime import timedelta

import pytest

from backoffice.journal import rulings
from backoffice.journal.rulings import Case, Ruling
from backoffice.journal.states import LAWFUL, Operation, State


@pytest.mark.parametrize(("operation", "state"), [*itertools.product(Operation, State)])
def test_only_what_is_with_a_person_has_outcomes_and_lawful_ones(
    operation: Operation, state: State
) -> None:
    found = Case(operation=operation, state=state, age=timedelta(days=9)).outcomes
    assert bool(found) is (state is State.MANUAL)
    assert set(found) <= LAWFUL[State.MANUAL]


@pytest.mark.parametrize(
    ("statuses", "outcomes"),
    [
        (set(), {State.CONFIRMED, State.REJECTED}),
        ({"pending"}, {State.CONFIRMED, State.REJECTED}),
        ({"confirmed", "pending"}, {State.CONFIRMED, State.PARTIAL}),
        ({"rejected", "pending"}, {State.PARTIAL, State.REJECTED}),
        ({"confirmed", "rejected", "pending"}, {State.PARTIAL}),
    ],
)
def test_what_is_final_of_an_issuance_is_never_decided_otherwise(
    statuses: set[str], outcomes: set[State]
) -> None:
    case = Case(operation=Operation.ISSUE, state=State.MANUAL, statuses=frozenset(statuses))
    assert set(case.outcomes) == outcomes


@pytest.mark.parametrize(
    ("state", "hours", "is_acknowledged", "may_end"),
    [
        (State.PENDING, 24, True, True),
        (State.PENDING, 23, True, False),
        (State.DOUBT, 30, True, True),
        (State.ARMED, 30, True, True),
        (State.DOUBT, 30, False, False),  # Its own window ends it.
        (State.QUEUED, 30, False, False),
        (State.CONFIRMED, 30, True, False),
    ],
)
def test_people_may_end_what_the_programme_has_had_for_a_day(
    state: State, hours: int, is_acknowledged: bool, may_end: bool
) -> None:
    case = Case(
        operation=Operation.RETURN,
        state=state,
        is_acknowledged=is_acknowledged,
        age=timedelta(hours=hours),
    )
    assert (case.task == "pending_long", case.needs_two, bool(case.outcomes)) == (may_end,) * 3


@pytest.mark.parametrize(
    ("cents", "miles", "is_believable"),
    [
        (None, None, True),
        (1, None, True),
        (4000, None, True),
        (0, None, False),
        (-1, None, False),
        (4001, None, False),
        (None, 1, True),
        (None, 0, False),
        (None, rulings.MOST_MILES + 1, False),
    ],
)
def test_what_the_help_desk_gave_is_more_than_nothing_and_no_more_than_was_asked(
    cents: int | None, miles: int | None, is_believable: bool
) -> None:
    case = Case(operation=Operation.REDEEM, state=State.MANUAL, asked_cents=4000)
    ruling = Ruling(note="x", amount_cents=cents, miles=miles)
    assert rulings.is_believable(ruling, case) is is_believable


@pytest.mark.parametrize(
    ("operation", "state", "needs_person", "has_unknown", "two"),
    [
        (Operation.REDEEM, State.MANUAL, "replay_over", True, True),
        (Operation.REVERSE, State.MANUAL, "reversal_unclear", True, True),
        (Operation.REDEEM, State.DONE, "conflict", False, True),
        (Operation.REDEEM, State.DECLINED, "declined_after_doubt", True, False),
        (Operation.REVERSE, State.EXPIRED, "late_by_us", False, False),
        (Operation.REVERSE, State.DECLINED, "reversal_refused", False, False),
        # The first send may have brought the miles back.
        (Operation.REVERSE, State.DECLINED, "reversal_refused", True, True),
    ],
)
def test_how_many_people_it_takes(
    operation: Operation, state: State, needs_person: str, has_unknown: bool, two: bool
) -> None:
    case = Case(
        operation=operation, state=state, needs_person=needs_person, has_unknown=has_unknown
    )
    assert case.needs_two is two
