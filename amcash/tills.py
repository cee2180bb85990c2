"""Reads what a till sends by the programme's own pages, and writes what it is told. Sans I/O.

Remote field names appear here and in `messages` only. A till's own fields reach the programme as
sent; who it says it is must be who its token says, and is filled in when it leaves that out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from amcash.messages import Terminal
from amcash.orders import AsSent
from backoffice import exact, plain
from backoffice.cards import Card, EntryMode
from backoffice.units import Cents, parse_cents

# A request names the redemption that it voids by the trace number it had (docs/integrators.md).
VOID_FIELD: Final = "originalTraceId"
_CONFIRMATION: Final = "redemptionConfirmationNumber"
_ECHOED: Final = (
    "acquirerId",
    "collectorNumber",
    "dateTime",
    "deviceId",
    "sponsorCode",
    "storeId",
    "traceId",
    "vendorId",
)
_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")
# What each field looks like (PLATFORM 2.1); lengths are maxima: the pages' samples are shorter.
FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "acquirerId": re.compile(r"[0-9]{1,11}"),
    "cardEntryMode": re.compile(r"MANUAL|Manual|manual|SCAN|Scan|scan|SWIPE|Swipe|swipe"),
    "collectorNumber": re.compile(r"[0-9]{1,19}"),
    "deviceId": re.compile(r"[0-9]{1,3}"),
    "dollarRedeemRequest": _AMOUNT,
    "instantMessage": re.compile(r"[A-Za-z]{2}([-_][A-Za-z]{2})?"),
    "originalPostTaxBasketAmount": _AMOUNT,
    "originalPreTaxAmount": _AMOUNT,
    VOID_FIELD: re.compile(r"[0-9]{1,12}"),
    "postTaxBasketAmount": _AMOUNT,
    _CONFIRMATION: re.compile(r"[ -~]{1,40}"),
    "dateTime": re.compile(plain.MOMENT),
    "sponsorCode": re.compile(r"[A-Za-z0-9]{1,4}"),
    "storeId": re.compile(r"[A-Za-z0-9]{1,4}"),
    "traceId": re.compile(r"[0-9]{1,12}"),
    "vendorId": re.compile(r"[0-9]{1,35}"),
}


class Call(StrEnum):
    """The four calls of AM Cash."""

    ECHO = "echo"
    INQUIRE = "inquire"
    REDEEM = "redeem"
    REVERSE = "reverse"


_CARD = frozenset({"cardEntryMode", "collectorNumber"})
_SENT = frozenset({"dateTime", "traceId"})
REQUIRED: Final[Mapping[Call, frozenset[str]]] = {
    Call.ECHO: frozenset({"traceId"}),
    Call.INQUIRE: _CARD | _SENT | {"postTaxBasketAmount"},
    Call.REDEEM: _CARD | _SENT | {"postTaxBasketAmount", "dollarRedeemRequest"},
    # The card need not be at hand: its number and entry mode are the redemption's (PRODUCT 4).
    Call.REVERSE: _SENT,
}


# What a till may leave out, because its token tells it.
IDENTITY: Final = ("acquirerId", "deviceId", "sponsorCode", "storeId", "vendorId")
_MAY: Final[Mapping[Call, frozenset[str]]] = {
    Call.ECHO: frozenset(),
    Call.INQUIRE: frozenset({"instantMessage"}),
    Call.REDEEM: frozenset(
        {"instantMessage", "originalPostTaxBasketAmount", "originalPreTaxAmount"}
    ),
    Call.REVERSE: _CARD | {"instantMessage", _CONFIRMATION, VOID_FIELD},
}


def known_fields(call: Call) -> tuple[str, ...]:
    """Return the fields of a call that have a meaning here, by the alphabet."""
    identity = set(IDENTITY) - ({"acquirerId"} if call is Call.ECHO else set())
    return tuple(sorted(identity | REQUIRED[call] | _MAY[call]))


class BadField(ValueError):
    """A field of a request is missing or wrong; nothing is sent (0035 names it)."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Request:
    """A till's request that reads well. Amounts are None where the call has none."""

    call: Call
    fields: Mapping[str, str] = field(repr=False)
    is_french: bool
    card: Card | None = None
    basket_cents: Cents | None = None
    original_cents: Cents | None = None
    asked_cents: Cents | None = None

    @property
    def trace_id(self) -> str:
        """The till's own number of this request."""
        return self.fields["traceId"]

    @property
    def language(self) -> str:
        """The language of the messages that the till wants."""
        return "fr" if self.is_french else "en"

    @property
    def collector_number(self) -> str:
        """The collector's number, or empty where the till sends none."""
        return self.fields.get("collectorNumber", "")

    @property
    def confirmation_number(self) -> str:
        """The redemption that a reversal names, or empty for a void."""
        return self.fields.get(_CONFIRMATION, "")

    @property
    def voided_trace_id(self) -> str:
        """The trace number of the redemption that a void names, or empty."""
        return self.fields.get(VOID_FIELD, "")

    def as_sent(self, *, asked: str) -> AsSent:
        """Return the till's message as it goes to the programme."""
        return AsSent(body=exact.dumps(dict(self.fields)), trace_id=self.trace_id, asked=asked)

    def reversal(
        self, *, confirmation_number: str, number: str, entry_mode: str, asked: str
    ) -> AsSent:
        """Return the till's reversal of a redemption, with what it left out of that one.

        A typed number always fails at the platform, and what is given back was read from a card.
        """
        fields = {"cardEntryMode": entry_mode, "collectorNumber": number, **self.fields}
        if fields["cardEntryMode"].upper() == EntryMode.MANUAL:
            fields["cardEntryMode"] = entry_mode
        fields.pop(VOID_FIELD, None)
        fields[_CONFIRMATION] = confirmation_number
        return AsSent(body=exact.dumps(fields), trace_id=self.trace_id, asked=asked)


