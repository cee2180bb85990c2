"""Every code and every state has a screen of its own words, in both languages."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from amcash import services
from amcash.codes import CODES, Reading
from amcash.rules import Reason
from backoffice.journal import safety
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Shown
from cashier.frames import words_of
from cashier.panels import _REDEMPTIONS, _REVERSALS
from cashier.texts import CARD_TEXTS, CODE_TEXTS, ENTRY_WORDS, REASON_TEXTS, say
from tests.cashier.conftest import Till, sit_down
from tests.cast import COLLECTOR, Cast
from tests.figures import stands_in
from tests.scripted import ScriptedPlatform, approved, code, offer, reversed_, silence

pytestmark = pytest.mark.django_db

REFUSALS = sorted(
    row.code
    for row in CODES.values()
    if row.reading is Reading.DECLINED and "redeem" in row.endpoints
)


def test_every_code_every_reason_and_every_state_has_its_words(cast: Cast) -> None:
    assert set(CODE_TEXTS) == set(CODES)
    assert set(REASON_TEXTS) == set(Reason)
    assert set(_REDEMPTIONS) == set(_REVERSALS) == set(Shown)
    assert {"SCAN", "SWIPE", "MANUAL"} == set(ENTRY_WORDS)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_text_can_be_filled_with_the_sponsors_words(cast: Cast, language: str) -> None:
    with override(language):
        words = {**words_of(cast.sponsor), "unit": "$10", "reopens": "03:00"}
        for text in [*CODE_TEXTS.values(), *REASON_TEXTS.values()]:
            said = f"{say(text.title, words)} {say(text.todo, words)}"
            assert "%(" not in said and said.strip()
        assert all(str(text) for text in CARD_TEXTS.values())


def test_the_sponsors_words_are_said_not_ours(
    plain: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    cast.sponsor.cash_en, cast.sponsor.programme_en = "Blue points", "Blue Rewards"
    cast.sponsor.save()
    scripted.will(offer(unitValueAMCash="1500"))
    page = plain.offered(COLLECTOR)
    assert "1,500 Blue points take $10 off." in page and "AIR MILES" not in page


@pytest.mark.parametrize("refused", REFUSALS)
def test_a_refused_redemption_says_why_what_to_do_and_the_code(
    till: Till, scripted: ScriptedPlatform, refused: str
) -> None:
    scripted.will(offer(), code(refused, CODES[refused].http))
    page = till.get(till.redeem(COLLECTOR))
    title = str(CODE_TEXTS[refused].title).split("%")[0].strip()
    assert title in page and f"Code {refused}" in page and "Next customer" in page
    assert "$40.00 off." not in page and 'class="receipt"' not in page


@pytest.mark.parametrize("told", ["0005", "0006"])
def test_an_account_that_may_not_redeem_is_never_prompted(
    till: Till, scripted: ScriptedPlatform, told: str
) -> None:
    scripted.will(offer(response_code=told))
    page = till.offered(COLLECTOR)
    assert "No Cash miles to redeem on this account." in page
    assert 'name="units"' not in page


def test_silence_is_a_doubt_that_says_not_to_repeat_and_asks_for_itself(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), silence())
    sale = till.redeem(COLLECTOR)
    page = till.get(sale)
    assert "Not confirmed yet" in page and "do not redeem again" in page
    assert "not approved" not in page.lower() and "refused" not in page.lower()
    assert 'hx-trigger="every 2s"' in page
    # The same choice stands once: the way to pay otherwise, beside waiting by itself.
    assert page.count(f'action="{sale}cancel/"') == 1
    assert till.get(sale) and len(scripted.sent) == 3


def test_the_poll_answers_with_itself_until_the_state_changes(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    quick = sit_down(cast.cashier, cast.till, htmx=True)
    scripted.will(offer(), silence())
    sale = quick.redeem(COLLECTOR)
    status = f"{sale}status/"
    same = quick.client.get(f"{status}?shown=doubt", headers={"HX-Request": "true"})
    assert "HX-Retarget" not in same and 'id="screen"' not in same.content.decode()
    other = quick.client.get(f"{status}?shown=waiting", headers={"HX-Request": "true"})
    assert other["HX-Retarget"] == "#screen" and 'id="screen"' in other.content.decode()


def test_paid_another_way_says_what_happens_and_prints_a_slip(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), silence())
    sale = till.redeem(COLLECTOR)
    page = till.post(f"{sale}cancel/").content.decode()
    assert "Will be given back if it went through" in page and "$43.35" in page
    slip = till.client.get(f"{sale}receipt/").content.decode()
    reference = str(Transaction.objects.get().reference)[:8].upper()
    assert reference in slip and "You paid another way" in slip and "barcode" not in slip


def test_an_approval_that_came_too_late_is_never_shown_as_a_discount(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), silence(), silence(), approved(), silence(), reversed_())
    sale = till.redeem(COLLECTOR)
    till.post(f"{sale}cancel/")
    later = timezone.now() + timedelta(seconds=40)
    with time_machine.travel(later, tick=True):
        services.settle_due(sender="test")
        page = till.get(sale)
        assert "It went through and is being given back" in page
        assert "$40.00 off." not in page and 'class="receipt"' not in page
        assert "You paid another way" in till.client.get(f"{sale}receipt/").content.decode()
        assert "Being given back" in till.get("/today/")


def test_a_collector_in_doubt_cannot_redeem_at_another_till(
    cast: Cast, plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), silence(), silence(), offer())
    plain.redeem(COLLECTOR)
    other = sit_down(cast.cashier, cast.second_till)
    page = other.confirm(other.offered(COLLECTOR)).content.decode()
    assert "not confirmed yet" in page and "Nothing was taken" in page
    assert Transaction.objects.count() == 1


def test_the_way_back_gives_miles_and_dollars_and_a_receipt(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved(), reversed_())
    sale = till.redeem(COLLECTOR)
    page = till.get(f"{sale}reverse/")
    assert "data-countdown" in page and "$40.00" in page and "380" in page
    assert "••••\u00a00001" in page and "03:00" in page
    reference = re.search(r'name="client_ref" value="([^"]+)"', page)
    assert reference is not None
    done = till.post(f"{sale}reverse/", client_ref=reference[1]).content.decode()
    assert "380 miles given back." in done and "barcode" in done
    assert not stands_in("1200", done)
    assert "This redemption was reversed." in till.get(sale)
    again = till.post(f"{sale}reverse/", client_ref=reference[1]).content.decode()
    assert "380 miles given back." in again
    assert Transaction.objects.filter(operation=Operation.REVERSE).count() == 1


def test_after_the_deadline_it_is_store_credit_or_gift_card_never_cash(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(offer(), approved())
    sale = till.redeem(COLLECTOR)
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("cashier.frames.timezone", SimpleNamespace(now=lambda: later))
    page = till.get(f"{sale}reverse/")
    assert "Too late to reverse." in page and "not cash" in page
    assert 'name="client_ref"' not in page
    assert f'href="{sale}reverse/"' not in till.get(sale)


@pytest.mark.parametrize("typed", ["7KQ420X9B1TM", "7KQ4 20X9 B1TM", "7kq4-20x9-b1tm"])
def test_a_receipts_code_finds_its_redemption(
    till: Till, scripted: ScriptedPlatform, typed: str
) -> None:
    scripted.will(offer(), approved())
    till.redeem(COLLECTOR)
    page = till.post(reverse("cashier:return"), confirmation=typed).content.decode()
    assert "Give this redemption back?" in page


@pytest.mark.parametrize(
    ("typed", "said"), [("NOSUCHCODE12", "not found"), ("", "Scan or type"), ("a/b", "letters")]
)
def test_a_code_that_is_none_is_named_and_kept(till: Till, typed: str, said: str) -> None:
    page = till.post(reverse("cashier:return"), confirmation=typed).content.decode()
    assert said in page and f'value="{typed}"' in page and 'aria-invalid="true"' in page


def test_today_lists_this_till_or_the_whole_store(
    cast: Cast, plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    sale = plain.redeem(COLLECTOR)
    beside = sit_down(cast.cashier, cast.second_till)
    assert sale in plain.get("/today/") and "$40.00" in plain.get("/today/")
    assert sale not in beside.get("/today/")
    assert sale in beside.get("/today/?of=store")


def test_a_person_of_another_store_sees_none_of_it(
    cast: Cast, plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    sale = plain.redeem(COLLECTOR)
    stranger = sit_down(cast.south_manager, cast.south_till)
    for path in ("", "status/", "receipt/", "reverse/", "credit/"):
        assert stranger.client.get(sale + path).status_code == 404
    for path in (
        "present/",
        "cancel/",
        "send-again/",
        "pay-otherwise/",
        "check/",
        "reverse/",
        "credit/",
    ):
        assert stranger.client.post(sale + path).status_code == 404


def test_a_reversal_tells_the_day_that_stands_on_the_receipt(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A database server does not travel along.
    monkeypatch.setattr(safety, "clock_skew", lambda: None)
    # Half past midnight in St. John's is still the day before in the programme's zone.
    with time_machine.travel(datetime(2026, 11, 20, 4, tzinfo=UTC), tick=False):
        south = sit_down(cast.south_manager, cast.south_till)
        scripted.will(offer(), approved())
        url = south.redeem(COLLECTOR)
        page = south.get(url + "reverse/")
    assert "2026-11-20 00:30\u00a0NST" in page and "2026-11-19" not in page
