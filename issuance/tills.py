"""Reads what a till sends by the programme's own issuance pages, and writes what it is told.

Sans I/O. Remote field names appear here and in `messages` only. A till's own fields reach the
programme as sent; who it says it is must be who its token says, and is filled in otherwise.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from backoffice import exact
from backoffice.units import Cents
from issuance import messages
from issuance.codes import EVENTS, Message, Status
from issuance.fields import BODIES, problems_of
from issuance.lines import OfferAnswer

MOST_ERRORS: Final = 20
_DEEPEST: Final = 20


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who speaks, by the token."""

    sponsor_code: str
    store_number: str
    device_number: str


class BadFields(ValueError):
    """A request is wrong: each problem names its field. Nothing is sent."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = tuple(problems)


class _NullInList(ValueError):
    """A list of a request has null among what it holds."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A till's request that reads well, as it goes to the programme."""

    message: Message
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def body(self) -> bytes:
        """The message's final bytes."""
        return exact.dumps(dict(self.fields))

    @property
    def checkout_id(self) -> str:
        """The till's own number of the transaction."""
        name = "clientTransactionId" if self.message in EVENTS else "checkoutTransactionId"
        return str(self.fields[name])

    @property
    def collector_number(self) -> str:
        """The collector's number, or empty where a sale is recorded without one."""
        return str(self.fields.get("collectorNumber", ""))

    @property
    def original_id(self) -> str:
        """What a message that takes miles back names as its original, or empty."""
        is_event = self.message in EVENTS
        name = "originalClientTransactionId" if is_event else "originalTransactionId"
        return str(self.fields.get(name, ""))

    @property
    def transaction_type(self) -> str:
        """PURCHASE or RETURN, of a CALCULATE or a RECORD."""
        return str(self.fields.get("transactionType", ""))

    def cents(self, name: str) -> Cents:
        """Return an amount of the basket."""
        return Cents(int(self.fields[name] * 100))


def read(message: Message, body: bytes, caller: Caller) -> Request:
    """Read a request of this till. Raises BadFields with every problem, by the alphabet."""
    try:
        fields = exact.loads(body)
    except exact.BeyondBounds as error:
        raise BadFields(["request body: has a number that is too long or too large"]) from error
    except exact.NotJson as error:
        raise BadFields(["request body: is not JSON"]) from error
    if not isinstance(fields, dict) or _is_too_deep(fields):
        raise BadFields(["request body: is not a plain JSON object"])
    try:
        fields = _told(fields)
    except _NullInList as error:
        raise BadFields(["request body: has null in a list"]) from error
    _fill_in(message, fields, caller)
    problems = [*_strangers(message, fields, caller), *problems_of(fields, BODIES[message])]
    if problems:
        raise BadFields(sorted(problems)[:MOST_ERRORS])
    request = Request(message=message, fields=fields)
    try:
        # What the log reads back later must read well now.
        messages.parse_request(message, request.body)
    except (messages.Unreadable, UnicodeEncodeError) as error:
        raise BadFields(["request body: is not text"]) from error
    return request


def refusal(errors: Sequence[tuple[str, str]]) -> bytes:
    """Write what is wrong as the programme does: a code and a reason for each."""
    return exact.dumps(
        {"errors": [{"errorCode": code, "errorReason": reason} for code, reason in errors]}
    )


def standing(
    message: Message,
    body: bytes,
    offers: Sequence[OfferAnswer],
    *,
    transaction_id: str,
    otherwise: Status,
    zone: ZoneInfo,
) -> bytes:
    """Write how an operation stands, in the shape of its answer (PLATFORM 2.8).

    What the programme has not said of an offer is `otherwise`. Where the programme calculates and
    has named no offer yet, the whole has that status.
    """
    fields = exact.loads(body)
    if message in EVENTS:
        # The pages' answers to events have none, and the moment on the programme's clock.
        fields.pop("context", None)
        if "transactionDateTime" in fields:
            moment = datetime.fromisoformat(fields["transactionDateTime"]).astimezone(zone)
            fields["transactionDateTime"] = moment.isoformat(timespec="milliseconds")
    known = _by_offer(offers)
    asked = fields.pop("issuances", None) or [_named(offer) for offer in offers]
    seen: Counter[str] = Counter()
    told = []
    for one in asked:
        offer_id = str(one.get("offerId", ""))
        found = known.get((offer_id, seen[offer_id]))
        seen[offer_id] += 1
        told.append(one | {"offerId": offer_id} | _result(found, otherwise))
    if told:
        fields["issuances"] = told
    else:
        fields["status"] = otherwise.value
    if transaction_id:
        fields["transactionId"] = transaction_id
    return exact.dumps(fields)


def _result(offer: OfferAnswer | None, otherwise: Status) -> dict[str, Any]:
    if offer is None:
        return {"status": otherwise.value}
    errors = [{"errorCode": code, "errorReason": reason} for code, reason in offer.errors]
    fields = {
        "confirmationNumber": offer.confirmation_number,
        "processedDateTime": offer.processed_at,
        "errors": errors,
        "status": offer.status.upper() or otherwise.value,
    }
    return {name: value for name, value in fields.items() if value}


def _named(offer: OfferAnswer) -> dict[str, Any]:
    fields = {
        "issuanceOfferCode": offer.offer_code,
        "locationCode": offer.location_code,
        "milesAmount": offer.miles,
        "offerDescription": offer.description,
        "offerId": offer.offer_id,
    }
    return {name: value for name, value in fields.items() if value != ""}


def _by_offer(offers: Sequence[OfferAnswer]) -> dict[tuple[str, int], OfferAnswer]:
    seen: Counter[str] = Counter()
    known = {}
    for offer in offers:
        known[offer.offer_id, seen[offer.offer_id]] = offer
        seen[offer.offer_id] += 1
    return known


def _told(value: Any) -> Any:
    """Return a value without what is null, which is the same as left out (PLATFORM 2.0).

    Raises _NullInList: what is left out of a list moves what stands behind it.
    """
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        if None in value:
            raise _NullInList
        return [_told(one) for one in value]
    return value


def _is_too_deep(fields: dict[str, Any]) -> bool:
    level: list[Any] = [fields]
    for _ in range(_DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [two for one in inner for two in one if isinstance(two, dict | list)]
        if not level:
            return False
    return True


def _identity(message: Message, caller: Caller) -> dict[str, str]:
    known = {"sponsorCode": caller.sponsor_code}
    # An event happens at no place of its own.
    return known if message in EVENTS else known | {"locationCode": caller.store_number}


def _fill_in(message: Message, fields: dict[str, Any], caller: Caller) -> None:
    for name, value in _identity(message, caller).items():
        fields.setdefault(name, value)
    # In issuance a device's id is free text, and the till's own word for itself.
    fields.setdefault("deviceId", caller.device_number)


def _strangers(message: Message, fields: dict[str, Any], caller: Caller) -> Iterator[str]:
    for name, value in _identity(message, caller).items():
        if fields[name] != value:
            yield f"{name}: is not that of this device"
