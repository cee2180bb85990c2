"""Miles for a sale, or for its return, between two screens: sealed into the form as a sale is
(cards.py), so that what was previewed is what is given. Decides nothing."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from backoffice.cards import Card, EntryMode
from backoffice.journal import payloads
from backoffice.units import Cents, Miles
from backoffice.vault import VaultError
from cashier.cards import MAX_AGE_S, NO_CENTS, SaleExpired
from issuance.orders import Award, Basket, Item
from issuance.rules import line_total

# Room for MOST_LINES of items, encrypted and written as text.
LONGEST_SEAL = 120_000
MOST_LINES = 100


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a return takes back of one issuance of the sale: the first one, or a correction.

    `counted` are its earlier returns that `awards` were counted with.
    """

    original: str
    awards: tuple[Award, ...] = ()
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OpenGift:
    """A basket that earns miles, or is brought back, as far as it is known.

    `client_ref` makes a second press the same operation. Of a return, `original` is our reference
    of the sale, and `parts` what is taken back of each of its issuances; or `original_id` is the
    number on a receipt that we do not know.
    """

    card: Card
    sale_ref: str
    client_ref: str
    items: tuple[Item, ...] = ()
    has_items: bool = False
    pre_tax_cents: Cents | None = None
    post_tax_cents: Cents | None = None
    excluded_cents: Cents = NO_CENTS
    coupons: tuple[str, ...] = ()
    tender: str = ""
    awards: tuple[Award, ...] = ()
    original: str = ""
    original_id: str = ""
    parts: tuple[Part, ...] = ()

    @classmethod
    def of(cls, card: Card, **known: Any) -> Self:
        """Return a new one; `known` is what stands already, as the sale's own reference."""
        fields = {"sale_ref": str(uuid.uuid4()), "client_ref": str(uuid.uuid4()), **known}
        return cls(card=card, **fields)

    @property
    def is_return(self) -> bool:
        """Whether miles are taken back."""
        return bool(self.original or self.original_id)

    @property
    def items_cents(self) -> Cents:
        """What the items come to before tax."""
        return Cents(sum(item.final_cents for item in self.items))

    @property
    def basket(self) -> Basket:
        """The basket as issuance takes it. Only once its totals are known."""
        assert self.pre_tax_cents is not None and self.post_tax_cents is not None
        return Basket(
            pre_tax_cents=self.pre_tax_cents,
            post_tax_cents=self.post_tax_cents,
            items=self.items,
            excluded_cents=self.excluded_cents,
            coupons=self.coupons,
            tenders=(self.tender,) if self.tender else (),
        )

    def with_item(self, item: Item) -> Self:
        """Return it with one more line; pieces of a line that is there are added to it."""
        items = list(self.items)
        for place, line in enumerate(items):
            if _is_same(line, item):
                quantity = line.quantity + item.quantity
                final_cents = line_total(line.base_cents, quantity)
                items[place] = replace(line, quantity=quantity, final_cents=final_cents)
                return replace(self, items=tuple(items))
        return replace(self, items=_numbered([*items, item]))

    def without_item(self, number: int) -> Self:
        """Return it without a line."""
        return replace(self, items=_numbered(one for one in self.items if one.number != number))


def seal(gift: OpenGift, *, bound_to: str, now: datetime) -> str:
    """Return text for a hidden field that only `bound_to` (a session at a till) can open."""
    plain = {**asdict(gift), "card": [gift.card.number, gift.card.entry_mode.value]}
    data = json.dumps(plain, separators=(",", ":"), ensure_ascii=False, default=str).encode()
    return payloads.vault().seal_token(data, bound_to=_purpose(bound_to), now=now)


def unseal(text: str, *, bound_to: str, now: datetime) -> OpenGift:
    """Return the gift again, or raise SaleExpired."""
    try:
        data = payloads.vault().open_token(
            text, bound_to=_purpose(bound_to), now=now, max_age_s=MAX_AGE_S
        )
    except VaultError as error:
        raise SaleExpired from error
    plain: dict[str, Any] = json.loads(data)
    number, mode = plain.pop("card")
    items = (Item(**{**one, "quantity": Decimal(one["quantity"])}) for one in plain.pop("items"))
    awards = _awards(plain.pop("awards"))
    parts = (
        Part(
            original=one["original"],
            awards=_awards(one["awards"]),
            counted=tuple(one["counted"]),
        )
        for one in plain.pop("parts")
    )
    plain["coupons"] = tuple(plain["coupons"])
    return OpenGift(
        card=Card(number=number, entry_mode=EntryMode(mode)),
        items=tuple(items),
        awards=awards,
        parts=tuple(parts),
        **plain,
    )


def _awards(plain: list[dict[str, Any]]) -> tuple[Award, ...]:
    return tuple(
        Award(
            **{
                **one,
                "miles": Miles(one["miles"]),
                "contributing_skus": tuple(one["contributing_skus"]),
            }
        )
        for one in plain
    )


def _purpose(bound_to: str) -> str:
    return f"gift {bound_to}"


def _is_same(line: Item, item: Item) -> bool:
    told = (line.sku, line.base_cents, line.department, line.category)
    return told == (item.sku, item.base_cents, item.department, item.category)


def _numbered(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(replace(item, number=place) for place, item in enumerate(items, start=1))
