"""What an answer, a silence or a passing moment does to a transaction. Pure: no clock, no I/O.

These are the tables of RELIABILITY 4.4 and 4.5, and what an answer changes of 4.6; `issuing` has
the rest of that. `entries` carries the decisions out.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from backoffice.clock import is_too_late
from backoffice.journal.states import (
    GRANTED,
    ISSUANCE,
    SETTLED,
    Operation,
    State,
)

BACK_OFF_S = (2, 5, 15, 30)
# So close to its deadline a reversal is asked again at least this often (RELIABILITY 4.5, V7).
HURRIED_S = 15
HURRIED_BEFORE_DEADLINE = timedelta(minutes=60)
# The last try before an end begins so long before it: the sweep looks every few seconds.
LAST_TRY = timedelta(seconds=10)
# Minutes before its deadline at which an open reversal is made known to people.
ALARMS_MINUTES = (60, 30, 10)
# How long an approval waits for a till to show it, where the store has it given back (R11).
UNSHOWN_KEPT = timedelta(minutes=5)
UNSENT_REDEMPTION_KEPT = timedelta(minutes=10)
# A redemption's own replay may execute it, so the last one must leave time to reverse it (S8).
REPLAY_BEFORE_DEADLINE = timedelta(minutes=15)
# How long the programme is trusted to remember a key; its pages do not say (RELIABILITY 1a).
KEY_WINDOW = timedelta(hours=20)


class Verdict(StrEnum):
    """What the end of one attempt says of its operation (RELIABILITY 4.3)."""

    APPROVED = "approved"
    DECLINED = "declined"
    DECLINED_AFTER_DOUBT = "declined_after_doubt"
    EXPIRED = "expired"
    UNCLEAR = "unclear"  # An earlier send of ours may have caused this refusal.
    INCOMPLETE = "incomplete"  # Approved, without the number or the amount that we must show.
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    NOT_EXECUTED = "not_executed"
    CONFIRMED = "confirmed"
    PARTIAL = "partial"
    REJECTED = "rejected"
    DONE = "done"
    PENDING = "pending"  # The programme has it and has not finished.
    BUSY = "busy"  # Another transaction of the collector is in progress there.


DEFINITIVE = frozenset(
    {
        Verdict.APPROVED,
        Verdict.DECLINED,
        Verdict.DECLINED_AFTER_DOUBT,
        Verdict.EXPIRED,
        Verdict.UNCLEAR,
        Verdict.INCOMPLETE,
        Verdict.CONFIRMED,
        Verdict.PARTIAL,
        Verdict.REJECTED,
        Verdict.DONE,
    }
)


@dataclass(frozen=True, kw_only=True)
class OfferFinding:
    """What an answer says of the miles of one offer; `status` is pending, confirmed or rejected."""

    offer_id: str
    offer_code: str
    miles: int
    status: str
    location_code: str = ""
    description: str = ""
    confirmation_number: str = ""
    processed_at: datetime | None = None
    error_code: str = ""
    error_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one attempt brought, as the product reads it.

    `answer` is what may be kept of the answer's bytes, or None. `is_outage` is the programme's own
    word that no requests can be sent, whatever it proves of this one."""

    verdict: Verdict
    http_status: int | None = None
    response_code: str = ""
    silence: str = ""
    duration_ms: int = 0
    confirmation_number: str = ""
    units: int | None = None
    miles: int | None = None
    amount_cents: int | None = None
    unit_cents: int | None = None
    unit_miles: int | None = None
    is_outage: bool = False
    offers: tuple[OfferFinding, ...] = ()
    answer: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a decision needs to know of a transaction."""

    operation: Operation
    state: State
    has_unknown: bool
    tries: int
    replay_until: datetime
    deadline_at: datetime
    # Nobody stands at a screen that would show a refusal: the till was left in doubt, or the
    # system itself began it.
    is_unattended: bool
    # An answer has said that the programme has it and has not finished; sends since, that included.
    is_acknowledged: bool = False
    looks: int = 1
    # Of the issuance that a return takes miles from: its state, and whether it came after the
    # return had been written.
    original_state: State | None = None
    is_original_news: bool = False
    # Practised: no person ever rules on it.
    is_training: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to write: the next state, when it is due again, and why a person must look."""

    state: State
    due_at: datetime | None = None
    needs_person: str = ""
    is_after_doubt: bool = False


def replay_until(
    operation: Operation, *, first_sent_at: datetime, deadline_at: datetime
) -> datetime:
    """Return the moment after which an unknown outcome is no longer asked for by sending again."""
    end = first_sent_at + KEY_WINDOW
    if operation is Operation.REDEEM:
        return min(end, deadline_at - REPLAY_BEFORE_DEADLINE)
    return end


