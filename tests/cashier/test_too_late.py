"""When the time to reverse is over at a till: two minutes before the programme's own deadline."""

import re
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from backoffice.journal.models import Transaction
from tests.cashier.conftest import Till
from tests.cast import COLLECTOR
from tests.scripted import ScriptedPlatform, approved, code, offer, reversed_, silence

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


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("store_credit", "$40.00 given as store credit."),
        ("gift_card", "$40.00 given as a gift card."),
    ],
)
def test_the_cashier_records_which_was_given_once(
    till: Till,
    scripted: ScriptedPlatform,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    said: str,
) -> None:
    sale, end = redeemed(till, scripted)
    at(end, monkeypatch)
    assert f'href="{sale}credit/"' in till.get(sale)
    page = till.get(f"{sale}reverse/")
    assert "Refund $40.00 as store credit or gift card, not cash." in page
    assert page.count(f'action="{sale}credit/"') == 2 and f'value="{kind}"' in page
    page = till.post(f"{sale}credit/", kind=kind).content.decode()
    assert said in page and 'name="kind"' not in page
    # Neither the other one afterwards, nor the miles.
    for other in ("store_credit", "gift_card"):
        assert said in till.post(f"{sale}credit/", kind=other).content.decode()
    assert said in till.get(f"{sale}reverse/")
    assert "Credit given" in till.get("/today/")
    slip = till.client.get(f"{sale}receipt/").content.decode()
    word = {"store_credit": "Store credit", "gift_card": "Gift card"}[kind]
    assert f"<h2>{word}</h2>" in slip and "$40.00" in slip and "7KQ4\u00a020X9\u00a0B1TM" in slip


def test_a_french_slip_names_the_zone_in_french(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.client.cookies["django_language"] = "fr"
    sale, end = redeemed(till, scripted)
    at(end, monkeypatch)
    till.post(f"{sale}credit/", kind="gift_card")
    slip = till.client.get(f"{sale}receipt/").content.decode()
    assert "Carte-cadeau" in slip
    assert re.search(r"\d\u00a0H[AN]E", slip) and "EST" not in slip and "EDT" not in slip


@pytest.mark.parametrize("kind", ["cash", "", "STORE_CREDIT"])
def test_anything_else_than_the_two_is_asked_again(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sale, end = redeemed(till, scripted)
    at(end, monkeypatch)
    page = till.post(f"{sale}credit/", kind=kind).content.decode()
    assert "Say which you gave." in page
    assert Transaction.objects.get().credit_given == ""


def test_a_reversal_the_programme_calls_too_late_asks_for_what_was_given(
    till: Till, scripted: ScriptedPlatform
) -> None:
    sale, _end = redeemed(till, scripted)
    scripted.will(code("0080", 409))
    ref = "b9a5a5c1-7f7e-4b52-8c83-0f3f5f0f0f0f"
    page = till.post(f"{sale}reverse/", client_ref=ref).content.decode()
    assert "Too late to reverse." in page and "Reference " in page
    page = till.post(f"{sale}credit/", kind="gift_card").content.decode()
    assert "$40.00 given as a gift card." in page
    reversal = Transaction.objects.get(operation="reverse")
    page = till.get(reverse("cashier:sale", args=[reversal.reference]))
    assert "$40.00 given as a gift card." in page


def test_nothing_is_asked_while_the_miles_may_be_back_already(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, end = redeemed(till, scripted)
    scripted.will(silence(), code("0080", 409))
    ref = "b9a5a5c1-7f7e-4b52-8c83-0f3f5f0f0f0f"
    page = till.post(f"{sale}reverse/", client_ref=ref).content.decode()
    assert "Give no refund or credit" in page and 'name="kind"' not in page
    at(end, monkeypatch)
    for path in ("reverse/", "credit/"):
        page = till.get(sale + path)
        assert 'name="kind"' not in page, path
    till.post(f"{sale}credit/", kind="gift_card")
    assert not Transaction.objects.exclude(credit_given="").exists()


def test_enter_does_not_pass_over_what_was_given(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, end = redeemed(till, scripted)
    at(end, monkeypatch)
    page = till.get(f"{sale}credit/")
    assert 'data-key="Enter"' not in page and 'data-key="Escape"' in page
    assert 'data-key="F7"' in page and 'data-key="F9"' in page
