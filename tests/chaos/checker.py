"""Compares what the programme did with what Milepost says, after the faults stopped (RELIABILITY
6). Pure: evidence in, violations out. It knows our tables by their columns and none of our code,
so that a mistake in the code cannot hide in its judge.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

GRANTED = frozenset({"approved", "done"})
TERMINAL = frozenset({"done", "declined", "expired", "not_sent"})
SETTLED = TERMINAL | {"approved"}
# Which audit entries may tell of each end; a person's row was left to one.
TOLD_BY = {
    "approved": {"approved"},
    "done": {"approved"},
    "declined": {"declined", "declined_after_doubt"},
    "expired": {"expired"},
    "not_sent": {"not_sent"},
    "manual": {"manual", "left_to_a_person"},
}
SENDS = frozenset({"armed", "rearmed", "claimed"})
# After one of these it is known whether there was an effect.
CLOSES = frozenset().union(*TOLD_BY.values()) - {"manual", "left_to_a_person"} | {"queued"}


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
    OFFERED = "offered"
    LEAKED = "leaked"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One movement of miles in the programme's own ledger."""

    key: str
    kind: str
    collector: str
    miles: int
    confirmation: str
    at: datetime


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
    attempts: Sequence[Attempt] = ()
    events: Sequence[Event] = ()

    @property
    def is_with_a_person(self) -> bool:
        """Whether a person holds it: it is counted apart and neither lost nor unsettled."""
        return bool(self.needs_person)


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
    # Each reference's states as they were polled, without repetitions.
    history: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # What every account held before, and what it holds now.
    seeded_miles: Mapping[str, int] = field(default_factory=dict)
    miles_now: Mapping[str, int] = field(default_factory=dict)
    # Where a collector's whole number was found.
    leaks: Sequence[str] = ()
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


def check(evidence: Evidence) -> list[Violation]:
    """Return every promise that did not hold, in the order of the rules."""
    found: list[Violation] = []
    for rule in (
        _once_per_key,
        _same_bytes,
        _one_at_a_time,
        _acknowledged_exists,
        _one_key_per_press,
        _log_is_ledger,
        _balances,
        _terminal_stays,
        _settled,
        _nothing_offered_twice,
        _told,
        _kept_secret,
    ):
        found += rule(evidence)
    return found


def _once_per_key(evidence: Evidence) -> Iterator[Violation]:
    for key, count in Counter(effect.key for effect in evidence.effects).items():
        if count > 1:
            yield Violation(rule="I1", kind=Kind.DOUBLED, what=f"{count} effects of key {key}")


def _same_bytes(evidence: Evidence) -> Iterator[Violation]:
    for key, sent in _by_key(evidence.exchanges).items():
        forms = sorted({f"{one.method} {one.path} {one.body_sha256[:8]}" for one in sent})
        if len(forms) > 1:
            what = f"key {key} was sent as {' and as '.join(forms)}"
            yield Violation(rule="I2", kind=Kind.BYTE_DRIFT, what=what)


def _one_at_a_time(evidence: Evidence) -> Iterator[Violation]:
    if evidence.has_moved_clock:
        return
    for row in evidence.rows:
        for first, second in zip(row.attempts, row.attempts[1:], strict=False):
            # A frozen sender may finish late; what counts is that its right had lapsed.
            is_over = first.finished_at is not None and first.finished_at <= second.armed_at
            if not is_over and second.armed_at < first.armed_at + evidence.lease:
                what = f"{row.reference}: a second right to send within the first one's lease"
                yield Violation(rule="I3", kind=Kind.OVERLAPPED, what=what)
    late = [key for key, sent in _by_key(evidence.exchanges).items() if _overlap(sent, evidence)]
    # A process that is frozen between its last look at the clock and its write is late by that.
    for key in late[evidence.freezes :]:
        what = f"key {key} was in flight twice at one time"
        yield Violation(rule="I3", kind=Kind.OVERLAPPED, what=what)


def _overlap(sent: Sequence[Exchange], evidence: Evidence) -> bool:
    for first, second in itertools.pairwise(sent):
        # Its arrival is later than its start, so half of the call's time is certain to be ours.
        end_at = first.arrived_at + evidence.call / 2
        if first.finished_at is not None:
            end_at = min(end_at, first.finished_at)
        if second.arrived_at < end_at:
            return True
    return False


def _acknowledged_exists(evidence: Evidence) -> Iterator[Violation]:
    known = {row.reference for row in evidence.rows}
    for reference in sorted({one.reference for one in evidence.shown} - known):
        what = f"the till was shown {reference}, which is not in the log"
        yield Violation(rule="I4", kind=Kind.LOST, what=what)


def _one_key_per_press(evidence: Evidence) -> Iterator[Violation]:
    shown = defaultdict(set)
    for one in evidence.shown:
        shown[one.client_ref].add(one.reference)
    for row in evidence.rows:
        shown[row.client_ref].add(row.reference)
    for client_ref, references in shown.items():
        if len(references) > 1:
            what = f"press {client_ref} became {len(references)} operations"
            yield Violation(rule="I5", kind=Kind.DOUBLED, what=what)
    for key, count in Counter(row.key for row in evidence.rows).items():
        if count > 1:
            what = f"key {key} belongs to {count} operations"
            yield Violation(rule="I5", kind=Kind.DOUBLED, what=what)


