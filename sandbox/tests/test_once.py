"""Idempotency: by key, and by exact content where there is no key."""

import json

import pytest

from sandbox.tests.till import Till, request_of


def test_a_repeat_gets_the_stored_answer_byte_for_byte(till: Till) -> None:
    body = request_of("redeem")
    first = till.send("redeem", body, "key-1")
    till.control("clock", offset_s=60)
    second = till.send("redeem", body, "key-1")
    assert (second.raw, second.status) == (first.raw, first.status)
    assert len(till.effects()) == 1


def test_a_key_with_another_body_is_refused_and_changes_nothing(till: Till) -> None:
    body = request_of("redeem")
    first = till.send("redeem", body, "key-1")
    for other in (
        json.dumps(body | {"dollarRedeemRequest": "10.00"}).encode(),
        # The same JSON in other bytes is another body: a retry must be identical.
        json.dumps(body, separators=(",", ":")).encode(),
    ):
        answer = till.send("redeem", other, "key-1")
        assert (answer.status, answer.code) == (400, "0035")
        assert answer.body["message"].endswith(": Idempotency-Key")
    assert till.send("redeem", body, "key-1").raw == first.raw
    assert len(till.effects()) == 1


def test_two_keys_are_two_redemptions_even_of_one_body(till: Till) -> None:
    body = request_of("redeem")
    assert till.send("redeem", body, "a").raw != till.send("redeem", body, "b").raw
    assert len(till.effects()) == 2


def test_a_key_belongs_to_its_path(till: Till) -> None:
    confirmation = till.send("redeem", request_of("redeem"), "same").body["txnConfirmationNumber"]
    body = request_of("reverse", redemptionConfirmationNumber=confirmation)
    assert till.send("reverse", body, "same").code == "0000"


def test_without_a_key_the_exact_body_is_the_key(till: Till) -> None:
    body = request_of("redeem")
    first = till.send("redeem", body)
    assert till.send("redeem", body).raw == first.raw
    assert till.send("redeem", body | {"traceId": "1"}).raw != first.raw
    assert len(till.effects()) == 2


def test_content_is_no_guarantee_when_the_switch_is_off(till: Till) -> None:
    till.control("settings", content_duplicates=False)
    body = request_of("redeem")
    till.send("redeem", body)
    till.send("redeem", body)
    assert len(till.effects()) == 2


def test_a_reversal_is_repeated_safely(till: Till) -> None:
    body = request_of("reverse", redemptionConfirmationNumber=till.redeemed())
    first = till.send("reverse", body, "key-1")
    assert till.send("reverse", body, "key-1").raw == first.raw
    assert till.send("reverse", body, "key-2").code == "0057"
    assert till.look("ledger")["total_miles"] == 0


def test_a_decline_is_remembered_unless_the_switch_says_otherwise(till: Till) -> None:
    poor, rich = {"cash_miles": 0}, {"cash_miles": 950}
    body = request_of("redeem", collectorNumber="84444444444")

    def seed(fields: dict[str, int]) -> None:
        till.control("seed", members=[{"collector": "84444444444", **fields}])

    seed(poor)
    assert till.send("redeem", body, "a").code == "0051"
    seed(rich)
    assert till.send("redeem", body, "a").code == "0051"
    till.control("settings", remember_declines=False)
    seed(poor)
    assert till.send("redeem", body, "b").code == "0051"
    seed(rich)
    assert till.send("redeem", body, "b").code == "0000"


@pytest.mark.parametrize("code", ["0008", "0092", "0096"])
def test_an_answer_that_asks_for_a_retry_is_not_remembered(till: Till, code: str) -> None:
    body = request_of("redeem")
    till.control("settings", outage=code)
    assert till.send("redeem", body, "key-1").code == code
    till.control("settings", outage="")
    assert till.send("redeem", body, "key-1").code == "0000"
    # And an outage hides even what is remembered: no requests can be sent.
    till.control("settings", outage=code)
    assert till.send("redeem", body, "key-1").code == code


def test_a_platform_that_forgets_keys_takes_the_miles_twice(till: Till) -> None:
    till.control("settings", key_memory_s=1800)
    body = request_of("redeem")
    first = till.send("redeem", body, "key-1")
    till.control("clock", offset_s=1799)
    assert till.send("redeem", body, "key-1").raw == first.raw
    till.control("clock", offset_s=1801)
    assert till.send("redeem", body, "key-1").raw != first.raw
    assert len(till.effects()) == 2


def test_inquiries_are_never_remembered(till: Till) -> None:
    body = request_of("inquire")
    before = till.send("inquire", body, "key-1").body["cashBalance"]
    till.redeemed()
    assert till.send("inquire", body, "key-1").body["cashBalance"] != before


def test_a_key_that_is_too_long_is_named(till: Till) -> None:
    answer = till.ask("redeem", "k" * 256)
    assert answer.body["message"].endswith(": Idempotency-Key")
    assert till.ask("redeem", "k" * 255).code == "0000"
