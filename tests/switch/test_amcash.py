"""AM Cash on the switch: what reaches the platform, and what a till is told (PRODUCT 2)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from amcash import services
from backoffice.audit.models import AuditEntry
from backoffice.journal import programme, safety
from backoffice.journal.models import Transaction
from backoffice.journal.states import Product, State
from backoffice.people.actors import Channel
from tests import scripted as platform
from tests.amcash import stories
from tests.cast import Cast
from tests.scripted import CONFIRMATION, ScriptedPlatform
from tests.switch.till import ECHO, INQUIRE, REDEEM, REVERSE, Till, inquiry, redemption

pytestmark = pytest.mark.django_db(transaction=True)


def settle(row: Transaction) -> Transaction:
    """Let the sweep find this row due."""
    Transaction.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    services.settle_due(sender="settle in a test")
    return Transaction.objects.get(pk=row.pk)


def test_a_redemption_reaches_the_platform_as_the_till_sent_it(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved(echoed="as is"))
    asked = redemption(timeZone="-0400", cardEntryMode="Swipe")
    heard = till.post(REDEEM, asked)
    (sent,) = scripted.sent
    assert sent.fields == asked
    assert (heard.status, heard.code) == (200, "0000")
    assert heard.fields["txnConfirmationNumber"] == CONFIRMATION
    assert heard.fields["cashBalance"] == "820" and heard.fields["echoed"] == "as is"
    row = heard.row
    assert (row.state, row.channel, row.user) == (State.DONE, Channel.SWITCH, None)
    assert (row.amount_cents, row.asked_cents, row.trace_id) == (4000, 4000, "000012345678")
    assert sent.idempotency_key == str(row.idempotency_key)


def test_what_the_till_leaves_out_of_who_it_is_is_filled_in(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved())
    names = ("acquirerId", "deviceId", "sponsorCode", "storeId", "vendorId")
    heard = till.post(REDEEM, redemption(**dict.fromkeys(names)))
    assert heard.status == 200
    assert scripted.sent[0].fields == redemption()


@pytest.mark.parametrize("path", [ECHO, INQUIRE, REDEEM, REVERSE])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sponsorCode", "KELL"),
        ("storeId", "0002"),
        ("deviceId", "002"),
        ("vendorId", "1"),
        ("traceId", "1234567890123"),
        ("traceId", "12a"),
        ("traceId", None),
        ("traceId", 12),
        ("traceId", "\ud800"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_sent(
    till: Till, scripted: ScriptedPlatform, path: str, name: str, value: Any
) -> None:
    asked = redemption(redemptionConfirmationNumber="X", **{name: value})
    heard = till.post(path, asked)
    assert (heard.status, heard.code) == (400, "0035")
    assert heard.fields["message"] == f"Invalid request parameter: {name}"
    assert not scripted.sent and not Transaction.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("acquirerId", "100001"),
        ("cardEntryMode", "CHIP"),
        ("collectorNumber", "8000001000A"),
        ("collectorNumber", None),
        ("dateTime", "2026-07-16T13:32:00"),
        ("dateTime", "yesterday"),
        ("dollarRedeemRequest", "1e3"),
        ("dollarRedeemRequest", "-1"),
        ("dollarRedeemRequest", "10.005"),
        ("dollarRedeemRequest", "0.00"),
        ("instantMessage", "klingon"),
        ("postTaxBasketAmount", 43.35),
        ("postTaxBasketAmount", None),
    ],
)
def test_a_redemptions_bad_field_is_named(
    till: Till, scripted: ScriptedPlatform, name: str, value: Any
) -> None:
    heard = till.post(REDEEM, redemption(**{name: value}))
    assert (heard.status, heard.code) == (400, "0035")
    assert heard.fields["message"].endswith(f": {name}")
    assert not scripted.sent and not Transaction.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"a":NaN}', b"[" * 9000])
def test_what_is_no_json_object_is_a_bad_request(till: Till, body: bytes) -> None:
    heard = till.post(REDEEM, body)
    assert (heard.status, heard.code) == (400, "0035")
    assert heard.fields["message"].endswith(": request body")


def test_a_no_break_space_is_text(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    wanted = redemption(storeName="Épicerie du Nord\u00a0: 5\u202f$")
    assert till.post(REDEEM, wanted).status == 200
    assert scripted.sent[-1].fields == wanted


@pytest.mark.parametrize("letter", ["\u0000", "\n", "\u0085", "\u2028", "\u202e", "\ud800"])
def test_what_forges_a_line_or_a_screen_is_no_text(
    till: Till, scripted: ScriptedPlatform, letter: str
) -> None:
    heard = till.post(REDEEM, redemption(storeName=f"North{letter}"))
    assert (heard.status, heard.code) == (400, "0035")
    assert heard.fields["message"].endswith(": storeName")
    heard = till.post(REDEEM, redemption(**{letter: "North"}))
    assert heard.fields["message"].endswith(": request body")
    assert not scripted.sent


def test_an_empty_field_is_one_left_out(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    assert till.post(REDEEM, redemption(deviceId="", instantMessage="")).status == 200
    sent = scripted.sent[-1].fields
    assert sent["deviceId"] == "001" and "instantMessage" not in sent
    # A required one is then missing.
    assert till.post(REDEEM, redemption(traceId="")).fields["message"].endswith(": traceId")


def test_a_field_that_a_call_does_not_know_is_passed_on_unread(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.code("0000", 200))
    others = {"cardEntryMode": "?", "collectorNumber": "?", "postTaxBasketAmount": "much"}
    heard = till.post(ECHO, {"traceId": "1", **others})
    assert heard.status == 200
    assert scripted.sent[-1].fields.items() >= others.items()


@pytest.mark.parametrize("moment", ["2026-W29-4T13:32:00Z", "2026-02-30T13:32:00Z", "20260716"])
def test_a_moment_has_the_pages_form_and_is_in_the_calendar(till: Till, moment: str) -> None:
    heard = till.post(REDEEM, redemption(dateTime=moment))
    assert heard.fields["message"].endswith(": dateTime")


# A web server leaves nothing of a key that is no ASCII (tests/live/test_till.py).
@pytest.mark.parametrize("key", ["\u00a0", "\u00e9", "a\tb", "", " \t"])
def test_a_key_is_printable_ascii(till: Till, scripted: ScriptedPlatform, key: str) -> None:
    heard = till.post(REDEEM, redemption(), **{"Idempotency-Key": key})
    assert (heard.status, heard.fields["message"][-15:]) == (400, "Idempotency-Key")
    assert not scripted.sent


def test_messages_of_our_own_are_french_for_a_french_till(till: Till) -> None:
    heard = till.post(REDEEM, redemption(instantMessage="fr-CA", traceId="x"))
    assert heard.fields["message"] == "Paramètre de demande non valide\u00a0: traceId"


def test_the_same_request_is_told_from_the_log_and_sent_once(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved())
    first = till.post(REDEEM, redemption())
    again = till.post(REDEEM, redemption())
    assert (again.status, again.body) == (first.status, first.body)
    assert len(scripted.sent) == 1 and Transaction.objects.count() == 1
    other = till.post(REDEEM, redemption(traceId="000012345680"))
    assert other.row != first.row


def test_a_key_holds_for_one_body(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    first = till.post(REDEEM, redemption(), key="k1")
    assert till.post(REDEEM, redemption(), key="k1").row == first.row
    other = till.post(REDEEM, redemption(dollarRedeemRequest="10.00"), key="k1")
    assert (other.status, other.code) == (422, "0035")
    assert other.fields["message"].endswith(": Idempotency-Key")
    assert len(scripted.sent) == 1


def test_a_key_is_one_tills_own(cast: Cast, till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    mine = till.post(REDEEM, redemption(), key="k1")
    second = Till.of(cast.second_till)
    theirs = second.post(REDEEM, redemption(deviceId="002"), key="k1")
    assert mine.row != theirs.row


def test_a_doubt_is_a_timeout_and_then_the_present_answer(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.silence())
    heard = till.post(REDEEM, redemption())
    assert (heard.status, heard.code) == (408, "0008")
    assert heard.row.state == State.DOUBT and len(scripted.sent) == 2
    assert till.post(REDEEM, redemption()).code == "0008"
    assert len(scripted.sent) == 2
    scripted.will(platform.approved())
    settle(heard.row)
    again = till.post(REDEEM, redemption())
    assert (again.status, again.code) == (200, "0000")
    assert again.row.state == State.DONE
    assert len({sent.body for sent in scripted.sent}) == 1


def test_what_a_person_must_decide_is_a_timeout(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved(txnConfirmationNumber=""))
    heard = till.post(REDEEM, redemption())
    assert heard.row.state == State.MANUAL
    assert (heard.status, heard.code) == (408, "0008")


def test_nothing_sent_is_an_outage_and_the_same_request_is_sent_when_it_comes_again(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.not_sent())
    heard = till.post(REDEEM, redemption())
    assert (heard.status, heard.code) == (503, "0092")
    assert heard.row.state == State.QUEUED
    scripted.will(platform.approved())
    again = till.post(REDEEM, redemption())
    assert (again.status, again.code) == (200, "0000")
    assert again.row == heard.row


def test_an_open_breaker_sends_nothing(till: Till, scripted: ScriptedPlatform) -> None:
    programme.outage(Product.CASH, timezone.now())
    for path, asked in ((ECHO, inquiry()), (INQUIRE, inquiry()), (REDEEM, redemption())):
        heard = till.post(path, asked)
        assert (heard.status, heard.code) == (503, "0092")
    assert not scripted.sent and not Transaction.objects.exists()


def test_where_nothing_may_be_armed_nothing_is_sent(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "refusal", lambda: "The disk is full.")
    heard = till.post(REDEEM, redemption())
    assert (heard.status, heard.code) == (503, "0092")
    assert not scripted.sent and "disk" not in heard.body.decode()


def test_a_collector_in_doubt_is_not_sent_again(
    cast: Cast, till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.silence())
    stories.redeem(cast)
    before = len(scripted.sent)
    heard = till.post(REDEEM, redemption())
    assert (heard.status, heard.code) == (503, "0092")
    assert len(scripted.sent) == before


def test_a_typed_card_may_ask_and_may_not_redeem(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.code("0000", 200, cashBalance="1200"))
    assert till.post(INQUIRE, inquiry(cardEntryMode="MANUAL")).status == 200
    before = len(scripted.sent)
    heard = till.post(REDEEM, redemption(cardEntryMode="manual"))
    assert (heard.status, heard.code) == (403, "0009")
    assert len(scripted.sent) == before and not Transaction.objects.exists()


def test_more_than_the_basket_is_the_platforms_to_cut(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved())
    heard = till.post(REDEEM, redemption(dollarRedeemRequest="500.00"))
    assert heard.status == 200 and heard.row.amount_cents == 4000


def test_a_decline_is_passed_on_and_repeated(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.code("0051", 202, extra="kept"))
    for _ in range(2):
        heard = till.post(REDEEM, redemption())
        assert (heard.status, heard.code, heard.fields["extra"]) == (202, "0051", "kept")
    assert len(scripted.sent) == 1


def test_an_inquiry_tells_the_till_what_its_code_allows(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.offer())
    heard = till.post(INQUIRE, inquiry())
    assert scripted.sent[0].fields == inquiry()
    assert heard.fields["cashBalance"] == "1200" and "Milepost-Transaction" not in heard.headers
    scripted.will(platform.offer(response_code="0001"))
    hidden = till.post(INQUIRE, inquiry())
    assert (hidden.status, hidden.code) == (202, "0001")
    assert hidden.fields["availableOfferUnits"] == "4"
    assert not {"cashBalance", "dreamBalance", "availableCashBalance"} & set(hidden.fields)
    assert AuditEntry.objects.filter(event="collector.inquired", channel="switch").count() == 2


@pytest.mark.parametrize("code", ["0008", "0096"])
def test_an_inquiry_without_an_end_is_told_in_the_platforms_word(
    till: Till, scripted: ScriptedPlatform, code: str
) -> None:
    scripted.will(platform.code(code, 408 if code == "0008" else 500))
    heard = till.post(INQUIRE, inquiry())
    assert heard.code == code and len(scripted.sent) == 2


def test_a_silent_inquiry_is_a_timeout_and_a_full_gate_an_outage(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.silence())
    assert till.post(INQUIRE, inquiry()).code == "0008"
    scripted.will(platform.busy())
    assert till.post(INQUIRE, inquiry()).code == "0092"


def test_an_echo_is_passed_on(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.code("0000", 200, traceId="000012345678"))
    names = ("deviceId", "sponsorCode", "storeId", "traceId", "vendorId")
    asked = {name: inquiry()[name] for name in names}
    heard = till.post(ECHO, asked)
    assert (heard.status, heard.code) == (200, "0000")
    assert json.loads(scripted.sent[0].body) == asked
