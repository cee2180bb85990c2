"""AM Cash messages against the recorded samples: out to the byte, in to the field."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amcash import messages
from amcash.messages import Terminal, Unreadable
from backoffice.units import Cents

SAMPLES: dict[str, dict[str, Any]] = {
    sample["name"]: sample
    for sample in json.loads(
        (Path(__file__).parent.parent / "samples" / "samples.json").read_text(encoding="utf-8")
    )
    if sample["path"].startswith("/checkout/amcash/")
}
TERMINAL = Terminal(
    sponsor_code="LOY1",
    vendor_id="100087",
    acquirer_id="100000",
    store_number="0001",
    device_number="001",
)
TRACE = "999999999999"
SENT_AT = datetime(1972, 7, 16, 13, 32, tzinfo=ZoneInfo("Etc/GMT-4"))
CARD: dict[str, Any] = {
    "collector_number": "84095202006",
    "entry_mode": "SWIPE",
    "sent_at": SENT_AT,
    "trace_id": TRACE,
    "language": "en",
}


def body(sample: str) -> dict[str, str]:
    request: dict[str, str] = SAMPLES[sample]["request"]
    return request


def written(fields: dict[str, str]) -> bytes:
    """Compact JSON in UTF-8 with its names in order, and nothing else in the message."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


# --- Out ------------------------------------------------------------------------------------------


def test_the_paths_are_the_recorded_ones() -> None:
    assert {name: sample["path"] for name, sample in SAMPLES.items()} == {
        "echo": messages.ECHO_PATH,
        "inquire": messages.INQUIRE_PATH,
        "redeem": messages.REDEEM_PATH,
        "reverse": messages.REVERSE_PATH,
    }


def test_an_echo_is_the_recorded_one() -> None:
    assert messages.echo(TERMINAL, trace_id="000012345678") == written(body("echo"))


def test_an_inquiry_is_the_recorded_one() -> None:
    built = messages.inquire(TERMINAL, basket_cents=Cents(1612), **CARD)
    assert built == written(body("inquire"))


def test_a_redemption_is_the_recorded_one_without_the_amount_before_tax() -> None:
    built = messages.redeem(
        TERMINAL,
        basket_cents=Cents(1612),
        original_cents=Cents(1612),
        asked_cents=Cents(1612),
        **CARD,
    )
    recorded = dict(body("redeem"))
    # A till that knows only the total must not invent one.
    assert recorded.pop("originalPreTaxAmount")
    assert built == written(recorded)


def test_a_redemption_keeps_its_three_amounts_apart() -> None:
    fields = json.loads(
        messages.redeem(
            TERMINAL,
            basket_cents=Cents(4335),
            original_cents=Cents(6305),
            asked_cents=Cents(4000),
            **CARD,
        )
    )
    assert fields["postTaxBasketAmount"] == "43.35"
    assert fields["originalPostTaxBasketAmount"] == "63.05"
    assert fields["dollarRedeemRequest"] == "40.00"


def test_a_reversal_is_the_recorded_one() -> None:
    number = body("reverse")["redemptionConfirmationNumber"]
    built = messages.reverse(TERMINAL, confirmation_number=number, **CARD)
    assert built == written(body("reverse"))
    assert messages.card_of(built) == ("84095202006", "SWIPE")


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/Toronto", "2026-11-20T17:04:05-0500"),
        ("America/St_Johns", "2026-11-20T18:34:05-0330"),
        ("America/Regina", "2026-11-20T16:04:05-0600"),
        ("UTC", "2026-11-20T22:04:05+0000"),
    ],
)
def test_the_time_is_local_with_an_offset_that_has_no_colon(zone: str, text: str) -> None:
    moment = datetime(2026, 11, 20, 22, 4, 5, 678901, tzinfo=UTC).astimezone(ZoneInfo(zone))
    built = messages.inquire(TERMINAL, basket_cents=Cents(1), **{**CARD, "sent_at": moment})
    assert json.loads(built)["dateTime"] == text


def test_a_time_without_a_zone_is_a_mistake_of_ours() -> None:
    naive = SENT_AT.replace(tzinfo=None)
    with pytest.raises(AssertionError):
        messages.inquire(TERMINAL, basket_cents=Cents(1), **{**CARD, "sent_at": naive})


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "en-CA"), ("fr", "fr-CA"), ("fr-ca", "fr-CA"), ("", "en-CA"), ("de", "en-CA")],
)
def test_the_platform_is_asked_in_the_tills_language(language: str, said: str) -> None:
    built = messages.inquire(TERMINAL, basket_cents=Cents(1), **{**CARD, "language": language})
    assert json.loads(built)["instantMessage"] == said


