"""What one answer, or its absence, says of a message; and that nothing in it is lost or trusted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backoffice.journal.decisions import DEFINITIVE, Finding, Verdict
from backoffice.wire import Reply, Silence
from issuance import answers
from issuance.codes import FORMS, Message
from tests.scripted import busy, not_sent, raw, silence

MOVING = [message for message, form in FORMS.items() if form.earns_by_offer]
NUMBER = "c4f6cd00-dd00-4aaf-9099-b0685ab710b3"


def offer(**changes: Any) -> dict[str, Any]:
    fields = {
        "offerId": "123454",
        "issuanceOfferCode": "STANDARD",
        "milesAmount": 5,
        "status": "CONFIRMED",
        "confirmationNumber": "0ed100a4-fc9a-41bb-a747-942c2593b683",
        "processedDateTime": "2019-05-30T14:12:59.479Z",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def reply(status: int, *offers: dict[str, Any], **fields: Any) -> Reply:
    body = {"transactionId": NUMBER, "issuances": list(offers), **fields}
    return raw(status, json.dumps(body).encode())


def found(message: Message, answer: Reply | Silence, **seen: bool) -> Finding:
    return answers.finding_of(message, answer, **{"earlier_unknown": False, **seen})


@pytest.mark.parametrize("message", Message)
def test_no_answer_is_unknown_or_proof_that_nothing_left(message: Message) -> None:
    assert found(message, silence()).verdict is Verdict.UNKNOWN
    assert found(message, not_sent()).verdict is Verdict.NOT_SENT
    assert found(message, busy()).silence == "busy"


@pytest.mark.parametrize("message", MOVING)
def test_a_confirmed_offer_is_told_whole(message: Message) -> None:
    finding = found(message, reply(200, offer(), offer(offerId=22, milesAmount=8)))
    assert (finding.verdict, finding.miles) == (Verdict.CONFIRMED, 13)
    assert finding.confirmation_number == NUMBER
    first, second = finding.offers
    assert first.processed_at == datetime(2019, 5, 30, 14, 12, 59, 479_000, tzinfo=UTC)
    assert (first.status, second.offer_id) == ("confirmed", "22")
    assert finding.answer is not None


def test_only_confirmed_miles_count() -> None:
    error = {"errorCode": "OfferExpired", "errorReason": "The offer\nhas expired."}
    rejected = offer(offerId="2", status="rejected", milesAmount=7, errors=[error])
    finding = found(Message.POST, reply(200, offer(), rejected))
    assert (finding.verdict, finding.miles) == (Verdict.PARTIAL, 5)
    assert finding.offers[1].error_reason == "The offer has expired."


def test_while_it_is_pending_no_miles_are_told() -> None:
    finding = found(Message.POST, reply(202, offer(), offer(offerId="2", status="PENDING")))
    assert (finding.verdict, finding.miles) == (Verdict.PENDING, None)
    assert [one.status for one in finding.offers] == ["confirmed", "pending"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"issuances":5}', b'{"transactionId":5}', b"null"]
)
@pytest.mark.parametrize("message", Message)
@pytest.mark.parametrize("status", [200, 202])
def test_a_body_that_is_none_of_the_programmes_decides_nothing(
    message: Message, status: int, body: bytes
) -> None:
    finding = found(message, raw(status, body))
    assert (finding.verdict, finding.answer) == (Verdict.UNKNOWN, None)


@pytest.mark.parametrize("message", [Message.ISSUE, Message.RETURN])
def test_only_an_answer_that_names_its_transaction_says_that_nothing_was_earned(
    message: Message,
) -> None:
    assert found(message, reply(200)).verdict is Verdict.CONFIRMED
    for page in (b"{}", b'{"page": "welcome"}', b'{"transactionId": "", "issuances": []}'):
        assert found(message, raw(200, page)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("message", Message)
def test_a_page_with_the_status_of_a_refusal_is_no_refusal(message: Message) -> None:
    assert found(message, raw(400, b"<html>Bad Request</html>")).verdict is Verdict.UNKNOWN
    # What such a body looks like is documented nowhere; that it is an object is enough.
    assert found(message, raw(400, b'{"transactionId":5}')).verdict is Verdict.REJECTED


@pytest.mark.parametrize("message", MOVING)
def test_a_refusal_of_the_whole_is_told_as_one_without_an_offer(message: Message) -> None:
    error = {"errorCode": "CollectorNotFound", "errorReason": "It does not exist."}
    finding = found(message, raw(400, json.dumps({"errors": [error]}).encode()))
    (told,) = finding.offers
    assert (finding.verdict, finding.miles) == (Verdict.REJECTED, 0)
    assert (told.offer_id, told.miles, told.error_code) == ("", 0, "CollectorNotFound")
    assert told.error_reason == "It does not exist."


@pytest.mark.parametrize(
    "changes",
    [
        {"milesAmount": 5.5},
        {"milesAmount": -5},
        {"milesAmount": 10**10},
        {"confirmationNumber": "9" * 41},
        {"offerId": "9" * 65},
    ],
)
@pytest.mark.parametrize("message", MOVING)
def test_confirmed_miles_that_the_log_cannot_hold_are_a_persons(
    message: Message, changes: dict[str, Any]
) -> None:
    finding = found(message, reply(200, offer(**changes)))
    assert (finding.verdict, finding.offers) == (Verdict.INCOMPLETE, ())
    assert finding.answer is not None
    pending = found(message, reply(202, offer(**{**changes, "status": "PENDING"})))
    assert pending.verdict is Verdict.PENDING


@pytest.mark.parametrize("moment", ["", "yesterday", "2019-05-30T14:12:59", None])
def test_a_moment_that_cannot_be_read_is_left_out(moment: str | None) -> None:
    finding = found(Message.POST, reply(200, offer(processedDateTime=moment)))
    assert finding.verdict is Verdict.CONFIRMED
    assert finding.offers[0].processed_at is None


@pytest.mark.parametrize("asked", [0, 1, 2, 3])
def test_fewer_or_more_offers_than_were_asked_for_are_a_persons(asked: int) -> None:
    finding = found(Message.POST, reply(200, offer(), offer(offerId="2")))
    verdict = answers.whole(finding, asked_offers=asked).verdict
    assert verdict is (Verdict.CONFIRMED if asked == 2 else Verdict.INCOMPLETE)
    pending = found(Message.POST, reply(202, offer(status="PENDING")))
    assert answers.whole(pending, asked_offers=asked) == pending


@pytest.mark.parametrize("message", [Message.RECORD, Message.CALCULATE])
def test_what_moves_nothing_is_done_and_tells_no_miles(message: Message) -> None:
    finding = found(message, reply(200, offer(status=None)))
    assert (finding.verdict, finding.offers, finding.miles) == (Verdict.DONE, (), None)
    assert finding.confirmation_number == NUMBER
    assert Verdict.DONE in DEFINITIVE
