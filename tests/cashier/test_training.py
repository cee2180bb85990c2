"""A till that practises: everything works, nothing is real, and every screen and paper says so."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from amcash import services
from backoffice.audit.models import AuditEntry
from backoffice.devices import training
from backoffice.devices.models import Device
from backoffice.journal import programme
from backoffice.journal.models import Transaction
from backoffice.journal.states import Product, State
from backoffice.people import pins
from backoffice.people.models import User
from tests.cashier.conftest import Till, begin_training, hidden, sit_down
from tests.cashier.test_giving import give
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import confirmed
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    approved,
    offer,
    reply,
    reversed_,
    silence,
)

pytestmark = pytest.mark.django_db

PIN = "493817"
SOMEBODYS = ("84095202006", "80000030001")
URL = reverse("cashier:training")


def last() -> Transaction:
    return Transaction.objects.latest("pk")


def gives_a_pin(user: User, device: Device) -> None:
    pins.set_pin(user, PIN, by=user, device=device)


# --- Begun and ended ------------------------------------------------------------------------------


def test_a_manager_begins_and_ends_it_and_both_stand_in_the_audit_log(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    manager = sit_down(cast.manager, cast.till)
    assert "No customer can be served" in manager.get(URL)
    page = manager.post(URL, to="begin").content.decode()
    cast.till.refresh_from_db()
    assert cast.till.is_training and "TRAINING" in page
    # The cards are fresh.
    assert [sent.path for sent in trainer.sent] == ["/_control/reset"]
    page = manager.post(URL, to="end").content.decode()
    cast.till.refresh_from_db()
    assert not Device.objects.get(pk=cast.till.pk).is_training and "TRAINING" not in page
    begun, ended = AuditEntry.objects.filter(event__startswith="device.training").order_by("pk")
    assert (begun.event, ended.event) == ("device.training_begun", "device.training_ended")
    assert begun.actor == ended.actor == "manager" and begun.device == "001"


@pytest.mark.parametrize("to", ["begin", "end"])
def test_a_cashier_needs_a_manager_over_the_screen(
    cast: Cast, till: Till, trainer: ScriptedPlatform, to: str
) -> None:
    gives_a_pin(cast.manager, cast.till)
    if to == "end":
        begin_training(cast.till, cast)
    asked = till.post(URL, to=to).content.decode()
    assert "approver_pin" in asked
    wrong = {"to": to, "approver": str(cast.manager.pk), "approver_pin": "000000"}
    assert "do not go together" in till.post(URL, **wrong).content.decode()
    cast.till.refresh_from_db()
    assert cast.till.is_training is (to == "end")
    answer = till.post(URL, follow=False, **(wrong | {"approver_pin": PIN}))
    # The page as a whole is loaded anew: the frame around the screen changes.
    assert answer.get("HX-Redirect" if till.htmx else "Location") == "/"
    cast.till.refresh_from_db()
    assert cast.till.is_training is (to == "begin")
    entry = AuditEntry.objects.filter(event__startswith="device.training").latest("pk")
    assert (entry.actor, entry.details["approved_by"]) == ("cashier", "manager")


def test_it_stays_with_the_till_whoever_signs_in(
    cast: Cast, practising: Till, scripted: ScriptedPlatform
) -> None:
    assert "<strong>FORMATION</strong>" in sit_down(cast.french_cashier, cast.till).get("/")
    assert "TRAINING" not in sit_down(cast.cashier, cast.second_till).get("/")


def test_a_form_that_is_sent_twice_does_not_take_it_back(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    manager = sit_down(cast.manager, cast.till)
    manager.post(URL, to="begin")
    assert "This till is in training" in manager.post(URL, to="begin").content.decode()
    cast.till.refresh_from_db()
    assert cast.till.is_training


def test_it_does_not_begin_while_a_sale_of_this_till_is_being_sent(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    scripted.will(offer())
    manager = sit_down(cast.manager, cast.till)
    offered = manager.offered(COLLECTOR)
    said: list[str] = []

    def meanwhile(_sent: Any) -> Any:
        other = sit_down(cast.manager, cast.till)
        said.append(other.post(URL, to="begin").content.decode())
        return approved()

    scripted.will(meanwhile)
    manager.confirm(offered)
    assert "Wait until it is." in said[0]
    cast.till.refresh_from_db()
    assert not cast.till.is_training


def test_it_does_not_begin_while_a_customer_waits_to_hear_of_a_doubt(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    scripted.will(offer())
    manager = sit_down(cast.manager, cast.till)
    offered = manager.offered(COLLECTOR)
    scripted.will(silence())
    manager.confirm(offered)
    assert "Wait until it is." in manager.post(URL, to="begin").content.decode()
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    services.settle_due(sender="sweep")
    assert "TRAINING" in manager.post(URL, to="begin").content.decode()


def test_without_a_training_sandbox_nobody_practises(till: Till, trainer: ScriptedPlatform) -> None:
    with override_settings(MILEPOST_TRAINING_URL=""):
        assert till.client.get(URL).status_code == 404
        assert URL not in till.get(reverse("cashier:today"))
    assert URL in till.get(reverse("cashier:today"))


def test_what_is_in_training_can_be_ended_though_its_sandbox_is_gone(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    begin_training(cast.till, cast)
    with override_settings(MILEPOST_TRAINING_URL=""):
        sit_down(cast.manager, cast.till).post(URL, to="end")
    cast.till.refresh_from_db()
    assert not cast.till.is_training


@pytest.mark.parametrize(
    ("answer", "said"),
    [(reply(200, reset="yes"), "have their miles back"), (silence(), "does not answer")],
)
def test_used_up_cards_get_their_miles_back_without_a_manager(
    practising: Till, trainer: ScriptedPlatform, answer: Any, said: str
) -> None:
    trainer.will(answer)
    assert said in practising.post(URL, to="fresh").content.decode()
    assert [sent.path for sent in trainer.sent] == ["/_control/reset"]


def test_outside_training_nothing_is_reset(till: Till, trainer: ScriptedPlatform) -> None:
    till.post(URL, to="fresh")
    assert trainer.sent == []


# --- Nothing is real ------------------------------------------------------------------------------


def test_a_redemption_goes_to_the_training_sandbox_and_to_nobody_else(
    cast: Cast, practising: Till, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    offered = practising.offered(COLLECTOR)
    trainer.will(approved())
    sale = practising.get(str(practising.confirm(offered)["Location"]))
    assert "TRAINING" in sale and "$40.00" in sale
    assert last().is_training and last().amount_cents == 4000
    assert [sent.path.rpartition("/")[2] for sent in trainer.sent] == ["inquire", "redeem"]
    assert scripted.sent == []
    told = AuditEntry.objects.filter(subject=f"transaction:{last().reference}")
    assert told and all(entry.details["training"] is True for entry in told)
    inquired = AuditEntry.objects.get(event="collector.inquired")
    assert inquired.details["training"] is True


def test_it_is_reversed_and_doubted_like_a_real_one(
    cast: Cast, practising: Till, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    offered = practising.offered(COLLECTOR)
    trainer.will(silence())
    doubt = practising.get(str(practising.confirm(offered)["Location"]))
    assert "TRAINING" in doubt and "Do not apply the discount" in doubt
    row = last()
    trainer.will(approved())
    Transaction.objects.filter(pk=row.pk).update(due_at=row.opened_at)
    assert services.settle_due(sender="sweep") == 1
    row.refresh_from_db()
    assert row.state == State.APPROVED
    trainer.will(reversed_())
    url = reverse("cashier:reverse", args=[row.reference])
    page = practising.get(url)
    practising.post(url, client_ref=hidden(page, "client_ref"))
    assert last().operation == "reverse" and last().is_training and last().state == State.APPROVED
    assert scripted.sent == []


def test_miles_are_given_to_the_training_sandbox(
    ours: Cast, practising: Till, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    trainer.will(confirmed())
    page = practising.get(give(practising))
    assert "TRAINING" in page and "5 miles given." in page
    assert last().operation == "issue" and last().is_training and last().state == State.CONFIRMED
    assert scripted.sent == []


def test_a_customers_own_card_is_refused_and_goes_nowhere(
    practising: Till, trainer: ScriptedPlatform, scripted: ScriptedPlatform
) -> None:
    urls = (reverse("cashier:card"), reverse("cashier:give_card"))
    for url, card, entry in itertools.product(urls, SOMEBODYS, ("SCAN", "MANUAL")):
        page = practising.post(url, value=card, entry=entry).content.decode()
        assert "This is a real card." in page
    assert trainer.sent == scripted.sent == []
    assert not Transaction.objects.exists()


def test_the_training_cards_are_at_hand(practising: Till, trainer: ScriptedPlatform) -> None:
    with override_settings(MILEPOST_TEST_CARDS=False):
        home = practising.get("/")
        assert "Miles that follow later" in home
        answer = practising.post(reverse("cashier:test_card"), name="regular")
    assert "What is the basket after tax?" in answer.content.decode()


def test_a_real_sale_is_not_there_in_training_nor_a_practised_one_outside(
    cast: Cast, till: Till, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    scripted.will(offer())
    offered = till.offered(COLLECTOR)
    scripted.will(approved())
    real = str(till.confirm(offered)["Location"])
    begin_training(cast.till, cast)
    offered = till.offered(COLLECTOR)
    trainer.will(approved())
    practised = str(till.confirm(offered)["Location"])
    assert real != practised
    assert till.client.get(real).status_code == 404
    today = till.get(reverse("cashier:today"))
    assert practised in today and real not in today
    found = till.post(reverse("cashier:return"), confirmation=CONFIRMATION, follow=False)
    assert last().reference.hex in str(found["Location"]).replace("-", "")

    training.end(cast.till, by="manager", approved_by="", channel="office")
    assert till.client.get(practised).status_code == 404
    today = till.get(reverse("cashier:today"))
    assert real in today and practised not in today


@pytest.mark.parametrize("is_training", [False, True])
def test_a_sale_that_was_open_does_not_cross_over(
    cast: Cast,
    till: Till,
    scripted: ScriptedPlatform,
    trainer: ScriptedPlatform,
    is_training: bool,
) -> None:
    scripted.will(offer())
    if is_training:
        begin_training(cast.till, cast)
    offered = till.offered(COLLECTOR)
    if is_training:
        training.end(cast.till, by="manager", approved_by="", channel="office")
    else:
        begin_training(cast.till, cast)
    answer = till.confirm(offered)
    assert "read too long ago" in answer.content.decode()
    assert not Transaction.objects.exists()


def test_the_same_collector_is_another_one_in_training(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    """A doubt that somebody practises blocks no customer with the same number."""
    begin_training(cast.second_till, cast)
    trainee = sit_down(cast.french_cashier, cast.second_till)
    offered = trainee.offered(COLLECTOR)
    trainer.will(silence())
    trainee.confirm(offered)
    assert last().state == State.DOUBT and last().is_training
    scripted.will(offer())
    customer = sit_down(cast.cashier, cast.till)
    offered = customer.offered(COLLECTOR)
    scripted.will(approved())
    customer.confirm(offered)
    assert last().state == State.APPROVED and not last().is_training
    assert len(set(Transaction.objects.values_list("collector_mac", flat=True))) == 2


def test_a_silent_training_sandbox_opens_no_breaker(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    begin_training(cast.till, cast)
    trainee = sit_down(cast.cashier, cast.till)
    for number in range(6):
        trainer.will(offer())
        offered = trainee.offered(f"8000001000{number}")
        trainer.will(silence())
        trainee.confirm(offered)
    assert Transaction.objects.filter(state=State.DOUBT).count() == 6
    programme.forget()
    assert not programme.standing(Product.CASH).is_open


def test_whoever_practises_feels_no_pulse_of_the_programme(
    cast: Cast, practising: Till, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    """The ECHO that no sweep has sent for long is left to who asks for something real."""
    with time_machine.travel(timezone.now() - timedelta(minutes=5), tick=False):
        programme.outage(Product.CASH, timezone.now())
    offered = practising.offered(COLLECTOR)
    trainer.will(approved())
    practising.confirm(offered)
    assert last().state == State.APPROVED and not scripted.sent


def test_training_goes_on_while_the_programme_is_down(
    cast: Cast, practising: Till, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    programme.outage(Product.CASH, timezone.now())
    assert "not answering" not in practising.get("/")
    offered = practising.offered(COLLECTOR)
    trainer.will(approved())
    practising.confirm(offered)
    assert last().state == State.APPROVED
