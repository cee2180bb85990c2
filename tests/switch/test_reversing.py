"""Reversals and voids on the switch: what reaches the platform, and what a till is told."""

import pytest
import time_machine

from amcash import services
from backoffice.journal import safety
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Wanted
from tests import scripted as platform
from tests.cast import Cast
from tests.scripted import CONFIRMATION, ScriptedPlatform
from tests.switch.test_amcash import settle
from tests.switch.till import REDEEM, REVERSE, Till, redemption, reversal

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_redemption_is_reversed_by_its_number(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    taken = till.post(REDEEM, redemption())
    scripted.will(platform.reversed_())
    asked = reversal(CONFIRMATION)
    heard = till.post(REVERSE, asked)
    assert (heard.status, heard.code) == (200, "0000")
    assert scripted.sent[-1].fields == asked
    assert heard.row.reverses == taken.row and taken.row.reversed_at is not None
    assert till.post(REVERSE, asked).body == heard.body
    assert len(scripted.sent) == 2
    another = till.post(REVERSE, reversal(CONFIRMATION, traceId="000012345999"))
    assert (another.status, another.code) == (400, "0057")


def test_a_reversal_needs_no_card_and_takes_no_other(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved())
    till.post(REDEEM, redemption())
    stranger = till.post(REVERSE, reversal(CONFIRMATION, collectorNumber="80000010002"))
    assert (stranger.status, stranger.code) == (400, "0057")
    scripted.will(platform.reversed_())
    asked = reversal(CONFIRMATION, collectorNumber=None, cardEntryMode="MANUAL")
    assert till.post(REVERSE, asked).status == 200
    assert scripted.sent[-1].fields == reversal(CONFIRMATION)


def test_a_number_that_nobody_knows_is_refused(till: Till, scripted: ScriptedPlatform) -> None:
    heard = till.post(REVERSE, reversal("NEVERGIVEN01"))
    assert (heard.status, heard.code) == (400, "0057")
    assert not scripted.sent


def test_a_late_reversal_is_refused_before_sending(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "clock_skew", lambda: None)
    scripted.will(platform.approved())
    row = till.post(REDEEM, redemption()).row
    with time_machine.travel(row.deadline_at, tick=False):
        heard = till.post(REVERSE, reversal(CONFIRMATION))
    assert (heard.status, heard.code) == (409, "0080")
    assert len(scripted.sent) == 1


def test_a_void_gives_back_what_went_through_unheard(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.silence())
    doubt = till.post(REDEEM, redemption()).row
    void = reversal(originalTraceId=doubt.trace_id)
    heard = till.post(REVERSE, void)
    assert (heard.status, heard.code) == (408, "0008")
    doubt.refresh_from_db()
    assert doubt.wanted == Wanted.CANCEL
    scripted.will(platform.approved())
    settle(doubt)
    # Approved at last, so it is being given back; the till's redemption never stands.
    assert till.post(REDEEM, redemption()).code == "0092"
    scripted.will(platform.reversed_())
    services.settle_due(sender="settle in a test")
    again = till.post(REVERSE, void)
    assert (again.status, again.code) == (200, "0000")
    assert Transaction.objects.filter(operation=Operation.REVERSE).count() == 1
    doubt.refresh_from_db()
    assert doubt.reversed_at is not None


def test_a_void_of_what_was_answered_is_a_reversal(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    taken = till.post(REDEEM, redemption()).row
    scripted.will(platform.reversed_())
    heard = till.post(REVERSE, reversal(originalTraceId=taken.trace_id))
    assert (heard.status, heard.code) == (200, "0000")
    assert "originalTraceId" not in scripted.sent[-1].fields
    assert scripted.sent[-1].fields["redemptionConfirmationNumber"] == CONFIRMATION


@pytest.mark.parametrize("answer", [platform.not_sent(), platform.code("0051", 202)])
def test_a_void_of_what_took_nothing_finds_nothing(
    till: Till, scripted: ScriptedPlatform, answer: platform.Answer
) -> None:
    scripted.will(answer)
    till.post(REDEEM, redemption())
    heard = till.post(REVERSE, reversal(originalTraceId="000012345678"))
    assert (heard.status, heard.code) == (400, "0057")
    # And it never will.
    scripted.will(platform.approved())
    assert till.post(REDEEM, redemption()).code in {"0092", "0051"}


def test_a_void_is_one_tills_own(cast: Cast, till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.silence())
    till.post(REDEEM, redemption())
    other = Till.of(cast.second_till)
    heard = other.post(REVERSE, reversal(deviceId="002", originalTraceId="000012345678"))
    assert (heard.status, heard.code) == (400, "0057")
    assert Transaction.objects.get().wanted == Wanted.KEEP


def test_a_reversal_that_did_not_leave_is_kept_and_sent_later(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved())
    till.post(REDEEM, redemption())
    scripted.will(platform.not_sent())
    heard = till.post(REVERSE, reversal(CONFIRMATION))
    assert (heard.status, heard.code) == (503, "0092")
    scripted.will(platform.reversed_())
    settle(heard.row)
    assert till.post(REVERSE, reversal(CONFIRMATION)).code == "0000"
