"""What stands in the issuance messages, field by field, in our words. Pure values.

Amounts, quantities and miles are Decimals with the places they were written with (PLATFORM 2.8);
`messages` knows what the programme calls them.
"""

from dataclasses import dataclass, field
from decimal import Decimal

JsonId = str | Decimal


@dataclass(frozen=True, kw_only=True)
class ItemLine:
    """One of `items` (the POST page)."""

    id: str
    name: str
    number: Decimal
    quantity: Decimal
    base_amount: Decimal
    final_amount: Decimal
    department_id: str = ""
    category_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OfferLine:
    """One of `issuances` in a request. The pages print the offer's id as text and as a number."""

    offer_code: str
    offer_id: JsonId
    miles: Decimal
    location_code: str = ""
    description: str = ""
    contributing_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BasketMessage:
    """A POST, REVERSE, RECORD, CALCULATE, ISSUE or RETURN. None and empty are not sent."""

    checkout_id: str
    checkout_at: str
    sponsor_code: str
    pre_tax: Decimal
    post_tax: Decimal
    collector_number: str = field(default="", repr=False)
    gst: Decimal | None = None
    hst: Decimal | None = None
    pst: Decimal | None = None
    qst: Decimal | None = None
    context: tuple[tuple[str, str], ...] = ()
    coupons: tuple[str, ...] = ()
    tenders: tuple[str, ...] = ()
    device_id: str = ""
    location_code: str = ""
    original_id: str = ""
    transaction_type: str = ""
    items: tuple[ItemLine, ...] = ()
    offers: tuple[OfferLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EventMessage:
    """A POST/EVENT or REVERSE/EVENT: no basket. None and empty are not sent."""

    client_id: str
    sent_at: str
    sponsor_code: str
    collector_number: str = field(repr=False)
    offers: tuple[OfferLine, ...]
    context: tuple[tuple[str, str], ...] = ()
    coupons: tuple[str, ...] = ()
    device_id: str = ""
    original_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OfferAnswer:
    """One of `issuances` in an answer. `status` is as the answer spells it, empty for CALCULATE."""

    offer_code: str
    offer_id: str
    miles: Decimal
    status: str = ""
    confirmation_number: str = ""
    processed_at: str = ""
    location_code: str = ""
    description: str = ""
    contributing_ids: tuple[str, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A parsed answer. `errors` are those of the whole; each is a code and a reason."""

    transaction_id: str = ""
    checkout_id: str = ""
    offers: tuple[OfferAnswer, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def statuses(self) -> tuple[str, ...]:
        """The status of each offer, in the answer's order."""
        return tuple(offer.status for offer in self.offers)
