"""The states of a transaction and their lawful changes (RELIABILITY 4). Pure data and rules."""

from datetime import datetime
from enum import StrEnum


class Operation(StrEnum):
    """What is asked of the programme. One row of the log is one operation."""

    REDEEM = "redeem"
    REVERSE = "reverse"
    ISSUE = "issue"  # Miles for a sale: POST or ISSUE, as the sponsor's miles are calculated.
    RETURN = "return"  # Miles of a sale taken back: REVERSE or RETURN.
    POST_EVENT = "post_event"
    REVERSE_EVENT = "reverse_event"
    RECORD = "record"


CASH = frozenset({Operation.REDEEM, Operation.REVERSE})
ISSUANCE = frozenset(Operation) - CASH
OF_A_SALE = CASH | {Operation.ISSUE, Operation.RETURN}
# The programme has these of one collector one after the other, pending ones included.
ORDERED = ISSUANCE - {Operation.RECORD}
# What takes miles back, and may name the issuance it takes them from.
TAKING_BACK = frozenset({Operation.RETURN, Operation.REVERSE_EVENT})
# The page of RECORD shows no Idempotency-Key, and it moves nothing.
KEYLESS = frozenset({Operation.RECORD})


class Product(StrEnum):
    """What the programme offers of its own accord: each has its own doors, and its own trouble."""

    CASH = "cash"
    ISSUANCE = "issuance"


OPERATIONS_OF = {Product.CASH: CASH, Product.ISSUANCE: ISSUANCE}


def product_of(operation: Operation) -> Product:
    """Return the product that an operation belongs to."""
    return Product.CASH if operation in CASH else Product.ISSUANCE


class Wanted(StrEnum):
    """What the customer wants of an operation whose outcome is not known yet."""

    KEEP = "keep"
    CANCEL = "cancel"


class State(StrEnum):
    """Where an operation stands."""

    QUEUED = "queued"  # Nothing has left, and nothing will until somebody sends it.
    ARMED = "armed"  # A committed right to send; the lease runs until due_at.
    DOUBT = "doubt"  # Sent, outcome unknown.
    PENDING = "pending"  # The programme has it and has not finished.
    APPROVED = "approved"  # Done at the programme; the till has yet to show it.
    MANUAL = "manual"  # A person decides.
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    NOT_SENT = "not_sent"
    CONFIRMED = "confirmed"
    PARTIAL = "partial"
    REJECTED = "rejected"


TERMINAL = frozenset(
    {
        State.DONE,
        State.DECLINED,
        State.EXPIRED,
        State.NOT_SENT,
        State.CONFIRMED,
        State.PARTIAL,
        State.REJECTED,
    }
)
# The programme's part is over: nothing more is sent for these.
SETTLED = TERMINAL | {State.APPROVED}
# An outcome is owed: a second operation on the same thing must wait.
UNSETTLED = frozenset(State) - SETTLED
# Approved at the programme, whether or not the till has shown it.
GRANTED = frozenset({State.APPROVED, State.DONE, State.CONFIRMED})
# Returns in these states took their miles, or may yet.
TAKING = UNSETTLED | {State.CONFIRMED, State.PARTIAL}
# A reversal in one of these states keeps its redemption from being reversed again.
LIVE_REVERSAL = UNSETTLED | GRANTED
# What the sweep may claim and send; a queued redemption is for its cashier only (R6).
CLAIMABLE = frozenset({State.QUEUED, State.ARMED, State.DOUBT, State.PENDING})

_ANSWERED = frozenset(
    {
        State.APPROVED,
        State.DECLINED,
        State.EXPIRED,
        State.MANUAL,
        State.CONFIRMED,
        State.PARTIAL,
        State.REJECTED,
        State.PENDING,
        State.DONE,
    }
)
# From → to. A definitive answer is a fact, whoever brings it and however late (S4), so every
# unsettled state admits it; only a recorded decision leaves MANUAL.
LAWFUL: dict[State, frozenset[State]] = {
    State.QUEUED: _ANSWERED | {State.ARMED, State.NOT_SENT, State.EXPIRED},
    State.ARMED: _ANSWERED | {State.ARMED, State.DOUBT, State.QUEUED},
    State.DOUBT: _ANSWERED | {State.ARMED, State.DOUBT},
    State.PENDING: _ANSWERED | {State.ARMED, State.DOUBT},
    State.APPROVED: frozenset({State.DONE}),
    State.MANUAL: TERMINAL | {State.APPROVED},
    State.DONE: frozenset(),
    State.DECLINED: frozenset(),
    State.EXPIRED: frozenset(),
    State.NOT_SENT: frozenset(),
    State.CONFIRMED: frozenset(),
    State.PARTIAL: frozenset(),
    State.REJECTED: frozenset(),
}


def is_lawful(before: State, after: State) -> bool:
    """Say whether a transaction may go from one state to another."""
    return after in LAWFUL[before]


class Shown(StrEnum):
    """What a screen says of an operation (RELIABILITY 4.8)."""

    WAITING = "waiting"
    DOUBT = "doubt"
    CANCELLING = "cancelling"
    QUEUED = "queued"
    PENDING = "pending"
    APPROVED = "approved"
    DONE = "done"
    DECLINED = "declined"
    DECLINED_AFTER_DOUBT = "declined_after_doubt"
    NOT_SENT = "not_sent"
    EXPIRED = "expired"
    MANUAL = "manual"
    CONFIRMED = "confirmed"
    PARTIAL = "partial"
    REJECTED = "rejected"


def shown(
    *,
    state: State,
    due_at: datetime | None,
    wanted: Wanted,
    is_after_doubt: bool,
    has_been_doubted: bool,
    is_acknowledged: bool = False,
    now: datetime,
) -> Shown:
    """Return what a screen says. An armed row whose lease is over is a doubt: its sender died.

    What the programme has acknowledged is pending, also while it is asked about once more.
    """
    if is_acknowledged and state in {State.ARMED, State.DOUBT}:
        return Shown.PENDING
    is_overdue = due_at is None or due_at <= now
    if state is State.DOUBT or (state is State.ARMED and (has_been_doubted or is_overdue)):
        return Shown.CANCELLING if wanted is Wanted.CANCEL else Shown.DOUBT
    if state is State.ARMED:
        return Shown.WAITING
    if state is State.DECLINED and is_after_doubt:
        return Shown.DECLINED_AFTER_DOUBT
    return Shown(state.value)
