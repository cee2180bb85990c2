"""The AM Cash messages, out and in. Sans I/O: bytes are built once here and never again.

Remote field names appear here and in `tills` only. In AM Cash everything is a JSON string, money
and counts too (PLATFORM 2.1).
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from amcash import codes
from backoffice.units import Cents, Miles, parse_cents, parse_count, parse_miles, wire_amount

ECHO_PATH = "/checkout/amcash/echo"
INQUIRE_PATH = "/checkout/amcash/inquire"
REDEEM_PATH = "/checkout/amcash/redeem"
REVERSE_PATH = "/checkout/amcash/reverse"

# Under suppression these may neither be shown nor kept (the library page, 0001).
BALANCE_FIELDS = (
    "cashBalance",
    "dreamBalance",
    "availableCashBalance",
    "availableDollarAmount",
    "dailyOfferLimit",
)


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Who speaks, from where: the numbers the programme gave the sponsor, its store and till."""

    sponsor_code: str
    vendor_id: str
    acquirer_id: str
    store_number: str
    device_number: str


@dataclass(frozen=True, kw_only=True)
class OfferFields:
    """The conditional offer block of an inquiry (PLATFORM 2.2): all of it, or no offer."""

    unit_miles: Miles
    unit_cents: Cents
    available_units: int
    daily_units: int | None
    offer_id: str
    is_special: bool
    description_en: str
    description_fr: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A parsed answer. Balances are None where the code does not allow them (see `kept`)."""

    code: str
    message: str = ""
    confirmation_number: str = ""
    units: int | None = None
    unit_cents: Cents | None = None
    unit_miles: Miles | None = None
    cash_miles: Miles | None = field(default=None, repr=False)
    dream_miles: Miles | None = field(default=None, repr=False)
    offer: OfferFields | None = None
    # The answer's own bytes with what may not be kept taken out; what the journal stores.
    kept: bytes = field(default=b"", repr=False)


class Unreadable(ValueError):
    """The answer is not one of the platform's: it decides nothing (PRODUCT 7)."""


def echo(terminal: Terminal, *, trace_id: str) -> bytes:
    """Build an ECHO. PLATFORM 2.3."""
    return _bytes(_terminal_fields(terminal, trace_id))


def inquire(
    terminal: Terminal,
    *,
    collector_number: str,
    entry_mode: str,
    basket_cents: Cents,
    sent_at: datetime,
    trace_id: str,
    language: str,
) -> bytes:
    """Build an INQUIRE. The INQUIRE page, body parameters."""
    return _bytes(
        _card_fields(terminal, collector_number, entry_mode, sent_at, trace_id, language)
        | {"postTaxBasketAmount": wire_amount(basket_cents)}
    )


def redeem(
    terminal: Terminal,
    *,
    collector_number: str,
    entry_mode: str,
    basket_cents: Cents,
    original_cents: Cents,
    asked_cents: Cents,
    sent_at: datetime,
    trace_id: str,
    language: str,
) -> bytes:
    """Build a REDEEM. PLATFORM 2.5, sample request keys.

    The pre-tax amount is left out: a till that knows only the total must not invent one.
    """
    return _bytes(
        _card_fields(terminal, collector_number, entry_mode, sent_at, trace_id, language)
        | {
            "dollarRedeemRequest": wire_amount(asked_cents),
            "originalPostTaxBasketAmount": wire_amount(original_cents),
            "postTaxBasketAmount": wire_amount(basket_cents),
        }
    )


def reverse(
    terminal: Terminal,
    *,
    collector_number: str,
    entry_mode: str,
    confirmation_number: str,
    sent_at: datetime,
    trace_id: str,
    language: str,
) -> bytes:
    """Build a REVERSE of a whole redemption. PLATFORM 2.6: there is no amount."""
    return _bytes(
        _card_fields(terminal, collector_number, entry_mode, sent_at, trace_id, language)
        | {"redemptionConfirmationNumber": confirmation_number}
    )


def card_of(body: bytes) -> tuple[str, str]:
    """Return the collector number and entry mode in a request of ours."""
    fields = json.loads(body)
    return str(fields["collectorNumber"]), str(fields["cardEntryMode"])


