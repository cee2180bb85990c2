"""Commits what an attempt brought: an answer is merged, a guess is written by its fence alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.transaction import atomic

from backoffice.journal import decisions, issuing, payloads
from backoffice.journal.choices import Result
from backoffice.journal.decisions import DEFINITIVE, Change, Finding, Verdict
from backoffice.journal.entries import rows
from backoffice.journal.entries.intents import MakeReversal
from backoffice.journal.entries.issuing import keep_offers, release
from backoffice.journal.entries.wishes import queue_reversal
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import ISSUANCE, SETTLED, Operation, State, Wanted

_RESULTS = {
    Verdict.UNKNOWN: Result.UNKNOWN,
    Verdict.NOT_SENT: Result.NOT_SENT,
    Verdict.NOT_EXECUTED: Result.NOT_EXECUTED,
}


def rearm(
    row: Transaction, *, finding: Finding, sender: str, now: datetime, lease: timedelta
) -> Transaction | None:
    """Complete the attempt at hand and commit the right to one more, or return None (R4).

    None means that somebody else holds the fence by now: this sender must not send again.
    """
    with atomic(durable=True):
        _complete_attempt(row, finding, now)
        changes: dict[str, Any] = {"fence": row.fence + 1, "due_at": now + lease, "owner": sender}
        if finding.verdict is Verdict.UNKNOWN:
            changes["has_unknown"] = True
        if not rows.advance(row, State.ARMED, held=row.fence, only=State.ARMED, **changes):
            return None
        row.refresh_from_db()
        rows.add_attempt(row, now)
        rows.log(row, "rearmed", actor=sender)
    return row


def record(
    row: Transaction,
    finding: Finding,
    *,
    now: datetime,
    make_reversal: MakeReversal | None = None,
    if_doubted: Callable[[], Finding] | None = None,
) -> Transaction:
    """Commit what the attempt at hand brought, and return the row as it stands then.

    A definitive answer is merged whoever got it; a guess is written only by the fence's holder
    (S4). An approval of what the customer no longer wants queues its reversal in the same commit.
    `if_doubted` is what the same answer says when another send has no known outcome, which only
    the locked row can tell.
    """
    fence = row.fence
    with atomic(durable=True):
        attempt = _complete_attempt(row, finding, now)
        if _settle_untouched(row, finding, now, attempt):
            return row
        row = Transaction.objects.select_for_update().get(pk=row.pk)
        if row.has_unknown and if_doubted is not None:
            finding = if_doubted()
        if finding.verdict in DEFINITIVE:
            if attempt is not None and finding.answer is not None:
                payloads.add(row, finding.answer, attempt=attempt)
            is_news = _merge(row, finding, now)
            if is_news and row.wanted == Wanted.CANCEL and make_reversal is not None:
                queue_reversal(row, make_reversal, now)
        elif row.fence == fence and row.state == State.ARMED:
            _guess(row, finding, now)
            keep_offers(row, finding.offers)
    return rows.reread(row)


def _settle_untouched(
    row: Transaction, finding: Finding, now: datetime, attempt: Attempt | None
) -> bool:
    """Settle a redemption that nobody touched since it was armed, and say whether that was so.

    One compare-and-set proves that the caller's copy is what the database has, so it is neither
    locked nor read again. Anything else is left to the way that locks and reads.
    """
    if row.operation != Operation.REDEEM or row.wanted != Wanted.KEEP or row.has_unknown:
        return False
    if row.state != State.ARMED or finding.verdict not in DEFINITIVE:
        return False
    change = decisions.after_answer(rows.facts(row), finding.verdict)
    if change is None or not _settled(
        row, change, finding, now, held=row.fence, only=State.ARMED, is_untouched=True
    ):
        return False
    if attempt is not None and finding.answer is not None:
        payloads.add(row, finding.answer, attempt=attempt)
    return True


def _complete_attempt(row: Transaction, finding: Finding, now: datetime) -> Attempt | None:
    """Write what the attempt at hand brought; return it, or None if it was complete already."""
    attempt = row.attempt_at_hand
    if attempt is None or attempt.fence != row.fence:
        attempt = Attempt.objects.filter(transaction=row, fence=row.fence).first()
    if attempt is None:
        return None
    changed = Attempt.objects.filter(pk=attempt.pk, result="").update(
        finished_at=now,
        result=_RESULTS.get(finding.verdict, Result.ANSWERED),
        http_status=finding.http_status,
        response_code=finding.response_code,
        silence=finding.silence,
        duration_ms=finding.duration_ms,
    )
    return attempt if changed else None


def _merge(row: Transaction, finding: Finding, now: datetime) -> bool:
    """Write what an answer changes, and say whether it settled the row."""
    change = decisions.after_answer(rows.facts(row), finding.verdict)
    if change is None and _is_another_grant(row, finding):
        # The programme has executed one key twice.
        change = Change(state=State(row.state), needs_person="conflict")
    if change is None:
        return False
    if change.state == row.state:
        # Settled, or with a person: the answer is kept beside it, and the state stays.
        # A person who holds it sees the answer among its attempts. Where it was settled, by the
        # programme or by people, two different answers outweigh what was to be looked at before.
        is_held = row.state == State.MANUAL
        needs_person = row.needs_person if is_held else change.needs_person
        Transaction.objects.filter(pk=row.pk).update(needs_person=needs_person)
        rows.log(row, "contradicted", actor=row.owner, code=finding.response_code)
        if not is_held and finding.verdict is Verdict.APPROVED:
            # Whoever said that this reversal had failed, the programme has given the miles back.
            _give_back(row, now)
        return False
    _settled(row, change, finding, now)
    keep_offers(row, finding.offers)
    release(row, now)
    if row.is_granted:
        _give_back(row, now)
    return True


def _give_back(row: Transaction, now: datetime) -> None:
    """Note on the redemption that its reversal has worked."""
    if row.reverses_id is not None:
        redemption = Transaction.objects.filter(pk=row.reverses_id, reversed_at=None)
        redemption.update(reversed_at=now)


def _is_another_grant(row: Transaction, finding: Finding) -> bool:
    if finding.verdict is Verdict.CONFIRMED:
        # People may have decided it without its number or its miles.
        is_other = row.confirmation_number not in {"", finding.confirmation_number}
        return row.is_granted and (is_other or row.miles not in {None, finding.miles})
    if not row.is_granted or finding.verdict is not Verdict.APPROVED:
        return False
    # What people decided has no units, and a number only where the help desk gave one.
    is_other_number = row.confirmation_number not in {"", finding.confirmation_number}
    return is_other_number or row.units not in {None, finding.units}


def _settled(
    row: Transaction, change: Change, finding: Finding, now: datetime, **held: Any
) -> bool:
    is_changed = rows.advance(
        row,
        change.state,
        **held,
        due_at=None,
        settled_at=now if change.state in SETTLED else None,
        needs_person=change.needs_person,
        after_doubt=change.is_after_doubt,
        **_answer_fields(finding),
    )
    if is_changed:
        rows.log(row, _event(finding.verdict), actor=row.owner, code=finding.response_code)
    return is_changed


def _answer_fields(finding: Finding) -> dict[str, Any]:
    return {
        "http_status": finding.http_status,
        "response_code": finding.response_code,
        "confirmation_number": finding.confirmation_number,
        "units": finding.units,
        "miles": finding.miles,
        "amount_cents": finding.amount_cents,
        "unit_cents": finding.unit_cents,
        "unit_miles": finding.unit_miles,
    }


def _guess(row: Transaction, finding: Finding, now: datetime) -> None:
    table = issuing if row.operation in ISSUANCE else decisions
    if finding.verdict is Verdict.PENDING and row.acknowledged_fence is None:
        row.acknowledged_fence = row.fence
    change = table.after_silence(rows.facts(row), finding.verdict, now=now, spread=_spread(row.pk))
    changes: dict[str, Any] = {
        "due_at": change.due_at,
        "needs_person": change.needs_person,
        "http_status": finding.http_status,
        "response_code": finding.response_code,
    }
    if row.operation in ISSUANCE:
        changes["acknowledged_fence"] = row.acknowledged_fence
        changes["confirmation_number"] = finding.confirmation_number or row.confirmation_number
    if finding.verdict is Verdict.UNKNOWN:
        changes["has_unknown"] = True
    if change.state is State.DOUBT and row.doubted_at is None:
        changes["doubted_at"] = now
    is_ours = rows.advance(row, change.state, held=row.fence, only=State.ARMED, **changes)
    assert is_ours  # The caller has locked the row and looked.
    if change.due_at is None:
        release(row, now)
    event = "doubted" if change.state is State.DOUBT else str(change.state)
    rows.log(row, event, actor=row.owner, code=finding.response_code, why=finding.silence)


def _spread(number: int) -> float:
    # Spreads retries without a random source: neighbours land far apart, tests can repeat it.
    return (number * 37 % 101) / 50 - 1


def _event(verdict: Verdict) -> str:
    is_for_person = verdict in {Verdict.UNCLEAR, Verdict.INCOMPLETE}
    return "left_to_a_person" if is_for_person else str(verdict)
