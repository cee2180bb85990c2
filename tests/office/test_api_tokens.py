"""API tokens in the office: made and shown once, listed and revoked by administrators alone."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.people import api_tokens
from backoffice.people.models import ApiScope, ApiToken, Role, User
from tests.api.program import Program
from tests.cast import Cast

pytestmark = pytest.mark.django_db
LIST = "/office/api-tokens/"
NEW = f"{LIST}new/"
TOKEN = re.compile(r'secret__token mono">([\w-]{43})<')


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.content.decode()


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Warehouse",
        "scopes": ["transactions:read"],
        "reach": "every",
        "last_day": "",
        **changes,
    }


def test_a_token_is_shown_once_and_reads_what_was_said(cast: Cast) -> None:
    client = signed_in(cast.administrator)
    response = client.post(NEW, asked(reach="chosen", stores=[cast.south.pk]))
    found = TOKEN.search(response.content.decode())
    assert found and "no-store" in response["Cache-Control"]
    assert "http://testserver/api/v1/" in response.content.decode()
    row = api_tokens.found(found[1], now=timezone.now())
    assert row is not None and row.made_by == cast.administrator and row.expires_at is None
    assert row.scopes == [ApiScope.TRANSACTIONS] and list(row.stores.all()) == [cast.south]
    for address in (LIST, f"{LIST}{row.pk}/"):
        page = shown(client, address)
        assert found[1] not in page and "Warehouse" in page and "0002" in page
    assert found[1] not in str(list(AuditEntry.objects.values()))
    program = Program(secret=found[1])
    assert program.get("transactions").status == 200 and program.get("stores").status == 403


def test_its_last_day_is_its_last(cast: Cast) -> None:
    signed_in(cast.administrator).post(NEW, asked(last_day="2998-12-31"))
    expires_at = ApiToken.objects.get().expires_at
    assert expires_at is not None and expires_at.isoformat() == "2999-01-01T05:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"name": " "}, "name", "This field is required"),
        ({"name": "x" * 61}, "name", "at most 60"),
        ({"scopes": []}, "scopes", "This field is required"),
        ({"scopes": ["money:write"]}, "scopes", "Select a valid choice"),
        ({"reach": ""}, "reach", "This field is required"),
        ({"reach": "chosen"}, "stores", "Choose at least one store"),
        ({"reach": "chosen", "stores": ["99999"]}, "stores", "Select a valid choice"),
        ({"last_day": "2020-01-01"}, "last_day", "This day is over"),
        ({"last_day": "9999-12-31"}, "last_day", "too far away"),
        ({"last_day": "soon"}, "last_day", "Enter a valid date"),
    ],
)
def test_a_fault_is_named_and_what_was_typed_is_kept(
    cast: Cast, change: dict[str, Any], field: str, sentence: str
) -> None:
    response = signed_in(cast.administrator).post(NEW, asked(**change))
    page = response.content.decode()
    assert response.status_code == 200 and sentence in page
    assert f'id="id_{field}_error"' in page and "autofocus" in page
    assert change.get("name", "Warehouse") == " " or 'value="transactions:read"' in page
    assert not ApiToken.objects.exists() and not AuditEntry.objects.exists()


def test_a_revocation_ends_it_at_once(cast: Cast) -> None:
    program = Program.of(cast.administrator)
    assert program.row is not None
    address = f"{LIST}{program.row.pk}/"
    client = signed_in(cast.administrator)
    assert "Yes, revoke it" in shown(client, address)
    response = client.post(f"{address}revoke/")
    assert response["Location"] == address
    assert program.get("").status == 401
    page = shown(client, address)
    assert "badge--stop" in page and "Yes, revoke it" not in page
    # A second press changes nothing.
    client.post(f"{address}revoke/")
    assert AuditEntry.objects.filter(event="api_token.revoked").count() == 1


def test_what_became_of_a_token_is_told(cast: Cast) -> None:
    program = Program.of(cast.administrator, scopes=["stores:read"])
    assert program.row is not None
    program.get("offers")
    page = shown(signed_in(cast.administrator), f"{LIST}{program.row.pk}/")
    assert "Made" in page and "Asked for what it may not read" in page and "offers:read" in page


def test_a_token_whose_maker_left_is_shown_as_stopped(cast: Cast) -> None:
    Program.of(cast.administrator)
    other = User.objects.create_user("other", password="x", role=Role.ADMINISTRATOR)
    cast.administrator.is_active = False
    cast.administrator.save()
    page = shown(signed_in(other), LIST)
    assert "Stopped: its maker is no active administrator" in page


@pytest.mark.parametrize("who", ["manager", "auditor"])
def test_it_is_for_administrators_alone(cast: Cast, who: str) -> None:
    program = Program.of(cast.administrator)
    assert program.row is not None
    client = signed_in(getattr(cast, who))
    for address in (LIST, NEW, f"{LIST}{program.row.pk}/"):
        assert client.get(address).status_code == 403
    assert client.post(NEW, asked()).status_code == 403
    assert client.post(f"{LIST}{program.row.pk}/revoke/").status_code == 403
    assert "API tokens" not in shown(client, "/office/devices/")
    assert program.get("").status == 200


@pytest.mark.parametrize("number", ["0", "9" * 30])
def test_a_number_of_no_token_is_not_found(cast: Cast, number: str) -> None:
    assert signed_in(cast.administrator).get(f"{LIST}{number}/").status_code == 404


def test_an_empty_list_and_the_way_to_it(cast: Cast) -> None:
    client = signed_in(cast.administrator)
    assert "No program reads over the API yet" in shown(client, LIST)
    assert f'href="{LIST}"' in shown(client, "/office/devices/")
    french = client.get(NEW, headers={"Accept-Language": "fr"}).content.decode()
    assert "De quels magasins" in french
