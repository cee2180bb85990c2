"""The messages of AM Cash: what a request must look like, and how an answer is written.

The platform's field names occur here and nowhere else. Every value is a string, both ways.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from sandbox.clock import platform_stamp
from sandbox.conditions.switches import Switches
from sandbox.members.models import Member
from sandbox.redemption.codes import CODES, Call
from sandbox.redemption.engine import Inquiry, Order, Redeemed, Reversed

# PLATFORM 2.1. Where a page's sample is longer than the page's own length, the sample is let in.
NUMERIC = r"[0-9]+"
ALPHANUMERIC = r"[A-Za-z0-9]+"
MONEY = r"[0-9]+(\.[0-9]{1,2})?"
LOCALE = r"[A-Za-z]{2}([-_][A-Za-z]{2})?"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)"
ENTRY_MODES = frozenset({"manual", "scan", "swipe"})

ECHOED = (
    "acquirerId",
    "collectorNumber",
    "dateTime",
    "deviceId",
    "sponsorCode",
    "storeId",
    "traceId",
    "vendorId",
)


class Text(serializers.Field[str, str, str, Any]):
    """A JSON string of a certain shape. A number in its place is refused, not converted."""

    default_error_messages = {"invalid": "not of the documented form"}

    def __init__(self, pattern: str, max_length: int, *, required: bool = True) -> None:
        super().__init__(required=required)
        self.pattern = re.compile(pattern, re.ASCII)
        self.max_length = max_length

    def to_internal_value(self, data: object) -> str:
        if (
            not isinstance(data, str)
            or len(data) > self.max_length
            or self.pattern.fullmatch(data) is None
        ):
            self.fail("invalid")
        assert isinstance(data, str)
        return data

    def to_representation(self, value: str) -> str:
        return value


class EntryMode(Text):
    """How the number entered the till: Manual, Scan or Swipe, in any case."""

    def to_internal_value(self, data: object) -> str:
        mode = super().to_internal_value(data)
        if mode.casefold() not in ENTRY_MODES:
            self.fail("invalid")
        return mode


class Moment(Text):
    """A local time with its offset, in the pages' form."""

    def to_internal_value(self, data: object) -> str:
        moment = super().to_internal_value(data)
        try:
            datetime.fromisoformat(moment)
        except ValueError:
            self.fail("invalid")
        return moment


class EchoRequest(serializers.Serializer[Any]):
    """PLATFORM 2.3."""

    deviceId = Text(NUMERIC, 3)
    sponsorCode = Text(ALPHANUMERIC, 4)
    storeId = Text(ALPHANUMERIC, 4)
    traceId = Text(NUMERIC, 12)
    vendorId = Text(NUMERIC, 35)


class CardRequest(EchoRequest):
    """What INQUIRE, REDEEM and REVERSE share."""

    acquirerId = Text(NUMERIC, 11)
    cardEntryMode = EntryMode(ALPHANUMERIC, 50)
    collectorNumber = Text(NUMERIC, 19)
    dateTime = Moment(MOMENT, 32)
    instantMessage = Text(LOCALE, 5, required=False)


class InquireRequest(CardRequest):
    """PLATFORM 2.4."""

    postTaxBasketAmount = Text(MONEY, 16)


class RedeemRequest(CardRequest):
    """PLATFORM 2.5. The two original amounts are checked for form only."""

    dollarRedeemRequest = Text(MONEY, 16)
    originalPostTaxBasketAmount = Text(MONEY, 16, required=False)
    originalPreTaxAmount = Text(MONEY, 16, required=False)
    postTaxBasketAmount = Text(MONEY, 16)


class ReverseRequest(CardRequest):
    """PLATFORM 2.6."""

    redemptionConfirmationNumber = Text(r"[!-~]+", 40)


# One of each for all requests: validating keeps nothing, and building the fields is what costs.
REQUESTS: dict[Call, EchoRequest] = {
    Call.ECHO: EchoRequest(),
    Call.INQUIRE: InquireRequest(),
    Call.REDEEM: RedeemRequest(),
    Call.REVERSE: ReverseRequest(),
}


