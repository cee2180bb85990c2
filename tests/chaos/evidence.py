"""What is known after a run: our log, the programme's ledger, what tills were shown. Values."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tests.chaos.told import Asked

# The programme has these of one collector one after the other (PLATFORM 2.9).
ORDERED = frozenset({"issue", "return", "post_event", "reverse_event"})
# What takes miles from a collector.
TAKING = frozenset({"redeem", "return", "reverse_event"})
# An issuance of which some offers were rejected is at its end; a person only puts it right.
_TO_CORRECT = "rejected"


class Kind(StrEnum):
    """What a violation costs somebody."""

    DOUBLED = "doubled"
    LOST = "lost"
    INVENTED = "invented"
    BYTE_DRIFT = "byte_drift"
    OVERLAPPED = "overlapped"
    UNSETTLED = "unsettled"
    REWRITTEN = "rewritten"
    UNTOLD = "untold"
    MONEY = "money"
    DISORDERED = "disordered"
    OFFERED = "offered"
    LEAKED = "leaked"
    MISTOLD = "mistold"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One movement of miles in the programme's own ledger."""

    key: str
    kind: str
    collector: str
    miles: int
    confirmation: str
    at: datetime
    # Of an issuance there is one for each offer.
    offer_code: str = ""
    offer_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request as it arrived at the programme."""

    key: str
    method: str
    path: str
    body_sha256: str
    arrived_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One right to send, as our log has it."""

    sender: str
    armed_at: datetime
    finished_at: datetime | None = None

    @property
    def pid(self) -> int:
        """The process that was given it; 0 where the sender does not say."""
        number = self.sender.rpartition("/")[2]
        return int(number) if number.isdigit() else 0


@dataclass(frozen=True, kw_only=True)
class Event:
    """One audit entry: its number in the audit log, and its name without the operation's."""

    number: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Gift:
    """What our log says of one offer of an issuance. Miles are positive, whichever way they go."""

    offer_code: str
    offer_id: str
    miles: int
    status: str
    confirmation: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One operation of our log with its attempts and its audit entries, in order."""

    reference: str
    key: str
    client_ref: str
    operation: str
    state: str
    needs_person: str = ""
    confirmation: str = ""
    miles: int | None = None
    last4: str = ""
    opened_at: datetime | None = None
    # By which door it came, under which number of the caller's own, and what it reverses.
    channel: str = ""
    number: str = ""
    reverses: str = ""
    # Whether a person holds the issuance that it takes miles back from: it waits for them too.
    is_behind_a_person: bool = False
    gifts: Sequence[Gift] = ()
    attempts: Sequence[Attempt] = ()
    events: Sequence[Event] = ()

    @property
    def is_with_a_person(self) -> bool:
        """Whether a person holds it: it is counted apart and neither lost nor unsettled."""
        return self.needs_person not in {"", _TO_CORRECT} or self.is_behind_a_person

    @property
    def moved(self) -> int:
        """Its miles, negative where they left the collector."""
        miles = self.miles or 0
        return -miles if self.operation in TAKING else miles


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A sale's address that the web gave a till for what it had pressed."""

    reference: str
    client_ref: str


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A way to pay once more that a sale's page showed, between its request and its arrival."""

    reference: str
    way: str
    asked_at: datetime
    got_at: datetime


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill: when, of what, and the processes that it ended."""

    at: datetime
    name: str
    pids: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known after a run."""

    rows: Sequence[Row]
    effects: Sequence[Effect]
    exchanges: Sequence[Exchange]
    shown: Sequence[Shown]
    offered: Sequence[Offered] = ()
    # What tills of the switch asked, and every word that they were told.
    asked: Sequence[Asked] = ()
    # Each reference's states as they were polled, without repetitions.
    history: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # What every account held before, and what it holds now.
    seeded_miles: Mapping[str, int] = field(default_factory=dict)
    miles_now: Mapping[str, int] = field(default_factory=dict)
    # Where a collector's whole number was found.
    leaks: Sequence[str] = ()
    # The last four digits of cards of which the programme never finishes anything.
    endless: frozenset[str] = frozenset()
    lease: timedelta
    # How long our client waits for one answer; afterwards a request is in flight no more.
    call: timedelta
    freezes: int = 0
    # Whether our clock jumped: a lease then lapses early or late, and I3 cannot hold.
    has_moved_clock: bool = False


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that did not hold."""

    rule: str
    kind: Kind
    what: str


def by_key(exchanges: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    """Return what arrived with each key, in order of arrival."""
    found: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in sorted(exchanges, key=lambda one: one.arrived_at):
        if exchange.key:
            found[exchange.key].append(exchange)
    return found