def read(call: Call, body: bytes, terminal: Terminal) -> Request:
    """Read a request of this till. Raises BadField with the first wrong one, by the alphabet."""
    fields = _texts(body)
    _check_caller(call, fields, terminal)
    # What the call's page does not name is passed on unread.
    known = {name: fields[name] for name in known_fields(call) if name in fields}
    wrong = [name for name, value in known.items() if not _is_well_formed(name, value)]
    missing = REQUIRED[call] - set(fields)
    if call is Call.REVERSE and _CONFIRMATION not in fields and VOID_FIELD not in fields:
        missing |= {_CONFIRMATION}
    if wrong or missing:
        raise BadField(min([*wrong, *missing]))
    basket_cents = _cents(known, "postTaxBasketAmount")
    original_cents = _cents(known, "originalPostTaxBasketAmount")
    return Request(
        call=call,
        fields=fields,
        is_french=speaks_french(fields),
        card=_card(known),
        basket_cents=basket_cents,
        original_cents=basket_cents if original_cents is None else original_cents,
        asked_cents=_cents(known, "dollarRedeemRequest"),
    )


def wants_french(body: bytes) -> bool:
    """Say whether a request, however bad, asks for French messages."""
    try:
        fields = exact.loads(body)
    except exact.NotJson:
        return False
    return isinstance(fields, dict) and speaks_french(fields)


def speaks_french(fields: Mapping[str, object]) -> bool:
    """Say whether these fields ask for French messages."""
    return str(fields.get("instantMessage", "")).lower().startswith("fr")


def refusal(code: str, message: str, *, at: datetime) -> bytes:
    """Write a decline or an error as the platform does: code, message and time (PLATFORM 2.0)."""
    return exact.dumps({"message": message, "responseCode": code, "transDateTime": _wire_time(at)})


def approval(
    request: Request, message: str, *, at: datetime, told: Mapping[str, str | None]
) -> bytes:
    """Write an approval that no answer of the platform's tells: people decided it."""
    echoed = {name: request.fields[name] for name in _ECHOED if name in request.fields}
    named = {name: value for name, value in told.items() if value}
    return exact.dumps(
        echoed
        | named
        | {"message": message, "responseCode": "0000", "transDateTime": _wire_time(at)}
    )


def _texts(body: bytes) -> dict[str, str]:
    """Return the fields of a body. In AM Cash every one is a string; an empty one is left out."""
    try:
        fields = exact.loads(body)
    except exact.NotJson as error:
        raise BadField("request body") from error
    if not isinstance(fields, dict):
        raise BadField("request body")
    for name in sorted(fields):
        value = fields[name]
        if not plain.is_text(name) or not isinstance(value, str) or not plain.is_text(value):
            is_to_name = name and plain.is_text(name) and name.isascii()
            raise BadField(name if is_to_name else "request body")
    return {name: value for name, value in fields.items() if value}


def _check_caller(call: Call, fields: dict[str, str], terminal: Terminal) -> None:
    """Check who a till says it is, and fill in what it leaves out."""
    known = {
        "deviceId": terminal.device_number,
        "sponsorCode": terminal.sponsor_code,
        "storeId": terminal.store_number,
        "vendorId": terminal.vendor_id,
    }
    if call is not Call.ECHO:  # The ECHO page has none.
        known["acquirerId"] = terminal.acquirer_id
    for name, value in sorted(known.items()):
        if fields.setdefault(name, value) != value:
            raise BadField(name)


def _is_well_formed(name: str, value: str) -> bool:
    if FORMS[name].fullmatch(value) is None:
        return False
    return name != "dateTime" or plain.is_moment(value)


def _card(fields: Mapping[str, str]) -> Card | None:
    if not set(fields) >= _CARD:
        return None
    return Card(
        number=fields["collectorNumber"], entry_mode=EntryMode(fields["cardEntryMode"].upper())
    )


def _cents(fields: Mapping[str, str], name: str) -> Cents | None:
    return parse_cents(fields[name]) if name in fields else None


def _wire_time(at: datetime) -> str:
    # The wall clock of the programme, without an offset (PLATFORM 2.2).
    return at.strftime("%Y-%m-%dT%H:%M:%S")
