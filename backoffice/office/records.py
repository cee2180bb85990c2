"""What is held about one collector, as the person may have it: their transactions, what happened to
them, and who looked. Never the number itself; reads only.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch

from amcash import messages as cash
from backoffice.audit.models import AuditEntry
from backoffice.journal import choices, entries, payloads
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.models import OfferResult, Transaction
from backoffice.journal.states import CASH, Operation
from backoffice.office import story
from issuance import approvals, forgetting
from issuance import messages as issuance
from issuance.codes import BY_PATH
from issuance.proposals import EventProposal, ProposalState


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to a transaction."""

    at: datetime
    event: str

    @property
    def word(self) -> object:
        """What it is called, in the reader's language."""
        return story.event_word(self.event)


@dataclass(frozen=True, kw_only=True)
class Given:
    """The miles of one offer."""

    offer: str
    description: str
    miles: int
    state: str

    @property
    def word(self) -> object:
        """What its state is called, in the reader's language."""
        return choices.OfferStatus(self.state).label


@dataclass(frozen=True, kw_only=True)
class Held:
    """One transaction. Money is in dollars, as text with two decimals; moments are UTC."""

    reference: str
    opened_at: datetime
    settled_at: datetime | None
    kind: str
    state: str
    store: str
    till: str
    sale: str
    card_read_by: str
    basket_dollars: str | None
    amount_dollars: str | None
    miles: int | None
    confirmation: str
    given_instead: str
    has_request: bool
    may_be_erased: bool
    offers: tuple[Given, ...]
    events: tuple[Event, ...]

    @property
    def words(self) -> tuple[object, object]:
        """What its kind and its state are called, in the reader's language."""
        return choices.Operation(self.kind).label, choices.State(self.state).label


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """Miles without a sale, given or taken back, as people of ours wrote it down."""

    reference: str
    proposed_at: datetime
    decided_at: datetime | None
    state: str
    is_taking_back: bool
    miles: int
    reason: str
    note: str
    decided_note: str
    store: str
    card_read_by: str
    transaction: str
    has_number: bool
    may_be_erased: bool

    @property
    def word(self) -> object:
        """What its state is called, in the reader's language."""
        return ProposalState(self.state).label


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One time that somebody searched, saw or was handed out something of it."""

    at: datetime
    what: str
    by: str
    reason: str
    transactions: int

    @property
    def word(self) -> object:
        """What it is called, in the reader's language."""
        return DisclosureKind(self.what).label


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything that is held about one collector, newest first."""

    card: str
    made_at: datetime
    transactions: tuple[Held, ...]
    proposals: tuple[Proposed, ...]
    seen: tuple[Seen, ...]

    @property
    def erasable(self) -> int:
        """How many transactions may be erased now."""
        return sum(held.may_be_erased for held in self.transactions)

    @property
    def unerasable(self) -> int:
        """How many must be kept for now."""
        return len(self.transactions) - self.erasable

    @property
    def erasable_proposals(self) -> int:
        """How many proposals may be erased now."""
        return sum(one.may_be_erased for one in self.proposals)

    @property
    def unerasable_proposals(self) -> int:
        """How many proposals must be kept for now."""
        return len(self.proposals) - self.erasable_proposals

    def as_dict(self) -> dict[str, Any]:
        """The record for JSON."""
        return asdict(self)


def number_in(row: Transaction) -> str:
    """Return the full collector number of a transaction, or nothing where none is kept."""
    body = payloads.body_of(row)
    if not body:
        return ""
    if Operation(row.operation) in CASH:
        return cash.card_of(body)[0]
    return issuance.parse_request(BY_PATH[row.path], body).collector_number


def record_of(collector_mac: str, *, last4: str, now: datetime) -> Record:
    """Return what is held about the collector with this index, in every store."""
    rows = Transaction.objects.filter(collector_mac=collector_mac).order_by("-opened_at", "-id")
    rows = rows.select_related("store__sponsor", "device").prefetch_related(
        "payloads", Prefetch("offers", queryset=OfferResult.objects.order_by("id"))
    )
    erasable = set(
        entries.over(now).filter(collector_mac=collector_mac).values_list("pk", flat=True)
    )
    seen = Disclosure.objects.filter(collector_mac=collector_mac).select_related("person")
    return Record(
        card=f"*******{last4}",
        made_at=now,
        transactions=tuple(_held(row, row.pk in erasable) for row in rows),
        proposals=_proposed(collector_mac, now),
        seen=tuple(
            Seen(
                at=one.at,
                what=one.kind,
                by=one.person.shown_name,
                reason=one.reason,
                transactions=one.count,
            )
            for one in seen
        ),
    )


def _held(row: Transaction, may_be_erased: bool) -> Held:
    return Held(
        reference=str(row.reference),
        opened_at=row.opened_at,
        settled_at=row.settled_at,
        kind=row.operation,
        state=row.state,
        store=f"{row.store.sponsor.code} {row.store.number}",
        till=row.device.number,
        sale=row.sale_ref,
        card_read_by=row.card_entry_mode,
        basket_dollars=_dollars(row.basket_cents),
        amount_dollars=_dollars(row.amount_cents),
        miles=row.miles,
        confirmation=row.confirmation_number,
        given_instead=row.credit_given,
        has_request=any(one.key_id for one in row.payloads.all()),
        may_be_erased=may_be_erased,
        offers=tuple(
            Given(
                offer=one.offer_id,
                description=one.description,
                miles=one.miles,
                state=one.status,
            )
            for one in row.offers.all()
        ),
        events=tuple(_events(row)),
    )


def _proposed(collector_mac: str, now: datetime) -> tuple[Proposed, ...]:
    found = list(
        EventProposal.objects.filter(collector_mac=collector_mac)
        .select_related("store__sponsor", "reason")
        .order_by("-proposed_at", "-pk")
    )
    erasable, sent = forgetting.erasable(found, now=now), approvals.transactions_of(found)
    return tuple(
        Proposed(
            reference=str(one.reference),
            proposed_at=one.proposed_at,
            decided_at=one.decided_at,
            state=one.state,
            is_taking_back=one.is_taking_back,
            miles=one.miles,
            reason=one.reason.name_in(one.language),
            note=one.note,
            decided_note=one.decided_note,
            store=f"{one.store.sponsor.code} {one.store.number}",
            card_read_by=one.card_entry_mode,
            transaction=str(sent[one.reference].reference) if one.reference in sent else "",
            has_number=one.has_card,
            may_be_erased=one.pk in erasable,
        )
        for one in found
    )


def _events(row: Transaction) -> Iterator[Event]:
    found = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    for entry in found:
        yield Event(at=entry.at, event=entry.event)


def _dollars(cents: int | None) -> str | None:
    return None if cents is None else f"{Decimal(cents).scaleb(-2):.2f}"
