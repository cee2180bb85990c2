"""The pages' own messages, posted as printed."""

from typing import Any

import pytest

from sandbox.tests.till import Answer, Till, sample

SAMPLES = {
    one["name"]: one for one in sample("samples") if one["path"].startswith("/checkout/amcash/")
}


def posted(till: Till, one: dict[str, Any], **changes: str) -> Answer:
    return till.send(one["path"].rsplit("/", 1)[1], one["request"] | changes)


def test_the_samples_are_the_four_calls() -> None:
    assert set(SAMPLES) == {"echo", "inquire", "redeem", "reverse"}


@pytest.mark.parametrize("name", ["echo", "inquire"])
def test_a_sample_gives_the_printed_names_and_types(till: Till, name: str) -> None:
    answer = posted(till, SAMPLES[name])
    printed = SAMPLES[name]["response"]
    assert answer.status == SAMPLES[name]["status"]
    assert set(answer.body) == set(printed)
    assert {type(value) for value in answer.body.values()} == {str}
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


def test_the_inquire_sample_gives_the_printed_numbers_and_offer(till: Till) -> None:
    printed = SAMPLES["inquire"]["response"]
    body = posted(till, SAMPLES["inquire"]).body
    for name in (
        "availableCashBalance",
        "availableDollarAmount",
        "availableOfferUnits",
        "cashBalance",
        "dreamBalance",
        "dailyOfferLimit",
        "message",
        "offerDescEn",
        "offerDescFr",
        "offerId",
        "offerType",
        "responseCode",
        "unitValueAMCash",
        "unitValueDollars",
    ):
        assert body[name] == printed[name], name


def test_the_redeem_and_reverse_samples_take_one_unit_and_give_it_back(till: Till) -> None:
    redeem, reverse = SAMPLES["redeem"], SAMPLES["reverse"]
    taken = posted(till, redeem)
    assert (taken.status, taken.code) == (200, "0000")
    assert set(taken.body) == set(redeem["response_keys"])
    assert (taken.body["unitsRedeemed"], taken.body["cashBalance"]) == ("1", "25")
    given = posted(till, reverse, redemptionConfirmationNumber=taken.body["txnConfirmationNumber"])
    assert (given.status, given.code) == (200, "0000")
    assert set(given.body) == set(reverse["response_keys"])
    assert given.body["cashBalance"] == "120"
    assert {type(value) for value in (*taken.body.values(), *given.body.values())} == {str}


def test_the_request_comes_back_as_it_was_sent(till: Till) -> None:
    one = SAMPLES["redeem"]
    body = posted(till, one).body
    echoed = set(one["request"]) & set(body)
    assert echoed == {
        "acquirerId",
        "collectorNumber",
        "dateTime",
        "deviceId",
        "sponsorCode",
        "storeId",
        "traceId",
        "vendorId",
    }
    assert {name: body[name] for name in echoed} == {name: one["request"][name] for name in echoed}
