"""What is refused before anything is decided: 0035, and the field it names."""

import json
from typing import Any

import pytest

from sandbox.tests.till import Till, request_of

REQUIRED = {
    "echo": ["deviceId", "sponsorCode", "storeId", "traceId", "vendorId"],
}
REQUIRED["inquire"] = [
    *REQUIRED["echo"],
    "acquirerId",
    "cardEntryMode",
    "collectorNumber",
    "dateTime",
    "postTaxBasketAmount",
]
REQUIRED["redeem"] = [*REQUIRED["inquire"], "dollarRedeemRequest"]
REQUIRED["reverse"] = [
    *(name for name in REQUIRED["inquire"] if name != "postTaxBasketAmount"),
    "redemptionConfirmationNumber",
]
MISSING = [(call, name) for call, names in REQUIRED.items() for name in names]

# One character beyond PLATFORM 2.1.
TOO_LONG = {
    "acquirerId": "1" * 12,
    "cardEntryMode": "S" * 51,
    "collectorNumber": "8" * 20,
    "dateTime": "2026-07-16T13:32:00.1234567-0400",
    "deviceId": "1234",
    "dollarRedeemRequest": "1" * 17,
    "instantMessage": "en-CAN",
    "originalPostTaxBasketAmount": "1" * 17,
    "originalPreTaxAmount": "1" * 17,
    "postTaxBasketAmount": "1" * 17,
    "redemptionConfirmationNumber": "A" * 41,
    "sponsorCode": "LOY11",
    "storeId": "12345",
    "traceId": "1" * 13,
    "vendorId": "1" * 36,
}
MALFORMED = [
    ("cardEntryMode", "Tap"),
    ("collectorNumber", "8000001000A"),
    ("collectorNumber", "٨٠٠٠٠٠١٠٠٠١"),
    ("collectorNumber", ""),
    ("dateTime", "2026-07-16"),
    ("dateTime", "2026-07-16T13:32:00"),
    ("dateTime", "2026-13-16T13:32:00-0400"),
    ("dollarRedeemRequest", "-10.00"),
    ("dollarRedeemRequest", "10.001"),
    ("dollarRedeemRequest", "1e3"),
    ("dollarRedeemRequest", "NaN"),
    ("postTaxBasketAmount", "$40"),
    ("traceId", "12 34"),
    ("sponsorCode", "LO\ud800"),
]


def call_with(name: str) -> str:
    return "reverse" if name == "redemptionConfirmationNumber" else "redeem"


def assert_names(till: Till, call: str, body: dict[str, Any], name: str) -> None:
    answer = till.send(call, body)
    assert (answer.status, answer.code) == (400, "0035")
    assert answer.body["message"] == f"Invalid request parameter: {name}"


@pytest.mark.parametrize(("call", "name"), MISSING)
def test_a_missing_field_is_named(till: Till, call: str, name: str) -> None:
    assert_names(till, call, request_of(call, **{name: None}), name)


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_field_that_is_too_long_is_named(till: Till, name: str) -> None:
    call = call_with(name)
    assert_names(till, call, request_of(call, **{name: TOO_LONG[name]}), name)


@pytest.mark.parametrize("wrong", [1, 16.12, True, None, ["1"], {"a": "1"}])
@pytest.mark.parametrize("name", TOO_LONG)
def test_a_field_that_is_no_string_is_named(till: Till, name: str, wrong: object) -> None:
    call = call_with(name)
    assert_names(till, call, request_of(call) | {name: wrong}, name)


@pytest.mark.parametrize(("name", "text"), MALFORMED)
def test_a_malformed_field_is_named(till: Till, name: str, text: str) -> None:
    assert_names(till, "redeem", request_of("redeem", **{name: text}), name)


@pytest.mark.parametrize(
    "changes",
    [
        {"dateTime": "2018-10-04T04:39:59.503-0400"},
        {"dateTime": "2026-07-16T13:32:00Z"},
        {"dateTime": "2026-07-16T13:32:00-04:00"},
        {"cardEntryMode": "swipe"},
        {"cardEntryMode": "Scan"},
        {"deviceId": "01"},
        {"instantMessage": "fr-CA"},
        {"collectorNumber": "80000010001", "timeZone": "EST", "endpoint": "x"},
        {"originalPostTaxBasketAmount": "43.35", "originalPreTaxAmount": "38.36"},
    ],
)
def test_what_the_pages_print_is_let_in(till: Till, changes: dict[str, str]) -> None:
    assert till.ask("redeem", **changes).code == "0000"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"deviceId": "001", "deviceId": "002"}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"1" * 5_000 + b"}",
        b'{"a": "' + b"x" * (256 * 1024) + b'"}',
    ],
    ids=lambda raw: f"{len(raw)} bytes {raw[:16]!r}",
)
@pytest.mark.parametrize("call", ["echo", "redeem"])
def test_a_body_that_is_no_plain_object_is_refused(till: Till, call: str, raw: bytes) -> None:
    answer = till.send(call, raw)
    assert (answer.status, answer.code) == (400, "0035")
    assert answer.body["message"] == "Invalid request parameter: request body"


def test_the_field_is_named_in_french_too(till: Till) -> None:
    answer = till.ask("redeem", storeId="12345", instantMessage="fr-CA")
    assert answer.body["message"] == "Paramètre de requête non valide\N{NO-BREAK SPACE}: storeId"


def test_answers_hold_no_null_and_nothing_empty(till: Till) -> None:
    till.control("seed", members=[{"collector": "84444444444", "cash_miles": 950}])
    body = till.ask("inquire", collectorNumber="84444444444").body
    assert all(body.values())
    assert json.loads(till.ask("echo").raw).keys() == {
        "deviceId",
        "message",
        "responseCode",
        "sponsorCode",
        "storeId",
        "traceId",
        "transDateTime",
        "vendorId",
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_call_is_a_post(till: Till, method: str) -> None:
    headers = {"Authorization": f"Bearer {till.token}"}
    assert till.transport(method, "/checkout/amcash/redeem", b"", headers).status == 405


def test_a_path_the_platform_does_not_have_is_not_found(till: Till) -> None:
    answer = till.send("refund", request_of("redeem"))
    assert (answer.status, answer.code) == (404, "")
