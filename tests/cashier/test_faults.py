"""What a person reads where there can be no screen: the database away, a stale form, no right."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from backoffice.journal import entries
from backoffice.journal.models import Transaction
from tests.cashier.conftest import Till, sit_down
from tests.cast import COLLECTOR, SECRET, Cast
from tests.scripted import ScriptedPlatform, offer

pytestmark = pytest.mark.django_db


def away(*_given: Any, **_named: Any) -> None:
    raise OperationalError("database is locked")


@pytest.mark.parametrize(("language", "says"), [("en", "nothing is done twice"), ("fr", "rien n’")])
def test_a_database_that_is_away_is_said_and_nothing_is_sent(
    plain: Till,
    scripted: ScriptedPlatform,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    says: str,
) -> None:
    scripted.will(offer())
    page = plain.offered(COLLECTOR)
    plain.post(reverse("cashier:language"), language=language)
    monkeypatch.setattr(entries, "open_transaction", away)
    plain.client.raise_request_exception = False
    response = plain.confirm(page)
    assert response.status_code == 500
    assert says in response.content.decode()
    assert len(scripted.sent) == 1 and not Transaction.objects.exists()


def test_a_form_of_before_the_last_sign_in_says_that_nothing_was_sent(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.post(reverse("cashier:sign_in"), {"username": "x", "password": SECRET})
    assert page.status_code == 403
    assert "Nothing was sent." in page.content.decode()


def test_a_cashier_reads_that_the_office_is_closed_to_them(cast: Cast) -> None:
    page = sit_down(cast.cashier, cast.till).client.get("/office/")
    assert page.status_code == 403 and "not for your role" in page.content.decode()


def test_an_unknown_address_leads_back(cast: Cast) -> None:
    page = sit_down(cast.cashier, cast.till).client.get("/nowhere/")
    assert page.status_code == 404 and 'href="/"' in page.content.decode()
