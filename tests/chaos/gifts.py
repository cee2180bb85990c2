"""The judge of miles given and taken back: each offer's miles are the programme's, and those of one
collector go one after the other (RELIABILITY 4.6). Pure; `checker` asks it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.chaos.evidence import ORDERED, TAKING, Effect, Evidence, Kind, Row, Violation, by_key

GIVEN = frozenset({"confirmed", "partial"})
_PENDING = "pending"
_SETTLED = GIVEN | {"rejected", "not_sent"}
# Two presses this far apart have an order; of two at one moment either may be the first.
_APART = timedelta(seconds=2)

# By our operation, what the programme's ledger calls it: by our offers, or worked out there.
_KINDS = {
    "issue": frozenset({"post", "issue"}),
    "return": frozenset({"issuance-reverse", "return"}),
    "post_event": frozenset({"post-event"}),
    "reverse_event": frozenset({"issuance-reverse-event"}),
}
_Offer = tuple[str, str]


def log_is_ledger(evidence: Evidence) -> Iterator[Violation]:
    """Every offer that moved is confirmed in our log with the same miles, and no other is."""
    rows = {row.key: row for row in evidence.rows}
    moved = _moved(evidence)
    for key, theirs in moved.items():
        row = rows.get(key)
        if row is None:
            for effect in theirs.values():
                what = f"{effect.kind} {effect.confirmation} has no operation with its key {key}"
                yield Violation(rule="I6", kind=Kind.LOST, what=what)
        elif row.state in _SETTLED and not row.is_with_a_person:
            yield from _compared(row, theirs)
    for row in evidence.rows:
        if row.state in GIVEN:
            for offer in set(_confirmed(row)) - set(moved[row.key]):
                what = f"{row.reference} has {' '.join(offer)}, and the programme did nothing"
                yield Violation(rule="I6", kind=Kind.INVENTED, what=what)
            for gift in row.gifts:
                if gift.status == _PENDING:
                    # Nobody asks any more, and the programme has not said that it gave these.
                    what = f"{row.reference} is {row.state}, and its {gift.offer_code} is pending"
                    yield Violation(rule="I6", kind=Kind.INVENTED, what=what)


def one_after_another(evidence: Evidence) -> Iterator[Violation]:
    """Nothing of a collector is sent while something before it is open, pending included."""
    of_collector = defaultdict(list)
    for sent in _sendings(evidence):
        of_collector[sent.row.last4].append(sent)
    found = []
    for sendings in of_collector.values():
        found += list(_out_of_turn(sendings, has_moved_clock=evidence.has_moved_clock))
    # A sender that was frozen between its last look at the clock and its write comes late.
    for what in found[evidence.freezes :]:
        yield Violation(rule="M9", kind=Kind.DISORDERED, what=what)


@dataclass(frozen=True, kw_only=True)
class _Sending:
    """When one operation's requests arrived: the first, and the last."""

    row: Row
    first: datetime
    last: datetime


def _sendings(evidence: Evidence) -> Iterator[_Sending]:
    arrived = by_key(evidence.exchanges)
    for row in evidence.rows:
        sent = arrived.get(row.key)
        if sent and row.operation in ORDERED and not row.is_with_a_person:
            yield _Sending(row=row, first=sent[0].arrived_at, last=sent[-1].arrived_at)


def _out_of_turn(sendings: list[_Sending], *, has_moved_clock: bool) -> Iterator[str]:
    ordered = sorted(sendings, key=lambda one: one.first)
    for place, later in enumerate(ordered):
        for before in ordered[:place]:
            if later.first < before.last:
                yield (
                    f"{later.row.operation} {later.row.reference} was sent while"
                    f" {before.row.operation} {before.row.reference} of its collector was open"
                )
            if not has_moved_clock and _is_elder(later.row, before.row):
                yield f"{before.row.reference} was sent before {later.row.reference}, its elder"


def _is_elder(one: Row, other: Row) -> bool:
    """Whether one was pressed well before the other, and was in the log before it."""
    if one.opened_at is None or other.opened_at is None or not (one.events and other.events):
        return False
    # A press may wait for the database, and then a later one may be in the log first.
    is_there_first = one.events[0].number < other.events[0].number
    return is_there_first and one.opened_at + _APART < other.opened_at


def _compared(row: Row, theirs: dict[_Offer, Effect]) -> Iterator[Violation]:
    ours = _confirmed(row) if row.state in GIVEN else {}
    for offer, effect in theirs.items():
        said = ours.get(offer)
        if said is None:
            what = f"{row.reference} is {row.state}, and the programme moved {' '.join(offer)}"
            yield Violation(rule="I6", kind=Kind.LOST, what=what)
        elif said != effect.miles or effect.kind not in _KINDS.get(row.operation, ()):
            what = (
                f"{row.operation} {row.reference} says {said} miles of {' '.join(offer)},"
                f" the programme's {effect.kind} {effect.miles}"
            )
            yield Violation(rule="I6", kind=Kind.MONEY, what=what)


def _confirmed(row: Row) -> dict[_Offer, int]:
    sign = -1 if row.operation in TAKING else 1
    return {
        (gift.offer_code, gift.offer_id): sign * gift.miles
        for gift in row.gifts
        if gift.status == "confirmed"
    }


def _moved(evidence: Evidence) -> dict[str, dict[_Offer, Effect]]:
    found: dict[str, dict[_Offer, Effect]] = defaultdict(dict)
    for effect in evidence.effects:
        if effect.offer_code:
            found[effect.key][effect.offer_code, effect.offer_id] = effect
    return found
