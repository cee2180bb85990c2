"""What the log's writer takes and what it refuses with. Values only."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation


class Conflict(StrEnum):
    """Why the log refuses a new operation."""

    OTHER_CONTENT = "other_content"
    COLLECTOR_BUSY = "collector_busy"
    COLLECTOR_IN_DOUBT = "collector_in_doubt"
    SUPERVISOR_NEEDED = "supervisor_needed"
    SALE_OPEN = "sale_open"
    REVERSAL_LIVE = "reversal_live"
    CREDIT_GIVEN = "credit_given"
    SAME_PERSON = "same_person"
    ANSWER_CAME = "answer_came"
    STATE_CHANGED = "state_changed"
    IMPOSSIBLE = "impossible"
    UNSAFE = "unsafe"
    PROGRAMME_DOWN = "programme_down"
    VOIDED = "voided"


class Refused(Exception):
    """The log refuses; nothing was written and nothing may be sent."""

    def __init__(self, conflict: Conflict, why: str = "") -> None:
        super().__init__(why or conflict.value)
        self.conflict = conflict
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One operation as it is to be sent: the body's bytes are final."""

    operation: Operation
    path: str
    body: bytes
    trace_id: str
    client_ref: str
    sale_ref: str
    language: str
    card_number: str
    card_entry_mode: str
    basket_cents: int | None = None
    asked_cents: int | None = None
    reverses: Transaction | None = None
    # Of an issuance: its number at the programme, what it takes miles from, what it puts right.
    checkout_id: str = ""
    original: Transaction | None = None
    corrects: Transaction | None = None
    # The returns of the original that the caller counted with; None where it did not count.
    counted: frozenset[uuid.UUID] | None = None
    reference: uuid.UUID = field(default_factory=uuid.uuid4)
    # What the caller asked for, without what we add (times, keys): equal means the same request.
    asked: str = ""


MakeReversal = Callable[[Transaction, datetime], Intent]
