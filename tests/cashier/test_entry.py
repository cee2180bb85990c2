"""Signing in, picking a till, choosing a language, locking; and what surrounds every screen."""

import uuid

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from backoffice.devices.models import Device, DeviceToken
from backoffice.stores.models import Sponsor
from cashier.urls import urlpatterns
from tests.cashier.conftest import Till, sit_down
from tests.cast import COLLECTOR, SECRET, Cast
from tests.scripted import ScriptedPlatform, approved, offer

pytestmark = pytest.mark.django_db
OPEN_TO_ALL = {"sign_in", "pair", "language", "lock", "unlock"}


def test_every_screen_but_the_door_wants_a_person() -> None:
    client = Client()
    for pattern in urlpatterns:
        if pattern.name in OPEN_TO_ALL:
            continue
        arguments = [uuid.uuid4()] if "<uuid" in str(pattern.pattern) else []
        url = reverse(f"cashier:{pattern.name}", args=arguments)
        for response in (client.get(url), client.post(url)):
            assert response.status_code == 302 and "/sign-in/" in response["Location"], url


def test_a_wrong_pin_says_so_keeps_the_name_and_lets_nobody_in(cast: Cast) -> None:
    client = Client()
    fields = {"username": cast.cashier.username, "password": "0"}
    page = client.post(reverse("cashier:sign_in"), fields).content.decode()
    assert "do not go together" in page and f'value="{cast.cashier.username}"' in page
    assert "_auth_user_id" not in client.session


def test_signing_in_speaks_the_persons_language_and_leads_to_the_till(cast: Cast) -> None:
    client = Client()
    fields = {"username": cast.french_cashier.username, "password": SECRET}
    page = client.post(reverse("cashier:sign_in"), fields, follow=True).content.decode()
    assert 'lang="fr-CA"' in page and "Quelle est cette caisse?" in page


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com", "javascript:1"])
def test_signing_in_never_leads_elsewhere(cast: Cast, elsewhere: str) -> None:
    fields = {"username": cast.cashier.username, "password": SECRET, "next": elsewhere}
    response = Client().post(reverse("cashier:sign_in"), fields)
    assert response["Location"] == "/"


def test_an_auditor_has_no_till_and_is_led_to_the_office(cast: Cast) -> None:
    client = Client()
    fields = {"username": cast.auditor.username, "password": SECRET}
    response = client.post(reverse("cashier:sign_in"), fields)
    assert response["Location"] == "/office/"
    assert client.get("/")["Location"] == reverse("cashier:till")


def test_only_the_tills_of_ones_own_stores_can_be_picked(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.cashier)
    page = client.get(reverse("cashier:till")).content.decode()
    assert "North" in page and "South" not in page
    refused = client.post(reverse("cashier:till"), {"till": cast.south_till.pk})
    assert refused.status_code == 200 and settings.DEVICE_COOKIE_NAME not in client.cookies