def _log_is_ledger(evidence: Evidence) -> Iterator[Violation]:
    rows = {row.key: row for row in evidence.rows}
    effects = {effect.key: effect for effect in evidence.effects}
    for key, effect in effects.items():
        row = rows.get(key)
        if row is None:
            what = f"{effect.kind} {effect.confirmation} has no operation with its key {key}"
            yield Violation(rule="I6", kind=Kind.LOST, what=what)
        elif row.is_with_a_person or row.state not in SETTLED:
            continue  # A person looks at it, or I9 says that it is open.
        elif row.state not in GRANTED:
            what = f"{row.reference} is {row.state}, and the programme did it"
            yield Violation(rule="I6", kind=Kind.LOST, what=what)
        elif (row.operation, _moved(row)) != (effect.kind, effect.miles):
            what = f"{row.reference} says {_moved(row)} miles, the programme {effect.miles}"
            yield Violation(rule="I6", kind=Kind.MONEY, what=what)
    for row in evidence.rows:
        if row.state in GRANTED and row.key not in effects:
            what = f"{row.reference} is {row.state}, and the programme did nothing"
            yield Violation(rule="I6", kind=Kind.INVENTED, what=what)


def _moved(row: Row) -> int:
    miles = row.miles or 0
    return miles if row.operation == "reverse" else -miles


def _balances(evidence: Evidence) -> Iterator[Violation]:
    held = {row.key for row in evidence.rows if row.state not in SETTLED or row.is_with_a_person}
    ours: Counter[str] = Counter()
    for row in evidence.rows:
        if row.state in GRANTED and row.key not in held:
            ours[row.last4] += _moved(row)
    apart: Counter[str] = Counter()
    for effect in evidence.effects:
        if effect.key in held:
            apart[effect.collector] += effect.miles
    for collector, before in evidence.seeded_miles.items():
        after = evidence.miles_now.get(collector, 0)
        expected = before + ours[collector[-4:]] + apart[collector]
        if after != expected:
            what = f"card ending {collector[-4:]} holds {after} miles instead of {expected}"
            yield Violation(rule="I7", kind=Kind.MONEY, what=what)


def _terminal_stays(evidence: Evidence) -> Iterator[Violation]:
    for reference, states in evidence.history.items():
        for before, after in itertools.pairwise(states):
            if before in TERMINAL or (before == "approved" and after != "done"):
                what = f"{reference} went from {before} to {after}"
                yield Violation(rule="I8", kind=Kind.REWRITTEN, what=what)


def _settled(evidence: Evidence) -> Iterator[Violation]:
    for row in evidence.rows:
        if row.state not in SETTLED and not row.is_with_a_person:
            what = f"{row.operation} {row.reference} is still {row.state}"
            yield Violation(rule="I9", kind=Kind.UNSETTLED, what=what)


def _nothing_offered_twice(evidence: Evidence) -> Iterator[Violation]:
    """No way to pay again while the first may have been paid (I10): on a page, or taken in fact."""
    rows = {row.reference: row for row in evidence.rows}
    effects = {effect.key: effect for effect in evidence.effects}
    sent = _by_key(evidence.exchanges)
    for one in evidence.offered:
        row = rows.get(one.reference)
        key = row.key if row is not None else ""
        effect = effects.get(key)
        # What arrives while the page is on its way could not be known to it.
        in_flight = effect is not None and any(
            exchange.arrived_at <= one.asked_at
            and (exchange.finished_at is None or exchange.finished_at >= one.got_at)
            for exchange in sent.get(key, ())
        )
        if effect is not None and (effect.at <= one.asked_at or in_flight):
            what = f"{one.reference} offered to {one.way}, and its miles were, or could be, taken"
            yield Violation(rule="I10", kind=Kind.OFFERED, what=what)
    of_card = defaultdict(list)
    for row in evidence.rows:
        if row.operation == "redeem" and row.events:
            of_card[row.last4].append(row)
    for row in evidence.rows:
        if row.operation == "redeem" and row.key in effects:
            spans = list(_open_spans(row))
            for other in of_card[row.last4]:
                began = other.events[0].number
                if other is not row and any(begin < began < end for begin, end in spans):
                    what = f"{other.reference} began while {row.reference} of the card was open"
                    yield Violation(rule="I10", kind=Kind.OFFERED, what=what)


def _open_spans(row: Row) -> Iterator[tuple[int, float]]:
    """Yield from which entry of the audit log to which one it may have had an effect, unknown."""
    begin = None
    for event in row.events:
        if event.name in SENDS:
            begin = event.number if begin is None else begin
        elif event.name in CLOSES and begin is not None:
            yield begin, event.number
            begin = None
    if begin is not None:
        yield begin, float("inf")


def _told(evidence: Evidence) -> Iterator[Violation]:
    for row in evidence.rows:
        said = [event.name for event in row.events]
        sends = sum(event in SENDS for event in said)
        if sends != len(row.attempts):
            what = f"{row.reference} has {len(row.attempts)} attempts, and {sends} are told"
            yield Violation(rule="I11", kind=Kind.UNTOLD, what=what)
        ends = TOLD_BY.get(row.state)
        if ends is not None and not ends.intersection(said):
            what = f"nothing tells how {row.reference} became {row.state}"
            yield Violation(rule="I11", kind=Kind.UNTOLD, what=what)


def _kept_secret(evidence: Evidence) -> Iterator[Violation]:
    for place in evidence.leaks:
        what = f"a collector's whole number is in {place}"
        yield Violation(rule="I12", kind=Kind.LEAKED, what=what)


def _by_key(exchanges: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in sorted(exchanges, key=lambda one: one.arrived_at):
        if exchange.key:
            found[exchange.key].append(exchange)
    return found