def original_basket_of(body: bytes) -> Cents:
    """Return the whole basket in a redemption, goods that do not count included."""
    fields = json.loads(body)
    # A till need not tell the whole (PLATFORM 2.1).
    return parse_cents(fields.get("originalPostTaxBasketAmount") or fields["postTaxBasketAmount"])


def response_code(body: bytes) -> str:
    """Return the answer's code, or an empty string when there is none to be read."""
    try:
        return _code(_object(body))
    except Unreadable:
        return ""


def parse(body: bytes) -> Answer:
    """Read an answer. Raises Unreadable unless it is a JSON object with a code and sane numbers."""
    fields = _object(body)
    code = _code(fields)
    if not code:
        raise Unreadable("There is no responseCode.")
    known = codes.find(code)
    may_keep_balances = known is not None and known.show_balances
    if not may_keep_balances:
        fields = {name: value for name, value in fields.items() if name not in BALANCE_FIELDS}
    try:
        return Answer(
            code=code,
            message=_text(fields, "message"),
            # Both spellings stand on the programme's pages (PLATFORM 9.5).
            confirmation_number=_text(fields, "txnConfirmationNumber")
            or _text(fields, "txtConfirmationNumber"),
            units=_number(fields, "unitsRedeemed", parse_count),
            unit_cents=_number(fields, "unitValueDollars", parse_cents),
            unit_miles=_number(fields, "unitValueAMCash", parse_miles),
            cash_miles=_number(fields, "cashBalance", parse_miles),
            dream_miles=_number(fields, "dreamBalance", parse_miles),
            offer=_offer(fields),
            kept=_bytes(fields),
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _offer(fields: dict[str, Any]) -> OfferFields | None:
    unit_miles = _number(fields, "unitValueAMCash", parse_miles)
    unit_cents = _number(fields, "unitValueDollars", parse_cents)
    units = _number(fields, "availableOfferUnits", parse_count)
    if not unit_miles or not unit_cents or units is None:
        return None
    return OfferFields(
        unit_miles=unit_miles,
        unit_cents=unit_cents,
        available_units=units,
        daily_units=_number(fields, "dailyOfferLimit", parse_count),
        offer_id=_text(fields, "offerId"),
        is_special=_text(fields, "offerType").upper() == "SPL",
        description_en=_text(fields, "offerDescEn"),
        description_fr=_text(fields, "offerDescFr"),
    )


def _terminal_fields(terminal: Terminal, trace_id: str) -> dict[str, str]:
    return {
        "deviceId": terminal.device_number,
        "sponsorCode": terminal.sponsor_code,
        "storeId": terminal.store_number,
        "traceId": trace_id,
        "vendorId": terminal.vendor_id,
    }


def _card_fields(
    terminal: Terminal,
    collector_number: str,
    entry_mode: str,
    sent_at: datetime,
    trace_id: str,
    language: str,
) -> dict[str, str]:
    assert sent_at.tzinfo is not None
    return _terminal_fields(terminal, trace_id) | {
        "acquirerId": terminal.acquirer_id,
        "cardEntryMode": entry_mode,
        "collectorNumber": collector_number,
        # The partner's local time; the offset has no colon (PLATFORM 9.8).
        "dateTime": sent_at.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "instantMessage": "fr-CA" if language.startswith("fr") else "en-CA",
    }


def _bytes(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The answer is not JSON.") from error
    if not isinstance(fields, dict):
        raise Unreadable("The answer is not a JSON object.")
    return fields


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, which no JSON has.
    raise ValueError(name)


def _code(fields: dict[str, Any]) -> str:
    # What cannot be stored or shown is no code: surrogates, control characters.
    code = _text(fields, "responseCode")
    return code if code.isascii() and code.isprintable() else ""


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _number(fields: dict[str, Any], name: str, parse_number: Any) -> Any:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        # Everything is documented as a string; JSON numbers would have passed through a float.
        raise Unreadable(f"{name} is not a string.")
    return parse_number(value.strip())
