"""What a silence or a passing moment does to an issuance (RELIABILITY 4.6, M1–M9). Pure: no clock.

Nobody waits at a till for these: what never left is sent later, a doubt is asked as long as its key
is trusted, and what the programme has acknowledged is asked until it is final, however long.
"""

from datetime import datetime, timedelta

from backoffice.journal.decisions import DEFINITIVE, Change, Facts, Verdict, back_off
from backoffice.journal.states import State

# After an answer that it is not finished; the last wait is repeated for days (M4).
PENDING_WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(seconds=60),
    timedelta(minutes=5),
    timedelta(minutes=15),
)
# Ages at which what is still open is made known to people (M8).
ALARMS_HOURS = (1, 24)
# Behind another issuance of its collector it is looked at again no sooner than this.
BEHIND_FOR = timedelta(seconds=2)

_NOTHING_GIVEN = frozenset({State.REJECTED, State.NOT_SENT})


def pending_wait(looks: int) -> timedelta:
    """Return the wait after so many answers that it is not finished yet."""
    assert looks >= 1
    return PENDING_WAITS[min(looks, len(PENDING_WAITS)) - 1]


def after_silence(facts: Facts, verdict: Verdict, *, now: datetime, spread: float) -> Change:
    """Return what the lack of a final answer changes; only the fence's holder may apply it."""
    assert verdict not in DEFINITIVE
    if verdict is Verdict.PENDING or facts.is_acknowledged:
        # A silence takes nothing back of an earlier word that the programme has it.
        return Change(state=State.PENDING, due_at=now + pending_wait(facts.looks))
    if verdict is Verdict.BUSY or verdict is Verdict.UNKNOWN or facts.has_unknown:
        if now >= facts.replay_until:
            return Change(state=State.MANUAL, needs_person="replay_over")
        wait = back_off(facts.tries, spread=spread)
        if verdict is Verdict.BUSY:
            wait = pending_wait(facts.tries)
        return Change(state=State.DOUBT, due_at=now + wait)
    # Nothing left, or nothing was done: it is owed all the same (M9).
    return Change(state=State.QUEUED, due_at=now + back_off(facts.tries, spread=spread))


def when_due(facts: Facts, *, now: datetime) -> Change | None:
    """Return what a due row becomes instead of being sent, or None when it is to be sent."""
    if facts.state is State.QUEUED and facts.original_state in _NOTHING_GIVEN:
        return Change(state=State.NOT_SENT)  # There is nothing to take back.
    is_for_nobody = facts.is_training and facts.original_state is State.MANUAL
    if facts.state is State.QUEUED and is_for_nobody:
        return Change(state=State.NOT_SENT)  # It would wait for a ruling that nobody makes.
    is_partial = facts.original_state is State.PARTIAL and facts.is_original_news
    if facts.state is State.QUEUED and is_partial:
        # It was written when all of its sale's miles were expected; what it asks may be too much.
        return Change(state=State.MANUAL, needs_person="original_partial")
    is_doubt = facts.has_unknown or facts.state is State.DOUBT
    if is_doubt and not facts.is_acknowledged and now >= facts.replay_until:
        return Change(state=State.MANUAL, needs_person="replay_over")
    return None


def alarm_hours(*, opened_at: datetime, now: datetime) -> int | None:
    """Return the last alarm that an open issuance has come to, in hours of age, or None."""
    age = now - opened_at
    return max((hours for hours in ALARMS_HOURS if age >= timedelta(hours=hours)), default=None)
