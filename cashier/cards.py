"""A sale between two screens: sealed into the form, so that the card is never in a URL, a page, a
log or the session, and what was offered cannot be changed on the way."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from amcash.orders import Card, EntryMode
from amcash.rules import Offer
from backoffice.journal import payloads
from backoffice.units import Cents
from backoffice.vault import VaultError

MAX_AGE_S = 15 * 60
NO_CENTS = Cents(0)


class SaleExpired(Exception):
    """The sealed sale cannot be opened any more: too old, another session, or another till."""


@dataclass(frozen=True, kw_only=True)
class OpenSale:
    """What is known of a sale so far. `basket_cents` is the whole basket after tax."""

    card: Card
    sale_ref: str
    basket_cents: Cents | None = None
    excluded_cents: Cents = NO_CENTS
    offer: Offer | None = None

    @property
    def counting_cents(self) -> Cents:
        """The part of the basket that may be paid with miles."""
        return Cents((self.basket_cents or 0) - self.excluded_cents)

    def with_basket(self, basket_cents: Cents, excluded_cents: Cents) -> Self:
        """Return the sale with what the cashier typed."""
        return replace(self, basket_cents=basket_cents, excluded_cents=excluded_cents)

    def with_offer(self, offer: Offer) -> Self:
        """Return the sale with what the programme offered on it."""
        return replace(self, offer=offer)


def seal(sale: OpenSale, *, bound_to: str, now: datetime) -> str:
    """Return text for a hidden field that only `bound_to` (a session at a till) can open."""
    plain = {
        "number": sale.card.number,
        "entry_mode": sale.card.entry_mode.value,
        "sale_ref": sale.sale_ref,
        "basket_cents": sale.basket_cents,
        "excluded_cents": sale.excluded_cents,
        "offer": asdict(sale.offer) if sale.offer else None,
    }
    data = json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()
    return payloads.vault().seal_token(data, bound_to=bound_to, now=now)


def unseal(text: str, *, bound_to: str, now: datetime) -> OpenSale:
    """Return the sale again, or raise SaleExpired."""
    try:
        data = payloads.vault().open_token(text, bound_to=bound_to, now=now, max_age_s=MAX_AGE_S)
    except VaultError as error:
        raise SaleExpired from error

    plain: dict[str, Any] = json.loads(data)
    return OpenSale(
        card=Card(number=plain["number"], entry_mode=EntryMode(plain["entry_mode"])),
        sale_ref=plain["sale_ref"],
        basket_cents=plain["basket_cents"],
        excluded_cents=plain["excluded_cents"],
        offer=Offer(**plain["offer"]) if plain["offer"] else None,
    )
