"""Issuance on the switch: what reaches the programme, and what a till is told (PRODUCT 2)."""

import json
from typing import Any

import pytest
from django.utils import timezone

from backoffice.journal import programme
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Product, State
from backoffice.people.actors import Channel
from issuance.codes import FORMS
from tests import scripted as platform
from tests.cast import Cast
from tests.issuance.stories import confirmed, failed, pending, refused, settle
from tests.scripted import ScriptedPlatform
from tests.switch.issuing import (
    CALCULATE,
    ISSUE,
    MOVING,
    POST,
    POST_EVENT,
    RECORD,
    RETURN,
    asked,
)
from tests.switch.till import Till

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", [form.path for form in FORMS.values()])
def test_a_message_reaches_the_programme_as_the_till_sent_it(
    till: Till, scripted: ScriptedPlatform, path: str
) -> None:
    scripted.will(confirmed())
    wanted = asked(path, invented={"by": ["the till", 1.50]}, nothing=None)
    heard = till.post(path, wanted)
    assert heard.status == 200, heard.fields
    assert scripted.sent[-1].fields == wanted
    if path == CALCULATE:
        assert not Transaction.objects.exists()
        return
    row = heard.row
    assert (row.channel, row.user, row.path) == (Channel.SWITCH, None, path)
    assert row.checkout_id in {"12340001111", "111112314"}
    assert row.card_entry_mode == ""


@pytest.mark.parametrize("path", MOVING)
def test_the_same_request_is_told_from_the_log_and_sent_once(
    till: Till, scripted: ScriptedPlatform, path: str
) -> None:
    scripted.will(confirmed())
    first, again = (till.post(path, asked(path), key="k1") for _ in range(2))
    assert (again.status, again.body) == (first.status, first.body)
    assert len(scripted.sent) == 1
    other = till.post(path, asked(path, deviceId="POS2"), key="k1")
    assert other.status == 422 and len(scripted.sent) == 1
    assert other.fields["errors"][0]["errorCode"] == "IdempotencyKeyReused"


