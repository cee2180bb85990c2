"""What answers, silences and passing moments do: every state by every verdict, then sequences."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.journal import decisions
from backoffice.journal.decisions import DEFINITIVE, Change, Facts, Verdict
from backoffice.journal.states import (
    CASH,
    CLAIMABLE,
    SETTLED,
    TERMINAL,
    UNSETTLED,
    Operation,
    State,
    is_lawful,
)

NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 21, 8, tzinfo=UTC)
# Only an issuance can be pending, or its collector busy: tests/journal/test_issuing.
GUESSES = sorted(set(Verdict) - DEFINITIVE - {Verdict.PENDING, Verdict.BUSY})
CASH_VERDICTS = [
    *GUESSES,
    *sorted(DEFINITIVE - {Verdict.CONFIRMED, Verdict.PARTIAL, Verdict.REJECTED, Verdict.DONE}),
]
ASKABLE = sorted(UNSETTLED - {State.MANUAL})


def facts(**changes: object) -> Facts:
    """A redemption that was just sent for the first time."""
    operation = changes.get("operation", Operation.REDEEM)
    fields: dict[str, object] = {
        "operation": operation,
        "state": State.ARMED,
        "has_unknown": False,
        "tries": 1,
        "replay_until": decisions.replay_until(
            Operation(str(operation)), first_sent_at=NOW, deadline_at=DEADLINE
        ),
        "deadline_at": DEADLINE,
        "is_unattended": False,
    }
    return Facts(**{**fields, **changes})  # type: ignore[arg-type]


# --- Answers --------------------------------------------------------------------------------------

OUTCOMES = {
    Verdict.APPROVED: Change(state=State.APPROVED),
    Verdict.DECLINED: Change(state=State.DECLINED),
    Verdict.DECLINED_AFTER_DOUBT: Change(
        state=State.DECLINED, needs_person="declined_after_doubt", is_after_doubt=True
    ),
    Verdict.EXPIRED: Change(state=State.EXPIRED),
    Verdict.UNCLEAR: Change(state=State.MANUAL, needs_person="reversal_unclear"),
    Verdict.INCOMPLETE: Change(state=State.MANUAL, needs_person="incomplete"),
    Verdict.CONFIRMED: Change(state=State.CONFIRMED),
    Verdict.PARTIAL: Change(state=State.PARTIAL, needs_person="rejected"),
    Verdict.REJECTED: Change(state=State.REJECTED, needs_person="rejected"),
    Verdict.DONE: Change(state=State.DONE),
}


def test_the_definitive_verdicts_are_those_with_an_outcome() -> None:
    assert set(OUTCOMES) == DEFINITIVE
    assert set(GUESSES) == {Verdict.UNKNOWN, Verdict.NOT_SENT, Verdict.NOT_EXECUTED}


@pytest.mark.parametrize(("state", "verdict"), [*product(ASKABLE, sorted(DEFINITIVE))])
@pytest.mark.parametrize("operation", sorted(CASH))
def test_a_definitive_answer_settles_whatever_is_open(
    operation: Operation, state: State, verdict: Verdict
) -> None:
    change = decisions.after_answer(facts(operation=operation, state=state), verdict)
    assert change == OUTCOMES[verdict]
    assert is_lawful(state, change.state)


@pytest.mark.parametrize("state", ASKABLE)
@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.EXPIRED])
def test_a_refused_reversal_that_nobody_watches_goes_to_a_person(
    state: State, verdict: Verdict
) -> None:
    unwatched = facts(operation=Operation.REVERSE, state=state, is_unattended=True)
    change = decisions.after_answer(unwatched, verdict)
    assert change == replace(OUTCOMES[verdict], needs_person="reversal_refused")
    redemption = facts(state=state, is_unattended=True)
    assert decisions.after_answer(redemption, verdict) == OUTCOMES[verdict]


@pytest.mark.parametrize("verdict", [Verdict.UNCLEAR, Verdict.INCOMPLETE, Verdict.APPROVED])
def test_a_reversal_that_nobody_watches_keeps_every_other_outcome(verdict: Verdict) -> None:
    unwatched = facts(operation=Operation.REVERSE, is_unattended=True)
    assert decisions.after_answer(unwatched, verdict) == OUTCOMES[verdict]


@pytest.mark.parametrize(
    ("state", "verdict"), [*product(sorted(SETTLED | {State.MANUAL}), sorted(DEFINITIVE))]
)
def test_what_is_settled_keeps_its_state_and_a_contradiction_goes_to_a_person(
    state: State, verdict: Verdict
) -> None:
    change = decisions.after_answer(facts(state=state), verdict)
    granted = {State.APPROVED, State.DONE, State.CONFIRMED}
    says_the_same = state is OUTCOMES[verdict].state or (
        state in granted and OUTCOMES[verdict].state in granted
    )
    assert change == (None if says_the_same else Change(state=state, needs_person="conflict"))


@pytest.mark.parametrize("verdict", GUESSES)
def test_a_guess_is_never_taken_for_an_answer(verdict: Verdict) -> None:
    with pytest.raises(AssertionError):
        decisions.after_answer(facts(), verdict)


# --- Silences -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", sorted(DEFINITIVE))
def test_an_answer_is_never_taken_for_a_guess(verdict: Verdict) -> None:
    with pytest.raises(AssertionError):
        decisions.after_silence(facts(), verdict, now=NOW, spread=0)


@pytest.mark.parametrize("operation", sorted(CASH))
@pytest.mark.parametrize("verdict", GUESSES)
@pytest.mark.parametrize("has_unknown", [False, True])
def test_a_silence_is_a_doubt_unless_every_attempt_proves_that_nothing_was_done(
    operation: Operation, verdict: Verdict, has_unknown: bool
) -> None:
    seen = facts(operation=operation, has_unknown=has_unknown, tries=3)
    change = decisions.after_silence(seen, verdict, now=NOW, spread=0)
    assert change.needs_person == "" and change.due_at is not None
    if verdict is Verdict.UNKNOWN or has_unknown:
        assert (change.state, change.due_at) == (State.DOUBT, NOW + timedelta(seconds=15))
    elif operation is Operation.REDEEM:
        assert (change.state, change.due_at) == (State.QUEUED, NOW + timedelta(minutes=10))
    else:
        assert (change.state, change.due_at) == (State.QUEUED, NOW + timedelta(seconds=15))


@pytest.mark.parametrize("operation", sorted(CASH))
@pytest.mark.parametrize("verdict", GUESSES)
def test_a_doubt_is_left_to_a_person_from_the_moment_replays_end(
    operation: Operation, verdict: Verdict
) -> None:
    seen = facts(operation=operation, has_unknown=True)
    end = seen.replay_until
    before = decisions.after_silence(seen, verdict, now=end - timedelta(microseconds=1), spread=0)
    assert before.state is State.DOUBT
    at_end = decisions.after_silence(seen, verdict, now=end, spread=0)
    assert at_end == Change(state=State.MANUAL, needs_person="replay_over")


LAST = decisions.LAST_TRY
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("operation", sorted(CASH))
@pytest.mark.parametrize(
    ("left", "due_in"),
    [
        # Far from the end the wait is what it is: 30 s after the fourth try.
        (timedelta(hours=1), timedelta(seconds=30)),
        (LAST + timedelta(seconds=30), timedelta(seconds=30)),
        # The wait would end when it is too late, or nearly: one try more, just before.
        (LAST + timedelta(seconds=29), timedelta(seconds=29)),
        (LAST + SECOND, SECOND),
        # The last try has been made: closed at the end, and not a wait later.
        (LAST, LAST),
        (SECOND, SECOND),
    ],
)
def test_a_doubt_is_asked_once_more_just_before_replays_end(
    operation: Operation, left: timedelta, due_in: timedelta
) -> None:
    end = DEADLINE + timedelta(hours=9)
    seen = facts(operation=operation, has_unknown=True, tries=4, replay_until=end)
    now = end - left
    change = decisions.after_silence(seen, Verdict.UNKNOWN, now=now, spread=0)
    assert change == Change(state=State.DOUBT, due_at=now + due_in)


@pytest.mark.parametrize(
    ("left", "due_in"),
    [
        (LAST + timedelta(seconds=15), timedelta(seconds=15)),
        (LAST + timedelta(seconds=14), timedelta(seconds=14)),
        (LAST + SECOND, SECOND),
        (LAST, LAST),
        (SECOND, SECOND),
    ],
)
def test_a_reversal_that_never_left_is_tried_once_more_just_before_its_deadline(
    left: timedelta, due_in: timedelta
) -> None:
    seen = facts(operation=Operation.REVERSE, has_unknown=False, tries=4)
    now = DEADLINE - left
    change = decisions.after_silence(seen, Verdict.NOT_SENT, now=now, spread=0)
    assert change == Change(state=State.QUEUED, due_at=now + due_in)


@pytest.mark.parametrize(
    ("left", "due_in"),
    [
        (LAST + timedelta(seconds=14), timedelta(seconds=14)),
        # Beyond its deadline it is asked as before: did it work at 02:59:58?
        (LAST, timedelta(seconds=15)),
        (SECOND, timedelta(seconds=15)),
        (timedelta(0), timedelta(seconds=30)),
    ],
)
def test_a_reversal_in_doubt_is_asked_just_before_its_deadline_and_beyond_it(
    left: timedelta, due_in: timedelta
) -> None:
    seen = facts(operation=Operation.REVERSE, has_unknown=True, tries=4)
    now = DEADLINE - left
    change = decisions.after_silence(seen, Verdict.UNKNOWN, now=now, spread=0)
    assert change == Change(state=State.DOUBT, due_at=now + due_in)


# --- Being due ------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_unknown", [False, True])
def test_a_redemption_that_never_left_is_closed_and_never_sent_by_itself(
    has_unknown: bool,
) -> None:
    for now in (NOW, DEADLINE, DEADLINE + timedelta(days=1)):
        due = decisions.when_due(facts(state=State.QUEUED, has_unknown=has_unknown), now=now)
        assert due == Change(state=State.NOT_SENT)


def test_a_reversal_that_never_left_is_sent_until_its_deadline_and_not_at_it() -> None:
    queued = facts(operation=Operation.REVERSE, state=State.QUEUED)
    assert decisions.when_due(queued, now=DEADLINE - timedelta(microseconds=1)) is None
    late = Change(state=State.EXPIRED, needs_person="late_by_us")
    assert decisions.when_due(queued, now=DEADLINE) == late
    assert decisions.when_due(queued, now=DEADLINE + timedelta(days=1)) == late


@pytest.mark.parametrize("state", [State.ARMED, State.DOUBT, State.PENDING])
@pytest.mark.parametrize("operation", sorted(CASH))
def test_a_doubt_is_asked_again_until_replays_end(operation: Operation, state: State) -> None:
    seen = facts(operation=operation, state=state, has_unknown=True)
    end = seen.replay_until
    assert decisions.when_due(seen, now=end - timedelta(microseconds=1)) is None
    over = Change(state=State.MANUAL, needs_person="replay_over")
    assert decisions.when_due(seen, now=end) == over


def test_a_reversal_in_doubt_is_asked_beyond_its_deadline() -> None:
    seen = facts(operation=Operation.REVERSE, state=State.DOUBT, has_unknown=True)
    assert seen.replay_until > DEADLINE
    assert decisions.when_due(seen, now=DEADLINE + timedelta(hours=1)) is None


@pytest.mark.parametrize("operation", sorted(CASH))
def test_what_never_left_is_not_sent_when_it_could_not_be_undone(operation: Operation) -> None:
    seen = facts(operation=operation, state=State.QUEUED)
    end = seen.replay_until if operation is Operation.REDEEM else DEADLINE
    assert decisions.may_send_first(seen, now=end - timedelta(microseconds=1))
    assert not decisions.may_send_first(seen, now=end)


# --- Times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "first_sent_at", "end"),
    [
        # Twenty hours, while the programme surely remembers the key.
        (Operation.REDEEM, DEADLINE - timedelta(hours=26), DEADLINE - timedelta(hours=6)),
        # A redemption also stops while an unwanted one could still be reversed.
        (Operation.REDEEM, DEADLINE - timedelta(hours=4), DEADLINE - timedelta(minutes=15)),
        (Operation.REDEEM, DEADLINE - timedelta(hours=19), DEADLINE - timedelta(minutes=15)),
        # "Did it work at 02:59:58?" still needs its answer.
        (
            Operation.REVERSE,
            DEADLINE - timedelta(seconds=2),
            DEADLINE + timedelta(hours=20, seconds=-2),
        ),
        (Operation.REVERSE, DEADLINE - timedelta(hours=26), DEADLINE - timedelta(hours=6)),
    ],
)
def test_replays_end(operation: Operation, first_sent_at: datetime, end: datetime) -> None:
    found = decisions.replay_until(operation, first_sent_at=first_sent_at, deadline_at=DEADLINE)
    assert found == end


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 2), (2, 5), (3, 15), (4, 30), (5, 30), (100, 30), (10**6, 30)]
)
def test_the_wait_grows_to_half_a_minute_and_is_spread_by_a_fifth(tries: int, seconds: int) -> None:
    wait = timedelta(seconds=seconds)
    assert decisions.back_off(tries, spread=0) == wait
    assert decisions.back_off(tries, spread=1) == wait * 1.2
    assert decisions.back_off(tries, spread=-1) == wait * 0.8


@pytest.mark.parametrize(("tries", "spread"), [(0, 0.0), (-1, 0.0), (1, 1.01), (1, -1.01)])
def test_a_wait_outside_its_bounds_is_a_mistake_of_ours(tries: int, spread: float) -> None:
    with pytest.raises(AssertionError):
        decisions.back_off(tries, spread=spread)


# --- Sequences ------------------------------------------------------------------------------------


class Row:
    """A row as the log keeps it, moved by decisions alone."""

    def __init__(self, operation: Operation) -> None:
        self.facts = facts(operation=operation, tries=1)
        self.due_at: datetime | None = NOW + timedelta(seconds=30)
        self.needs_person = ""
        self.answers: list[Verdict] = []

    def take(self, change: Change) -> None:
        before = self.facts.state
        assert change.state is before or is_lawful(before, change.state)
        self.facts = replace(self.facts, state=change.state)
        self.due_at = change.due_at
        self.needs_person = change.needs_person or self.needs_person

    def check(self, before: State) -> None:
        """What must hold after every step."""
        state = self.facts.state
        if before in TERMINAL:
            assert state is before
        if before is State.APPROVED:
            assert state in {State.APPROVED, State.DONE}
        assert state in SETTLED or self.due_at is not None or self.needs_person
        outcomes = {OUTCOMES[verdict].state for verdict in self.answers}
        if len(outcomes) > 1:
            assert self.needs_person


@settings(derandomize=True, max_examples=400, deadline=None)
@given(
    operation=st.sampled_from(sorted(CASH)),
    steps=st.lists(
        st.tuples(st.sampled_from([*CASH_VERDICTS, "due"]), st.integers(0, 3600 * 6)),
        max_size=12,
    ),
)
def test_no_sequence_of_events_loses_a_row_or_leaves_an_end(
    operation: Operation, steps: list[tuple[Verdict | str, int]]
) -> None:
    row, now = Row(operation), NOW
    for step, seconds in steps:
        now += timedelta(seconds=seconds)
        before = row.facts.state
        if step == "due":
            if before in CLAIMABLE and row.due_at is not None and row.due_at <= now:
                lapsed = row.facts.has_unknown or before is State.ARMED
                row.facts = replace(row.facts, has_unknown=lapsed)
                change = decisions.when_due(row.facts, now=now)
                if change is None:
                    row.facts = replace(row.facts, tries=row.facts.tries + 1)
                    change = Change(state=State.ARMED, due_at=now + timedelta(seconds=30))
                row.take(change)
        elif step in DEFINITIVE:
            # Whoever brings it, in whatever state.
            row.answers.append(Verdict(step))
            answer = decisions.after_answer(row.facts, Verdict(step))
            if answer is not None:
                row.take(answer)
        elif before is State.ARMED:
            guess = decisions.after_silence(row.facts, Verdict(step), now=now, spread=0.5)
            unknown = row.facts.has_unknown or step is Verdict.UNKNOWN
            row.facts = replace(row.facts, has_unknown=unknown)
            row.take(guess)
            # Once something may have been done, nothing but an answer says that it was not.
            assert not (unknown and row.facts.state is State.QUEUED)
        row.check(before)
