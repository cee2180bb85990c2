"""What the platform really posted for a collector at some sponsors, a page at a time."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.issuance import engine as issuance
from sandbox.issuance.codes import GIVING, TAKING, Status
from sandbox.issuance.models import Transaction
from sandbox.members import engine as members

# The page's names of what can be sorted by, and ours.
SORTED_BY = {
    "activityType": "call",
    "sponsorCode": "sponsor",
    "transactionDate": "checkout_at",
    "transactionId": "transaction_id",
}


class UnknownCollector(Exception):
    """There is no account of this number."""


class InactiveCollector(Exception):
    """The account is not active."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which transactions are wanted, in which order, and which page of them."""

    collector: str
    sponsors: tuple[str, ...]
    start: datetime
    end: datetime
    page: int
    size: int
    # (name, is descending), the first the most important.
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of transactions, and how many there are in all."""

    rows: tuple[Transaction, ...]
    total: int


def find(search: Search, moment: issuance.Moment) -> Found:
    """Return the transactions of which at least one item was confirmed."""
    member = members.find(search.collector)
    if member is None:
        raise UnknownCollector
    if not member.is_active:
        raise InactiveCollector
    issuance.settle_due(moment)
    rows = Transaction.objects.filter(
        collector=search.collector,
        sponsor__in=search.sponsors,
        call__in=[*GIVING, *TAKING],
        checkout_at__gte=search.start,
        checkout_at__lte=search.end,
        items__status=Status.CONFIRMED,
    ).distinct()
    names = [
        f"{'-' if is_last_first else ''}{SORTED_BY[name]}" for name, is_last_first in search.order
    ]
    first = search.page * search.size
    return Found(
        rows=tuple(rows.order_by(*names, "-id")[first : first + search.size]),
        total=rows.count(),
    )
