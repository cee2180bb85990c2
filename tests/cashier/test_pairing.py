"""The tablet's side of pairing: a code typed by nobody in particular, and constant answers."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.devices import pairing, tokens
from backoffice.devices.models import Device
from tests.cashier.conftest import sit_down
from tests.cast import SECRET, Cast

pytestmark = pytest.mark.django_db
PAIR = reverse("cashier:pair")


def code_for(device: Device) -> str:
    return pairing.make_code(device, by="manager", now=timezone.now())


def test_a_strange_tablet_becomes_a_till_and_only_then_serves(cast: Cast) -> None:
    Device.objects.update(profile="tablet")
    cast.sponsor.code = "OTHR"
    cast.sponsor.save()
    client = Client()
    client.force_login(cast.cashier)
    assert client.get("/")["Location"] == reverse("cashier:till")
    response = client.post(PAIR, {"code": code_for(cast.till)})
    assert (response.status_code, response["Location"]) == (303, "/")
    cookie = client.cookies[settings.DEVICE_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and len(cookie.value) == 43
    # Whoever was signed in before signs in again.
    assert "/sign-in/" in client.get("/")["Location"]
    client.force_login(cast.cashier)
    assert "001" in client.get("/").content.decode()


def test_every_bad_code_is_answered_alike(cast: Cast) -> None:
    used = code_for(cast.till)
    Client().post(PAIR, {"code": used})
    expired = pairing.make_code(
        cast.second_till, by="manager", now=timezone.now() - timedelta(minutes=10)
    )
    answers = set()
    for bad in ("", "x", "00000000", used, expired, "é" * 5000, "\0"):
        response = Client(headers={"Accept-Language": "en"}).post(PAIR, {"code": bad})
        token = response.context["csrf_token"]
        answers.add((response.status_code, response.content.decode().replace(str(token), "")))
        assert settings.DEVICE_COOKIE_NAME not in response.cookies
    assert len({status for status, _page in answers}) == 1
    assert len({page for _status, page in answers}) == 1
    (status, page) = answers.pop()
    assert status == 400 and "This code is not good." in page and used not in page


def test_too_many_guesses_are_told_to_wait(cast: Cast) -> None:
    client = Client(headers={"Accept-Language": "en"})
    for _number in range(pairing.TRIES_OF_ONE):
        assert client.post(PAIR, {"code": "00000000"}).status_code == 400
    response = client.post(PAIR, {"code": code_for(cast.till)})
    assert response.status_code == 429 and "Wait ten minutes" in response.content.decode()


def test_a_guess_of_another_site_is_refused(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(PAIR, {"code": code_for(cast.till)}).status_code == 403


def test_looking_changes_nothing_and_is_kept_nowhere(cast: Cast) -> None:
    response = Client().get(PAIR)
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    assert settings.DEVICE_COOKIE_NAME not in response.cookies


def test_a_paired_tablet_says_which_till_it_is_to_anybody_of_its_store(cast: Cast) -> None:
    cast.sponsor.code = "OTHR"
    cast.sponsor.save()
    client = Client(headers={"Accept-Language": "en"})
    client.post(PAIR, {"code": code_for(cast.till)})
    client.post(
        reverse("cashier:sign_in"), {"username": cast.south_manager.username, "password": SECRET}
    )
    page = client.get(reverse("cashier:till")).content.decode()
    assert "This tablet is till 001" in page and "You do not serve customers in this store" in page
    assert client.get("/")["Location"] == reverse("cashier:till")


def test_a_till_for_the_switch_is_no_tablet(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.cashier)
    client.cookies[settings.DEVICE_COOKIE_NAME] = tokens.issue(
        cast.till, now=timezone.now(), profile="till"
    )
    assert client.get("/")["Location"] == reverse("cashier:till")


def test_a_session_goes_with_its_tablet(cast: Cast) -> None:
    till = sit_down(cast.manager, cast.till)
    assert till.client.get("/office/").status_code == 200
    del till.client.cookies[settings.DEVICE_COOKIE_NAME]
    assert "/sign-in/" in till.client.get("/office/")["Location"]
