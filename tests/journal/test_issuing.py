"""Tables M1–M9: what silences and passing moments do to an issuance, and sequences of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.journal import decisions, issuing
from backoffice.journal.decisions import DEFINITIVE, Change, Facts, Verdict
from backoffice.journal.states import (
    CLAIMABLE,
    ISSUANCE,
    SETTLED,
    TERMINAL,
    UNSETTLED,
    Operation,
    State,
    is_lawful,
)

NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
END = NOW + decisions.KEY_WINDOW
GUESSES = sorted(set(Verdict) - DEFINITIVE)
DAYS_LATER = NOW + timedelta(days=30)


def facts(**changes: object) -> Facts:
    """A sale's miles that were just sent for the first time."""
    fields: dict[str, object] = {
        "operation": Operation.ISSUE,
        "state": State.ARMED,
        "has_unknown": False,
        "tries": 1,
        "replay_until": END,
        "deadline_at": NOW + timedelta(hours=10),
        "is_unattended": False,
    }
    return Facts(**{**fields, **changes})  # type: ignore[arg-type]


def after(verdict: Verdict, now: datetime = NOW, **changes: object) -> Change:
    return issuing.after_silence(facts(**changes), verdict, now=now, spread=0)


@pytest.mark.parametrize("operation", sorted(ISSUANCE))
@pytest.mark.parametrize(("looks", "seconds"), [*enumerate([5, 15, 60, 300, 900, 900, 900], 1)])
def test_what_is_pending_is_asked_on_a_growing_capped_schedule(
    operation: Operation, looks: int, seconds: int
) -> None:
    wanted = Change(state=State.PENDING, due_at=NOW + timedelta(seconds=seconds))
    assert after(Verdict.PENDING, operation=operation, looks=looks) == wanted
    assert issuing.pending_wait(10**6) == timedelta(minutes=15)


@pytest.mark.parametrize("verdict", GUESSES)
@pytest.mark.parametrize("has_unknown", [False, True])
@pytest.mark.parametrize("now", [NOW, END, DAYS_LATER])
def test_what_was_acknowledged_stays_pending_whatever_happens_however_long(
    verdict: Verdict, has_unknown: bool, now: datetime
) -> None:
    seen = {"is_acknowledged": True, "has_unknown": has_unknown, "looks": 9}
    change = after(verdict, now, **seen)
    assert change == Change(state=State.PENDING, due_at=now + timedelta(minutes=15))
    for state in (State.ARMED, State.PENDING, State.DOUBT):
        assert issuing.when_due(facts(state=state, **seen), now=now) is None


@pytest.mark.parametrize(("verdict", "has_unknown"), [*product(GUESSES, [False, True])])
def test_a_doubt_is_asked_while_its_key_is_trusted_and_then_a_persons(
    verdict: Verdict, has_unknown: bool
) -> None:
    if verdict is Verdict.PENDING:
        return
    is_doubt = has_unknown or verdict in {Verdict.UNKNOWN, Verdict.BUSY}
    early = after(verdict, has_unknown=has_unknown)
    late = after(verdict, END, has_unknown=has_unknown)
    if is_doubt:
        assert early.state is State.DOUBT
        assert late == Change(state=State.MANUAL, needs_person="replay_over")
    else:
        # Nothing left, or nothing was done: it is sent however late (M9).
        assert (early.state, late.state) == (State.QUEUED, State.QUEUED)
    wait = timedelta(seconds=5 if verdict is Verdict.BUSY else 2)
    assert early.due_at == NOW + wait


@pytest.mark.parametrize("verdict", sorted(DEFINITIVE))
def test_an_answer_is_never_taken_for_a_guess(verdict: Verdict) -> None:
    with pytest.raises(AssertionError):
        after(verdict)


def test_a_refusal_after_a_doubt_has_a_reason_of_its_own() -> None:
    change = decisions.after_answer(facts(has_unknown=True), Verdict.UNCLEAR)
    assert change == Change(state=State.MANUAL, needs_person="refused_after_doubt")