class InvalidField(ValueError):
    """A request's field is missing or not of the documented form."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def read_order(call: Call, body: Mapping[str, Any]) -> Order:
    """Return what a request asks for, or name the first field that is wrong, by the alphabet."""
    try:
        fields: dict[str, str] = REQUESTS[call].run_validation(dict(body))
    except serializers.ValidationError as invalid:
        assert isinstance(invalid.detail, dict)
        raise InvalidField(min(invalid.detail)) from None
    return Order(
        call=call,
        collector=fields.get("collectorNumber", ""),
        sponsor=fields["sponsorCode"],
        is_typed=fields.get("cardEntryMode", "").casefold() == "manual",
        basket_cents=_cents(fields.get("postTaxBasketAmount", "0")),
        request_cents=_cents(fields.get("dollarRedeemRequest", "0")),
        confirmation=fields.get("redemptionConfirmationNumber", ""),
    )


def speaks_french(body: Mapping[str, Any]) -> bool:
    """Return whether messages are wanted in French; English is the default."""
    return str(body.get("instantMessage", "")).casefold().startswith("fr")


def refusal(
    code: str, field: str, *, is_french: bool, now: datetime, switches: Switches
) -> dict[str, str]:
    """Return a decline or an error: the code, its words, the time; no echo is promised."""
    fields = _verdict(code, is_french=is_french, now=now, switches=switches)
    if field:
        # French typography puts a space before a colon, and it must not break there.
        fields["message"] += f"\N{NO-BREAK SPACE}: {field}" if is_french else f": {field}"
    return fields


def approval(
    result: Inquiry | Redeemed | Reversed | None,
    body: Mapping[str, Any],
    *,
    is_french: bool,
    now: datetime,
    switches: Switches,
) -> dict[str, str]:
    """Return an approved answer: the request's fields again, the verdict, and what was found."""
    fields = {name: str(body[name]) for name in ECHOED if name in body}
    if switches.echo_datetime == "rerendered" and "dateTime" in fields:
        fields["dateTime"] = _rerendered(fields["dateTime"])
    code = result.code if result else "0000"
    fields |= _verdict(code, is_french=is_french, now=now, switches=switches)
    if isinstance(result, Inquiry):
        fields |= _inquiry(result, switches)
    elif isinstance(result, Redeemed):
        fields |= _redeemed(result, switches)
    elif isinstance(result, Reversed):
        fields |= _balances(result.member, switches)
        fields[switches.confirmation_field] = result.confirmation
    return fields


def _verdict(code: str, *, is_french: bool, now: datetime, switches: Switches) -> dict[str, str]:
    words = CODES[code].message_fr if is_french else CODES[code].message_en
    return {
        "message": words,
        "responseCode": code,
        "transDateTime": platform_stamp(now, switches.tz),
    }


def _inquiry(inquiry: Inquiry, switches: Switches) -> dict[str, str]:
    standing, member = inquiry.standing, inquiry.standing.member
    fields = _balances(member, switches) | _available(inquiry, switches)
    if inquiry.has_offer:
        fields |= {
            "availableOfferUnits": str(inquiry.units_this_sale),
            "dailyOfferLimit": str(standing.units_by_allowance),
            "offerDescEn": member.offer_desc_en,
            "offerDescFr": member.offer_desc_fr,
            "offerId": member.offer_id,
            "offerType": member.offer_type,
            "unitValueAMCash": str(member.unit_miles),
            "unitValueDollars": _dollars(member.unit_cents),
        }
    return fields


def _redeemed(redeemed: Redeemed, switches: Switches) -> dict[str, str]:
    member = redeemed.standing.member
    return {
        **_balances(member, switches),
        **_available(redeemed, switches),
        switches.confirmation_field: redeemed.confirmation,
        "unitsRedeemed": str(redeemed.units),
        "unitValueAMCash": str(member.unit_miles),
        "unitValueDollars": _dollars(member.unit_cents),
    }


def _balances(member: Member, switches: Switches) -> dict[str, str]:
    if member.is_suppressed and not switches.send_suppressed_balances:
        return {}
    return {"cashBalance": str(member.cash_miles), "dreamBalance": str(member.dream_miles)}


def _available(result: Inquiry | Redeemed, switches: Switches) -> dict[str, str]:
    standing, member = result.standing, result.standing.member
    if member.is_suppressed and not switches.send_suppressed_balances:
        return {}
    # Both samples that exist (95 of 120 miles, 1615 of 1615) are whole units, so these are.
    return {
        "availableCashBalance": str(standing.units_today * member.unit_miles),
        "availableDollarAmount": _dollars(standing.units_today * member.unit_cents).removesuffix(
            ".00"
        ),
    }


def _cents(amount: str) -> int:
    dollars, _, cents = amount.partition(".")
    return int(dollars) * 100 + int(cents.ljust(2, "0"))


def _dollars(amount_cents: int) -> str:
    return f"{amount_cents // 100}.{amount_cents % 100:02d}"


def _rerendered(moment: str) -> str:
    parsed = datetime.fromisoformat(moment)
    return f"{parsed:%Y-%m-%dT%H:%M:%S}.{parsed.microsecond // 1000:03d}{parsed:%z}"