def test_picking_a_till_pairs_a_demo_tablet_at_this_desk(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.cashier)
    client.post(reverse("cashier:till"), {"till": cast.till.pk})
    cookie = client.cookies[settings.DEVICE_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Strict"
    assert client.get("/").status_code == 200
    # Another browser at the same desk is the same tablet; the first one stays it.
    sit_down(cast.manager, cast.till)
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("why_not", ["production", "elsewhere", "sponsor", "profile", "revoked"])
def test_nothing_else_pairs_itself(cast: Cast, why_not: str) -> None:
    address = "192.0.2.1" if why_not == "elsewhere" else "127.0.0.1"
    client = Client(REMOTE_ADDR=address)
    client.force_login(cast.cashier)
    if why_not == "sponsor":
        Sponsor.objects.update(code="OTHR")
    elif why_not == "profile":
        Device.objects.update(profile="till")
    elif why_not == "revoked":
        Device.objects.update(revoked_at=timezone.now())
    with override_settings(MILEPOST_PRODUCTION=why_not == "production"):
        page = client.get(reverse("cashier:till")).content.decode()
        client.post(reverse("cashier:till"), {"till": cast.till.pk})
    assert 'name="till"' not in page and reverse("cashier:pair") in page
    assert settings.DEVICE_COOKIE_NAME not in client.cookies
    assert not DeviceToken.objects.exists()


@pytest.mark.parametrize("picked", ["", "x", "\u00b2", "-1", "8" * 20, "8" * 5000])
def test_what_names_no_till_asks_for_one_again(cast: Cast, picked: str) -> None:
    client = Client()
    client.force_login(cast.cashier)
    refused = client.post(reverse("cashier:till"), {"till": picked})
    assert refused.status_code == 200 and settings.DEVICE_COOKIE_NAME not in client.cookies


def test_a_tills_cookie_cannot_be_made_up(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.cashier)
    client.cookies[settings.DEVICE_COOKIE_NAME] = str(cast.till.pk)
    assert "/sign-in/" in client.get("/")["Location"]


def test_a_till_that_was_closed_shows_everybody_out(cast: Cast, plain: Till) -> None:
    cast.till.is_active = False
    cast.till.save()
    assert "/sign-in/" in plain.client.get("/")["Location"]
    assert "_auth_user_id" not in plain.client.session


def test_one_tap_changes_the_language_of_screen_and_receipt(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    back = plain.post(reverse("cashier:language"), follow=False, language="fr", next="/today/")
    assert back["Location"] == "/today/"
    assert "Numérisez la carte" in plain.get("/")
    scripted.will(offer(), approved())
    sale = plain.redeem(COLLECTOR, "43,35")
    paper = plain.get(f"{sale}receipt/")
    assert scripted.sent[0].fields["instantMessage"] == "fr-CA"
    for text in ('lang="fr-CA"', "Reste à payer", "3,35\u00a0$", "Milles Argent utilisés", "HNE"):
        assert text in paper or (text == "HNE" and "HAE" in paper), text
    plain.post(reverse("cashier:language"), language="de")
    assert "Numérisez la carte" in plain.get("/")


def test_locking_leaves_the_till_to_nobody(plain: Till) -> None:
    assert plain.client.get(reverse("cashier:lock")).status_code == 405
    plain.post(reverse("cashier:lock"))
    assert plain.client.get("/").status_code == 302


def test_every_screen_names_the_environment(plain: Till) -> None:
    for path in ("/", "/today/", "/return/", "/till/"):
        assert settings.MILEPOST_ENVIRONMENT_NAME in plain.get(path)


def test_no_screen_is_kept_by_the_browser(till: Till) -> None:
    for path in ("/", "/today/", "/return/", "/till/"):
        assert "no-store" in till.client.get(path)["Cache-Control"]


def test_a_page_holds_no_script_style_or_handler_of_its_own(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    pages = [plain.scan(COLLECTOR), plain.offered(COLLECTOR)]
    pages += [plain.get(path) for path in ("/", "/today/", "/return/", "/till/")]
    scripted.will(offer(), approved())
    sale = plain.redeem(COLLECTOR)
    pages += [plain.get(sale), plain.get(f"{sale}receipt/"), plain.get(f"{sale}reverse/")]
    for page in pages:
        lower = page.lower()
        for forbidden in ("<style", " style=", "hx-on", "js:", " onclick", " onload", "onsubmit"):
            assert forbidden not in lower
        assert "<script>" not in lower
    policy = plain.client.get("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy


def test_a_form_of_another_site_is_refused(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.cashier)
    assert strict.post(reverse("cashier:card"), {"value": COLLECTOR}).status_code == 403


def test_a_manager_may_serve_at_the_till_and_reaches_the_office(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    page = sit_down(cast.manager, cast.till).get("/")
    assert 'href="/office/"' in page
    assert 'href="/office/"' not in sit_down(cast.cashier, cast.till).get("/")


def test_a_session_that_ended_leads_to_the_door_as_a_whole_page(cast: Cast) -> None:
    quick = sit_down(cast.cashier, cast.till, htmx=True)
    quick.post(reverse("cashier:lock"), follow=False)
    response = quick.post(reverse("cashier:redeem"))
    assert response["HX-Redirect"] == reverse("cashier:unlock")
    # Signing in goes on from there; what only acts on a POST leads to the resting screen.
    fields = {"username": cast.cashier.username, "password": SECRET, "next": "/redeem/"}
    page = quick.client.post(reverse("cashier:sign_in"), fields, follow=True).content.decode()
    assert "Scan the card" in page
