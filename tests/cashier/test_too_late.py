"""When the time to reverse is over at a till: two minutes before the programme's own deadline."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from backoffice.journal.models import Transaction
from tests.cashier.conftest import Till
from tests.cast import COLLECTOR
from tests.scripted import ScriptedPlatform, approved, offer, reversed_

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the till's screens be of this moment."""
    monkeypatch.setattr("cashier.frames.timezone", SimpleNamespace(now=lambda: moment))


def redeemed(till: Till, scripted: ScriptedPlatform) -> tuple[str, datetime]:
    """Redeem; return the sale's address and the last moment to reverse it at a till."""
    scripted.will(offer(), approved())
    sale = till.redeem(COLLECTOR)
    return sale, Transaction.objects.get().deadline_at - timedelta(minutes=2)


def test_the_button_to_reverse_is_there_until_two_minutes_before_the_deadline(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, end = redeemed(till, scripted)
    at(end - SECOND, monkeypatch)
    assert f'href="{sale}reverse/"' in till.get(sale)
    page = till.get(f"{sale}reverse/")
    assert "Reverse $40" in page and f'data-countdown="{end.isoformat()}"' in page
    at(end, monkeypatch)
    page = till.get(sale)
    assert f'href="{sale}reverse/"' not in page and "The time to reverse is over" in page
    assert "data-countdown" not in page


def test_a_reversal_that_is_pressed_too_late_says_what_to_give_instead(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, end = redeemed(till, scripted)
    scripted.will(reversed_())
    at(end, monkeypatch)
    page = till.post(
        reverse("cashier:reverse", args=[sale.split("/")[2]]),
        client_ref="b9a5a5c1-7f7e-4b52-8c83-0f3f5f0f0f0f",
    ).content.decode()
    assert "Too late to reverse." in page and "store credit or gift card, not cash" in page
    assert not Transaction.objects.filter(operation="reverse").exists()
    assert len(scripted.sent) == 2
