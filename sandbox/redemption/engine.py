"""What the platform decides: who may redeem how much, and what can still be undone.

Every rule takes its `now` and its switches; none looks at a clock or at a message's JSON.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from sandbox.clock import reversal_deadline, trading_day
from sandbox.conditions.switches import Switches
from sandbox.members import engine as members
from sandbox.members.models import Member
from sandbox.redemption.codes import APPROVALS, CODES, Call
from sandbox.redemption.models import Redemption

# No 0/O, 1/I/L: the number is read aloud and typed from a receipt.
CONFIRMATION_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CONFIRMATION_LENGTH = 12


class Refused(Exception):
    """The platform answers with this code, and nothing happens. A 0035 names the field."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code, field)
        self.code = code
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a request asks for, whichever of the four calls it is."""

    call: Call
    collector: str = ""
    sponsor: str = ""
    is_typed: bool = False
    basket_cents: int = 0
    request_cents: int = 0
    confirmation: str = ""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An account at a moment: its balances and how many units it may still redeem today."""

    member: Member
    units_by_balance: int
    units_by_allowance: int

    @property
    def units_today(self) -> int:
        return min(self.units_by_balance, self.units_by_allowance)


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """The answer to INQUIRE."""

    code: str
    standing: Standing
    has_offer: bool
    units_this_sale: int


@dataclass(frozen=True, kw_only=True)
class Redeemed:
    """The answer to REDEEM."""

    code: str
    standing: Standing
    units: int
    confirmation: str


@dataclass(frozen=True, kw_only=True)
class Reversed:
    """The answer to REVERSE."""

    code: str
    member: Member
    confirmation: str


def check_outage(switches: Switches) -> None:
    """Refuse everything while the platform is down or its switch does not answer."""
    if switches.outage:
        raise Refused(switches.outage)


def inquire(order: Order, switches: Switches, now: datetime) -> Inquiry:
    """Say what a member has and may redeem in this sale."""
    member = _member(order)
    if order.is_typed and switches.manual_inquire == "0009":
        raise Refused("0009")
    if not member.offer_is_available:
        raise Refused("0067")
    standing = _standing(member, switches, now)
    code = _approval(member)
    if not member.may_redeem:
        code = "0005" if member.is_suppressed else "0006"
    elif standing.units_by_balance == 0 and switches.inquire_without_miles == "0051":
        raise Refused("0051")
    return Inquiry(
        code=code,
        standing=standing,
        has_offer=member.may_redeem and not order.is_typed and standing.units_today > 0,
        units_this_sale=min(standing.units_today, order.basket_cents // member.unit_cents),
    )


def redeem(order: Order, switches: Switches, now: datetime, cause: members.Cause) -> Redeemed:
    """Take the largest number of whole units that request, basket, balance and allowance bear."""
    member = _presented(order)
    if not (member.may_redeem and member.offer_is_available):
        raise Refused("0067")
    standing = _standing(member, switches, now)
    units = _units(order, standing, switches)
    redemption = Redemption.objects.create(
        confirmation=_new_confirmation(),
        collector=member.collector,
        sponsor=order.sponsor,
        units=units,
        miles=units * member.unit_miles,
        amount_cents=units * member.unit_cents,
        redeemed_at=now,
        traded_on=trading_day(now, switches.tz),
    )
    movement = members.Movement(
        kind="redeem",
        miles=-redemption.miles,
        units=units,
        amount_cents=-redemption.amount_cents,
        confirmation=redemption.confirmation,
    )
    members.move(member, movement, cause)
    after = Standing(
        member=member,
        units_by_balance=member.cash_miles // member.unit_miles,
        units_by_allowance=standing.units_by_allowance - units,
    )
    return Redeemed(
        code=_approval(member),
        standing=after,
        units=units,
        confirmation=redemption.confirmation,
    )


def reverse(order: Order, switches: Switches, now: datetime, cause: members.Cause) -> Reversed:
    """Give back everything a redemption took, once, before its deadline."""
    member = _presented(order)
    redemption = _reversible(order)
    if now >= reversal_deadline(redemption.redeemed_at, switches.tz):
        raise Refused("0080")
    redemption.reversal = _new_confirmation()
    redemption.reversed_at = now
    redemption.save(update_fields=["reversal", "reversed_at"])
    movement = members.Movement(
        kind="reverse",
        miles=redemption.miles,
        units=redemption.units,
        amount_cents=redemption.amount_cents,
        confirmation=redemption.reversal,
        undoes=redemption.confirmation,
    )
    members.move(member, movement, cause)
    return Reversed(code=_approval(member), member=member, confirmation=redemption.reversal)


def check_window(order: Order, switches: Switches, now: datetime) -> None:
    """Refuse a late reversal before anybody asks whether it is a repeat (a switch chooses this)."""
    redemption = Redemption.objects.filter(pk=order.confirmation).first()
    if redemption and now >= reversal_deadline(redemption.redeemed_at, switches.tz):
        raise Refused("0080")


def start_over() -> None:
    """Forget every redemption."""
    Redemption.objects.all().delete()


def _member(order: Order) -> Member:
    """Return the account a request speaks of, or refuse as its card or its state demands."""
    member = members.find(order.collector)
    if member is None:
        raise Refused("0025")
    code = member.answers_code
    if code in CODES and order.call in CODES[code].calls:
        if code not in APPROVALS:
            raise Refused(code, "collectorNumber" if code == "0035" else "")
        member.is_suppressed = code in {"0001", "0005"}
        member.may_redeem = code not in {"0005", "0006"}
    if not member.is_active:
        raise Refused("0002")
    return member


def _presented(order: Order) -> Member:
    member = _member(order)
    if order.is_typed:
        raise Refused("0009")
    return member


def _approval(member: Member) -> str:
    return "0001" if member.is_suppressed else "0000"


def _standing(member: Member, switches: Switches, now: datetime) -> Standing:
    today = trading_day(now, switches.tz)
    # A redemption that was reversed gives its allowance back, whenever that happened.
    used = Redemption.objects.filter(
        collector=member.collector, traded_on=today, reversed_at=None
    ).aggregate(total=Sum("amount_cents"))["total"]
    seeded = member.used_cents if member.used_on in {None, today} else 0
    cap = switches.daily_cap_cents if member.daily_cap_cents is None else member.daily_cap_cents
    left_cents = max(0, cap - seeded - (used or 0))
    return Standing(
        member=member,
        units_by_balance=member.cash_miles // member.unit_miles,
        units_by_allowance=left_cents // member.unit_cents,
    )


def _units(order: Order, standing: Standing, switches: Switches) -> int:
    unit_cents = standing.member.unit_cents
    asked = order.request_cents // unit_cents
    if asked == 0:
        raise Refused("0035", "dollarRedeemRequest")
    limits = (
        (order.basket_cents // unit_cents, "0066"),
        (standing.units_by_balance, "0051"),
        (standing.units_by_allowance, "0065"),
    )
    for units, code in limits:
        if units == 0 or (units < asked and switches.redeem_beyond == "decline"):
            raise Refused(code)
    return min(asked, *(units for units, _ in limits))


def _reversible(order: Order) -> Redemption:
    redemption = Redemption.objects.filter(pk=order.confirmation).first()
    if (
        redemption is None
        or redemption.reversed_at is not None
        or redemption.collector != order.collector
        or redemption.sponsor != order.sponsor
    ):
        raise Refused("0057")
    return redemption


def _new_confirmation() -> str:
    return "".join(secrets.choice(CONFIRMATION_ALPHABET) for _ in range(CONFIRMATION_LENGTH))
