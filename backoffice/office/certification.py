"""The certification walk: every message and code through the switch, as one device, against the
sandbox. What is found is a line; nothing is judged but what was expected.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.test import Client
from django.utils import timezone

from amcash import codes, pulse
from backoffice.devices.models import Device
from backoffice.journal import programme
from backoffice.journal.states import Product

# The sandbox's test cards (PRODUCT 3).
_REGULAR: Final = "80000010001"
# An event is pending at first, and the next one of its collector waits for it.
_OF_EVENTS: Final = {"issuance/post/event": "80000010002", "issuance/reverse/event": "80000010007"}
_PENDING: Final = "80000020202"
_REJECTED: Final = "80000020400"
_STUMBLING: Final = "80000020500"
# What a card that answers this code leaves behind is told as another one by the switch.
_AS_A_DOUBT: Final = frozenset({"0008", "0096"})
_OUTAGE: Final = "0092"
# A repeated walk asks for its own earlier doubts again, instead of leaving another.
_ONCE: Final = "2026-01-01T12:00:00-0500"
_PROBE_FOR_S: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the switch answered. `code` is the response code, the status of the offers or empty."""

    status: int
    code: str
    fields: Mapping[str, Any]
    reference: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the report: what was asked, expected and answered."""

    call: str
    case: str
    expected: str
    got: str
    is_good: bool
    reference: str


def walk(device: Device, token: str) -> Iterator[Line]:
    """Ask everything a till can ask, in an order in which nothing stands in another's way."""
    lane = _Lane(device, token)
    yield from _of_access(lane)
    yield from _of_amcash(lane)
    yield from _of_issuance(lane)
    # Last: an outage stops the line until a good ECHO.
    yield from _of_an_outage(lane)


class _Lane:
    """A till of the device, speaking to this very Milepost."""

    def __init__(self, device: Device, token: str) -> None:
        self._client = Client(SERVER_NAME="localhost", raise_request_exception=False)
        self._token = token
        self.device = device

    def ask(
        self, path: str, fields: Mapping[str, Any], *, key: str = "", token: str = ""
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token or self._token}"}
        if key:
            headers["Idempotency-Key"] = key
        answer = self._client.post(
            f"/checkout/{path}",
            json.dumps(dict(fields)),
            content_type="application/json",
            headers=headers,
        )
        told = json.loads(answer.content)
        return Answer(
            status=answer.status_code,
            code=_code_of(told),
            fields=told,
            reference=answer.headers.get("Milepost-Transaction", ""),
        )

    def line(self, path: str, case: str, expected: Sequence[str], answer: Answer) -> Line:
        got = f"{answer.status} {answer.code}".strip()
        return Line(
            call=path,
            case=case,
            expected=" or ".join(expected),
            got=got,
            is_good=got in expected,
            reference=answer.reference,
        )


def _of_access(lane: _Lane) -> Iterator[Line]:
    path = "amcash/echo"
    stranger = lane.ask(path, _echo(), token="nobody")  # noqa: S106 (nobody's token)
    yield lane.line(path, "an unknown token", ["401"], stranger)
    yield lane.line(path, "is it up", ["200 0000"], lane.ask(path, _echo()))
    yield lane.line(path, "traceId missing", ["400 0035"], lane.ask(path, {}))


def _of_amcash(lane: _Lane) -> Iterator[Line]:
    for code in _codes_of("inquire"):
        path = "amcash/inquire"
        expected = f"{code.http} {code.code}"
        answer = lane.ask(path, _inquiry(_card(code.code)))
        yield lane.line(path, f"a card of {code.code}", [expected], answer)
    for code in _codes_of("redeem"):
        path = "amcash/redeem"
        is_doubt = code.code in _AS_A_DOUBT
        fields = _redemption(_card(code.code), at=_ONCE if is_doubt else "")
        expected = "408 0008" if is_doubt else f"{code.http} {code.code}"
        answer = lane.ask(path, fields, key=f"certify {code.code}" if is_doubt else "")
        yield lane.line(path, f"a card of {code.code}", [expected], answer)
    yield from _of_repetition(lane)
    yield from _of_reversals(lane)


