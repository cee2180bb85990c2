"""The nine messages of issuance, byte for byte as printed, and what is no message at all."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance import messages
from issuance.codes import BY_PATH, Message
from issuance.lines import BasketMessage, EventMessage, ItemLine, OfferLine
from issuance.messages import Unreadable

SAMPLES: list[dict[str, Any]] = [
    one
    for one in json.loads(
        (Path(__file__).parent.parent / "samples" / "samples.json").read_text("utf-8")
    )
    if one["path"].startswith("/checkout/issuance/")
]
NAMES = [one["name"] for one in SAMPLES]


def as_bytes(fields: object) -> bytes:
    """Compact JSON with keys in order, as the standard library writes it."""
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def message_of(sample: dict[str, Any]) -> Message:
    return BY_PATH[sample["path"]]


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def test_all_nine_messages_are_among_the_samples() -> None:
    assert len(SAMPLES) == 9
    assert {message_of(one) for one in SAMPLES} == set(Message)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_printed_request_is_frozen_byte_for_byte(sample: dict[str, Any]) -> None:
    body = as_bytes(sample["request"])
    read = messages.parse_request(message_of(sample), body)
    assert messages.build(read) == body
    # However its author wrote it: indented, or keys in another order.
    shown = json.dumps(sample["request"], indent=3).encode()
    assert messages.build(messages.parse_request(message_of(sample), shown)) == body


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_printed_answer_is_read(sample: dict[str, Any]) -> None:
    printed = sample["response"]
    answer = messages.parse(as_bytes(printed))
    assert answer.transaction_id == printed["transactionId"]
    offers = printed.get("issuances", [])
    assert len(answer.offers) == len(offers)
    for offer, fields in zip(answer.offers, offers, strict=True):
        assert offer.offer_code == fields["issuanceOfferCode"]
        assert offer.offer_id == fields["offerId"]
        assert offer.miles == fields["milesAmount"]
        assert offer.status == fields.get("status", "")
        assert offer.confirmation_number == fields.get("confirmationNumber", "")
        assert offer.processed_at == fields.get("processedDateTime", "")
        assert offer.contributing_ids == tuple(fields.get("contributingItemIds", ()))


@pytest.mark.parametrize("number", ["16.10", "3.250", "0", "0.00", "100", "1234567.89"])
def test_a_number_is_frozen_with_its_places(number: str) -> None:
    body = as_bytes(SAMPLES[0]["request"])
    assert b'"basketPreTaxAmount":24.97' in body
    body = body.replace(b'"basketPreTaxAmount":24.97', f'"basketPreTaxAmount":{number}'.encode())
    read = messages.parse_request(Message.POST, body)
    assert isinstance(read, BasketMessage)
    assert str(read.pre_tax) == number
    assert messages.build(read) == body


def test_an_offers_id_stays_text_or_number() -> None:
    event = {**next(one for one in SAMPLES if one["name"] == "post-event")["request"]}
    as_number = messages.parse_request(Message.POST_EVENT, as_bytes(event))
    event["issuances"] = [{**event["issuances"][0], "offerId": "22"}]
    as_text = messages.parse_request(Message.POST_EVENT, as_bytes(event))
    assert as_number.offers[0].offer_id == Decimal(22)
    assert as_text.offers[0].offer_id == "22"
    assert b'"offerId":22}' in messages.build(as_number)
    assert b'"offerId":"22"}' in messages.build(as_text)
    answer = messages.parse(as_bytes({"issuances": [{"offerId": 22, "status": "Confirmed"}]}))
    assert answer.offers[0].offer_id == "22"


def test_what_is_empty_is_not_sent_and_zero_is() -> None:
    body = messages.build(
        BasketMessage(
            checkout_id="1",
            checkout_at="2026-11-20T10:00:00.000-05:00",
            sponsor_code="LOY1",
            pre_tax=Decimal("0.00"),
            post_tax=Decimal(0),
        )
    )
    assert json.loads(body) == {
        "basketPostTaxAmount": 0,
        "basketPreTaxAmount": 0.0,
        "checkoutDateTime": "2026-11-20T10:00:00.000-05:00",
        "checkoutTransactionId": "1",
        "sponsorCode": "LOY1",
    }


def test_a_moment_is_local_to_the_millisecond_with_a_colon_in_its_offset() -> None:
    zone = timezone(timedelta(hours=-3, minutes=-30))
    moment = datetime(2026, 11, 20, 13, 32, 5, 234_987, tzinfo=zone)
    assert messages.wire_moment(moment) == "2026-11-20T13:32:05.234-03:30"
    assert messages.wire_moment(datetime(2026, 1, 1, tzinfo=UTC)).endswith("00:00:00.000+00:00")


def test_a_collector_number_never_shows() -> None:
    for sample in SAMPLES:
        read = messages.parse_request(message_of(sample), as_bytes(sample["request"]))
        assert read.collector_number
        assert read.collector_number not in repr(read)


REQUIRED = {
    "post": ("basketPreTaxAmount", "basketPostTaxAmount", "checkoutDateTime", "sponsorCode"),
    "post-event": ("clientTransactionId", "collectorNumber", "sponsorCode", "transactionDateTime"),
}


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in REQUIRED.items() for field in fields]
)
def test_a_request_without_a_required_field_is_refused(name: str, field: str) -> None:
    sample = next(one for one in SAMPLES if one["name"] == name)
    with pytest.raises(Unreadable, match=field):
        messages.parse_request(message_of(sample), as_bytes(without(sample["request"], field)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("basketPreTaxAmount", "24.97"),
        ("basketPreTaxAmount", True),
        ("basketPreTaxAmount", None),
        ("collectorNumber", 81111111111),
        ("context", ["a"]),
        ("context", {"a": 1}),
        ("coupon", "57841"),
        ("coupon", [1]),
        ("items", {}),
        ("items", ["SKU"]),
        ("items", [{}]),
        ("issuances", [{"offerId": "1"}]),
        ("sponsorCode", "KE\nLL"),
        ("deviceId", "\ud800"),
    ],
)
def test_a_field_of_another_type_is_refused(name: str, value: object) -> None:
    fields = {**SAMPLES[0]["request"], name: value}
    if name == "items" and value == {}:
        fields["items"] = {"a": 1}
    body = json.dumps(fields).encode()
    with pytest.raises(Unreadable):
        messages.parse_request(Message.POST, body)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"x"', b'{"a":NaN}', b"{" * 5000, b"\xff"]
)
def test_what_is_no_object_is_no_answer(body: bytes) -> None:
    with pytest.raises(Unreadable):
        messages.parse(body)
    assert messages.error_codes(body) is None


def test_errors_are_found_wherever_they_stand() -> None:
    error = {"errorCode": "CollectorNotFound", "errorReason": "It does not exist."}
    assert messages.error_codes(as_bytes(error)) == ("CollectorNotFound",)
    assert messages.error_codes(as_bytes({"errors": [error]})) == ("CollectorNotFound",)
    inside = as_bytes({"issuances": [{"offerId": "1", "status": "REJECTED", "errors": [error]}]})
    assert messages.error_codes(inside) == ("CollectorNotFound",)
    assert messages.parse(inside).offers[0].errors == (("CollectorNotFound", "It does not exist."),)
    assert messages.error_codes(b'{"errors":[1,{"errorCode":5}],"message":"no"}') == ()


def test_free_text_may_hold_line_ends_and_decides_nothing() -> None:
    fields = {"issuances": [{"offerDescription": "two\nlines", "status": "CONFIRMED"}]}
    assert messages.parse(as_bytes(fields)).offers[0].description == "two\nlines"


TEXT = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=12).filter(
    str.isprintable
)
AMOUNT = st.decimals(0, 10**6, places=2)


@given(
    st.builds(
        BasketMessage,
        checkout_id=TEXT,
        checkout_at=TEXT,
        sponsor_code=TEXT,
        pre_tax=AMOUNT,
        post_tax=AMOUNT,
        gst=st.none() | AMOUNT,
        context=st.dictionaries(TEXT, TEXT, max_size=3).map(lambda of: tuple(sorted(of.items()))),
        coupons=st.lists(TEXT, max_size=3).map(tuple),
        items=st.lists(
            st.builds(
                ItemLine,
                id=TEXT,
                name=TEXT,
                number=st.integers(1, 99).map(Decimal),
                quantity=st.decimals(0, 99, places=3),
                base_amount=AMOUNT,
                final_amount=AMOUNT,
                department_id=st.just("") | TEXT,
                category_id=st.just("") | TEXT,
            ),
            max_size=3,
        ).map(tuple),
        offers=st.lists(
            st.builds(
                OfferLine,
                offer_code=TEXT,
                offer_id=TEXT | st.integers(0, 10**9).map(Decimal),
                miles=st.integers(0, 10**6).map(Decimal),
                contributing_ids=st.lists(TEXT, max_size=2).map(tuple),
            ),
            max_size=3,
        ).map(tuple),
    )
)
def test_any_basket_message_is_read_back_as_it_was_built(message: BasketMessage) -> None:
    body = messages.build(message)
    read = messages.parse_request(Message.POST, body)
    assert read == message
    assert messages.build(read) == body


def test_an_event_is_built_without_a_basket() -> None:
    names = {field.name for field in dataclasses.fields(EventMessage)}
    assert not names & {"items", "pre_tax", "post_tax", "tenders", "location_code"}
