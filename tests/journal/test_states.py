"""The table of lawful changes, and what a screen says: every state, every pair."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from backoffice.journal import choices, states
from backoffice.journal.states import (
    CLAIMABLE,
    GRANTED,
    LAWFUL,
    LIVE_REVERSAL,
    SETTLED,
    TERMINAL,
    UNSETTLED,
    Shown,
    State,
    Wanted,
    is_lawful,
    shown,
)

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
ANSWERED = {State.APPROVED, State.DECLINED, State.EXPIRED, State.MANUAL}


def test_every_state_has_its_row_in_the_table_and_its_word_in_the_database() -> None:
    assert set(LAWFUL) == set(State)
    assert {state.value for state in State} == set(choices.State.values)
    assert {operation.value for operation in states.Operation} == set(choices.Operation.values)
    assert {wanted.value for wanted in Wanted} == set(choices.Wanted.values)


def test_the_groups_partition_the_states() -> None:
    assert TERMINAL | {State.APPROVED} == SETTLED
    assert not SETTLED & UNSETTLED and set(State) == SETTLED | UNSETTLED
    assert UNSETTLED - {State.MANUAL} == CLAIMABLE
    assert UNSETTLED | {State.APPROVED, State.DONE, State.CONFIRMED} == LIVE_REVERSAL


@pytest.mark.parametrize(("before", "after"), [*product(TERMINAL, State)])
def test_a_terminal_state_is_never_left(before: State, after: State) -> None:
    assert not is_lawful(before, after)


def test_an_approval_leads_only_to_having_been_shown() -> None:
    assert LAWFUL[State.APPROVED] == {State.DONE}


@pytest.mark.parametrize("before", [State.QUEUED, State.ARMED, State.DOUBT, State.PENDING])
def test_every_unsettled_state_admits_a_definitive_answer(before: State) -> None:
    assert LAWFUL[before] >= ANSWERED


def test_what_may_have_left_is_never_not_sent() -> None:
    # People say it of what they hold since before it was sent; `rulings` knows which that is.
    found = [state for state in State if is_lawful(state, State.NOT_SENT)]
    assert found == [State.QUEUED, State.MANUAL]


def test_only_the_holder_of_an_armed_row_can_prove_that_nothing_left() -> None:
    assert [state for state in State if is_lawful(state, State.QUEUED)] == [State.ARMED]


def test_nothing_is_armed_that_is_settled_or_with_a_person() -> None:
    assert {state for state in State if is_lawful(state, State.ARMED)} == CLAIMABLE


def test_what_a_person_has_never_goes_back_to_the_machine() -> None:
    assert not LAWFUL[State.MANUAL] & CLAIMABLE
    assert LAWFUL[State.MANUAL] <= SETTLED


def test_every_unsettled_state_can_end() -> None:
    for state in UNSETTLED:
        assert LAWFUL[state] & SETTLED


# --- What a screen says ---------------------------------------------------------------------------


def said(
    state: State,
    *,
    due_at: datetime | None = None,
    wanted: Wanted = Wanted.KEEP,
    is_after_doubt: bool = False,
    has_been_doubted: bool = False,
) -> Shown:
    return shown(
        state=state,
        due_at=due_at,
        wanted=wanted,
        is_after_doubt=is_after_doubt,
        has_been_doubted=has_been_doubted,
        now=NOW,
    )


LATER, EARLIER = NOW + timedelta(microseconds=1), NOW - timedelta(microseconds=1)


@pytest.mark.parametrize("state", set(State) - {State.ARMED, State.DOUBT, State.DECLINED})
def test_a_plain_state_is_said_as_it_is(state: State) -> None:
    for due_at, wanted, doubted in product([None, EARLIER, LATER], Wanted, [False, True]):
        assert said(state, due_at=due_at, wanted=wanted, has_been_doubted=doubted) == state.value


def test_a_send_under_way_is_waited_for_until_its_lease_is_over() -> None:
    assert said(State.ARMED, due_at=LATER) is Shown.WAITING
    assert said(State.ARMED, due_at=LATER, wanted=Wanted.CANCEL) is Shown.WAITING
    for due_at in (NOW, EARLIER, None):
        assert said(State.ARMED, due_at=due_at) is Shown.DOUBT
        assert said(State.ARMED, due_at=due_at, wanted=Wanted.CANCEL) is Shown.CANCELLING


def test_a_doubt_that_is_being_asked_again_stays_a_doubt() -> None:
    assert said(State.ARMED, due_at=LATER, has_been_doubted=True) is Shown.DOUBT
    cancelled = said(State.ARMED, due_at=LATER, has_been_doubted=True, wanted=Wanted.CANCEL)
    assert cancelled is Shown.CANCELLING


def test_a_doubt_says_what_becomes_of_it() -> None:
    for due_at in (None, EARLIER, LATER):
        assert said(State.DOUBT, due_at=due_at) is Shown.DOUBT
        assert said(State.DOUBT, due_at=due_at, wanted=Wanted.CANCEL) is Shown.CANCELLING


def test_a_decline_after_a_doubt_is_no_plain_decline() -> None:
    assert said(State.DECLINED) is Shown.DECLINED
    assert said(State.DECLINED, is_after_doubt=True) is Shown.DECLINED_AFTER_DOUBT


def test_no_unsettled_state_is_ever_said_to_be_over() -> None:
    over = {Shown.DECLINED, Shown.DECLINED_AFTER_DOUBT, Shown.NOT_SENT, Shown.DONE, Shown.APPROVED}
    for state, due_at, wanted, after, doubted in product(
        UNSETTLED, [None, EARLIER, LATER], Wanted, [False, True], [False, True]
    ):
        assert (
            said(
                state,
                due_at=due_at,
                wanted=wanted,
                is_after_doubt=after,
                has_been_doubted=doubted,
            )
            not in over
        )


@pytest.mark.parametrize("state", GRANTED)
def test_a_granted_state_is_never_doubted_again(state: State) -> None:
    assert said(state, due_at=None, has_been_doubted=True) == state.value
