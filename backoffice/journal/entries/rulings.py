"""Commits what people decide where no rule can: one proposes, another confirms; or one closes."""

from datetime import datetime
from typing import Any

from django.db.transaction import atomic

from backoffice import clock
from backoffice.journal import rulings
from backoffice.journal.choices import NeedsPerson, OfferStatus, Result, Step
from backoffice.journal.entries import rows
from backoffice.journal.entries.intents import Conflict, MakeReversal, Refused
from backoffice.journal.entries.issuing import release
from backoffice.journal.entries.wishes import queue_reversal
from backoffice.journal.models import Attempt, Decision, OfferResult, Transaction
from backoffice.journal.rulings import Case, Ruling
from backoffice.journal.states import GRANTED, UNSETTLED, Operation, State, Wanted
from backoffice.people.models import User

_OFFICE = "office"


def propose(row: Transaction, ruling: Ruling, *, person: User, now: datetime) -> Transaction:
    """Record what one person found out; nothing changes until another one confirms it.

    Raises Refused when there is no such task any more, a proposal waits already, or what was given
    is impossible.
    """
    with atomic(durable=True):
        held = _held(row)
        case = case_of(held, now=now)
        if not case.needs_two or proposal_of(held) is not None:
            raise Refused(Conflict.STATE_CHANGED)
        if not _is_lawful(ruling.outcome, case):
            raise Refused(Conflict.STATE_CHANGED)
        if not rulings.is_believable(ruling, case):
            raise Refused(Conflict.IMPOSSIBLE)
        _add(held, Step.PROPOSED, ruling, person, now, task=case.task)
    return rows.reread(row)


def confirm(
    row: Transaction,
    proposal_id: int,
    *,
    note: str,
    person: User,
    now: datetime,
    make_reversal: MakeReversal,
) -> Transaction:
    """Carry out what somebody else proposed, in one commit with both names.

    Raises Refused when the proposer confirms, when it is not open any more, or when the programme
    has answered since: the proposer did not know that.
    """
    with atomic(durable=True):
        held = _held(row)
        proposal = _open(held, proposal_id)
        case = case_of(held, now=now)
        outcome = State(proposal.outcome) if proposal.outcome else None
        # The task is another one by now: the proposal can only be put aside.
        if proposal.needs_person != case.task or not _is_lawful(outcome, case):
            raise Refused(Conflict.STATE_CHANGED)
        if proposal.person_id == person.pk:
            raise Refused(Conflict.SAME_PERSON)
        # What is still asked is answered "not finished" again and again: that is no news.
        if not case.is_unfinished and proposal.answers_seen != _answers_of(held):
            raise Refused(Conflict.ANSWER_CAME)
        ruling = Ruling(
            note=note,
            outcome=outcome,
            help_desk_ref=proposal.help_desk_ref,
            confirmation_number=proposal.confirmation_number,
            amount_cents=proposal.amount_cents,
            miles=proposal.miles,
        )
        _add(held, Step.CONFIRMED, ruling, person, now, task=case.task, answers=proposal)
        if outcome is None:
            _close(held)
        elif held.is_issuance:
            _end_issuance(held, ruling, outcome, case, now)
        else:
            _carry_out(held, ruling, outcome, now, make_reversal)
    return rows.reread(row)


def reject(
    row: Transaction, proposal_id: int, *, note: str, person: User, now: datetime
) -> Transaction:
    """Put a proposal aside, somebody else's or one's own; the task stays. Raises Refused."""
    with atomic(durable=True):
        held = _held(row)
        proposal = _open(held, proposal_id)
        ruling = Ruling(note=note, outcome=State(proposal.outcome) if proposal.outcome else None)
        task = proposal.needs_person
        _add(held, Step.REJECTED, ruling, person, now, task=task, answers=proposal)
    return rows.reread(row)


def deal_with(row: Transaction, note: str, *, person: User, now: datetime) -> Transaction:
    """Close a task that one person may close; the transaction's state never changes by it.

    Raises Refused when there is no such task any more.
    """
    with atomic(durable=True):
        held = _held(row)
        case = case_of(held, now=now)
        if not case.task or case.needs_two:
            raise Refused(Conflict.STATE_CHANGED)
        _add(held, Step.DEALT_WITH, Ruling(note=note), person, now, task=case.task)
        _close(held)
    return rows.reread(row)


def proposal_of(row: Transaction) -> Decision | None:
    """Return the proposal that waits for a second person, or None."""
    last = row.decisions.select_related("person").order_by("id").last()
    return last if last is not None and last.step == Step.PROPOSED else None


