"""Signing in to the office with a second factor, as in production; and what a PIN does not open."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices import tokens
from backoffice.people import pins
from backoffice.people.models import User
from tests.cast import SECRET, Cast

pytestmark = pytest.mark.django_db
STEP = "/office/second-step/"


@pytest.fixture(autouse=True)
def _as_in_production() -> Iterator[None]:
    with override_settings(MILEPOST_SECOND_FACTOR=True):
        yield


@pytest.fixture
def machine() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def begun(user: User, where: str = "/office/log/") -> Client:
    """A browser in which the password was right."""
    client = Client(headers={"Accept-Language": "en"})
    fields = {"username": user.username, "password": SECRET, "next": where}
    assert client.post(reverse("cashier:sign_in"), fields)["Location"] == STEP
    return client


def code_of(secret: str) -> str:
    step = int(timezone.now().timestamp()) // 30
    return str(auth.format_hotp_value(auth.hotp_value(secret, step)))


def set_up(client: Client) -> tuple[str, list[str]]:
    """Set up the codes as the page asks; return the secret and the recovery codes."""
    page = client.get(STEP).content.decode()
    sealed = re.search(r'name="secret" value="([^"]+)"', page)
    shown = re.search(r'class="mono">([A-Z2-7 ]+)<', page)
    assert sealed and shown and "<svg" in page
    secret = shown[1].replace(" ", "")
    fields = {"secret": sealed[1], "code": code_of(secret)}
    page = client.post(STEP, fields).content.decode()
    codes = re.findall(r"<li>(\d{8})</li>", page)
    assert len(codes) == 10 and 'href="/office/log/"' in page
    return secret, codes


def test_the_first_sign_in_sets_up_codes_and_only_then_lets_in(cast: Cast) -> None:
    client = begun(cast.manager)
    assert "_auth_user_id" not in client.session
    assert "/sign-in/" in client.get("/office/")["Location"]
    secret, codes = set_up(client)
    assert client.get("/office/").status_code == 200
    kept = str(list(Authenticator.objects.values("data"))) + str(list(AuditEntry.objects.values()))
    assert secret not in kept and not any(code in kept for code in codes)


def test_later_the_code_is_asked_for_and_is_good_once(
    cast: Cast, machine: time_machine.Traveller
) -> None:
    secret, _codes = set_up(begun(cast.manager))
    machine.shift(timedelta(minutes=5))
    first, second = begun(cast.manager), begun(cast.manager)
    code = code_of(secret)
    assert first.post(STEP, {"code": f"{code[:3]} {code[3:]}"})["Location"] == "/office/log/"
    assert first.get("/office/").status_code == 200
    again = second.post(STEP, {"code": code}).content.decode()
    assert "or it was used" in again and "/sign-in/" in second.get("/office/")["Location"]


def test_a_recovery_code_signs_in_once(cast: Cast) -> None:
    _secret, codes = set_up(begun(cast.manager))
    assert begun(cast.manager).post(STEP, {"code": codes[3]}).status_code == 303
    assert begun(cast.manager).post(STEP, {"code": codes[3]}).status_code == 200


def test_codes_cannot_be_guessed(cast: Cast) -> None:
    secret, _codes = set_up(begun(cast.manager))
    client = begun(cast.manager)
    for number in range(5):
        assert "not right" in client.post(STEP, {"code": f"00000{number}"}).content.decode()
    page = begun(cast.manager).post(STEP, {"code": code_of(secret)}).content.decode()
    assert "Too many tries" in page


def test_a_half_sign_in_ends_after_a_while_with_a_new_password_and_with_the_person(
    cast: Cast, machine: time_machine.Traveller
) -> None:
    late, changed, gone = begun(cast.manager), begun(cast.administrator), begun(cast.auditor)
    machine.shift(timedelta(minutes=10))
    assert late.get(STEP)["Location"] == reverse("cashier:sign_in")
    changed = begun(cast.administrator)
    cast.administrator.set_password("another-battery")
    cast.administrator.save()
    assert changed.get(STEP)["Location"] == reverse("cashier:sign_in")
    gone = begun(cast.auditor)
    User.objects.filter(pk=cast.auditor.pk).update(is_active=False)
    assert gone.get(STEP)["Location"] == reverse("cashier:sign_in")


def test_a_lost_phone_is_taken_away_by_an_administrator(cast: Cast) -> None:
    set_up(begun(cast.manager))
    administrator = begun(cast.administrator)
    set_up(administrator)
    gone = administrator.post(reverse("office:person-no-codes", args=[cast.manager.pk]))
    assert gone.status_code == 303
    assert "Set up one-time codes" in begun(cast.manager).get(STEP).content.decode()


def test_a_password_alone_opens_neither_the_office_nor_the_admin(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.administrator)
    for path in ("/office/", "/office/people/", "/admin/"):
        assert "/sign-in/" in client.get(path, follow=True).redirect_chain[-1][0], path
    set_up(inside := begun(cast.administrator))
    assert inside.get("/admin/").status_code == 200


def test_a_cashier_needs_no_second_factor(cast: Cast) -> None:
    fields = {"username": cast.cashier.username, "password": SECRET}
    assert Client().post(reverse("cashier:sign_in"), fields)["Location"] == "/"


@pytest.mark.parametrize("is_production", [False, True])
def test_a_pin_opens_no_office(cast: Cast, is_production: bool) -> None:
    pins.set_pin(cast.manager, "735194", by=cast.manager)
    client = Client()
    client.cookies[settings.DEVICE_COOKIE_NAME] = tokens.issue(cast.till, now=timezone.now())
    with override_settings(MILEPOST_SECOND_FACTOR=is_production):
        client.post(reverse("cashier:unlock"), {"who": cast.manager.pk, "pin": "735194"})
        assert client.get("/").status_code == 200
        asked = client.get("/office/", follow=True)
        assert asked.redirect_chain[-1][0] == "/sign-in/?next=/office/"
        assert "Password" in asked.content.decode()


def test_passwords_are_guessed_no_faster_than_pins(cast: Cast) -> None:
    client, address = Client(headers={"Accept-Language": "en"}), reverse("cashier:sign_in")
    for name in ("manager", "nobody-of-that-name"):
        wrong = {"username": name, "password": "wrong"}
        for _ in range(5):
            assert "do not go together" in client.post(address, wrong).content.decode()
        assert "Too many tries" in client.post(address, wrong).content.decode()
    right = {"username": "manager", "password": SECRET}
    assert "Too many tries" in client.post(address, right).content.decode()
    assert client.post(address, {"username": "auditor", "password": SECRET}).status_code == 303
