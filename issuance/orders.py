"""What a door asks of issuance, and the basket it is asked for. Pure values.

A basket's amounts are before or after tax as their names say; what each message needs of it stands
in `messages`, what is wrong with one in `rules`.
"""

import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from backoffice.cards import Card
from backoffice.units import Cents, Miles

_NOTHING = Cents(0)


class Calculation(StrEnum):
    """Who works out the miles of a sale: the programme, or the retailer's own offers."""

    AMRP = "amrp"
    PARTNER = "partner"


class TransactionType(StrEnum):
    """What a CALCULATE or a RECORD is about (the RECORD page, transactionType)."""

    PURCHASE = "PURCHASE"
    RETURN = "RETURN"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a basket, before tax. `number` is its place in the basket, from 1.

    `final_cents` is `base_cents` (the price of one) times `quantity`, to the cent; quantities of
    goods by weight have places. `department` and `category` are what offers may be tied to.
    """

    number: int
    sku: str
    name: str
    quantity: Decimal
    base_cents: Cents
    final_cents: Cents
    department: str = ""
    category: str = ""


@dataclass(frozen=True, kw_only=True)
class Taxes:
    """The tax amounts of a basket; None is a tax that the till does not tell."""

    gst_cents: Cents | None = None
    hst_cents: Cents | None = None
    pst_cents: Cents | None = None
    qst_cents: Cents | None = None


@dataclass(frozen=True, kw_only=True)
class Basket:
    """What was bought or is brought back. Without items, the totals are all that is known.

    `excluded_cents` is the part of `pre_tax_cents` that earns nothing (gift cards) and stands in no
    item; it matters to our own offers alone, the programme is told the totals. `coupons` are the
    codes applied, `tenders` the ways of paying in the programme's words (CASH, CREDIT).
    """

    pre_tax_cents: Cents
    post_tax_cents: Cents
    items: tuple[Item, ...] = ()
    excluded_cents: Cents = _NOTHING
    taxes: Taxes = Taxes()
    coupons: tuple[str, ...] = ()
    tenders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Award:
    """Miles of one offer, given for a sale or taken back; always a positive number.

    `offer_code` was set up with the programme (issuanceOfferCode); `offer_id` is the retailer's own
    (offerId). `contributing_skus` are the items that earned it, none when the whole basket did.
    `terms` is how our own offers counted it (terms.Terms), which a later return needs
    (returns.notes).
    """

    offer_id: str
    offer_code: str
    miles: Miles
    description: str = ""
    location_code: str = ""
    contributing_skus: tuple[str, ...] = ()
    terms: str = ""


@dataclass(frozen=True, kw_only=True)
class AsSent:
    """A till's own message, which reaches the programme as the till wrote it.

    `path` says which it is, `body` is final. `asked` is the exact request, by which a repeated one
    is known from another; `checkout_id` is the till's number of it.
    """

    path: str
    body: bytes = field(repr=False)
    checkout_id: str
    asked: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class IssuanceOrder:
    """Give the miles of one sale. `client_ref` is the caller's one-time value for this press.

    `awards` are the retailer's own calculation; empty when the programme calculates.
    `checkout_id` is a till's own number of the sale; empty takes ours.
    """

    client_ref: str
    sale_ref: str
    card: Card
    basket: Basket
    language: str
    awards: tuple[Award, ...] = ()
    checkout_id: str = ""
    as_sent: AsSent | None = None


@dataclass(frozen=True, kw_only=True)
class ReturnOrder:
    """Take back the miles of what is brought back. The basket holds that alone.

    `original` is our reference of the issuance; without one, `original_id` is what the customer's
    receipt says: the programme's transactionId or the number of the sale. `counted` are the earlier
    returns that `awards` were counted with (selectors.returns_of), where they were: if there is
    another by now, the order is refused.
    """

    client_ref: str
    sale_ref: str
    card: Card
    basket: Basket
    language: str
    original: uuid.UUID | None = None
    original_id: str = ""
    awards: tuple[Award, ...] = ()
    checkout_id: str = ""
    counted: frozenset[uuid.UUID] | None = None
    as_sent: AsSent | None = None


@dataclass(frozen=True, kw_only=True)
class EventOrder:
    """Give miles without a sale, or take some back: a desired activity, goodwill, a correction."""

    client_ref: str
    card: Card
    awards: tuple[Award, ...]
    language: str
    is_taking_back: bool = False
    original_id: str = ""
    reason: str = ""
    coupons: tuple[str, ...] = ()
    as_sent: AsSent | None = None


@dataclass(frozen=True, kw_only=True)
class RecordOrder:
    """Log a sale or a return that earned nothing, with or without a collector. Moves no miles."""

    client_ref: str
    sale_ref: str
    card: Card | None
    basket: Basket
    transaction_type: TransactionType
    language: str
    original_id: str = ""
    awards: tuple[Award, ...] = ()
    checkout_id: str = ""
    as_sent: AsSent | None = None


@dataclass(frozen=True, kw_only=True)
class CalculationOrder:
    """What would this basket earn, or cost when it is brought back? Moves nothing."""

    card: Card
    basket: Basket
    transaction_type: TransactionType
    original_id: str = ""
    as_sent: AsSent | None = None
