"""The rules of issuance: what is refused before anything is written or sent. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from backoffice.units import Cents
from issuance.orders import Award, Basket, Calculation, Item

# More than any sale earns; what the log's columns and the wire hold with room to spare.
MOST_MILES = 10**7


class Reason(StrEnum):
    """Why we refuse before anything is sent."""

    BAD_BASKET = "bad_basket"
    BAD_AWARDS = "bad_awards"
    NOTHING_EARNED = "nothing_earned"
    CALCULATED_THERE = "calculated_there"
    NO_ORIGINAL = "no_original"
    NOT_RETURNABLE = "not_returnable"
    NOT_CORRECTABLE = "not_correctable"
    OTHER_CONTENT = "other_content"
    SALE_OPEN = "sale_open"
    STATE_CHANGED = "state_changed"


def line_total(base_cents: Cents, quantity: Decimal) -> Cents:
    """Return what a line costs: the price of one times the quantity, half a cent up."""
    return Cents(int((base_cents * quantity).quantize(Decimal(1), ROUND_HALF_UP)))


def why_not_basket(basket: Basket) -> Reason | None:
    """Return why a basket is no sale, or None: its lines must add up and its totals be amounts."""
    numbers = {item.number for item in basket.items}
    is_sound = (
        basket.pre_tax_cents > 0
        and basket.post_tax_cents >= 0
        and 0 <= basket.excluded_cents <= basket.pre_tax_cents
        and len(numbers) == len(basket.items)
        and all(_is_sound(item) for item in basket.items)
    )
    return None if is_sound else Reason.BAD_BASKET


def why_not_awards(awards: tuple[Award, ...], calculation: Calculation) -> Reason | None:
    """Return why awards may not be sent, or None.

    Where the programme calculates, a retailer names none; where the retailer does, a message
    without any would move nothing, and RECORD is for sales that earned nothing.
    """
    if calculation is Calculation.AMRP:
        return Reason.CALCULATED_THERE if awards else None
    if not awards:
        return Reason.NOTHING_EARNED
    sound = all(
        0 < award.miles <= MOST_MILES and award.offer_id and award.offer_code for award in awards
    )
    return None if sound else Reason.BAD_AWARDS


def _is_sound(item: Item) -> bool:
    return (
        item.number > 0
        and bool(item.sku and item.name)
        and item.quantity.is_finite()
        and item.quantity > 0
        and item.base_cents >= 0
        and item.final_cents == line_total(item.base_cents, item.quantity)
    )
