"""The PIN again before a reversal, and a manager who approves over the cashier's screen."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal.models import Transaction
from backoffice.people import badges, pins
from backoffice.people.tables import StorePolicy
from tests.cashier.conftest import Till, hidden
from tests.cashier.test_lock import MANAGERS_PIN, OTHER_PIN, PIN, tablet_of
from tests.cast import COLLECTOR, Cast
from tests.scripted import ScriptedPlatform, approved, code, offer, reversed_, silence

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["plain", "htmx"])
def till(request: pytest.FixtureRequest, cast: Cast, scripted: ScriptedPlatform) -> Till:
    """North's cashier, who opened the tablet with a PIN."""
    for user, pin in ((cast.cashier, PIN), (cast.manager, MANAGERS_PIN)):
        pins.set_pin(user, pin, by=user)
    pins.set_pin(cast.south_manager, MANAGERS_PIN, by=cast.south_manager)
    client = tablet_of(cast.till)
    client.post(reverse("cashier:unlock"), {"who": cast.cashier.pk, "pin": PIN})
    return Till(client=client, htmx=request.param)


def redeemed(till: Till, scripted: ScriptedPlatform) -> Transaction:
    scripted.will(offer(), approved())
    till.redeem(COLLECTOR)
    return Transaction.objects.get(operation="redeem")


def reverse_it(till: Till, row: Transaction, **fields: Any) -> Any:
    address = reverse("cashier:reverse", args=[row.reference])
    page = till.get(address)
    return till.post(address, follow=False, client_ref=hidden(page, "client_ref"), **fields)


def reversals() -> int:
    return Transaction.objects.filter(operation="reverse").count()


def who_is_in(client: Client) -> str:
    return str(client.session["_auth_user_id"])


