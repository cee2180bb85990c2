"""A till that practises says so on every screen and paper, and nobody else does."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from amcash import services
from backoffice.devices import training
from backoffice.journal import selectors
from backoffice.journal.models import Transaction
from tests.cashier.conftest import HTMX, Till, begin_training
from tests.cashier.test_too_late import at
from tests.cashier.test_training import last
from tests.cast import COLLECTOR, Cast
from tests.scripted import (
    ScriptedPlatform,
    approved,
    offer,
    silence,
)

pytestmark = pytest.mark.django_db

PIN = "493817"
SOMEBODYS = ("84095202006", "80000030001")
URL = reverse("cashier:training")


SCREENS = ["/", "/give/", "/return/", "/today/", "/training/", "/pin/"]


@pytest.mark.parametrize("url", SCREENS)
def test_every_screen_says_it_page_and_fragment_alike(practising: Till, url: str) -> None:
    page = practising.get(url)
    assert page.count("<strong>TRAINING</strong>") == 1
    assert 'class="screen is-training ' in page


@pytest.mark.parametrize("name", ["unlock", "sign_in", "till"])
def test_the_doors_before_the_till_say_it(practising: Till, name: str) -> None:
    if name != "till":
        # Nobody is signed in any more; the tablet is what it was.
        practising.client.post(reverse("cashier:lock"))
    url = reverse(f"cashier:{name}") + ("?name" if name == "sign_in" else "")
    page = practising.client.get(url).content.decode()
    assert "<strong>TRAINING</strong>" in page and "is-training" in page


@pytest.mark.parametrize("address", ["/sale/00000000-0000-4000-8000-000000000000/", "/office/log/"])
def test_the_pages_of_what_is_not_there_or_not_for_the_cashier_say_it(
    practising: Till, address: str
) -> None:
    response = practising.client.get(address)
    page = response.content.decode()
    assert response.status_code in {403, 404}
    assert "<strong>TRAINING</strong>" in page and 'class="plain is-training"' in page


def test_the_page_of_what_broke_says_it(practising: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "latest", _broken)
    practising.client.raise_request_exception = False
    response = practising.client.get("/today/")
    page = response.content.decode()
    assert response.status_code == 500 and "cannot do this just now" in page
    assert "<strong>TRAINING</strong>" in page and 'class="plain is-training"' in page


def _broken(*_args: Any, **_how: Any) -> Any:
    raise RuntimeError("broken")


@pytest.mark.parametrize("was_in_training", [True, False])
def test_a_screen_that_waits_for_an_answer_does_not_outlive_the_change(
    cast: Cast,
    till: Till,
    trainer: ScriptedPlatform,
    scripted: ScriptedPlatform,
    was_in_training: bool,
) -> None:
    """Another tab began or ended training: this one must not go on to say the opposite."""
    asked = trainer if was_in_training else scripted
    if was_in_training:
        begin_training(cast.till, cast)
    asked.will(offer())
    offered = till.offered(COLLECTOR)
    asked.will(silence())
    till.confirm(offered)
    url = reverse("cashier:status", args=[last().reference])
    if was_in_training:
        training.end(cast.till, by="a test", approved_by="", channel="console")
    else:
        begin_training(cast.till, cast)
    answer = till.client.get(url, headers=HTMX)
    assert (answer.status_code, answer.get("HX-Redirect")) == (200, "/")
    # Whoever has no script asks for the page, and for them it is not there.
    assert till.client.get(url).status_code == 404


def test_a_till_that_does_not_practise_never_says_it(till: Till, trainer: ScriptedPlatform) -> None:
    for url in ("/", "/give/", "/return/", "/today/", "/pin/"):
        page = till.get(url)
        assert "TRAINING" not in page and "is-training" not in page


def test_every_paper_says_it_at_the_top_and_at_the_bottom(
    practising: Till, trainer: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = practising.offered(COLLECTOR)
    trainer.will(silence())
    practising.confirm(offered)
    row = last()
    slip = practising.get(reverse("cashier:receipt", args=[row.reference]))
    trainer.will(approved())
    Transaction.objects.filter(pk=row.pk).update(due_at=row.opened_at)
    services.settle_due(sender="sweep")
    receipt = practising.get(reverse("cashier:receipt", args=[row.reference]))
    at(row.deadline_at, monkeypatch)
    practising.post(reverse("cashier:credit", args=[row.reference]), kind="gift_card")
    credit = practising.get(reverse("cashier:receipt", args=[row.reference]))
    for paper in (slip, receipt, credit):
        assert len(re.findall(r'<p class="mark">TRAINING</p>', paper)) == 2, paper


def test_a_stranger_learns_nothing_of_it(cast: Cast, trainer: ScriptedPlatform) -> None:
    begin_training(cast.till, cast)
    assert "TRAINING" not in Client().get(reverse("cashier:sign_in")).content.decode()