def _of_repetition(lane: _Lane) -> Iterator[Line]:
    path, key = "amcash/redeem", str(uuid.uuid4())
    fields = _redemption(_card("0051"))
    first = lane.ask(path, fields, key=key)
    again = lane.ask(path, fields, key=key)
    is_same = again.fields == first.fields and again.reference == first.reference
    same = "the same answer" if is_same else "another answer"
    line = lane.line(path, "the same request again", ["202 0051"], again)
    yield replace(line, got=f"{line.got}, {same}", is_good=line.is_good and is_same)
    other = lane.ask(path, _redemption(_card("0051")), key=key)
    yield lane.line(path, "the same key for another request", ["422 0035"], other)
    typed = _redemption(_REGULAR) | {"cardEntryMode": "MANUAL"}
    yield lane.line(path, "a typed card", ["403 0009"], lane.ask(path, typed))
    stranger = _redemption(_REGULAR) | {"sponsorCode": "----"}
    yield lane.line(path, "another sponsor's code", ["400 0035"], lane.ask(path, stranger))


def _of_reversals(lane: _Lane) -> Iterator[Line]:
    path = "amcash/reverse"
    for code in ("0000", "0001", "0057", "0080"):
        taken = lane.ask("amcash/redeem", _redemption(_card(code)))
        number = str(taken.fields.get("txnConfirmationNumber", "-"))
        answer = lane.ask(path, _reversal(redemptionConfirmationNumber=number))
        known = codes.CODES[code]
        yield lane.line(path, f"a card of {code}", [f"{known.http} {code}"], answer)
    unknown = lane.ask(path, _reversal(redemptionConfirmationNumber="NEVERGIVEN"))
    yield lane.line(path, "a number that was never given", ["400 0057"], unknown)
    fields = _redemption(_REGULAR)
    lane.ask("amcash/redeem", fields)
    voided = lane.ask(path, _reversal(originalTraceId=fields["traceId"]))
    yield lane.line(path, "a void by the trace number", ["200 0000"], voided)
    nothing = lane.ask(path, _reversal(originalTraceId=_trace()))
    yield lane.line(path, "a void of nothing", ["400 0057"], nothing)


def _of_issuance(lane: _Lane) -> Iterator[Line]:
    done = ["200 CONFIRMED"]
    for give, take in (
        ("issuance/post", "issuance/reverse"),
        ("issuance/issue", "issuance/return"),
    ):
        has_awards = give == "issuance/post"
        given = lane.ask(give, _sale(_REGULAR, has_awards=has_awards))
        yield lane.line(give, "a sale", done, given)
        original = str(given.fields.get("transactionId", "-"))
        back = _sale(_REGULAR, has_awards=has_awards) | {"originalTransactionId": original}
        yield lane.line(take, "the sale brought back", done, lane.ask(take, back))
    for path, card in _OF_EVENTS.items():
        answer = lane.ask(path, _event(card))
        yield lane.line(path, "an event", ["200 PENDING", "200 CONFIRMED"], answer)
    typed = _sale(_REGULAR) | {"transactionType": "PURCHASE"}
    for path in ("issuance/record", "issuance/calculate"):
        yield lane.line(path, "a sale", ["200"], lane.ask(path, typed))
    path = "issuance/issue"
    pending = _sale(_PENDING) | {"checkoutDateTime": _ONCE, "checkoutTransactionId": "certify"}
    answer = lane.ask(path, pending, key="certify pending")
    yield lane.line(path, "a card that stays pending", ["202 PENDING", "200 CONFIRMED"], answer)
    rejected = lane.ask(path, _sale(_REJECTED))
    yield lane.line(path, "a card that is rejected", ["400 CollectorNotFound"], rejected)
    stumbled = lane.ask(path, _sale(_STUMBLING))
    yield lane.line(path, "a card that fails twice", done, stumbled)
    yield lane.line(path, "nothing but braces", ["400 InvalidField"], lane.ask(path, {}))
    key = str(uuid.uuid4())
    lane.ask(path, _sale(_REJECTED), key=key)
    other = lane.ask(path, _sale(_REJECTED), key=key)
    expected = ["422 IdempotencyKeyReused"]
    yield lane.line(path, "the same key for another request", expected, other)


