"""Late answers, lost rights, claims: whoever comes second believes the row."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, payloads
from backoffice.journal.decisions import Verdict
from backoffice.journal.entries import rows, settling
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State, Wanted
from tests.cast import Cast
from tests.journal.rows import (
    CONFIRMATION,
    LEASE,
    approved,
    cancel,
    claimed,
    finding,
    make_due,
    opened,
    record,
    reversal_of,
    written,
)

pytestmark = pytest.mark.django_db


def now_there(row: Transaction) -> Transaction:
    return Transaction.objects.get(pk=row.pk)


# --- The frozen sender ----------------------------------------------------------------------------


@pytest.mark.parametrize("guess", [Verdict.UNKNOWN, Verdict.NOT_SENT, Verdict.NOT_EXECUTED])
def test_a_sender_that_lost_its_right_writes_no_guess(cast: Cast, guess: Verdict) -> None:
    mine = opened(cast)
    theirs = claimed(mine)
    record(mine, guess)
    row = now_there(mine)
    assert (row.state, row.fence, row.owner) == (State.ARMED, 2, "sweep")
    assert row.due_at == theirs.due_at
    # Its attempt is completed all the same: that much it knows.
    assert [attempt.result for attempt in row.attempts.all()] == [guess.value, ""]


@pytest.mark.parametrize("guess", [Verdict.UNKNOWN, Verdict.NOT_SENT, Verdict.NOT_EXECUTED])
def test_a_guess_never_changes_what_was_settled_meanwhile(cast: Cast, guess: Verdict) -> None:
    mine = opened(cast)
    record(claimed(mine), Verdict.APPROVED)
    assert record(mine, guess).state == State.APPROVED
    # Nor by the very same fence: an answer that is recorded twice, the second time as a silence.
    assert record(now_there(mine), guess).state == State.APPROVED


def test_a_definitive_answer_is_merged_whoever_brings_it(cast: Cast) -> None:
    mine = opened(cast)
    theirs = claimed(mine)
    row = record(mine, Verdict.APPROVED)
    assert (row.state, row.due_at, row.units) == (State.APPROVED, None, 4)
    # The sweep's own silence comes after it and says nothing any more.
    assert record(theirs, Verdict.UNKNOWN).state == State.APPROVED
    assert [attempt.result for attempt in row.attempts.all()] == ["answered", "unknown"]


def test_the_same_answer_twice_changes_nothing(cast: Cast) -> None:
    mine = opened(cast)
    first = record(claimed(mine), Verdict.APPROVED)
    second = record(mine, Verdict.APPROVED)
    assert (second.state, second.needs_person) == (State.APPROVED, "")
    assert second.settled_at == first.settled_at
    assert not AuditEntry.objects.filter(event="redemption.contradicted").exists()


def test_the_same_refusal_twice_changes_nothing(cast: Cast) -> None:
    mine = opened(cast)
    record(claimed(mine), Verdict.DECLINED, response_code="0051")
    row = record(mine, Verdict.DECLINED, response_code="0065")
    assert (row.state, row.response_code, row.needs_person) == (State.DECLINED, "0051", "")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Verdict.APPROVED, Verdict.DECLINED),
        (Verdict.APPROVED, Verdict.INCOMPLETE),
        (Verdict.DECLINED, Verdict.APPROVED),
        (Verdict.DECLINED, Verdict.EXPIRED),
    ],
)
def test_two_different_answers_for_one_key_go_to_a_person(
    cast: Cast, first: Verdict, second: Verdict
) -> None:
    mine = opened(cast)
    settled = record(claimed(mine), first)
    row = record(mine, second)
    assert (row.state, row.needs_person) == (settled.state, "conflict")
    assert (row.units, row.confirmation_number) == (settled.units, settled.confirmation_number)
    assert AuditEntry.objects.filter(event="redemption.contradicted").count() == 1


@pytest.mark.parametrize("other", [{"confirmation_number": "0THER"}, {"units": 2}])
def test_a_second_grant_of_one_key_goes_to_a_person(cast: Cast, other: dict[str, Any]) -> None:
    mine = opened(cast)
    record(claimed(mine), Verdict.APPROVED)
    row = record(mine, Verdict.APPROVED, **other)
    assert (row.state, row.needs_person) == (State.APPROVED, "conflict")
    assert (row.units, row.confirmation_number) == (4, CONFIRMATION)


def test_an_answer_that_comes_when_a_person_has_it_is_kept_beside(cast: Cast) -> None:
    mine = opened(cast)
    record(claimed(mine), Verdict.INCOMPLETE)
    row = record(mine, Verdict.APPROVED)
    assert (row.state, row.needs_person) == (State.MANUAL, "incomplete")
    assert payloads.answer_of(row) == b'{"responseCode":"0000"}'


def test_the_answer_that_settled_it_stays_its_answer(cast: Cast) -> None:
    mine = opened(cast)
    record(claimed(mine), Verdict.APPROVED, answer=b'{"responseCode":"0000","cashBalance":"820"}')
    row = record(mine, Verdict.DECLINED, answer=b'{"responseCode":"0051"}')
    assert b"820" in (payloads.answer_of(row) or b"")
    assert row.payloads.count() == 3


def test_a_late_refusal_is_read_with_the_doubt_that_another_sender_left(cast: Cast) -> None:
    mine = opened(cast)
    claimed(mine)
    # To its own sender this was the first send; only the row knows of the second.
    row = entries.record(
        mine,
        finding(Verdict.DECLINED, response_code="0051"),
        now=timezone.now(),
        if_doubted=lambda: finding(Verdict.DECLINED_AFTER_DOUBT, response_code="0051"),
    )
    assert (row.state, row.after_doubt) == (State.DECLINED, True)
    assert row.needs_person == "declined_after_doubt"


def test_a_refusal_without_any_doubt_is_read_as_it_is(cast: Cast) -> None:
    row = entries.record(
        opened(cast),
        finding(Verdict.DECLINED),
        now=timezone.now(),
        if_doubted=lambda: finding(Verdict.DECLINED_AFTER_DOUBT),
    )
    assert (row.state, row.after_doubt, row.needs_person) == (State.DECLINED, False, "")


def test_a_late_approval_of_a_queued_row_is_believed(cast: Cast) -> None:
    mine = opened(cast)
    theirs = claimed(mine)
    Transaction.objects.filter(pk=mine.pk).update(has_unknown=False)
    assert record(theirs, Verdict.NOT_SENT).state == State.QUEUED
    assert record(mine, Verdict.APPROVED).state == State.APPROVED


def test_an_approval_that_comes_after_giving_up_goes_to_a_person(cast: Cast) -> None:
    mine = record(opened(cast), Verdict.NOT_SENT)
    entries.give_up_unsent(mine, actor=cast.actor, now=timezone.now())
    row = record(mine, Verdict.APPROVED)
    assert (row.state, row.needs_person) == (State.NOT_SENT, "conflict")


def test_an_unwanted_approval_is_reversed_once_however_often_it_is_told(cast: Cast) -> None:
    mine = opened(cast)
    cancel(cast, mine)
    theirs = claimed(mine)
    record(mine, Verdict.APPROVED)
    declined = record(claimed(mine.reversals.get()), Verdict.DECLINED)
    assert declined.needs_person == "reversal_refused"
    # A late second answer must not trip over the reversal that failed.
    assert record(theirs, Verdict.APPROVED).state == State.APPROVED
    assert mine.reversals.count() == 1


@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.EXPIRED])
def test_a_reversal_refused_after_its_till_was_left_in_doubt_goes_to_a_person(
    cast: Cast, verdict: Verdict
) -> None:
    redemption = approved(cast)
    row = entries.open_transaction(
        reversal_of(redemption, timezone.now()),
        actor=cast.actor,
        sender="web",
        now=timezone.now(),
        lease=LEASE,
    )[0]
    record(row, Verdict.UNKNOWN)
    assert record(claimed(row), verdict).needs_person == "reversal_refused"


# --- Claims ---------------------------------------------------------------------------------------


def due(operations: tuple[Operation, ...] = tuple(Operation), limit: int = 20) -> list[Transaction]:
    return entries.due(operations, now=timezone.now(), limit=limit)


def claim(row: Transaction, **changes: Any) -> bool:
    fields = {"sender": "sweep", "now": timezone.now(), "lease": LEASE}
    return entries.claim(row, **{**fields, **changes})


def test_what_is_due_comes_nearest_deadline_first_and_never_more_than_asked(cast: Cast) -> None:
    past = timezone.now() - LEASE
    late = written(cast, state="doubt", due_at=past, deadline_at=past + timedelta(hours=9))
    soon = written(cast, state="doubt", due_at=past, deadline_at=past + timedelta(hours=1))
    sooner = written(
        cast,
        state="doubt",
        due_at=past - LEASE,
        deadline_at=past + timedelta(hours=1),
    )
    assert due() == [sooner, soon, late]
    assert due(limit=2) == [sooner, soon]
    assert due((Operation.REVERSE,)) == []


@pytest.mark.parametrize("state", sorted(State))
def test_only_what_waits_for_the_sweep_is_due(cast: Cast, state: State) -> None:
    written(cast, state=state, due_at=timezone.now())
    assert len(due()) == (state in {State.QUEUED, State.ARMED, State.DOUBT, State.PENDING})
    Transaction.objects.update(due_at=timezone.now() + LEASE)
    assert due() == []


def test_of_two_sweeps_with_the_same_row_one_has_it(cast: Cast) -> None:
    row = make_due(record(opened(cast), Verdict.UNKNOWN))
    (first,), (second,) = due(), due()
    assert claim(first, sender="one") and not claim(second, sender="two")
    assert (now_there(row).owner, now_there(row).fence) == ("one", 2)
    assert row.attempts.count() == 2


def test_a_sweep_that_read_an_older_doubt_does_not_claim_the_newer_one(cast: Cast) -> None:
    row = make_due(record(opened(cast), Verdict.UNKNOWN))
    (stale,) = due()
    record(claimed(row), Verdict.UNKNOWN)
    assert not claim(stale)
    assert now_there(row).state == State.DOUBT


def test_a_lapsed_lease_is_a_doubt_from_then_on(cast: Cast) -> None:
    row = opened(cast)
    assert due() == []
    taken = claimed(row)
    assert taken.has_unknown and taken.doubted_at is not None
    assert taken.first_sent_at == row.first_sent_at


def test_a_busy_collector_leaves_the_row_due(cast: Cast) -> None:
    redemption = approved(cast)
    cancel(cast, redemption)
    owed = redemption.reversals.get()
    opened(cast)
    assert not claim(make_due(owed))
    kept = now_there(owed)
    assert (kept.state, kept.fence) == (State.QUEUED, 0) and kept in due()


def test_a_redemption_that_never_left_is_closed_and_not_claimed(cast: Cast) -> None:
    row = make_due(record(opened(cast), Verdict.NOT_SENT))
    assert not claim(row)
    closed = now_there(row)
    assert (closed.state, closed.due_at, closed.fence) == (State.NOT_SENT, None, 1)
    assert closed.settled_at is not None and row.attempts.count() == 1


def test_the_cashier_who_sends_again_wins_over_the_sweep_that_would_close_it(cast: Cast) -> None:
    row = make_due(record(opened(cast), Verdict.NOT_SENT))
    (stale,) = due()
    entries.send_again(row, actor=cast.actor, sender="web", now=timezone.now(), lease=LEASE)
    assert not claim(stale)
    assert now_there(row).state == State.ARMED


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=1)])
def test_a_reversal_that_never_left_is_not_sent_at_its_deadline(
    cast: Cast, late: timedelta
) -> None:
    redemption = approved(cast)
    cancel(cast, redemption)
    owed = redemption.reversals.get()
    assert not claim(owed, now=owed.deadline_at + late)
    closed = now_there(owed)
    assert (closed.state, closed.needs_person) == (State.EXPIRED, "late_by_us")
    assert (closed.fence, closed.attempts.count()) == (0, 0)


def test_a_reversal_that_never_left_is_sent_until_its_deadline(cast: Cast) -> None:
    redemption = approved(cast)
    cancel(cast, redemption)
    owed = redemption.reversals.get()
    assert claim(owed, now=owed.deadline_at - timedelta(seconds=1))


def test_a_doubt_or_a_dead_sender_is_a_persons_when_replays_end(cast: Cast) -> None:
    lapsed = opened(cast)
    assert not claim(lapsed, now=lapsed.replay_until)
    doubt = record(opened(cast, card_number="80000010002"), Verdict.UNKNOWN)
    assert not claim(doubt, now=doubt.replay_until)
    for row in (now_there(lapsed), now_there(doubt)):
        assert (row.state, row.needs_person) == (State.MANUAL, "replay_over")
        assert row.due_at is None and row.settled_at is None and row.fence == 1


def test_a_doubt_that_stays_one_waits_longer_each_time(cast: Cast) -> None:
    row = record(opened(cast), Verdict.UNKNOWN)
    waits = []
    for _ in range(5):
        claimed(row)
        row = now_there(row)
        asked_at = timezone.now()
        row = record(row, Verdict.UNKNOWN)
        assert row.state == State.DOUBT and row.due_at is not None
        waits.append((row.due_at - asked_at).total_seconds())
    for wait, seconds in zip(waits, [5, 15, 30, 30, 30], strict=True):
        assert seconds * 0.79 <= wait <= seconds * 1.21 + 1
    assert len({attempt.fence for attempt in row.attempts.all()}) == 6
    assert row.idempotency_key == now_there(row).idempotency_key


def test_an_approved_reversal_marks_its_redemption(cast: Cast) -> None:
    redemption = approved(cast)
    cancel(cast, redemption)
    record(claimed(redemption.reversals.get()), Verdict.APPROVED)
    marked = now_there(redemption)
    assert marked.reversed_at is not None
    assert (marked.state, marked.wanted) == (State.APPROVED, Wanted.CANCEL)


def test_neighbours_retry_at_different_times() -> None:
    spreads = [settling._spread(number) for number in range(1, 300)]
    assert all(-1 <= spread <= 1 for spread in spreads)
    near = [abs(one - two) for one, two in itertools.pairwise(spreads)]
    assert min(near) > 0.5


def test_an_unlawful_change_is_not_made(cast: Cast) -> None:
    row = approved(cast)
    assert not rows.advance(row, State.DOUBT)
    assert not rows.advance(row, State.DONE, only=State.QUEUED)
    assert not rows.advance(row, State.DONE, held=row.fence + 1)
    assert rows.advance(row, State.DONE, held=row.fence)
