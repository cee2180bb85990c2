"""What people decide where no rule can: two of them, recorded, and never against a fact unseen."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import credit, entries, triggers
from backoffice.journal.decisions import Verdict
from backoffice.journal.entries import Conflict, Refused
from backoffice.journal.models import Attempt, Decision, Transaction
from backoffice.journal.rulings import Ruling
from backoffice.journal.states import Operation, State
from backoffice.people.models import User
from tests.cast import Cast
from tests.journal.rows import (
    CONFIRMATION,
    approved,
    cancel,
    claimed,
    finding,
    intent,
    opened,
    record,
    refused,
    reversal_of,
)

pytestmark = pytest.mark.django_db


# --- Two people -----------------------------------------------------------------------------------


def with_a_person(cast: Cast, verdict: Verdict = Verdict.INCOMPLETE) -> Transaction:
    row = record(opened(cast), verdict)
    assert row.state == State.MANUAL
    return row


def unclear_reversal(cast: Cast) -> Transaction:
    """A reversal that was refused after a doubt."""
    redemption = approved(cast)
    wanted = intent(operation=Operation.REVERSE, reverses=redemption, asked="back")
    row = record(opened(cast, **vars(wanted)), Verdict.UNKNOWN)
    return record(claimed(row), Verdict.UNCLEAR)


def propose(row: Transaction, person: User, outcome: State | None, **fields: object) -> Transaction:
    ruling = Ruling(note="Asked the desk.", outcome=outcome, help_desk_ref="HD-77", **fields)  # type: ignore[arg-type]
    return entries.propose(row, ruling, person=person, now=timezone.now())


def confirm(row: Transaction, person: User, proposal_id: int | None = None) -> Transaction:
    if proposal_id is None:
        proposal = entries.proposal_of(row)
        proposal_id = proposal.pk if proposal else 0
    return entries.confirm(
        row,
        proposal_id,
        note="Asked again; the same.",
        person=person,
        now=timezone.now(),
        make_reversal=reversal_of,
    )


def conflict_of(call: object, *args: object, **options: object) -> Conflict:
    with pytest.raises(Refused) as error:
        call(*args, **options)  # type: ignore[operator]
    return error.value.conflict


def test_one_proposes_and_another_confirms_with_both_names_on_record(cast: Cast) -> None:
    row = with_a_person(cast)
    row = propose(row, cast.manager, State.DECLINED)
    assert (row.state, row.needs_person) == (State.MANUAL, "incomplete")
    row = confirm(row, cast.administrator)
    assert (row.state, row.needs_person, row.due_at) == (State.DECLINED, "", None)
    said = list(row.decisions.values_list("step", "outcome", "person__username", "help_desk_ref"))
    assert said == [
        ("proposed", "declined", "manager", "HD-77"),
        ("confirmed", "declined", "administrator", "HD-77"),
    ]
    events = AuditEntry.objects.filter(subject=f"transaction:{row.reference}", channel="office")
    assert sorted(events.values_list("event", "actor")) == [
        ("redemption.decision_confirmed", "administrator"),
        ("redemption.decision_proposed", "manager"),
    ]
    # Its collector is free again.
    assert opened(cast).state == State.ARMED


def test_until_two_have_agreed_the_collector_waits(cast: Cast) -> None:
    propose(with_a_person(cast), cast.manager, State.DECLINED)
    assert conflict_of(opened, cast) is Conflict.COLLECTOR_IN_DOUBT


def test_nobody_confirms_their_own_proposal(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DONE)
    assert conflict_of(confirm, row, cast.manager) is Conflict.SAME_PERSON
    row.refresh_from_db()
    assert row.state == State.MANUAL


def test_a_second_press_and_a_second_proposal_change_nothing(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DONE)
    assert conflict_of(propose, row, cast.administrator, State.DECLINED) is Conflict.STATE_CHANGED
    proposal = entries.proposal_of(row)
    assert proposal is not None
    confirm(row, cast.administrator)
    again = conflict_of(confirm, row, cast.administrator, proposal.pk)
    assert again is Conflict.STATE_CHANGED
    assert row.decisions.count() == 2


def test_a_proposal_that_is_not_confirmed_leaves_the_task(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DONE)
    proposal = entries.proposal_of(row)
    assert proposal is not None
    row = entries.reject(
        row, proposal.pk, note="No.", person=cast.administrator, now=timezone.now()
    )
    assert (row.state, row.needs_person) == (State.MANUAL, "incomplete")
    assert entries.proposal_of(row) is None
    row = propose(row, cast.manager, State.DECLINED)
    assert confirm(row, cast.administrator).state == State.DECLINED


@pytest.mark.parametrize("outcome", [None, State.EXPIRED, State.NOT_SENT, State.QUEUED])
def test_only_what_the_operation_allows_is_proposed(cast: Cast, outcome: State | None) -> None:
    row = with_a_person(cast)
    assert conflict_of(propose, row, cast.manager, outcome) is Conflict.STATE_CHANGED
    assert not row.decisions.exists()


def test_one_person_does_not_close_what_takes_two(cast: Cast) -> None:
    row = with_a_person(cast)
    closing = conflict_of(entries.deal_with, row, "Done.", person=cast.manager, now=timezone.now())
    assert closing is Conflict.STATE_CHANGED


# --- What it means --------------------------------------------------------------------------------


def test_a_decided_redemption_has_the_help_desks_number_and_amount(cast: Cast) -> None:
    row = propose(
        with_a_person(cast),
        cast.manager,
        State.DONE,
        confirmation_number="HELP1",
        amount_cents=3000,
    )
    row = confirm(row, cast.administrator)
    assert (row.state, row.confirmation_number, row.amount_cents) == (State.DONE, "HELP1", 3000)
    assert row.presented_at is not None


def test_what_the_customer_no_longer_wants_is_given_back_in_the_deciding_commit(cast: Cast) -> None:
    row = cancel(cast, with_a_person(cast))
    row = propose(row, cast.manager, State.APPROVED, confirmation_number="HELP1")
    row = confirm(row, cast.administrator)
    assert row.reversals.get().state == State.QUEUED


def test_after_the_deadline_nothing_is_queued_and_credit_is_owed(cast: Cast) -> None:
    row = cancel(cast, with_a_person(cast))
    with triggers.lifted():
        Transaction.objects.filter(pk=row.pk).update(deadline_at=timezone.now())
    row = propose(row, cast.manager, State.APPROVED, confirmation_number="HELP1")
    row = confirm(row, cast.administrator)
    assert (row.state, row.wanted) == (State.APPROVED, "cancel")
    assert not row.reversals.exists() and credit.is_owed(row, is_over=True)


@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.EXPIRED])
def test_no_late_refusal_gives_a_redemption_back(cast: Cast, verdict: Verdict) -> None:
    row = unclear_reversal(cast)
    row = confirm(propose(row, cast.manager, State.DECLINED), cast.administrator)
    row = late_answer(row, verdict)
    assert row.reverses is not None and row.reverses.reversed_at is None


def test_what_the_customer_was_decided_to_have_got_is_not_given_back_as_well(cast: Cast) -> None:
    row = cancel(cast, with_a_person(cast))
    row = propose(row, cast.manager, State.DONE, confirmation_number="HELP1")
    row = confirm(row, cast.administrator)
    assert (row.state, row.wanted) == (State.DONE, "keep")
    assert not row.reversals.exists()


def test_a_reversal_decided_to_have_worked_gives_the_redemption_back(cast: Cast) -> None:
    row = unclear_reversal(cast)
    row = confirm(propose(row, cast.manager, State.APPROVED), cast.administrator)
    assert row.reverses is not None and row.reverses.reversed_at is not None
    assert not credit.is_owed(row.reverses, is_over=True)


@pytest.mark.parametrize("outcome", [State.DECLINED, State.EXPIRED])
def test_a_reversal_decided_not_to_have_worked_owes_credit(cast: Cast, outcome: State) -> None:
    row = unclear_reversal(cast)
    assert row.reverses is not None
    assert not credit.is_owed(row.reverses, is_over=True)
    propose(row, cast.manager, outcome)
    assert not credit.is_owed(row.reverses, is_over=True)
    row = confirm(row, cast.administrator)
    assert row.reverses is not None
    assert credit.is_owed(row.reverses, is_over=False)


def test_a_task_is_closed_by_one_and_the_state_stays(cast: Cast) -> None:
    row = record(opened(cast), Verdict.DECLINED_AFTER_DOUBT)
    assert conflict_of(opened, cast) is Conflict.SUPERVISOR_NEEDED
    row = entries.deal_with(row, "Seen.", person=cast.manager, now=timezone.now())
    assert (row.state, row.needs_person) == (State.DECLINED, "")
    assert row.decisions.get().step == "dealt_with"
    assert opened(cast).state == State.ARMED


def test_two_different_answers_are_closed_by_two(cast: Cast) -> None:
    row = approved(cast)
    Transaction.objects.filter(pk=row.pk).update(needs_person="conflict")
    closing = conflict_of(entries.deal_with, row, "Done.", person=cast.manager, now=timezone.now())
    assert closing is Conflict.STATE_CHANGED
    propose(row, cast.manager, None)
    row = confirm(row, cast.administrator)
    assert (row.state, row.needs_person) == (State.APPROVED, "")


@pytest.mark.parametrize("cents", [0, 4001])
def test_an_impossible_amount_is_never_proposed(cast: Cast, cents: int) -> None:
    row = with_a_person(cast)
    assert row.asked_cents == 4000
    told = conflict_of(propose, row, cast.manager, State.DONE, amount_cents=cents)
    assert told is Conflict.IMPOSSIBLE and not row.decisions.exists()


# --- Facts that come meanwhile --------------------------------------------------------------------


def late_answer(row: Transaction, verdict: Verdict, **fields: object) -> Transaction:
    """The answer of a sender that nobody waited for any more."""
    Attempt.objects.create(
        transaction=row, fence=row.fence + 1, sender="late", armed_at=timezone.now(), result=""
    )
    Transaction.objects.filter(pk=row.pk).update(fence=row.fence + 1)
    return entries.record(entries.reread(row), finding(verdict, **fields), now=timezone.now())


def test_an_answer_since_the_proposal_must_be_read_first(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DECLINED)
    row = late_answer(row, Verdict.APPROVED)
    assert row.state == State.MANUAL
    assert conflict_of(confirm, row, cast.administrator) is Conflict.ANSWER_CAME
    proposal = entries.proposal_of(row)
    assert proposal is not None
    entries.reject(row, proposal.pk, note="It came.", person=cast.manager, now=timezone.now())
    row = propose(row, cast.manager, State.DONE, confirmation_number=CONFIRMATION)
    assert confirm(row, cast.administrator).state == State.DONE


@pytest.mark.parametrize("hours", [-1, 1])
def test_two_hosts_clocks_never_decide_whether_an_answer_is_news(cast: Cast, hours: int) -> None:
    elsewhere = timezone.now() + timedelta(hours=hours)
    row = propose(with_a_person(cast), cast.manager, State.DECLINED)
    Attempt.objects.create(
        transaction=row, fence=9, sender="late", armed_at=elsewhere, result="unknown"
    )
    proposal = Decision.objects.get()
    assert proposal.answers_seen == 1
    with triggers.lifted():
        Attempt.objects.filter(result="answered").update(finished_at=elsewhere)
    assert confirm(row, cast.administrator).state == State.DECLINED


def test_an_answer_by_a_clock_that_is_behind_is_news_all_the_same(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DECLINED)
    row = late_answer(row, Verdict.APPROVED)
    with triggers.lifted():
        long_ago = timezone.now() - timedelta(hours=1)
        Attempt.objects.filter(sender="late").update(finished_at=long_ago)
    assert conflict_of(confirm, row, cast.administrator) is Conflict.ANSWER_CAME


@pytest.mark.parametrize(
    ("outcome", "verdict", "needs_person"),
    [
        (State.DECLINED, Verdict.APPROVED, "conflict"),
        (State.DONE, Verdict.DECLINED, "conflict"),
        (State.DONE, Verdict.APPROVED, ""),
        (State.DECLINED, Verdict.DECLINED, ""),
    ],
)
def test_an_answer_after_a_decision_agrees_with_it_or_is_a_conflict(
    cast: Cast, outcome: State, verdict: Verdict, needs_person: str
) -> None:
    row = confirm(propose(with_a_person(cast), cast.manager, outcome), cast.administrator)
    row = late_answer(row, verdict)
    assert (row.state, row.needs_person) == (outcome, needs_person)
    assert row.attempts.filter(result="answered").count() == 2


def test_a_reversal_that_worked_after_all_owes_no_credit_even_when_people_have_looked(
    cast: Cast,
) -> None:
    row = unclear_reversal(cast)
    row = confirm(propose(row, cast.manager, State.DECLINED), cast.administrator)
    redemption = row.reverses
    assert redemption is not None and credit.is_owed(redemption, is_over=True)
    row = late_answer(row, Verdict.APPROVED)
    assert row.needs_person == "conflict"
    assert not credit.is_owed(redemption, is_over=True)
    # The miles are back, whatever people had said.
    redemption.refresh_from_db()
    assert redemption.reversed_at is not None and row.state == State.DECLINED
    row = confirm(propose(row, cast.manager, None), cast.administrator)
    assert row.needs_person == ""
    assert not credit.is_owed(redemption, is_over=True)


def test_a_proposal_for_what_has_become_another_task_can_only_be_put_aside(cast: Cast) -> None:
    wanted = intent(operation=Operation.REVERSE, reverses=approved(cast), asked="back")
    frozen = opened(cast, **vars(wanted))
    row = record(claimed(entries.reread(frozen)), Verdict.DECLINED)
    assert row.needs_person == "reversal_refused"
    row = propose(row, cast.manager, None)
    late = finding(Verdict.APPROVED)
    row = entries.record(frozen, late, now=timezone.now(), make_reversal=reversal_of)
    assert row.needs_person == "conflict"
    assert conflict_of(confirm, row, cast.administrator) is Conflict.STATE_CHANGED
    waiting = entries.proposal_of(row)
    assert waiting is not None
    now = timezone.now()
    row = entries.reject(row, waiting.pk, note="Overtaken.", person=cast.administrator, now=now)
    assert confirm(propose(row, cast.manager, None), cast.administrator).needs_person == ""


def test_another_number_than_the_help_desks_is_a_conflict(cast: Cast) -> None:
    row = with_a_person(cast)
    row = propose(row, cast.manager, State.DONE, confirmation_number="HELP1")
    row = late_answer(confirm(row, cast.administrator), Verdict.APPROVED)
    assert (row.state, row.needs_person) == (State.DONE, "conflict")


# --- What the database refuses --------------------------------------------------------------------


def test_no_statement_takes_a_transaction_from_people_without_their_decision(cast: Cast) -> None:
    row = with_a_person(cast)
    change = "UPDATE journal_transaction SET state = %s WHERE id = %s"
    propose(row, cast.manager, State.DECLINED)
    for state in ("declined", "done", "doubt"):
        refused("only a recorded decision", change, state, row.pk)


def test_a_decision_is_never_changed_or_deleted(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DECLINED)
    said = Decision.objects.get(transaction=row)
    refused("never changed", "UPDATE journal_decision SET note = %s WHERE id = %s", "x", said.pk)
    refused("never deleted", "DELETE FROM journal_decision WHERE id = %s", said.pk)
