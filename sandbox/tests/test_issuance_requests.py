"""What issuance refuses before anything is decided: odd JSON, wrong fields, wrong arithmetic."""

import json
from typing import Any

import pytest

from sandbox.tests.partner import EVENTS, PATHS, ask, errors, issuance, item, message, send
from sandbox.tests.till import Answer, Till

BASKET = [
    "basketPostTaxAmount",
    "basketPreTaxAmount",
    "checkoutDateTime",
    "checkoutTransactionId",
    "collectorNumber",
    "sponsorCode",
]
EVENT = [
    "clientTransactionId",
    "collectorNumber",
    "issuances",
    "sponsorCode",
    "transactionDateTime",
]
REQUIRED = {
    "post": [*BASKET, "issuances"],
    "post-event": EVENT,
    "issuance-reverse": [*BASKET, "issuances"],
    "issuance-reverse-event": EVENT,
    "record": [name for name in BASKET if name != "collectorNumber"] + ["transactionType"],
    "calculate": [*BASKET, "transactionType"],
    "issue": BASKET,
    "return": [*BASKET, "originalTransactionId"],
}
MISSING = [(call, name) for call, names in REQUIRED.items() for name in names]
AMOUNTS = [f"basket{name}Amount" for name in ("GST", "HST", "PST", "QST", "PostTax", "PreTax")]
TEXTS = ["checkoutTransactionId", "deviceId", "locationCode", "sponsorCode", "collectorNumber"]


def full(call: str) -> dict[str, Any]:
    """Return a request with everything that a call requires."""
    if call == "return":
        return message(call, originalTransactionId="d445b671-7a7f-490f-a3f8-adfc443408a5")
    return message(call)


def reasons(answer: Answer) -> list[str]:
    assert answer.status == 400, answer.raw
    return [one["errorReason"] for one in answer.body["errors"]]


def assert_names(till: Till, call: str, body: dict[str, Any] | bytes, name: str) -> None:
    answer = send(till, call, body)
    assert reasons(answer)[0].startswith(f"{name}: "), answer.raw
    assert set(answer.body) == {"errors"}
    assert errors(answer) == ["InvalidField"]
    assert till.effects() == []


@pytest.mark.parametrize(("call", "name"), MISSING)
def test_a_missing_field_is_named(till: Till, call: str, name: str) -> None:
    body = full(call)
    del body[name]
    assert_names(till, call, body, name)


@pytest.mark.parametrize("name", ["issuanceOfferCode", "milesAmount", "offerId"])
@pytest.mark.parametrize("call", ["post", "post-event"])
def test_a_missing_field_of_an_issuance_is_named(till: Till, call: str, name: str) -> None:
    wrong = issuance()
    del wrong[name]
    assert_names(till, call, message(call, issuances=[issuance(), wrong]), f"issuances[1].{name}")


@pytest.mark.parametrize("name", ["id", "name", "number", "quantity", "baseAmount", "finalAmount"])
@pytest.mark.parametrize("call", ["post", "record", "issue"])
def test_a_missing_field_of_an_item_is_named(till: Till, call: str, name: str) -> None:
    wrong = item()
    del wrong[name]
    assert_names(till, call, message(call, items=[item(), wrong]), f"items[1].{name}")


@pytest.mark.parametrize("wrong", ["24.97", "", True, None, [1], {"a": 1}, -1, 1.001, 1e300])
@pytest.mark.parametrize("name", AMOUNTS)
def test_an_amount_is_a_json_number_of_dollars_and_cents(
    till: Till, name: str, wrong: object
) -> None:
    body = message("post") | {name: wrong}
    assert_names(till, "post", body, name)


@pytest.mark.parametrize("wrong", [1, True, None, ["1"], {"a": "1"}, "", "x" * 65, "\ud800"])
@pytest.mark.parametrize("name", TEXTS)
def test_text_is_a_json_string(till: Till, name: str, wrong: object) -> None:
    assert_names(till, "post", message("post") | {name: wrong}, name)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("collectorNumber", "8111111111"),
        ("collectorNumber", "811111111111"),
        ("collectorNumber", "71111111111"),
        ("collectorNumber", "8111111111A"),
        ("collectorNumber", "٨١١١١١١١١١١"),
        ("locationCode", "ST900"),
        ("locationCode", "ST-9"),
        ("sponsorCode", "LO Y"),
        ("checkoutDateTime", "2019-05-30"),
        ("checkoutDateTime", "2019-05-30T14:12:59"),
        ("checkoutDateTime", "2019-13-30T14:12:59Z"),
        ("checkoutDateTime", "0001-01-01T00:00:00+14:00"),
        ("checkoutDateTime", "9999-12-31T23:59:59-12:00"),
        ("checkoutDateTime", 1559225579),
        ("context", ["a"]),
        ("context", {"a": 1}),
        ("context", {"a": None}),
        ("context", {"\ud800": "a"}),
        ("coupon", "57841"),
        ("coupon", {"57841": "57862"}),
        ("tender", "CASH"),
        ("issuances", []),
        ("issuances", {}),
        ("issuances", "STANDARD"),
        ("items", {}),
        ("items", "SKU1"),
    ],
)
def test_a_malformed_field_is_named(till: Till, name: str, wrong: object) -> None:
    assert_names(till, "post", message("post") | {name: wrong}, name)


