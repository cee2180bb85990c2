"""People in the office: who may read of whom, and who gives PINs and badges."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.people import badges, pins
from backoffice.people.models import User
from tests.cast import SECRET, Cast

pytestmark = pytest.mark.django_db
PIN = "735194"


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def post(client: Client, name: str, person: User, **data: str) -> int:
    return client.post(reverse(f"office:{name}", args=[person.pk]), data).status_code


def test_a_manager_reads_of_their_stores_people_and_an_auditor_of_all(cast: Cast) -> None:
    own = signed_in(cast.manager).get(reverse("office:people")).content.decode()
    assert "Cashier-Fr" in own and "South-Manager" not in own
    hidden = reverse("office:person", args=[cast.south_manager.pk])
    assert signed_in(cast.manager).get(hidden).status_code == 404
    assert signed_in(cast.auditor).get(hidden).status_code == 200
    assert signed_in(cast.cashier).get(reverse("office:people")).status_code == 403
    assert signed_in(cast.auditor).get("/office/people/99999999999999999999/").status_code == 404


def test_a_manager_gives_a_cashier_a_pin_and_the_log_names_both(cast: Cast) -> None:
    client = signed_in(cast.manager)
    assert post(client, "person-pin", cast.cashier, new_pin=PIN, again=PIN) == 303
    cast.cashier.refresh_from_db()
    assert pins.is_right(cast.cashier, PIN, device=cast.till, now=timezone.now())
    told = AuditEntry.objects.get(event="pin.changed")
    assert (told.actor, told.subject) == ("manager", f"user:{cast.cashier.pk}")
    assert post(client, "person-no-pin", cast.cashier) == 303
    cast.cashier.refresh_from_db()
    assert cast.cashier.pin_hash == ""


@pytest.mark.parametrize(
    ("pin", "again", "said"),
    [
        ("1234", "1234", "guessed first"),
        ("12", "12", "4 digits or more"),
        ("7351x", "7351x", "digits only"),
        ("7351946", "7351946", "6 digits at most"),
        ("7351", "7352", "not the same"),
    ],
)
def test_what_is_wrong_with_a_pin_is_said_and_nothing_changes(
    cast: Cast, pin: str, again: str, said: str
) -> None:
    address = reverse("office:person-pin", args=[cast.cashier.pk])
    page = signed_in(cast.manager).post(address, {"new_pin": pin, "again": again}).content.decode()
    assert said in page and f'value="{pin}"' not in page
    cast.cashier.refresh_from_db()
    assert cast.cashier.pin_hash == ""


def test_ones_own_pin_takes_the_password_and_keeps_the_session(cast: Cast) -> None:
    client, other = signed_in(cast.manager), signed_in(cast.manager)
    fields = {"new_pin": PIN, "again": PIN}
    assert post(client, "person-pin", cast.manager, **fields, password="wrong") == 200
    cast.manager.refresh_from_db()
    assert cast.manager.pin_hash == ""
    assert post(client, "person-pin", cast.manager, **fields, password=SECRET) == 303
    assert client.get("/office/").status_code == 200
    assert "/sign-in/" in other.get("/office/")["Location"]


def test_nobody_gives_a_pin_or_a_badge_to_whom_they_may_not(cast: Cast) -> None:
    fields = {"new_pin": PIN, "again": PIN}
    actions = ("person-pin", "person-no-pin", "person-badge", "person-no-badge", "person-no-codes")
    for who, whom, status in (
        (cast.auditor, cast.cashier, 403),
        (cast.manager, cast.south_manager, 404),
        (cast.south_manager, cast.cashier, 404),
        (cast.cashier, cast.french_cashier, 403),
    ):
        for action in actions:
            assert post(signed_in(who), action, whom, **fields) == status, (who, action)
    second_manager = User.objects.create_user("second", password=SECRET, role="manager")
    second_manager.stores.set([cast.north])
    assert post(signed_in(cast.manager), "person-pin", second_manager, **fields) == 403
    assert post(signed_in(cast.administrator), "person-pin", second_manager, **fields) == 303


def test_a_badge_is_shown_once_and_can_be_revoked(cast: Cast) -> None:
    client = signed_in(cast.manager)
    address = reverse("office:person-badge", args=[cast.cashier.pk])
    response = client.post(address)
    (text,) = set(re.findall(r"MPB[A-Z2-7]{16}", response.content.decode()))
    assert "no-store" in response["Cache-Control"] and client.get(address).status_code == 405
    assert badges.person_of(text, device=cast.till, now=timezone.now()) == cast.cashier
    page = client.get(reverse("office:person", args=[cast.cashier.pk])).content.decode()
    assert text not in page and "There is a badge" in page
    assert post(client, "person-no-badge", cast.cashier) == 303
    assert badges.person_of(text, device=cast.till, now=timezone.now()) is None
