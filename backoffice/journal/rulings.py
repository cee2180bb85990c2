"""What people may decide where no rule can, and how many it takes (RELIABILITY 8). Pure."""

from dataclasses import dataclass

from backoffice.journal.states import LAWFUL, TERMINAL, Operation, State

# What a person can learn from the programme's help desk; each is lawful out of MANUAL.
OUTCOMES: dict[Operation, tuple[State, ...]] = {
    Operation.REDEEM: (State.DONE, State.APPROVED, State.DECLINED),
    Operation.REVERSE: (State.APPROVED, State.DECLINED, State.EXPIRED),
}
assert all(set(states) <= LAWFUL[State.MANUAL] for states in OUTCOMES.values())


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What one person says. `outcome` is empty where only the task is closed; the confirmation
    number and the amount are what the help desk gave for a redemption that went through."""

    note: str
    outcome: State | None = None
    help_desk_ref: str = ""
    confirmation_number: str = ""
    amount_cents: int | None = None


def outcomes(*, operation: Operation, state: State) -> tuple[State, ...]:
    """Return what may be decided of a transaction: nothing unless it is with a person."""
    return OUTCOMES.get(operation, ()) if state is State.MANUAL else ()


def has_task(*, state: State, needs_person: str) -> bool:
    """Say whether a transaction waits for people. One that is still asked for does not yet."""
    is_over = state is State.MANUAL or state is State.APPROVED or state in TERMINAL
    return is_over and bool(needs_person)


def needs_two(*, operation: Operation, state: State, needs_person: str, has_unknown: bool) -> bool:
    """Say whether two people must agree: where a wrong word pays a customer twice."""
    may_have_worked = operation is Operation.REVERSE and has_unknown
    return state is State.MANUAL or needs_person == "conflict" or may_have_worked