@pytest.mark.parametrize(
    "wrong", ["", "purchase", "RETURNS", "\ud800", "x" * 200_000, None, 1, ["RETURN"], {}]
)
@pytest.mark.parametrize("call", ["record", "calculate"])
def test_the_type_of_a_transaction_is_one_of_two(till: Till, call: str, wrong: object) -> None:
    body = message(call) | {"transactionType": wrong}
    assert_names(till, call, body, "transactionType")
    assert len(send(till, call, body).raw) < 200


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("coupon[1]", {"coupon": ["a", 1]}),
        ("tender[0]", {"tender": [None]}),
        ("issuances[0]", {"issuances": ["a"]}),
        ("items[0]", {"items": [1]}),
        ("issuances[0].milesAmount", {"issuances": [issuance(0)]}),
        ("issuances[0].milesAmount", {"issuances": [issuance(-5)]}),
        ("issuances[0].milesAmount", {"issuances": [issuance() | {"milesAmount": 2.5}]}),
        ("issuances[0].milesAmount", {"issuances": [issuance() | {"milesAmount": "5"}]}),
        ("issuances[0].milesAmount", {"issuances": [issuance(10**9 + 1)]}),
        ("issuances[0].milesAmount", {"issuances": [issuance(10**400)]}),
        ("issuances[0].offerId", {"issuances": [issuance(offerId=2.5)]}),
        ("issuances[0].offerId", {"issuances": [issuance(offerId=-1)]}),
        ("issuances[0].offerId", {"issuances": [issuance(offerId=True)]}),
        ("issuances[0].offerId", {"issuances": [issuance(offerId="")]}),
        ("issuances[0].issuanceOfferCode", {"issuances": [issuance(code="A B")]}),
        ("issuances[0].contributingItemIds", {"issuances": [issuance(contributingItemIds="A")]}),
        ("issuances[0].locationCode", {"issuances": [issuance(locationCode="11000")]}),
        ("items[0].number", {"items": [item() | {"number": 1.5}]}),
        ("items[0].quantity", {"items": [item() | {"quantity": 0, "finalAmount": 0}]}),
        ("items[0].quantity", {"items": [item() | {"quantity": "2"}]}),
    ],
)
def test_a_malformed_part_is_named(till: Till, name: str, wrong: dict[str, Any]) -> None:
    assert_names(till, "post", message("post") | wrong, name)


@pytest.mark.parametrize(
    ("quantity", "base", "final", "is_right"),
    [
        ("2", "9.99", "19.98", True),
        ("2", "9.99", "19.980", False),
        ("2", "9.99", "19.97", False),
        ("2", "9.99", "9.99", False),
        ("3", "0.1", "0.3", True),
        ("3", "1.1", "3.30", True),
        ("1", "0", "0", True),
        ("0.305", "3.00", "0.92", True),
        ("0.305", "3.00", "0.91", False),
        ("1000000", "10000000", "10000000000000", False),
    ],
)
@pytest.mark.parametrize("call", ["post", "issuance-reverse", "record", "calculate", "issue"])
def test_the_arithmetic_of_an_item_is_checked_without_floats(
    till: Till, call: str, quantity: str, base: str, final: str, is_right: bool
) -> None:
    body = json.dumps(message(call, items=[item()]))
    body = body.replace('"quantity": 1', f'"quantity": {quantity}')
    body = body.replace('"baseAmount": 10.0', f'"baseAmount": {base}')
    body = body.replace('"finalAmount": 10.0', f'"finalAmount": {final}')
    answer = send(till, call, body.encode())
    if is_right:
        assert answer.status == 200, answer.raw
        assert f'"finalAmount":{final}'.encode() in answer.raw
    else:
        assert reasons(answer)[0].startswith("items[0].finalAmount: ")


@pytest.mark.parametrize("written", ["5.0", "5.000", "5e0"])
def test_a_whole_number_is_whole_however_it_is_written(till: Till, written: str) -> None:
    body = json.dumps(message("post", issuances=[issuance(5, offerId=22)]))
    body = body.replace('"milesAmount": 5', f'"milesAmount": {written}')
    answer = send(till, "post", body.replace('"offerId": 22', '"offerId": 22.0').encode())
    assert answer.status == 200, answer.raw
    [given] = answer.body["issuances"]
    assert given["milesAmount"] == 5 and given["offerId"] == "22"


