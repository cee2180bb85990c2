"""The tablet's cookie: who a request comes from, its daily replacement, and being shown out."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.devices import tokens
from backoffice.devices.enrolment import device_for
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
DAY = timedelta(days=1)
COOKIE = settings.DEVICE_COOKIE_NAME
TILL = reverse("cashier:till")


def tablet(cast: Cast, token: str, person: str = "manager") -> Client:
    client = Client()
    client.force_login(getattr(cast, person))
    client.cookies[COOKIE] = token
    return client


def test_a_request_without_a_cookie_comes_from_no_device(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.manager)
    assert device_for(client.get(TILL).wsgi_request) is None


def test_a_good_cookie_says_which_device_it_is(cast: Cast) -> None:
    client = tablet(cast, tokens.issue(cast.till, now=NOW))
    with time_machine.travel(NOW, tick=False):
        response = client.get(TILL)
    assert device_for(response.wsgi_request) == cast.till
    cast.till.refresh_from_db()
    assert (cast.till.last_seen_at, cast.till.version) == (NOW, settings.MILEPOST_VERSION)


def test_a_tablet_gets_a_new_token_each_day_without_noticing(cast: Cast) -> None:
    first = tokens.issue(cast.till, now=NOW)
    client = tablet(cast, first)
    with time_machine.travel(NOW + DAY - timedelta(seconds=1), tick=False):
        assert COOKIE not in client.get(TILL).cookies
    with time_machine.travel(NOW + DAY, tick=False):
        cookie = client.get(TILL).cookies[COOKIE]
    assert cookie.value != first
    assert cookie["httponly"] and cookie["samesite"] == "Strict"
    with time_machine.travel(NOW + DAY + timedelta(minutes=5), tick=False):
        assert device_for(client.get(TILL).wsgi_request) == cast.till
    assert tokens.device_of(first, now=NOW + DAY + timedelta(minutes=7)) is None


def test_a_revoked_tablet_loses_cookie_and_session_with_its_next_request(cast: Cast) -> None:
    client = tablet(cast, tokens.issue(cast.till, now=NOW))
    with time_machine.travel(NOW, tick=False):
        assert client.get("/office/").status_code == 200
        tokens.revoke(cast.till, by="administrator", now=NOW)
        refused = client.get("/office/")
    assert refused.status_code == 302 and "/sign-in/" in refused["Location"]
    assert client.cookies[COOKIE].value == "" and "_auth_user_id" not in client.session


def test_a_made_up_cookie_is_taken_away(cast: Cast) -> None:
    client = tablet(cast, "x" * 43)
    assert "/sign-in/" in client.get("/office/")["Location"]
    assert client.cookies[COOKIE].value == ""


@override_settings(DEVICE_COOKIE_NAME="__Host-device", SESSION_COOKIE_SECURE=True)
def test_production_keeps_the_token_to_https_and_this_host(cast: Cast) -> None:
    client = tablet(cast, "")
    client.cookies["__Host-device"] = tokens.issue(cast.till, now=NOW)
    with time_machine.travel(NOW + DAY, tick=False):
        cookie = client.get(TILL).cookies["__Host-device"]
    assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]


def test_a_health_check_looks_no_device_up(
    cast: Cast, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    client = tablet(cast, tokens.issue(cast.till, now=NOW))
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert client.get("/healthz").status_code == 200