def case_of(row: Transaction, *, now: datetime) -> Case:
    """Return what must be known of a transaction to say what people may decide of it."""
    statuses: frozenset[str] = frozenset()
    if row.is_issuance and row.state in UNSETTLED:
        statuses = frozenset(row.offers.values_list("status", flat=True))
    return Case(
        operation=Operation(row.operation),
        state=State(row.state),
        needs_person=row.needs_person,
        has_unknown=row.has_unknown,
        is_acknowledged=row.acknowledged_fence is not None,
        age=now - row.opened_at,
        statuses=statuses,
        asked_cents=row.asked_cents,
    )


def _held(row: Transaction) -> Transaction:
    # An answer that arrives now, and another person's press, wait for this lock or are seen here.
    return Transaction.objects.select_for_update().get(pk=row.pk)


def _is_lawful(outcome: State | None, case: Case) -> bool:
    return outcome in case.outcomes if case.outcomes else outcome is None


def _answers_of(row: Transaction) -> int:
    # A count, not a time: who answered and who proposed may have looked at two clocks.
    return Attempt.objects.filter(transaction=row, result=Result.ANSWERED).count()


def _open(row: Transaction, proposal_id: int) -> Decision:
    proposal = proposal_of(row)
    if proposal is None or proposal.pk != proposal_id:
        raise Refused(Conflict.STATE_CHANGED)
    return proposal


def _add(
    row: Transaction,
    step: Step,
    ruling: Ruling,
    person: User,
    now: datetime,
    *,
    task: str,
    answers: Decision | None = None,
) -> None:
    outcome = ruling.outcome.value if ruling.outcome else ""
    Decision.objects.create(
        transaction=row,
        step=step,
        outcome=outcome,
        needs_person=task,
        note=ruling.note,
        help_desk_ref=ruling.help_desk_ref,
        confirmation_number=ruling.confirmation_number,
        amount_cents=ruling.amount_cents,
        miles=ruling.miles,
        person=person,
        decided_at=now,
        answers_seen=_answers_of(row),
        answers=answers,
    )
    event = step.value if step is Step.DEALT_WITH else f"decision_{step.value}"
    rows.log(row, event, actor=person.username, channel=_OFFICE, outcome=outcome, task=task)


def _close(row: Transaction) -> None:
    Transaction.objects.filter(pk=row.pk).update(needs_person="")


def _carry_out(
    row: Transaction, ruling: Ruling, outcome: State, now: datetime, make_reversal: MakeReversal
) -> None:
    changes: dict[str, Any] = {"due_at": None, "settled_at": now, "needs_person": ""}
    is_redemption = row.operation == Operation.REDEEM
    if is_redemption and outcome in GRANTED:
        if ruling.confirmation_number and not row.confirmation_number:
            changes["confirmation_number"] = ruling.confirmation_number
        if row.amount_cents is None:
            given = ruling.amount_cents
            changes["amount_cents"] = row.asked_cents if given is None else given
    if outcome is State.DONE:
        changes["presented_at"] = now
        # The customer has the discount, whatever was said at the till: giving the miles back as
        # well would pay twice.
        changes["wanted"] = Wanted.KEEP
    _advance(row, outcome, changes)
    if row.reverses_id is not None and outcome in GRANTED:
        Transaction.objects.filter(pk=row.reverses_id).update(reversed_at=now)
    # After the deadline it would only be closed as late: the customer is owed credit then.
    is_in_time = not clock.is_too_late(now, row.deadline_at)
    if is_redemption and row.wanted == Wanted.CANCEL and is_in_time:
        queue_reversal(row, make_reversal, now)


def _end_issuance(
    row: Transaction, ruling: Ruling, outcome: State, case: Case, now: datetime
) -> None:
    """Settle an issuance by what people know of it, its offers along, and let the next one go."""
    pending = OfferResult.objects.filter(transaction=row, status=OfferStatus.PENDING)
    pending.update(status=rulings.pending_becomes(outcome, case.statuses))
    offers = list(row.offers.all())
    given = [offer.miles for offer in offers if offer.status == OfferStatus.CONFIRMED]
    # What was not given is owed, or not taken back: it stays on the list until it is put right.
    is_short = outcome in {State.REJECTED, State.PARTIAL}
    changes: dict[str, Any] = {
        "due_at": None,
        "settled_at": now,
        "needs_person": NeedsPerson.REJECTED if is_short else "",
    }
    went_through = outcome in GRANTED | {State.PARTIAL}
    if went_through and ruling.confirmation_number and not row.confirmation_number:
        changes["confirmation_number"] = ruling.confirmation_number
    if outcome is not State.NOT_SENT and row.operation != Operation.RECORD:
        changes["miles"] = sum(given) if offers or not went_through else ruling.miles
    _advance(row, outcome, changes)
    release(row, now)


def _advance(row: Transaction, outcome: State, changes: dict[str, Any]) -> None:
    is_ours = rows.advance(row, outcome, only=State(row.state), **changes)
    assert is_ours  # It is locked, and was looked at.