@pytest.mark.parametrize("name", ["inquire", "redeem", "reverse", "echo"])
def test_everything_sent_is_text(name: str) -> None:
    amounts: dict[str, Any] = {
        "basket_cents": Cents(1),
        "original_cents": Cents(1),
        "asked_cents": Cents(1),
    }
    built = {
        "echo": messages.echo(TERMINAL, trace_id=TRACE),
        "inquire": messages.inquire(TERMINAL, basket_cents=Cents(1), **CARD),
        "redeem": messages.redeem(TERMINAL, **amounts, **CARD),
        "reverse": messages.reverse(TERMINAL, confirmation_number="7KQ4", **CARD),
    }[name]
    assert all(isinstance(value, str) and value for value in json.loads(built).values())


# --- In -------------------------------------------------------------------------------------------


def test_the_recorded_inquiry_answer_is_read_to_the_field() -> None:
    answer = messages.parse(json.dumps(SAMPLES["inquire"]["response"]).encode())
    assert (answer.code, answer.message) == ("0000", "Approved")
    assert (answer.cash_miles, answer.dream_miles) == (120, 545)
    offer = answer.offer
    assert offer is not None
    assert (offer.unit_miles, offer.unit_cents) == (95, 1000)
    assert (offer.available_units, offer.daily_units) == (1, 10)
    assert (offer.offer_id, offer.is_special) == ("1111111111", False)
    assert offer.description_en == "Sample offer description in English."
    assert offer.description_fr == "Exemple de description de l'offre en français."
    assert json.loads(answer.kept) == SAMPLES["inquire"]["response"]


def test_the_recorded_echo_answer_is_read() -> None:
    answer = messages.parse(json.dumps(SAMPLES["echo"]["response"]).encode())
    assert (answer.code, answer.offer, answer.units) == ("0000", None, None)


@pytest.mark.parametrize("name", ["redeem", "reverse"])
def test_an_answer_with_every_recorded_key_is_read(name: str) -> None:
    values = {
        "responseCode": "0000",
        "txnConfirmationNumber": "7KQ420X9B1TM",
        "unitsRedeemed": "4",
        "unitValueAMCash": "95",
        "unitValueDollars": "10.00",
        "cashBalance": "820",
        "dreamBalance": "545",
        "availableCashBalance": "760",
        "availableDollarAmount": "80",
    }
    fields = {key: values.get(key, "said") for key in SAMPLES[name]["response_keys"]}
    answer = messages.parse(json.dumps(fields).encode())
    assert answer.confirmation_number == "7KQ420X9B1TM"
    assert (answer.cash_miles, answer.dream_miles) == (820, 545)
    granted = (answer.units, answer.unit_cents, answer.unit_miles)
    assert granted == ((4, 1000, 95) if name == "redeem" else (None, None, None))


@pytest.mark.parametrize(
    ("text", "cents"), [("10", 1000), ("10.00", 1000), ("170.00", 17000), (" 10.5 ", 1050)]
)
def test_dollars_come_in_several_spellings(text: str, cents: int) -> None:
    fields = {"responseCode": "0000", "unitValueDollars": text}
    assert messages.parse(json.dumps(fields).encode()).unit_cents == cents


@pytest.mark.parametrize("name", ["unitValueAMCash", "unitValueDollars", "availableOfferUnits"])
@pytest.mark.parametrize("value", [None, "", "0"])
def test_half_an_offer_is_no_offer(name: str, value: str | None) -> None:
    fields: dict[str, str | None] = {**SAMPLES["inquire"]["response"], name: value}
    offer = messages.parse(json.dumps(fields).encode()).offer
    if name == "availableOfferUnits" and value == "0":
        assert offer is not None and offer.available_units == 0
    else:
        assert offer is None


@pytest.mark.parametrize("kind", ["SPL", "spl", " Spl "])
def test_a_special_offer_is_known_in_any_case(kind: str) -> None:
    fields = {**SAMPLES["inquire"]["response"], "offerType": kind}
    offer = messages.parse(json.dumps(fields).encode()).offer
    assert offer is not None and offer.is_special


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"txnConfirmationNumber": "A"}, "A"),
        ({"txtConfirmationNumber": "B"}, "B"),
        ({"txnConfirmationNumber": "A", "txtConfirmationNumber": "B"}, "A"),
        ({"txnConfirmationNumber": " ", "txtConfirmationNumber": "B"}, "B"),
        ({"confirmationNumber": "C"}, ""),
        ({"txnConfirmationNumber": 17}, ""),
    ],
)
def test_the_confirmation_number_has_two_spellings(fields: dict[str, object], number: str) -> None:
    answer = messages.parse(json.dumps({"responseCode": "0000", **fields}).encode())
    assert answer.confirmation_number == number


