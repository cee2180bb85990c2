"""A till of the switch whose device practises at its console: nothing of it is sent or kept."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from backoffice.devices import training
from backoffice.journal.models import Transaction
from tests.cast import Cast
from tests.office import factories
from tests.scripted import ScriptedPlatform, approved, code
from tests.switch.till import ECHO, INQUIRE, REDEEM, REVERSE, Till, redemption, reversal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_till_practises(cast: Cast) -> Iterator[None]:
    training.begin(cast.till, by="manager", approved_by="", channel="console", now=timezone.now())
    yield


@pytest.mark.parametrize("path", [ECHO, INQUIRE, REDEEM, REVERSE])
def test_am_cash_is_told_that_nothing_can_be_sent(
    till: Till, scripted: ScriptedPlatform, path: str
) -> None:
    heard = till.post(path, redemption(instantMessage="fr-CA"))
    assert (heard.status, heard.code) == (503, "0092")
    assert "Milepost-Transaction" not in heard.headers
    assert not scripted.sent and not Transaction.objects.exists()


def test_issuance_is_told_that_nothing_was_kept(till: Till, scripted: ScriptedPlatform) -> None:
    heard = till.post("/checkout/issuance/issue", {"anything": 1})
    assert heard.status == 500 and heard.fields["errors"][0]["errorCode"] == "InTraining"
    assert "Milepost-Transaction" not in heard.headers
    assert not scripted.sent and not Transaction.objects.exists()


def test_afterwards_the_same_request_is_sent(
    cast: Cast, till: Till, scripted: ScriptedPlatform
) -> None:
    asked = redemption()
    assert till.post(REDEEM, asked).code == "0092"
    training.end(cast.till, by="manager", approved_by="", channel="office")
    scripted.will(approved())
    heard = till.post(REDEEM, asked)
    assert heard.code == "0000" and not heard.row.is_training


def test_no_till_reverses_what_was_practised(
    cast: Cast, till: Till, scripted: ScriptedPlatform
) -> None:
    factories.redemption(
        cast.till,
        is_training=True,
        confirmation_number="7KQ420X9B1TM",
        at=timezone.now(),
        trace_id="000012345678",
    )
    training.end(cast.till, by="manager", approved_by="", channel="office")
    scripted.will(code("0000", 200))
    assert till.post(REVERSE, reversal("7KQ420X9B1TM")).code == "0057"
    # A void need not name the card.
    void = reversal(originalTraceId="000012345678", collectorNumber=None, cardEntryMode=None)
    assert till.post(REVERSE, void).code == "0057"
    assert scripted.sent == []


def test_another_till_is_not_held_up(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    other = Till.of(cast.second_till)
    assert other.post(REDEEM, redemption(deviceId="002")).code == "0000"
