"""What a door asks of AIR MILES Cash. Pure values."""

import uuid
from dataclasses import dataclass, field

from backoffice.cards import (
    Card,
    CardFault,
    EntryMode,
    NotACard,
    entry_mode_of,
    parse_card,
)
from backoffice.units import Cents

__all__ = [
    "AsSent",
    "Card",
    "CardFault",
    "EntryMode",
    "InquiryOrder",
    "NotACard",
    "RedemptionOrder",
    "ReversalOrder",
    "entry_mode_of",
    "parse_card",
]


@dataclass(frozen=True, kw_only=True)
class AsSent:
    """A till's own message, which reaches the programme as the till wrote it.

    `body` is final; `asked` is the exact request, by which a repeated one is known from another.
    """

    body: bytes = field(repr=False)
    trace_id: str
    asked: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class InquiryOrder:
    """What may this collector redeem on this basket? The basket is after tax, without what
    cannot be paid with miles (gift cards)."""

    card: Card
    basket_cents: Cents
    language: str
    as_sent: AsSent | None = None


@dataclass(frozen=True, kw_only=True)
class RedemptionOrder:
    """Take dollars off one sale. `client_ref` is the caller's one-time value for this press.

    `basket_cents` qualifies for redemption; `original_cents` is the whole basket; both after tax.
    """

    client_ref: str
    sale_ref: str
    card: Card
    basket_cents: Cents
    original_cents: Cents
    asked_cents: Cents
    language: str
    as_sent: AsSent | None = None


@dataclass(frozen=True, kw_only=True)
class ReversalOrder:
    """Give back one redemption, whole. `redemption` is our reference of it."""

    client_ref: str
    redemption: uuid.UUID
    language: str
    as_sent: AsSent | None = None