@pytest.mark.parametrize("code", ["0001", "0005", "0051", "0092", "9999"])
def test_a_balance_that_may_not_be_shown_is_not_even_kept(code: str) -> None:
    fields = {**SAMPLES["inquire"]["response"], "responseCode": code}
    answer = messages.parse(json.dumps(fields).encode())
    assert answer.cash_miles is None and answer.dream_miles is None
    assert not set(json.loads(answer.kept)) & set(messages.BALANCE_FIELDS)
    assert answer.offer is not None and answer.offer.daily_units is None
    assert "120" not in repr(answer) and b"545" not in answer.kept


def test_neither_a_balance_nor_the_bytes_show_in_a_repr() -> None:
    answer = messages.parse(json.dumps(SAMPLES["inquire"]["response"]).encode())
    assert "545" not in repr(answer) and "1234567890123456789" not in repr(answer)


HOSTILE = [
    b"",
    b" ",
    b"null",
    b"true",
    b"0",
    b'"0000"',
    b"[]",
    b'[{"responseCode": "0000"}]',
    b"{}",
    b"<html>0000</html>",
    b'{"responseCode": "0000"',
    b'{"responseCode": "0000"}{"responseCode": "0000"}',
    b'{"responseCode": "0000"}\x00',
    b"{'responseCode': '0000'}",
    b'{"responseCode": 0}',
    b'{"responseCode": null}',
    b'{"responseCode": ["0000"]}',
    b'{"responseCode": {"code": "0000"}}',
    b'{"responseCode": true}',
    b'{"responseCode": ""}',
    b'{"responseCode": "  "}',
    b'{"ResponseCode": "0000"}',
    b'{"responseCode": "00\\u000000"}',
    b'{"responseCode": "\\ud800"}',
    '{"responseCode": "０００0"}'.encode(),
    b'\xff\xfe{"responseCode": "0000"}',
    b'{"responseCode": "0000", "balance": NaN}',
    b'{"responseCode": "0000", "balance": Infinity}',
    b'{"responseCode": "0000", "balance": -Infinity}',
    b'{"responseCode": "0000", "balance": ' + b"9" * 5000 + b"}",
    b'{"responseCode": "0000", "nested": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"responseCode": "0000", "nested": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    b'{"responseCode": "0000", "message": "\\ud800"}',
    *(
        b'{"responseCode": "0000", "unitsRedeemed": ' + value + b"}"
        for value in (
            b"4",
            b"4.0",
            b"true",
            b"[]",
            b'["4"]',
            b'"-4"',
            b'"+4"',
            b'"4.5"',
            b'"1e3"',
            b'"NaN"',
            b'"four"',
            b'"4,0"',
            b'"0x4"',
            b'"4_0"',
            b'"99999999999999999"',
            '"٤"'.encode(),
        )
    ),
    b'{"responseCode": "0000", "unitValueDollars": "10.005"}',
    b'{"responseCode": "0000", "unitValueDollars": 10.0}',
    b'{"responseCode": "0000", "unitValueAMCash": "9.5"}',
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:60]))
def test_what_is_not_an_answer_is_unreadable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Unreadable):
        messages.parse(body)


@pytest.mark.parametrize("depth", range(100, 1100, 20))
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_no_depth_of_nesting_is_worse_than_unreadable(
    depth: int, opening: bytes, closing: bytes
) -> None:
    body = b'{"responseCode":"0000","x":' + opening * depth + b"1" + closing * depth + b"}"
    with contextlib.suppress(Unreadable):
        assert messages.parse(body).code == "0000"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"responseCode": "0051"}', "0051"),
        (b'{"responseCode": " 0051 "}', "0051"),
        (b'{"responseCode": "9999", "unitsRedeemed": 4}', "9999"),
        (b"<html>", ""),
        (b'{"message": "no code"}', ""),
        (b'{"responseCode": 51}', ""),
        (b'{"responseCode": "00\\u000051"}', ""),
    ],
)
def test_a_code_is_read_from_an_answer_that_has_nothing_else(body: bytes, code: str) -> None:
    assert messages.response_code(body) == code