def test_a_reversal_asks_for_the_pin_once_more(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = redeemed(till, scripted)
    assert "Your PIN, to reverse" in till.get(reverse("cashier:reverse", args=[row.reference]))
    assert "Type your PIN to reverse." in reverse_it(till, row).content.decode()
    wrong = reverse_it(till, row, pin=OTHER_PIN).content.decode()
    assert "This is not your PIN." in wrong and reversals() == 0
    scripted.will(reversed_())
    assert reverse_it(till, row, pin=PIN).status_code == 303
    assert reversals() == 1


def test_a_wrong_pin_there_counts_as_one_at_the_door(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = redeemed(till, scripted)
    for _ in range(5):
        reverse_it(till, row, pin="000000")
    assert "Too many tries" in reverse_it(till, row, pin=PIN).content.decode()
    assert reversals() == 0


def test_a_store_may_leave_the_second_asking_out(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    StorePolicy.objects.create(store=cast.north, asks_again_to_reverse=False)
    row = redeemed(till, scripted)
    scripted.will(reversed_())
    assert reverse_it(till, row).status_code == 303


def test_above_the_stores_limit_a_manager_approves_and_the_cashier_stays(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    StorePolicy.objects.create(store=cast.north, approval_above_cents=3_999)
    row = redeemed(till, scripted)
    page = reverse_it(till, row, pin=PIN).content.decode()
    assert "A manager of this store must approve this." in page and reversals() == 0
    assert f'value="{cast.manager.pk}"' in page
    assert f'value="{cast.south_manager.pk}"' not in page
    nobody = {"approver": cast.south_manager.pk, "approver_pin": MANAGERS_PIN}
    for tried in (
        nobody,
        {"approver": cast.manager.pk, "approver_pin": PIN},
        {"approver": cast.cashier.pk, "approver_pin": PIN},
        {"approver": "", "approver_pin": MANAGERS_PIN},
    ):
        assert reverse_it(till, row, **tried).status_code == 200
        assert reversals() == 0
    scripted.will(reversed_())
    fields = {"approver": cast.manager.pk, "approver_pin": MANAGERS_PIN}
    assert reverse_it(till, row, **fields).status_code == 303
    done = Transaction.objects.get(operation="reverse")
    told = AuditEntry.objects.get(subject=f"transaction:{done.reference}", event="reversal.armed")
    assert (told.actor, told.details["approved_by"]) == ("cashier", "manager")
    assert done.user == cast.cashier and who_is_in(till.client) == str(cast.cashier.pk)


def test_up_to_the_limit_a_cashier_reverses_alone(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    StorePolicy.objects.create(store=cast.north, approval_above_cents=4_000)
    row = redeemed(till, scripted)
    scripted.will(reversed_())
    assert reverse_it(till, row, pin=PIN).status_code == 303


@pytest.mark.parametrize("is_enough", [False, True])
def test_a_badge_picks_the_manager_and_is_enough_where_the_store_says_so(
    till: Till, cast: Cast, scripted: ScriptedPlatform, is_enough: bool
) -> None:
    policy = {"approval_above_cents": 0, "badge_is_enough": is_enough}
    StorePolicy.objects.create(store=cast.north, **policy)
    text = badges.issue(cast.manager, by=cast.administrator, now=timezone.now())
    cashiers = badges.issue(cast.cashier, by=cast.manager, now=timezone.now())
    row = redeemed(till, scripted)
    refused = reverse_it(till, row, approver_badge=cashiers).content.decode()
    assert "This badge approves nothing here." in refused and reversals() == 0
    scripted.will(reversed_())
    response = reverse_it(till, row, approver_badge=text)
    if is_enough:
        assert response.status_code == 303 and reversals() == 1
    else:
        assert "Now the PIN." in response.content.decode() and reversals() == 0
        assert f'value="{cast.manager.pk}" checked' in response.content.decode()


def test_after_a_decline_on_re_check_a_manager_may_allow_another_redemption(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), silence(), code("0051", 202))
    till.redeem(COLLECTOR)
    scripted.will(offer())
    page = till.offered(COLLECTOR)
    asked = till.confirm(page).content.decode()
    assert "Ask a supervisor before trying again." in asked
    fields = {
        "approver": cast.manager.pk,
        "client_ref": hidden(asked, "client_ref"),
        "units": hidden(asked, "units"),
        "sale": hidden(asked, "sale"),
    }
    send = reverse("cashier:redeem")
    wrong = till.post(send, follow=False, **fields, approver_pin=PIN).content.decode()
    assert "do not go together" in wrong
    scripted.will(approved())
    assert till.post(send, follow=False, **fields, approver_pin=MANAGERS_PIN).status_code == 303
    done = Transaction.objects.get(operation="redeem", state="approved")
    told = AuditEntry.objects.get(subject=f"transaction:{done.reference}", event="redemption.armed")
    assert (told.actor, told.details["approved_by"]) == ("cashier", "manager")


def test_the_office_names_both(till: Till, cast: Cast, scripted: ScriptedPlatform) -> None:
    StorePolicy.objects.create(store=cast.north, approval_above_cents=0)
    row = redeemed(till, scripted)
    scripted.will(reversed_())
    reverse_it(till, row, approver=cast.manager.pk, approver_pin=MANAGERS_PIN)
    done = Transaction.objects.get(operation="reverse")
    office = Client(headers={"Accept-Language": "en"})
    office.force_login(cast.manager)
    page = office.get(reverse("office:transaction", args=[done.reference])).content.decode()
    assert "cashier · Approved by manager" in page


def test_what_is_no_reference_is_no_reversal(till: Till, cast: Cast) -> None:
    address = reverse("cashier:reverse", args=[uuid.uuid4()])
    assert till.post(address, follow=False, pin=PIN).status_code == 404


def test_a_person_changes_their_own_pin_with_the_old_one(till: Till, cast: Cast) -> None:
    address = reverse("cashier:own_pin")
    assert "PIN until now" in till.get(address)
    new = {"new_pin": "918274", "again": "918274"}
    wrong = till.post(address, old_pin=OTHER_PIN, **new).content.decode()
    assert "This is not your PIN." in wrong
    assert (
        "guessed first"
        in till.post(address, old_pin=PIN, new_pin="111111", again="111111").content.decode()
    )
    assert "Your PIN is changed." in till.post(address, old_pin=PIN, **new).content.decode()
    # This session goes on; with the old PIN no other begins.
    assert "Scan the card" in till.get("/")
    cast.cashier.refresh_from_db()
    assert not pins.is_right(cast.cashier, PIN, device=cast.till, now=timezone.now())
