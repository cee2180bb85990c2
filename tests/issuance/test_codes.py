"""What an issuance answer says, for every recorded answer and every other one."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from issuance import codes
from issuance.codes import FORMS, Message, Reading, Status

RECORDED = json.loads(
    (Path(__file__).parent.parent / "samples" / "issuance-answers.json").read_text("utf-8")
)["answers"]
VERDICTS = {"new token, same bytes, once": Reading.NOT_EXECUTED, "unknown": Reading.UNKNOWN}
UNDOCUMENTED = [201, 204, 301, 302, 307, 403, 404, 408, 409, 422, 429, 501, 502, 503, 504, 599]
MOVING = [message for message, form in FORMS.items() if form.earns_by_offer]


def read(message: Message, http: int, *statuses: str, **more: Any) -> Reading:
    return codes.read(message, http, statuses, **{"earlier_unknown": False, **more})


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: json.dumps(one))
def test_every_recorded_answer_reads_as_recorded(one: dict[str, Any]) -> None:
    message = Message(one.get("message", "post"))
    items = one["items"]
    if items is None and message is Message.RECORD:
        items = []  # A whole answer that tells nothing of offers.
    reading = codes.read(
        message,
        one["http"],
        None if items is None else tuple(items),
        error_codes=[one["errorCode"]] if "errorCode" in one else [],
        earlier_unknown=one.get("after_unknown", False),
    )
    wanted = VERDICTS.get(one["verdict"], one["verdict"])
    if "errorCode" in one:
        wanted = Reading.BUSY  # Asked again like an unknown outcome, and no trouble of the line.
    assert reading == wanted


@pytest.mark.parametrize("message", MOVING)
@pytest.mark.parametrize("http", [200, 202])
@pytest.mark.parametrize(
    "statuses", [pair for size in (1, 2, 3) for pair in itertools.product(Status, repeat=size)]
)
def test_the_status_of_every_offer_decides(
    message: Message, http: int, statuses: tuple[Status, ...]
) -> None:
    found = set(statuses)
    if Status.PENDING in found:
        wanted = Reading.PENDING
    elif len(found) == 2:
        wanted = Reading.PARTIAL
    else:
        wanted = Reading(statuses[0].lower())
    assert read(message, http, *statuses) is wanted
    assert read(message, http, *(status.lower() for status in statuses)) is wanted


@pytest.mark.parametrize("message", MOVING)
@pytest.mark.parametrize("status", ["", "DONE", "CONFIRMED?", "approved", "0"])
def test_a_status_that_is_not_documented_decides_nothing(message: Message, status: str) -> None:
    assert read(message, 200, status) is Reading.UNKNOWN
    assert read(message, 200, "CONFIRMED", status) is Reading.UNKNOWN


@pytest.mark.parametrize("message", MOVING)
def test_an_answer_without_offers(message: Message) -> None:
    earns_nothing = message in {Message.ISSUE, Message.RETURN}
    assert read(message, 200) is (Reading.CONFIRMED if earns_nothing else Reading.UNKNOWN)
    assert read(message, 202) is Reading.PENDING


@pytest.mark.parametrize("message", Message)
@pytest.mark.parametrize(
    "http", [201, 203, 204, 301, 302, 307, 403, 404, 408, 409, 422, 429, 501, 502, 503, 504, 599]
)
def test_no_other_http_status_is_a_refusal(message: Message, http: int) -> None:
    assert read(message, http, "CONFIRMED") is Reading.UNKNOWN
    assert read(message, http, "REJECTED") is Reading.UNKNOWN


@pytest.mark.parametrize("message", Message)
def test_what_is_none_of_the_programmes_answers_decides_nothing(message: Message) -> None:
    for http in (200, 202, 400, 500):
        reading = codes.read(message, http, None, earlier_unknown=False)
        assert reading is Reading.UNKNOWN


@pytest.mark.parametrize("message", Message)
def test_a_bad_request_after_a_doubt_is_a_persons(message: Message) -> None:
    assert read(message, 400) is Reading.REJECTED
    assert read(message, 400, earlier_unknown=True) is Reading.MANUAL


@pytest.mark.parametrize("message", MOVING)
@pytest.mark.parametrize("after", [False, True])
def test_what_was_pending_ends_rejected_only_by_its_offers(message: Message, after: bool) -> None:
    seen = {"is_acknowledged": True, "earlier_unknown": after}
    assert read(message, 400, "REJECTED", "rejected", **seen) is Reading.REJECTED
    assert read(message, 400, **seen) is Reading.MANUAL
    assert read(message, 400, "REJECTED", "PENDING", **seen) is Reading.MANUAL


@pytest.mark.parametrize("message", MOVING)
@pytest.mark.parametrize("http", [200, 400])
@pytest.mark.parametrize("after", [False, True])
def test_a_busy_collector_is_never_a_rejection(message: Message, http: int, after: bool) -> None:
    errors = ["CollectorNotFound", "transactioninprogress"]
    reading = read(message, http, "REJECTED", error_codes=errors, earlier_unknown=after)
    assert reading is Reading.BUSY


def test_only_what_moves_nothing_has_no_key() -> None:
    keyless = {message for message, form in FORMS.items() if not form.has_key}
    assert keyless == {Message.RECORD, Message.CALCULATE}
    assert {form.statuses for form in FORMS.values() if form.has_key} == {
        frozenset({200, 202, 400, 500})
    }


def test_every_message_has_a_path_of_its_own() -> None:
    assert set(FORMS) == set(Message)
    assert {form.path: message for message, form in FORMS.items()} == codes.BY_PATH
    assert len(codes.BY_PATH) == len(Message)
