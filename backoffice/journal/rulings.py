"""What people may decide where no rule can, and how many it takes (RELIABILITY 8). Pure."""

from dataclasses import dataclass
from datetime import timedelta

from backoffice.journal.states import ISSUANCE, LAWFUL, TERMINAL, Operation, State

# What a person can learn from the programme's help desk; each is lawful out of MANUAL.
OUTCOMES: dict[Operation, tuple[State, ...]] = {
    Operation.REDEEM: (State.DONE, State.APPROVED, State.DECLINED),
    Operation.REVERSE: (State.APPROVED, State.DECLINED, State.EXPIRED),
    Operation.RECORD: (State.DONE, State.REJECTED),
}
assert all(set(states) <= LAWFUL[State.MANUAL] for states in OUTCOMES.values())
# Miles of several offers: which words are left depends on those that are final already.
_NONE_FINAL = (State.CONFIRMED, State.REJECTED)
_SOME_GIVEN = (State.CONFIRMED, State.PARTIAL)
_SOME_REFUSED = (State.PARTIAL, State.REJECTED)
_BOTH = (State.PARTIAL,)
# It was left with a person before anything of it was sent, and nothing will be.
_NEVER_SENT = (State.NOT_SENT,)

# What the programme has had for so long without finishing it, people may end (RELIABILITY M8).
ENDED_AFTER = timedelta(hours=24)
_ASKED = frozenset({State.PENDING, State.DOUBT, State.ARMED})
MOST_MILES = 10**9


@dataclass(frozen=True, kw_only=True)
class Case:
    """What must be known of a transaction to say what people may decide of it.

    `statuses` are those of its offers, `age` how long ago it was opened."""

    operation: Operation
    state: State
    needs_person: str = ""
    has_unknown: bool = False
    is_acknowledged: bool = False
    age: timedelta = timedelta(0)
    statuses: frozenset[str] = frozenset()
    asked_cents: int | None = None

    @property
    def is_unfinished(self) -> bool:
        """Whether the programme has it and has not finished it for so long that people may."""
        is_old = self.is_acknowledged and self.age >= ENDED_AFTER
        return self.operation in ISSUANCE and self.state in _ASKED and is_old

    @property
    def task(self) -> str:
        """Why people must or may look; empty while it is asked for and none of them has to."""
        if self.is_unfinished:
            return "pending_long"
        is_over = self.state in TERMINAL | {State.MANUAL, State.APPROVED}
        return self.needs_person if is_over else ""

    @property
    def needs_two(self) -> bool:
        """Whether two people must agree: where a wrong word pays a customer twice."""
        may_have_worked = self.operation is Operation.REVERSE and self.has_unknown
        is_open = self.state is State.MANUAL or self.is_unfinished
        return bool(self.task) and (is_open or self.task == "conflict" or may_have_worked)

    @property
    def outcomes(self) -> tuple[State, ...]:
        """What may be decided: nothing unless it is with a person, or never finished."""
        if self.state is not State.MANUAL and not self.is_unfinished:
            return ()
        if self.operation in OUTCOMES:
            return OUTCOMES[self.operation]
        if self.needs_person == "original_partial":
            return _NEVER_SENT
        is_given, is_refused = ("confirmed" in self.statuses), ("rejected" in self.statuses)
        if is_given:
            return _BOTH if is_refused else _SOME_GIVEN
        return _SOME_REFUSED if is_refused else _NONE_FINAL


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What one person says. `outcome` is empty where only the task is closed; the confirmation
    number, the amount and the miles are what the help desk gave for what went through."""

    note: str
    outcome: State | None = None
    help_desk_ref: str = ""
    confirmation_number: str = ""
    amount_cents: int | None = None
    miles: int | None = None


def is_believable(ruling: Ruling, case: Case) -> bool:
    """Say whether what was given is possible: something, and no more than was asked for."""
    cents, miles = ruling.amount_cents, ruling.miles
    most_cents = case.asked_cents
    is_amount = cents is None or (cents >= 1 and (most_cents is None or cents <= most_cents))
    return is_amount and (miles is None or 1 <= miles <= MOST_MILES)


def pending_becomes(outcome: State, statuses: frozenset[str]) -> str:
    """Return what an offer that the programme never finished becomes by a decision."""
    is_given = outcome is State.CONFIRMED or (
        outcome is State.PARTIAL and "confirmed" not in statuses
    )
    return "confirmed" if is_given else "rejected"
