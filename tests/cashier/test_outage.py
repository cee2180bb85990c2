"""What a till says while the programme is down: in words, and that nothing was taken."""

import pytest
from django.utils import timezone

from backoffice.journal import programme
from backoffice.journal.models import Transaction
from backoffice.journal.states import Product, State
from tests.cashier.conftest import Till, hidden, sit_down
from tests.cast import COLLECTOR, Cast
from tests.scripted import ScriptedPlatform, approved, code, not_sent, offer

pytestmark = pytest.mark.django_db


def begin() -> None:
    """The programme said so to another till; the first ECHO was sent just now, in vain."""
    programme.outage(Product.CASH, timezone.now())
    assert programme.take_probe(Product.CASH, timezone.now())


def test_an_inquiry_says_planned_maintenance_and_asks_nobody(
    till: Till, scripted: ScriptedPlatform
) -> None:
    begin()
    page = till.offered(COLLECTOR)
    assert "Planned maintenance at AIR MILES." in page and "Nothing was taken." in page
    assert 'name="units"' not in page and not scripted.sent


def test_a_redemption_offered_before_is_refused_with_nothing_taken(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer())
    page = till.offered(COLLECTOR)
    begin()
    refused = till.confirm(page).content.decode()
    assert "AIR MILES is not answering just now." in refused and "Nothing was taken." in refused
    assert len(scripted.sent) == 1 and not Transaction.objects.exists()


def test_what_was_not_sent_is_kept_when_sending_again_is_refused(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), not_sent(), not_sent())
    sale = till.redeem(COLLECTOR)
    begin()
    page = till.post(f"{sale}send-again/").content.decode()
    assert "AIR MILES is not answering just now." in page
    assert Transaction.objects.get().state == State.QUEUED and len(scripted.sent) == 3


def test_a_reversal_is_shown_as_waiting_to_be_sent(cast: Cast, scripted: ScriptedPlatform) -> None:
    manager = sit_down(cast.manager, cast.till)
    scripted.will(offer(), approved())
    sale = manager.redeem(COLLECTOR)
    confirmation = manager.get(f"{sale}reverse/")
    begin()
    reference = hidden(confirmation, "client_ref")
    page = manager.post(f"{sale}reverse/", client_ref=reference).content.decode()
    assert Transaction.objects.get(operation="reverse").state == State.QUEUED
    assert len(scripted.sent) == 2
    assert "The miles go back by themselves" in page


def test_the_header_says_that_the_programme_is_down(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(code("0092", 503))
    till.offered(COLLECTOR)
    assert "AIR MILES down" in till.get("/")