def back_off(tries: int, *, spread: float, is_hurried: bool = False) -> timedelta:
    """Return the wait before the next try: 2, 5, 15, then 30 s, or 15 s where it is hurried.

    `spread` in [-1, 1] is ±20 %."""
    assert tries >= 1 and -1 <= spread <= 1
    seconds = BACK_OFF_S[min(tries, len(BACK_OFF_S)) - 1]
    if is_hurried:
        seconds = min(seconds, HURRIED_S)
    return timedelta(seconds=seconds * (1 + spread / 5))


def is_hurried(facts: Facts, *, now: datetime) -> bool:
    """Say whether it is a reversal whose deadline is so near that every try counts."""
    left = facts.deadline_at - now
    is_near = timedelta(0) < left <= HURRIED_BEFORE_DEADLINE
    return facts.operation is Operation.REVERSE and is_near


def alarm_minutes(*, deadline_at: datetime, now: datetime) -> int | None:
    """Return the last alarm that an open reversal has come to, in minutes before its deadline.

    None while the deadline is far, and when it is over: then there is nothing left to hurry."""
    left = deadline_at - now
    if left <= timedelta(0):
        return None
    return min((at for at in ALARMS_MINUTES if left <= timedelta(minutes=at)), default=None)


def after_answer(facts: Facts, verdict: Verdict) -> Change | None:
    """Return what a definitive answer changes, or None when it says nothing new.

    A terminal or approved transaction keeps its state: a different answer goes to a person (S5).
    """
    assert verdict in DEFINITIVE
    change = _ANSWERED[verdict]
    if facts.state not in SETTLED and facts.state is not State.MANUAL:
        is_refused = change.state in {State.DECLINED, State.EXPIRED}
        is_open = facts.is_unattended or facts.has_unknown
        if is_refused and facts.operation is Operation.REVERSE and is_open:
            # The customer was told that the miles come back, and they do not; or an earlier send
            # may have brought them back all the same.
            return replace(change, needs_person=change.needs_person or "reversal_refused")
        if verdict is Verdict.UNCLEAR and facts.operation in ISSUANCE:
            return replace(change, needs_person="refused_after_doubt")
        return change
    if _says_the_same(facts.state, change.state):
        return None
    return Change(state=facts.state, needs_person="conflict")


def after_silence(facts: Facts, verdict: Verdict, *, now: datetime, spread: float) -> Change:
    """Return what the lack of a definitive answer changes; only the fence's holder may apply it.

    Nothing left (NOT_SENT) or nothing was done (NOT_EXECUTED) proves something only if no earlier
    attempt is unknown (S6).
    """
    assert verdict not in DEFINITIVE
    wait = back_off(facts.tries, spread=spread, is_hurried=is_hurried(facts, now=now))
    if verdict is Verdict.UNKNOWN or facts.has_unknown:
        if now >= facts.replay_until:
            return Change(state=State.MANUAL, needs_person="replay_over")
        return Change(state=State.DOUBT, due_at=_next_try(facts, now, wait, facts.replay_until))
    if facts.operation is Operation.REDEEM:
        # The customer may leave, so nobody but the cashier sends it again (R6).
        return Change(state=State.QUEUED, due_at=now + UNSENT_REDEMPTION_KEPT)
    return Change(state=State.QUEUED, due_at=_next_try(facts, now, wait, facts.deadline_at))


def _next_try(facts: Facts, now: datetime, wait: timedelta, end: datetime) -> datetime:
    """Return when to try next: after the wait, but once more just before it would be too late.

    `end` closes the row. A reversal in doubt is asked beyond its deadline too, but what it asks
    before may still be executed.
    """
    due = now + wait
    ends = {end, facts.deadline_at} if facts.operation is Operation.REVERSE else {end}
    lasts = [one - LAST_TRY for one in ends if now < one - LAST_TRY]
    due = min([due, *lasts])
    # When the last try has been made, it is closed at its end and not a wait later.
    return min(due, end) if now < end else due


def may_send_first(facts: Facts, *, now: datetime) -> bool:
    """Say whether what never left may still be sent: not so late that it could not be undone."""
    is_redemption = facts.operation is Operation.REDEEM
    return not is_too_late(now, facts.replay_until if is_redemption else facts.deadline_at)


def when_due(facts: Facts, *, now: datetime) -> Change | None:
    """Return what a due row becomes instead of being sent, or None when it is to be sent."""
    if facts.state is State.QUEUED and facts.operation is Operation.REDEEM:
        return Change(state=State.NOT_SENT)
    if facts.state is State.QUEUED and not may_send_first(facts, now=now):
        # Queued proves that nothing left (S6), so this would be the first send.
        # The claim itself refuses a first send at or after the deadline (PRODUCT 4).
        return Change(state=State.EXPIRED, needs_person="late_by_us")
    if facts.has_unknown and now >= facts.replay_until:
        return Change(state=State.MANUAL, needs_person="replay_over")
    return None


_ANSWERED = {
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


def _says_the_same(before: State, after: State) -> bool:
    return before is after or (before in GRANTED and after in GRANTED)
