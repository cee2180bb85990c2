"""The rules of AIR MILES Cash: what may be offered, asked, shown and reversed. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amcash import codes
from amcash.orders import EntryMode, RedemptionOrder
from backoffice.clock import is_too_late
from backoffice.units import Cents, Miles, units_miles, units_value, whole_units

# The till's own button closes before the programme's window does (RELIABILITY V1).
REVERSAL_MARGIN = timedelta(minutes=2)


class Reason(StrEnum):
    """Why we refuse before anything is sent."""

    TYPED_CARD = "typed_card"
    NOTHING_ASKED = "nothing_asked"
    OVER_BASKET = "over_basket"
    OTHER_CONTENT = "other_content"
    COLLECTOR_BUSY = "collector_busy"
    COLLECTOR_IN_DOUBT = "collector_in_doubt"
    SUPERVISOR_NEEDED = "supervisor_needed"
    SALE_OPEN = "sale_open"
    STATE_CHANGED = "state_changed"
    UNSAFE = "unsafe"
    PROGRAMME_DOWN = "programme_down"
    TOO_LATE = "too_late"
    ALREADY_REVERSED = "already_reversed"
    NOT_REVERSIBLE = "not_reversible"
    CREDIT_GIVEN = "credit_given"
    CREDIT_NOT_OWED = "credit_not_owed"
    VOIDED = "voided"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One amount that a collector can choose."""

    units: int
    off_cents: Cents
    miles: Miles
    left_cents: Cents


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What may be redeemed on this basket. `today_units` is None when it may not be shown."""

    basket_cents: Cents
    unit_cents: Cents
    unit_miles: Miles
    max_units: int
    default_units: int
    today_units: int | None
    offer_id: str
    is_special: bool
    description_en: str
    description_fr: str

    def step(self, units: int) -> Step:
        """Return what `units` units mean for this basket."""
        off_cents = units_value(units, self.unit_cents)
        return Step(
            units=units,
            off_cents=off_cents,
            miles=units_miles(units, self.unit_miles),
            left_cents=Cents(self.basket_cents - off_cents),
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every amount, from one unit to the most."""
        return tuple(self.step(units) for units in range(1, self.max_units + 1))


def offer_of(
    *,
    code: str,
    entry_mode: EntryMode,
    basket_cents: Cents,
    unit_cents: Cents,
    unit_miles: Miles,
    available_units: int,
    daily_units: int | None,
    offer_id: str,
    is_special: bool,
    description_en: str,
    description_fr: str,
) -> Offer | None:
    """Return the offer that may be shown, or None.

    Nothing is offered for a typed number or a code that forbids the prompt (PLATFORM 5). The most
    is what the platform allows and what fits the basket after tax, and it is also the default:
    the basket rounded down to whole units, or the collector's maximum, whichever is lower.
    """
    known = codes.find(code)
    if known is None or not known.may_prompt_redemption or entry_mode is EntryMode.MANUAL:
        return None
    max_units = min(available_units, whole_units(basket_cents, unit_cents))
    if max_units < 1:
        return None
    return Offer(
        basket_cents=basket_cents,
        unit_cents=unit_cents,
        unit_miles=unit_miles,
        max_units=max_units,
        default_units=max_units,
        today_units=daily_units if known.show_balances else None,
        offer_id=offer_id,
        is_special=is_special,
        description_en=description_en,
        description_fr=description_fr,
    )


def why_not_redeem(order: RedemptionOrder) -> Reason | None:
    """Return why an order is refused before sending, or None.

    Manual entry always fails at the platform (the REDEEM page, 0009). Whether the amount is whole
    units is the platform's to say: it grants the largest eligible amount. Whether it fits the
    basket is too, where a till asks by the programme's own pages.
    """
    if order.card.entry_mode is EntryMode.MANUAL:
        return Reason.TYPED_CARD
    if order.asked_cents <= 0:
        return Reason.NOTHING_ASKED
    is_over = order.asked_cents > order.basket_cents or order.basket_cents > order.original_cents
    return Reason.OVER_BASKET if is_over and order.as_sent is None else None


def may_reverse(*, now: datetime, deadline_at: datetime) -> bool:
    """Say whether a till may still begin a reversal: two minutes before the deadline is too late,
    because the platform's clock decides and ours only advises (RELIABILITY V1)."""
    return not is_too_late(now, reversible_until(deadline_at))


def reversible_until(deadline_at: datetime) -> datetime:
    """Return the first moment at which a till may no longer begin a reversal."""
    return deadline_at - REVERSAL_MARGIN


def shown_balance(balance: Miles | None, *, code: str) -> Miles | None:
    """Return a balance that the receipt may print, or None (0001, 0005: never)."""
    known = codes.find(code)
    return balance if known is not None and known.show_balances else None
