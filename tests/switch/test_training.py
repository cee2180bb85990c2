"""A till of the switch whose device practises at its console: nothing of it is sent or kept."""

import pytest
from django.utils import timezone

from amcash import services
from backoffice.devices import training
from backoffice.journal.models import Transaction
from tests.cast import Cast
from tests.issuance.stories import pending
from tests.office import factories
from tests.scripted import ScriptedPlatform, approved, code, reversed_, silence
from tests.switch.issuing import POST_EVENT
from tests.switch.issuing import asked as event
from tests.switch.till import INQUIRE, REDEEM, REVERSE, Till, redemption, reversal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_till_practises(cast: Cast) -> None:
    begin(cast)


def begin(cast: Cast) -> None:
    now = timezone.now()
    assert training.begin(cast.till, by="manager", approved_by="", channel="console", now=now)


@pytest.mark.parametrize("path", [INQUIRE, REDEEM])
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


def test_what_was_asked_before_is_told_how_it_stands_and_may_be_voided(
    cast: Cast, till: Till, scripted: ScriptedPlatform
) -> None:
    """To say "nothing was sent" of a redemption that is in doubt would be a lie."""
    training.end(cast.till, by="manager", approved_by="", channel="office")
    scripted.will(silence())
    asked = redemption()
    assert till.post(REDEEM, asked).code == "0008"
    begin(cast)
    assert till.post(REDEEM, asked).code == "0008"
    void = reversal(originalTraceId=asked["traceId"], collectorNumber=None, cardEntryMode=None)
    assert till.post(REVERSE, void).code == "0008"
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved(), reversed_())
    services.settle_due(sender="sweep")
    assert Transaction.objects.get(operation="redeem").wanted == "cancel"
    services.settle_due(sender="sweep")
    assert till.post(REVERSE, void).code == "0000"
    assert all(not row.is_training for row in Transaction.objects.all())


def test_an_issuance_that_was_kept_is_told_how_it_stands(
    cast: Cast, till: Till, scripted: ScriptedPlatform
) -> None:
    training.end(cast.till, by="manager", approved_by="", channel="office")
    scripted.will(pending())
    path, asked = POST_EVENT, event(POST_EVENT)
    assert till.post(path, asked).status in {200, 202}
    begin(cast)
    again = till.post(path, asked)
    assert again.status in {200, 202} and again.row.state == "pending"


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