def test_the_reason_says_what_an_item_comes_to(till: Till) -> None:
    wrong = item("A", 2, 9.99) | {"finalAmount": 20}
    answer = ask(till, "issue", items=[wrong])
    assert reasons(answer) == ["items[0].finalAmount: must be baseAmount times quantity, 19.98"]


def test_every_wrong_field_is_named_in_order(till: Till) -> None:
    body = message("post", sponsorCode="", collectorNumber="1", issuances=[{"milesAmount": 1}])
    assert [reason.partition(":")[0] for reason in reasons(send(till, "post", body))] == [
        "collectorNumber",
        "issuances[0].issuanceOfferCode",
        "issuances[0].offerId",
        "sponsorCode",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e99999999999999999999}',
        b'{"deviceId": "001", "deviceId": "002"}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"1" * 5_000 + b"}",
        b'{"a": "' + b"x" * (256 * 1024) + b'"}',
    ],
    ids=lambda raw: f"{len(raw)} bytes {raw[:16]!r}",
)
@pytest.mark.parametrize("call", PATHS)
def test_a_body_that_is_no_plain_object_is_refused(till: Till, call: str, raw: bytes) -> None:
    answer = send(till, call, raw)
    assert (answer.status, errors(answer)) == (400, ["InvalidRequest"])


@pytest.mark.parametrize(
    "number", ["1e400", "1E-400", "9" * 400, "0." + "1" * 400, "-0.01", "1e7", "12345678.00"]
)
@pytest.mark.parametrize("call", ["post", "issue", "record"])
def test_a_number_beyond_all_bounds_is_a_400(till: Till, call: str, number: str) -> None:
    raw = json.dumps(message(call)).replace('Amount": 100,', f'Amount": {number},').encode()
    answer = send(till, call, raw)
    assert answer.status == (200 if number == "1e7" else 400)


def test_what_is_not_known_is_ignored_and_not_repeated(till: Till) -> None:
    body = message("post", note={"deep": [1.5, None]}, issuances=[issuance(points=7)])
    answer = send(till, "post", body)
    assert answer.status == 200
    assert "note" not in answer.body
    assert "points" not in answer.body["issuances"][0]


@pytest.mark.parametrize("call", EVENTS)
def test_an_event_knows_no_contributing_items(till: Till, call: str) -> None:
    answer = ask(till, call, issuances=[issuance(contributingItemIds=["A"])])
    assert answer.status == 200
    assert "contributingItemIds" not in answer.body["issuances"][0]


def test_an_offer_id_that_is_a_number_comes_back_as_text(till: Till) -> None:
    for call in ("post", "record"):
        answer = ask(till, call, issuances=[issuance(offerId=22), issuance(offerId="0022")])
        assert [one["offerId"] for one in answer.body["issuances"]] == ["22", "0022"]


@pytest.mark.parametrize("moment", ["1972-07-16T13:32:05.234+04:00", "2019-05-30T14:12:59.479Z"])
def test_the_pages_moments_are_let_in_and_repeated(till: Till, moment: str) -> None:
    answer = ask(till, "post", checkoutDateTime=moment)
    assert answer.body["checkoutDateTime"] == moment


def test_nothing_empty_is_sent_back(till: Till) -> None:
    answer = ask(till, "post", context={}, coupon=[], tender=[], items=[])
    assert answer.status == 200
    assert not {"context", "coupon", "tender", "items"} & set(answer.body)


def test_text_of_any_language_comes_back_as_it_was(till: Till) -> None:
    words = "Pâté, œufs, 牛乳 \u0000 \U0001f95a"
    answer = ask(till, "post", context={words: words}, items=[item() | {"name": words}])
    assert answer.body["context"] == {words: words}
    assert answer.body["items"][0]["name"] == words


def test_a_key_that_is_too_long_is_named(till: Till) -> None:
    assert reasons(ask(till, "post", "k" * 256))[0].startswith("Idempotency-Key: ")
    assert ask(till, "post", "k" * 255).status == 200


@pytest.mark.parametrize("call", PATHS)
def test_a_call_is_a_post_with_a_token(till: Till, call: str) -> None:
    path = f"/checkout/issuance/{PATHS[call]}"
    headers = {"Authorization": f"Bearer {till.token}"}
    assert till.transport("GET", path, b"", headers).status == 405
    till.token = ""
    answer = ask(till, call)
    assert (answer.status, "errors" in answer.body) == (401, False)
