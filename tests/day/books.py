"""Puts our sums beside the programme's, per collector and offer. Pure: it knows no table and no
code of ours, so that a mistake in the code cannot hide in its judge.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TAKING_BACK = frozenset({"return", "reverse_event"})


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What our log says of one offer of one transaction. Miles are positive."""

    last4: str
    operation: str
    offer_code: str
    offer_id: str
    miles: int
    confirmation: str

    @property
    def moved(self) -> int:
        """Its miles, negative where they were taken back."""
        return -self.miles if self.operation in TAKING_BACK else self.miles


@dataclass(frozen=True, kw_only=True)
class Total:
    """What our log says of one transaction that is at its end, in the row itself."""

    last4: str
    operation: str
    miles: int

    @property
    def moved(self) -> int:
        """Its miles, negative where they left the collector."""
        leaves = self.operation in TAKING_BACK or self.operation == "redeem"
        return -self.miles if leaves else self.miles


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One effect in the programme's own ledger. Miles are signed."""

    last4: str
    offer_code: str
    offer_id: str
    miles: int
    confirmation: str


@dataclass(frozen=True, kw_only=True)
class Books:
    """Both sides after a day. `held` and `seeded` are what accounts hold now, and held before."""

    offers: tuple[Offer, ...]
    totals: tuple[Total, ...]
    entries: tuple[Entry, ...]
    held: Mapping[str, int]
    seeded: Mapping[str, int]


def differences(books: Books) -> list[str]:
    """Return a sentence for each sum that is not the programme's; none when the books agree."""
    given = [entry for entry in books.entries if entry.offer_code]
    return [
        *_unlike(
            "collector …{}, offer {} {}",
            _sums(((one.last4, one.offer_code, one.offer_id), one.moved) for one in books.offers),
            _sums(((one.last4, one.offer_code, one.offer_id), one.miles) for one in given),
        ),
        *_unlike(
            "collector …{}, all transactions",
            _sums(((one.last4,), one.moved) for one in books.totals),
            _sums(((one.last4,), one.miles) for one in books.entries),
        ),
        *_unlike(
            "confirmation {} of collector …{}",
            _sums(((one.confirmation, one.last4), one.moved) for one in books.offers),
            _sums(((one.confirmation, one.last4), one.miles) for one in given),
        ),
        *_unlike(
            "account of collector …{}",
            _sums(
                [
                    *(((last4,), miles) for last4, miles in books.seeded.items()),
                    *(((one.last4,), one.moved) for one in books.totals),
                ]
            ),
            _sums(((last4,), miles) for last4, miles in books.held.items()),
        ),
    ]


def _sums(movements: Iterable[tuple[tuple[str, ...], int]]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for key, miles in movements:
        found[key] += miles
    return found


def _unlike(
    what: str, ours: Mapping[tuple[str, ...], int], theirs: Mapping[tuple[str, ...], int]
) -> list[str]:
    return [
        f"{what.format(*key)}: ours {ours.get(key, 0)}, the programme's {theirs.get(key, 0)} miles"
        for key in sorted({*ours, *theirs})
        if ours.get(key, 0) != theirs.get(key, 0)
    ]
