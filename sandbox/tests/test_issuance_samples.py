"""Issuance's own messages, posted as the pages print them, one after the other after one reset."""

import json
import uuid
from datetime import datetime
from typing import Any

import pytest

from sandbox.tests import partner
from sandbox.tests.partner import SAMPLES, send
from sandbox.tests.till import Answer, Till

# Which of the eight calls a sample is, where its name says more than that.
CALLS = {name: name.partition(" ")[0] for name in SAMPLES}
GIVEN = ("confirmationNumber", "processedDateTime", "transactionId")
# The pages' answers to RECORD (AMRP calculated) and REVERSE bear another sponsor and other
# departments than their requests: slips of the page, for everywhere else an answer repeats.
SLIPS = ("sponsorCode", "departmentId", "categoryId")


def posted(till: Till, name: str, key: str = "") -> Answer:
    return send(till, CALLS[name], SAMPLES[name]["request"], key)


def shape(value: Any) -> Any:
    """Return names and JSON types; a list is as long as it is."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


def without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    if isinstance(value, list):
        return [without(inner, names) for inner in value]
    return value


def test_the_samples_are_nine_messages_of_eight_calls() -> None:
    assert len(SAMPLES) == 9
    assert set(CALLS.values()) == set(partner.PATHS)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_the_printed_status_and_shape(till: Till, name: str) -> None:
    answer = posted(till, name)
    printed = SAMPLES[name]["response"]
    assert answer.status == SAMPLES[name]["status"]
    assert shape(answer.body) == shape(printed)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_the_printed_values(till: Till, name: str) -> None:
    printed = SAMPLES[name]["response"]
    unlike = (*GIVEN, *SLIPS, "transactionDateTime")
    assert without(posted(till, name).body, unlike) == without(printed, unlike)


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_repeats_its_request(till: Till, name: str) -> None:
    answer, asked = posted(till, name).body, SAMPLES[name]["request"]
    for field in set(asked) - {"issuances", "transactionDateTime"}:
        if field == "context" and CALLS[name] in partner.EVENTS:
            continue
        assert answer[field] == asked[field], field


def test_all_samples_can_be_posted_after_one_reset(till: Till) -> None:
    answers = {name: posted(till, name) for name in SAMPLES}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(SAMPLES, 200)
    for name, answer in answers.items():
        assert shape(answer.body) == shape(SAMPLES[name]["response"]), name


def test_numbers_keep_every_digit_they_were_sent_with(till: Till) -> None:
    raw = json.dumps(SAMPLES["post"]["request"]).encode()
    raw = raw.replace(b"24.97", b"24.90").replace(b"3.25", b"3.2").replace(b"28.22", b"28.0")
    answer = send(till, "post", raw)
    for text in (b'"basketPreTaxAmount":24.90', b'"basketHSTAmount":3.2,', b'Amount":28.0,'):
        assert text in answer.raw
    assert b'"basketGSTAmount":0,' in answer.raw
    assert b'"finalAmount":19.98' in answer.raw


def test_what_the_platform_adds_has_the_printed_form(till: Till) -> None:
    till.control("clock", now="2026-11-20T09:05:07.250-05:00", stopped=True)
    body = posted(till, "post").body
    (item,) = body["issuances"]
    assert uuid.UUID(body["transactionId"]) != uuid.UUID(item["confirmationNumber"])
    assert item["processedDateTime"] == "2026-11-20T14:05:07.250Z"


def test_the_time_of_an_event_comes_back_on_the_eastern_clock(till: Till) -> None:
    for name in ("post-event", "issuance-reverse-event"):
        body = posted(till, name).body
        assert body["transactionDateTime"] == "2021-11-09T16:04:45.930-05:00"
        assert datetime.fromisoformat(body["transactionDateTime"]) == datetime.fromisoformat(
            SAMPLES[name]["request"]["transactionDateTime"]
        )


@pytest.mark.parametrize("name", ["issuance-reverse", "issuance-reverse-event", "return"])
def test_a_samples_original_is_there_after_a_reset_and_can_be_taken_back_once(
    till: Till, name: str
) -> None:
    key = f"first {name}"
    assert posted(till, name, key).status == 200
    again = posted(till, name, f"second {name}")
    assert (again.status, set(partner.errors(again))) in [
        (400, {"AlreadyReversed"}),
        (400, {"MoreThanBought"}),
    ]
    till.control("reset")
    assert posted(till, name, key).status == 200