def _of_an_outage(lane: _Lane) -> Iterator[Line]:
    for call, fields in (("inquire", _inquiry), ("redeem", _redemption)):
        answer = lane.ask(f"amcash/{call}", fields(_card(_OUTAGE)))
        yield lane.line(f"amcash/{call}", f"a card of {_OUTAGE}", ["503 0092"], answer)
        _wait_for_a_good_echo()


def _wait_for_a_good_echo() -> None:
    ends = time.monotonic() + _PROBE_FOR_S
    while programme.standing(Product.CASH).is_open and time.monotonic() < ends:
        pulse.take_if_open()
        time.sleep(0.2)


def _codes_of(endpoint: str) -> list[codes.Code]:
    """Return the codes that a call documents, the outage apart."""
    found = (code for code in codes.CODES.values() if endpoint in code.endpoints)
    return [code for code in found if code.code != _OUTAGE]


def _card(code: str) -> str:
    return _REGULAR if code == "0000" else f"8000000{code}"


def _code_of(told: Mapping[str, Any]) -> str:
    if "responseCode" in told:
        return str(told["responseCode"])
    errors = told.get("errors") or [{}]
    for offer in told.get("issuances") or []:
        errors = offer.get("errors") or errors
        if "status" in offer and not offer.get("errors"):
            return str(offer["status"])
    return str(errors[0].get("errorCode") or told.get("status") or "")


def _trace() -> str:
    return f"{uuid.uuid4().int % 10**12:012d}"


def _now() -> str:
    return timezone.localtime().strftime("%Y-%m-%dT%H:%M:%S%z")


def _echo() -> dict[str, str]:
    return {"traceId": _trace()}


def _inquiry(card: str) -> dict[str, str]:
    return {
        "cardEntryMode": "SCAN",
        "collectorNumber": card,
        "dateTime": _now(),
        "postTaxBasketAmount": "43.35",
        "traceId": _trace(),
    }


def _redemption(card: str, *, at: str = "") -> dict[str, str]:
    fields = _inquiry(card) | {"dollarRedeemRequest": "10.00"}
    return fields | {"dateTime": at, "traceId": card[-4:]} if at else fields


def _reversal(**named: str) -> dict[str, str]:
    return {"dateTime": _now(), "traceId": _trace(), **named}


def _sale(card: str, *, has_awards: bool = False) -> dict[str, Any]:
    sale: dict[str, Any] = {
        "basketHSTAmount": 3.25,
        "basketPreTaxAmount": 24.97,
        "basketPostTaxAmount": 28.22,
        "checkoutDateTime": datetime.now(tz=timezone.get_current_timezone()).isoformat(),
        "checkoutTransactionId": str(uuid.uuid4()),
        "collectorNumber": card,
    }
    return sale | {"issuances": [_award()]} if has_awards else sale


def _event(card: str) -> dict[str, Any]:
    return {
        "clientTransactionId": str(uuid.uuid4()),
        "collectorNumber": card,
        "issuances": [_award()],
        "transactionDateTime": datetime.now(tz=timezone.get_current_timezone()).isoformat(),
    }


def _award() -> dict[str, Any]:
    return {"issuanceOfferCode": "STANDARD", "milesAmount": 5, "offerId": "STANDARD"}