@pytest.mark.parametrize("state", [State.ARMED, State.DOUBT])
def test_a_doubt_beyond_its_window_is_not_sent_again(state: State) -> None:
    doubt = facts(state=state, has_unknown=True)
    assert issuing.when_due(doubt, now=END - timedelta(microseconds=1)) is None
    over = Change(state=State.MANUAL, needs_person="replay_over")
    assert issuing.when_due(doubt, now=END) == over


@pytest.mark.parametrize("state", sorted(CLAIMABLE))
def test_what_is_practised_does_not_wait_for_people(state: State) -> None:
    behind = facts(state=state, original_state=State.MANUAL)
    assert issuing.when_due(behind, now=NOW) is None
    change = issuing.when_due(replace(behind, is_training=True), now=NOW)
    assert change == (Change(state=State.NOT_SENT) if state is State.QUEUED else None)


def test_what_never_left_is_sent_however_late() -> None:
    assert issuing.when_due(facts(state=State.QUEUED), now=DAYS_LATER) is None


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("is_news", [False, True])
def test_a_return_depends_on_what_became_of_its_sale(state: State, is_news: bool) -> None:
    waiting = facts(
        operation=Operation.RETURN,
        state=State.QUEUED,
        original_state=state,
        is_original_news=is_news,
    )
    change = issuing.when_due(waiting, now=NOW)
    if state in {State.REJECTED, State.NOT_SENT}:
        assert change == Change(state=State.NOT_SENT)
    elif state is State.PARTIAL and is_news:
        assert change == Change(state=State.MANUAL, needs_person="original_partial")
    else:
        assert change is None


@pytest.mark.parametrize(
    ("age", "hours"),
    [
        (timedelta(minutes=59, seconds=59), None),
        (timedelta(hours=1), 1),
        (timedelta(hours=23, minutes=59), 1),
        (timedelta(hours=24), 24),
        (timedelta(days=30), 24),
    ],
)
def test_alarms_are_at_an_hour_and_at_a_day(age: timedelta, hours: int | None) -> None:
    assert issuing.alarm_hours(opened_at=NOW - age, now=NOW) == hours


@given(st.lists(st.sampled_from(sorted(Verdict)), max_size=30), st.integers(0, 40))
def test_no_sequence_of_events_loses_miles_or_leaves_an_end(
    verdicts: list[Verdict], hours: int
) -> None:
    now = NOW
    state, due_at = State.ARMED, NOW + timedelta(seconds=30)
    has_unknown, acknowledged, tries = False, 0, 1
    for verdict in verdicts:
        if state not in CLAIMABLE:
            break
        now = max(now, due_at) + timedelta(hours=hours)
        seen = facts(
            state=state,
            has_unknown=has_unknown or state is State.ARMED,
            tries=tries,
            is_acknowledged=bool(acknowledged),
        )
        over = issuing.when_due(seen, now=now)
        if over is not None:
            assert not acknowledged
            assert is_lawful(state, over.state) and over.needs_person
            state = over.state
            break
        assert is_lawful(state, State.ARMED)
        has_unknown |= state is State.ARMED
        tries += 1
        if verdict is Verdict.PENDING and not acknowledged:
            acknowledged = tries
        armed = facts(
            has_unknown=has_unknown,
            tries=tries,
            is_acknowledged=bool(acknowledged),
            looks=tries - acknowledged + 1 if acknowledged else 1,
        )
        if verdict in DEFINITIVE:
            change = decisions.after_answer(armed, verdict)
            assert change is not None
        else:
            change = issuing.after_silence(armed, verdict, now=now, spread=0)
        assert is_lawful(State.ARMED, change.state)
        state, due_at = change.state, change.due_at or now
        has_unknown |= verdict is Verdict.UNKNOWN
        assert (change.due_at is not None) == (state in CLAIMABLE)
        assert state in SETTLED or change.due_at is not None or change.needs_person
        assert state is not State.QUEUED or not has_unknown
    assert state in TERMINAL | UNSETTLED | {State.APPROVED}
