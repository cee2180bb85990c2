"""Who gets in to the API, and what becomes of everybody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.api import access
from backoffice.audit.models import AuditEntry
from backoffice.devices import tokens
from backoffice.devices.models import Tally
from backoffice.devices.strangers import NOTED_OF_ONE
from backoffice.people import api_tokens
from backoffice.people.models import ApiScope
from tests.api.program import V1, Program
from tests.cast import Cast
from tests.switch.till import Till

pytestmark = pytest.mark.django_db
ADDRESSES = {
    "transactions": "transactions:read",
    "transactions/00000000-0000-0000-0000-000000000000": "transactions:read",
    "changes": "transactions:read",
    "stores": "stores:read",
    "stores/1": "stores:read",
    "devices": "devices:read",
    "devices/1": "devices:read",
    "offers": "offers:read",
    "offers/1": "offers:read",
}


@pytest.mark.parametrize("address", ["", *ADDRESSES, "nowhere"])
def test_a_stranger_learns_nothing_but_how_to_come(cast: Cast, address: str) -> None:
    for headers in ({}, {"Authorization": "Basic eDp4"}, {"Authorization": "Bearer nothing"}):
        answer = Client().get(V1 + address, headers=headers)
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith('Bearer realm="milepost"')
        assert ("invalid_token" in answer["WWW-Authenticate"]) == bool(headers)
        assert answer["Cache-Control"] == "no-store"


def test_no_session_opens_it(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.administrator)
    assert client.get(f"{V1}stores").status_code == 401


def test_a_tills_token_opens_no_api_and_the_apis_no_switch(cast: Cast, program: Program) -> None:
    till = Till.of(cast.till)
    assert Program(secret=till.token).get("stores").status == 401
    assert Till(token=program.secret).post("/checkout/amcash/echo", {}).status == 401
    tablet = tokens.issue(cast.second_till, now=timezone.now(), profile="tablet")
    assert Program(secret=tablet).get("stores").status == 401


@pytest.mark.parametrize(("address", "scope"), ADDRESSES.items())
def test_a_scope_that_is_missing_is_named_and_noted(cast: Cast, address: str, scope: str) -> None:
    others = [one for one in ApiScope if one != scope]
    program = Program.of(cast.administrator, scopes=others)
    heard = program.get(address)
    assert heard.status == 403
    assert heard.problem["scope"] == scope and scope in heard.problem["detail"]
    assert f'scope="{scope}"' in heard.headers["WWW-Authenticate"]
    entry = AuditEntry.objects.get(event="api_token.read_refused")
    assert entry.details["scope"] == scope and entry.actor == "administrator"
    assert Program.of(cast.administrator, scopes=[scope]).get(address).status in {200, 404}


def test_a_token_that_was_revoked_is_a_strangers(cast: Cast, program: Program) -> None:
    assert program.get("").status == 200
    assert program.row is not None
    api_tokens.revoke(program.row, by="administrator", now=timezone.now())
    assert program.get("").status == 401


def test_refused_tokens_are_noted_a_few_times_and_without_the_token(cast: Cast) -> None:
    for _ in range(NOTED_OF_ONE + 3):
        assert Program(secret="s" * 43).get("stores").status == 401
    noted = AuditEntry.objects.filter(event="api_token.refused")
    assert len(noted) == NOTED_OF_ONE
    assert noted[0].channel == "api" and noted[0].details == {"path": "/api/v1/stores"}
    assert "s" * 43 not in str(list(noted.values()))
    # Those of tills are counted by themselves.
    Till(token="x" * 43).post("/checkout/amcash/echo", {})
    assert AuditEntry.objects.filter(event="device.refused").count() == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_nothing_but_reading_is_there(cast: Cast, program: Program, method: str) -> None:
    heard = program.get("stores", method=method)
    assert heard.status == 405 and heard.problem["kind"] == "wrong-method"
    assert heard.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert Program(secret="").get("stores", method=method).status == 401


def test_it_needs_no_csrf_token_to_refuse(program: Program) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {program.secret}"})
    assert client.post(f"{V1}stores", {}).status_code == 405


def test_head_and_options(program: Program) -> None:
    whole, head = program.get("stores"), program.get("stores", method="HEAD")
    assert head.status == 200 and head.body == b"" and head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(whole.body))
    options = program.get("stores", method="OPTIONS")
    assert options.status == 204 and options.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("accept", ["text/csv", "application/xml", "text/html;q=0.9"])
def test_who_wants_no_json_is_told_that_there_is_nothing_else(
    program: Program, accept: str
) -> None:
    heard = program.get("stores", Accept=accept)
    assert heard.status == 406 and heard.problem["kind"] == "only-json"
    for fine in ("*/*", "application/json", "application/*", "text/html, */*;q=0.1"):
        assert program.get("stores", Accept=fine).status == 200


def test_so_many_requests_a_minute_and_then_patience(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MOST_REQUESTS", 3)
    assert [program.get("").status for _ in range(5)] == [200, 200, 200, 429, 429]
    heard = program.get("")
    assert heard.problem["kind"] == "too-many-requests"
    assert 1 <= int(heard.headers["Retry-After"]) <= 60
    # Of this token alone, and for this minute alone.
    began_at = timezone.now() - timedelta(seconds=61)
    Tally.objects.filter(key__startswith="api:").update(began_at=began_at)
    assert program.get("").status == 200


def test_each_token_has_its_own_measure(
    cast: Cast, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MOST_REQUESTS", 1)
    other = Program.of(cast.administrator)
    assert [program.get("").status, program.get("").status, other.get("").status] == [200, 429, 200]


def test_the_index_says_what_the_token_is(cast: Cast, of_south: Program) -> None:
    told: dict[str, Any] = of_south.read("")
    assert told["token"]["name"] == "Warehouse"
    assert told["token"]["is_of_every_store"] is False
    assert told["token"]["store_ids"] == [cast.south.pk]
    for address in told["resources"].values():
        assert of_south.get(address).status == 200
