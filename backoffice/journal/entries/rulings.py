"""Commits what people decide where no rule can: one proposes, another confirms; or one closes."""

from datetime import datetime
from typing import Any

from django.db.transaction import atomic

from backoffice.journal import rulings
from backoffice.journal.choices import Step
from backoffice.journal.entries import rows
from backoffice.journal.entries.intents import Conflict, MakeReversal, Refused
from backoffice.journal.entries.wishes import queue_reversal
from backoffice.journal.models import Attempt, Decision, Transaction
from backoffice.journal.rulings import Ruling
from backoffice.journal.states import GRANTED, Operation, State, Wanted
from backoffice.people.models import User

_OFFICE = "office"


def propose(row: Transaction, ruling: Ruling, *, person: User, now: datetime) -> Transaction:
    """Record what one person found out; nothing changes until another one confirms it.

    Raises Refused when there is no such task any more, or a proposal waits already.
    """
    with atomic(durable=True):
        held = _held(row)
        lawful = rulings.outcomes(operation=Operation(held.operation), state=State(held.state))
        if not _needs_two(held) or proposal_of(held) is not None:
            raise Refused(Conflict.STATE_CHANGED)
        is_named = ruling.outcome is not None
        if is_named is not (held.state == State.MANUAL) or (
            is_named and ruling.outcome not in lawful
        ):
            raise Refused(Conflict.STATE_CHANGED)
        _add(held, Step.PROPOSED, ruling, person, now)
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
        # The task is another one by now: the proposal can only be put aside.
        if proposal.needs_person != held.needs_person:
            raise Refused(Conflict.STATE_CHANGED)
        if proposal.person_id == person.pk:
            raise Refused(Conflict.SAME_PERSON)
        answered = Attempt.objects.filter(
            transaction=held, result="answered", finished_at__gt=proposal.decided_at
        )
        if answered.exists():
            raise Refused(Conflict.ANSWER_CAME)
        ruling = Ruling(
            note=note,
            outcome=State(proposal.outcome) if proposal.outcome else None,
            help_desk_ref=proposal.help_desk_ref,
            confirmation_number=proposal.confirmation_number,
            amount_cents=proposal.amount_cents,
        )
        _add(held, Step.CONFIRMED, ruling, person, now, answers=proposal)
        if ruling.outcome is None:
            _close(held)
        else:
            _carry_out(held, ruling, ruling.outcome, now, make_reversal)
    return rows.reread(row)


def reject(
    row: Transaction, proposal_id: int, *, note: str, person: User, now: datetime
) -> Transaction:
    """Put a proposal aside, somebody else's or one's own; the task stays. Raises Refused."""
    with atomic(durable=True):
        held = _held(row)
        proposal = _open(held, proposal_id)
        ruling = Ruling(note=note, outcome=State(proposal.outcome) if proposal.outcome else None)
        _add(held, Step.REJECTED, ruling, person, now, answers=proposal)
    return rows.reread(row)


def deal_with(row: Transaction, note: str, *, person: User, now: datetime) -> Transaction:
    """Close a task that one person may close; the transaction's state never changes by it.

    Raises Refused when there is no such task any more.
    """
    with atomic(durable=True):
        held = _held(row)
        if not _has_task(held) or _needs_two(held):
            raise Refused(Conflict.STATE_CHANGED)
        _add(held, Step.DEALT_WITH, Ruling(note=note), person, now)
        _close(held)
    return rows.reread(row)


def proposal_of(row: Transaction) -> Decision | None:
    """Return the proposal that waits for a second person, or None."""
    last = row.decisions.select_related("person").order_by("id").last()
    return last if last is not None and last.step == Step.PROPOSED else None


def _held(row: Transaction) -> Transaction:
    # An answer that arrives now, and another person's press, wait for this lock or are seen here.
    return Transaction.objects.select_for_update().get(pk=row.pk)


def _has_task(row: Transaction) -> bool:
    return rulings.has_task(state=State(row.state), needs_person=row.needs_person)


def _needs_two(row: Transaction) -> bool:
    return _has_task(row) and rulings.needs_two(
        operation=Operation(row.operation),
        state=State(row.state),
        needs_person=row.needs_person,
        has_unknown=row.has_unknown,
    )


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
    answers: Decision | None = None,
) -> None:
    outcome = ruling.outcome.value if ruling.outcome else ""
    Decision.objects.create(
        transaction=row,
        step=step,
        outcome=outcome,
        needs_person=row.needs_person,
        note=ruling.note,
        help_desk_ref=ruling.help_desk_ref,
        confirmation_number=ruling.confirmation_number,
        amount_cents=ruling.amount_cents,
        person=person,
        decided_at=now,
        answers=answers,
    )
    event = step.value if step is Step.DEALT_WITH else f"decision_{step.value}"
    rows.log(
        row, event, actor=person.username, channel=_OFFICE, outcome=outcome, task=row.needs_person
    )


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
    is_ours = rows.advance(row, outcome, only=State.MANUAL, **changes)
    assert is_ours  # It is locked, and was looked at.
    if row.reverses_id is not None and outcome in GRANTED:
        Transaction.objects.filter(pk=row.reverses_id).update(reversed_at=now)
    if is_redemption and row.wanted == Wanted.CANCEL:
        queue_reversal(row, make_reversal, now)
