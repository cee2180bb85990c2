"""A day's work of one till, drawn from a seed: sales, returns, events, and what happens beside
them. Pure, so that every till draws its own and all of them are one day.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from issuance.orders import Basket
from tests.day import shelf

TILLS = 8
# Of the drawn collectors the last four digits differ, so that sums can be kept by them.
_OWN_CARDS = 30
_SHARED_CARDS = tuple(f"8000009900{number}" for number in range(6))
# This one's miles are never given at once (docs/chaos.md); the others are the programme's cards.
SLOW_CARD = "80000099010"
AFTER_LOOKS, NEVER = "80000020202", "80000020203"
PARTIAL, NOT_FOUND, STUMBLES = "80000020207", "80000020400", "80000020500"
TEST_CARDS = (AFTER_LOOKS, NEVER, PARTIAL, NOT_FOUND, STUMBLES)
# Three looks take 80 s, so a short day has no time for that card.
_LONG_DAY = 1000
_RETURNS, _EVENTS = 0.28, 0.03


class Press(StrEnum):
    """How often the same press comes: once, again later, or twice at one moment."""

    ONCE = "once"
    AGAIN = "again"
    AT_ONCE = "at_once"


class NamedBy(StrEnum):
    """How a return names its sale: by our row, or by a number on the customer's receipt."""

    ROW = "row"
    THEIR_NUMBER = "their_number"
    OUR_NUMBER = "our_number"


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One sale. `redeems_cents` of it are paid with Cash miles first."""

    number: int
    is_ours: bool
    device: int
    card: str
    basket: Basket
    press: Press
    redeems_cents: int = 0
    takes_cash_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Return:
    """What is brought back of an earlier sale of the same till."""

    sale: Sale
    device: int
    basket: Basket
    press: Press
    named_by: NamedBy


@dataclass(frozen=True, kw_only=True)
class Event:
    """Miles for no sale, given or taken back."""

    is_ours: bool
    device: int
    card: str
    miles: int
    is_taking_back: bool
    press: Press


Act = Sale | Return | Event


@dataclass(kw_only=True)
class _Sold:
    """A sale of which something may still be brought back."""

    sale: Sale
    pieces: dict[int, Decimal]
    cents: int
    is_named_by_row: bool = True


@dataclass(kw_only=True)
class _Till:
    """One till's draws."""

    number: int
    drawn: random.Random
    is_long: bool
    sold: list[_Sold] = field(default_factory=list)
    sales: int = 0

    def act(self, place: int) -> Act:
        """Draw what comes next."""
        kind = self.drawn.random()
        if kind < _RETURNS and self.sold:
            return self._return()
        if kind > 1 - _EVENTS:
            return Event(
                is_ours=self._chance(0.5),
                device=self.drawn.randrange(100),
                card=self._card(),
                miles=self.drawn.randrange(1, 500),
                is_taking_back=self._chance(0.3),
                press=self._press(),
            )
        return self._sale(place)

    def _sale(self, place: int) -> Sale:
        self.sales += 1
        sale = Sale(
            number=self.sales,
            is_ours=self._chance(0.5),
            device=self.drawn.randrange(100),
            card=self._special(place) or self._card(),
            basket=shelf.basket(self.drawn),
            press=self._press(),
            redeems_cents=1000 if self._chance(0.08) else 0,
            takes_cash_back=self._chance(0.3),
        )
        pieces = {item.number: item.quantity for item in sale.basket.items}
        earns_cents = sale.basket.pre_tax_cents - sale.basket.excluded_cents
        self.sold.append(_Sold(sale=sale, pieces=pieces, cents=earns_cents))
        return sale

    def _return(self) -> Return:
        sold = self.drawn.choice(self.sold)
        is_whole = self._chance(0.4)
        sale = sold.sale
        named_by = NamedBy.ROW
        if is_whole and len(sold.pieces) == len(sale.basket.items) and self._chance(0.15):
            # Without our row nothing is known of other returns, so it is the only one.
            named_by = self.drawn.choice([NamedBy.THEIR_NUMBER, NamedBy.OUR_NUMBER])
        if sale.basket.items:
            pieces = dict(sold.pieces) if is_whole else shelf.some_of(sold.pieces, self.drawn)
            basket = shelf.brought(sale.basket, pieces)
            for number, gone in pieces.items():
                sold.pieces[number] -= gone
            sold.pieces = {number: left for number, left in sold.pieces.items() if left}
            is_over = not sold.pieces
        else:
            cents = sold.cents if is_whole else self.drawn.randrange(1, sold.cents + 1)
            basket = shelf.totals(cents)
            sold.cents -= cents
            is_over = not sold.cents
        if is_over or named_by is not NamedBy.ROW:
            self.sold.remove(sold)
        return Return(
            sale=sale,
            device=self.drawn.randrange(100),
            basket=basket,
            press=self._press(),
            named_by=named_by,
        )

    def _special(self, place: int) -> str:
        """Return a card of the programme's table, seldom; the slow ones a few times in all."""
        if self.is_long and (self.number, place) in {(1, 1), (1, 20), (2, 40)}:
            return AFTER_LOOKS
        if (self.number, place) in {(3, 2), (4, 5)}:
            return NEVER
        if (self.number, place) in {(0, 3), (5, 7), (6, 11)}:
            return SLOW_CARD
        lot = self.drawn.random()
        return next((card for card, most in _LOTS if lot < most), "")

    def _card(self) -> str:
        if self._chance(0.1):
            return self.drawn.choice(_SHARED_CARDS)
        return own_card(self.number, self.drawn.randrange(_OWN_CARDS))

    def _press(self) -> Press:
        lot = self.drawn.random()
        return Press.AGAIN if lot < 0.04 else Press.AT_ONCE if lot < 0.08 else Press.ONCE

    def _chance(self, share: float) -> bool:
        return self.drawn.random() < share


_LOTS = ((PARTIAL, 0.01), (NOT_FOUND, 0.02), (STUMBLES, 0.03))


def of_till(number: int, *, seed: int, operations: int) -> list[Act]:
    """Return one till's part of a day of so many operations."""
    till = _Till(
        number=number,
        drawn=random.Random(f"day {seed} till {number}"),
        is_long=operations >= _LONG_DAY,
    )
    share = operations // TILLS + (number < operations % TILLS)
    return [till.act(place) for place in range(share)]


def own_card(till: int, place: int) -> str:
    """Return a collector whom only one till serves."""
    return f"8000009{till * 100 + place + 1000:04d}"


def cards() -> Sequence[str]:
    """Return every collector of a day that is not in the programme's own table."""
    own = [own_card(till, place) for till in range(TILLS) for place in range(_OWN_CARDS)]
    return [*own, *_SHARED_CARDS, SLOW_CARD]