def test_who_it_is_is_filled_in_and_checked(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(confirmed())
    wanted = asked(POST, sponsorCode=None, locationCode=None, deviceId=None)
    assert till.post(POST, wanted).status == 200
    sent = scripted.sent[-1].fields
    assert (sent["sponsorCode"], sent["locationCode"], sent["deviceId"]) == ("LOY1", "0001", "001")
    for name in ("sponsorCode", "locationCode"):
        heard = till.post(POST, asked(POST, **{name: "KELL"}))
        assert heard.status == 400
        (error,) = heard.fields["errors"]
        assert error["errorReason"] == f"{name}: is not that of this device"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"basketPreTaxAmount": None}, "basketPreTaxAmount"),
        ({"basketPreTaxAmount": "24.97"}, "basketPreTaxAmount"),
        ({"basketPostTaxAmount": -1}, "basketPostTaxAmount"),
        ({"basketHSTAmount": 1.001}, "basketHSTAmount"),
        ({"basketGSTAmount": 10**12}, "basketGSTAmount"),
        ({"basketGSTAmount": True}, "basketGSTAmount"),
        ({"checkoutDateTime": "2019-05-30T14:12:59"}, "checkoutDateTime"),
        ({"checkoutTransactionId": ""}, "checkoutTransactionId"),
        ({"checkoutTransactionId": "\ud800"}, "checkoutTransactionId"),
        ({"collectorNumber": "71111111111"}, "collectorNumber"),
        ({"context": {"a": 1}}, "context"),
        ({"coupon": "57841"}, "coupon"),
        ({"issuances": []}, "issuances"),
        ({"issuances": None}, "issuances"),
        ({"issuances": [{"issuanceOfferCode": "A", "milesAmount": 1}]}, "issuances[0].offerId"),
        ({"items": [{"id": "A"}]}, "items[0].name"),
        ({"items": [7]}, "items"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_sent(
    till: Till, scripted: ScriptedPlatform, changes: dict[str, Any], where: str
) -> None:
    heard = till.post(POST, asked(POST, **changes))
    assert heard.status == 400
    (error,) = heard.fields["errors"]
    assert error["errorCode"] == "InvalidField"
    assert error["errorReason"].split(": ")[0] == where
    assert not scripted.sent and not Transaction.objects.exists()


def test_every_fault_is_named_at_once(till: Till) -> None:
    heard = till.post(POST, {})
    named = [error["errorReason"].split(": ")[0] for error in heard.fields["errors"]]
    assert named == [
        "basketPostTaxAmount",
        "basketPreTaxAmount",
        "checkoutDateTime",
        "checkoutTransactionId",
        "collectorNumber",
        "issuances",
    ]


def test_a_field_that_is_wrong_is_named_once(till: Till) -> None:
    wanted = asked(RETURN, originalTransactionId="")
    (error,) = till.post(RETURN, wanted).fields["errors"]
    assert error["errorReason"] == "originalTransactionId: must have 1 to 64 characters"


@pytest.mark.parametrize("place", ["coupon", "items", "issuances", "invented"])
def test_null_in_a_list_is_refused_because_leaving_it_out_would_move_the_rest(
    till: Till, scripted: ScriptedPlatform, place: str
) -> None:
    wanted = asked(POST) | {place: [None, *asked(POST).get(place, [])]}
    (error,) = till.post(POST, wanted).fields["errors"]
    assert error["errorReason"] == "request body: has null in a list"
    assert not scripted.sent


def test_a_no_break_space_is_text(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(confirmed())
    wanted = asked(POST)
    wanted["items"] = [{**wanted["items"][0], "name": "Nourriture\u00a0: 5\u202f$"}]
    assert till.post(POST, wanted).status == 200
    assert scripted.sent[-1].fields == wanted


def test_a_number_of_any_tills_language_is_read_and_one_beyond_bounds_is_named(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed())
    assert till.post(POST, asked(POST, invented=0.1 + 0.2)).status == 200
    assert b"0.30000000000000004" in scripted.sent[-1].body
    (error,) = till.post(POST, asked(POST, basketHSTAmount=0.1 + 0.2)).fields["errors"]
    assert error["errorReason"] == "basketHSTAmount: is not a number of the documented form"
    (error,) = till.post(POST, asked(POST, invented=10**16)).fields["errors"]
    assert error["errorReason"] == "request body: has a number that is too long or too large"


def test_an_event_that_is_not_finished_tells_its_moment_on_the_programmes_clock(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.silence())
    heard = till.post(POST_EVENT, asked(POST_EVENT))
    assert asked(POST_EVENT)["transactionDateTime"] == "2021-11-09T21:04:45.930Z"
    assert heard.fields["transactionDateTime"] == "2021-11-09T16:04:45.930-05:00"


DEEP = b'{"context":' + b'{"a":' * 30 + b"1" + b"}" * 31


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1e999}', DEEP, b'{"\\ud800":1}'])
def test_what_is_no_plain_object_is_a_bad_request(till: Till, body: bytes) -> None:
    assert till.post(ISSUE, body).status == 400


@pytest.mark.parametrize("path", MOVING)
def test_a_pending_answer_is_passed_on_until_the_final_one(
    till: Till, scripted: ScriptedPlatform, path: str
) -> None:
    scripted.will(pending())
    heard = till.post(path, asked(path))
    assert heard.status == 202 and heard.row.state == State.PENDING
    assert [one["status"] for one in heard.fields["issuances"]] == ["PENDING"]
    assert heard.fields["transactionId"]
    scripted.will(confirmed())
    settle(heard.row)
    again = till.post(path, asked(path))
    assert again.status == 200
    assert [one["status"] for one in again.fields["issuances"]] == ["CONFIRMED"]


@pytest.mark.parametrize("path", [*MOVING, RECORD])
def test_a_doubt_is_accepted_and_pending(till: Till, scripted: ScriptedPlatform, path: str) -> None:
    scripted.will(platform.silence())
    heard = till.post(path, asked(path))
    assert (heard.status, heard.row.state) == (202, State.DOUBT)
    assert b'"PENDING"' in heard.body and "transactionId" not in heard.fields
    scripted.will(confirmed())
    settle(heard.row)
    assert till.post(path, asked(path)).status == 200


@pytest.mark.parametrize("path", [*MOVING, RECORD, CALCULATE])
def test_what_cannot_be_sent_is_a_500_and_what_moves_is_kept(
    till: Till, scripted: ScriptedPlatform, path: str
) -> None:
    programme.outage(Product.ISSUANCE, timezone.now())
    heard = till.post(path, asked(path))
    assert heard.status == 500 and not scripted.sent
    assert heard.fields["errors"][0]["errorCode"] == "NothingSent"
    if path == CALCULATE:
        assert not Transaction.objects.exists()
    else:
        assert heard.row.state == State.QUEUED
        assert till.post(path, asked(path)).row == heard.row


def test_an_error_of_the_programme_is_asked_three_times_and_then_a_doubt(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(failed())
    assert till.post(POST, asked(POST)).status == 202
    assert len(scripted.sent) == 3
    assert till.post(CALCULATE, asked(CALCULATE)).status == 500


def test_a_rejection_is_passed_on(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(refused("CollectorNotFound"))
    for _ in range(2):
        heard = till.post(POST, asked(POST))
        assert heard.status == 400
        assert heard.fields["errors"][0]["errorCode"] == "CollectorNotFound"
    assert len(scripted.sent) == 1


def test_a_sale_is_recorded_without_a_collector(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(confirmed())
    heard = till.post(RECORD, asked(RECORD, collectorNumber=None, issuances=None))
    assert heard.status == 200
    assert heard.row.operation == Operation.RECORD and not heard.row.collector_last4
    assert scripted.sent[-1].idempotency_key is None


def test_numbers_keep_their_places(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(confirmed())
    raw = json.dumps(asked(ISSUE)).replace("24.97", "24.970").encode()
    assert till.post(ISSUE, raw).status == 200
    assert b'"basketPreTaxAmount":24.970' in scripted.sent[-1].body


def test_a_till_for_am_cash_alone_issues_nothing(cast: Cast, scripted: ScriptedPlatform) -> None:
    heard = Till.of(cast.till, "till_amcash").post(POST, asked(POST))
    assert heard.status == 403 and not scripted.sent
