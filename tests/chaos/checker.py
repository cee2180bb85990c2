"""Compares what the programme did with what Milepost says, after the faults stopped (RELIABILITY
6). Pure: evidence in, violations out. It knows our tables by their columns and none of our code,
so that a mistake in the code cannot hide in its judge.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos import gifts, switch
from tests.chaos.evidence import Evidence, Exchange, Kind, Row, Violation, by_key

CASH = frozenset({"redeem", "reverse"})
GRANTED = frozenset({"approved", "done"}) | gifts.GIVEN
TERMINAL = frozenset({"done", "declined", "expired", "not_sent", "rejected"}) | gifts.GIVEN
SETTLED = TERMINAL | {"approved"}
# Which audit entries may tell of each end; a person's row was left to one.
TOLD_BY = {
    "approved": {"approved"},
    "done": {"approved", "done"},
    "confirmed": {"confirmed"},
    "partial": {"partial"},
    "rejected": {"rejected"},
    "declined": {"declined", "declined_after_doubt"},
    "expired": {"expired"},
    "not_sent": {"not_sent"},
    "manual": {"manual", "left_to_a_person"},
}
SENDS = frozenset({"armed", "rearmed", "claimed"})
# After one of these it is known whether there was an effect.
CLOSES = frozenset().union(*TOLD_BY.values()) - {"manual", "left_to_a_person"} | {"queued"}


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
        gifts.log_is_ledger,
        gifts.one_after_another,
        _balances,
        _terminal_stays,
        _settled,
        _nothing_offered_twice,
        _told,
        _kept_secret,
        switch.told_is_so,
    ):
        found += rule(evidence)
    return found


def _once_per_key(evidence: Evidence) -> Iterator[Violation]:
    each = Counter((one.key, one.offer_code, one.offer_id) for one in evidence.effects)
    for (key, offer, _offer_id), count in each.items():
        if count > 1:
            what = f"{count} effects of key {key} {offer}".strip()
            yield Violation(rule="I1", kind=Kind.DOUBLED, what=what)


def _same_bytes(evidence: Evidence) -> Iterator[Violation]:
    for key, sent in by_key(evidence.exchanges).items():
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
    late = [key for key, sent in by_key(evidence.exchanges).items() if _overlap(sent, evidence)]
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
    effects = {one.key: one for one in evidence.effects if not one.offer_code}
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
        elif (row.operation, row.moved) != (effect.kind, effect.miles):
            what = f"{row.reference} says {row.moved} miles, the programme {effect.miles}"
            yield Violation(rule="I6", kind=Kind.MONEY, what=what)
    for row in evidence.rows:
        if row.operation in CASH and row.state in GRANTED and row.key not in effects:
            what = f"{row.reference} is {row.state}, and the programme did nothing"
            yield Violation(rule="I6", kind=Kind.INVENTED, what=what)


def _balances(evidence: Evidence) -> Iterator[Violation]:
    held = {row.key for row in evidence.rows if row.state not in SETTLED or row.is_with_a_person}
    ours: Counter[str] = Counter()
    for row in evidence.rows:
        if row.state in GRANTED and row.key not in held:
            ours[row.last4] += row.moved
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
        is_endless = row.last4 in evidence.endless and row.operation not in CASH
        if row.state not in SETTLED and not row.is_with_a_person and not is_endless:
            what = f"{row.operation} {row.reference} is still {row.state}"
            yield Violation(rule="I9", kind=Kind.UNSETTLED, what=what)


def _nothing_offered_twice(evidence: Evidence) -> Iterator[Violation]:
    """No way to pay again while the first may have been paid (I10): on a page, or taken in fact."""
    rows = {row.reference: row for row in evidence.rows}
    effects = {effect.key: effect for effect in evidence.effects}
    sent = by_key(evidence.exchanges)
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
