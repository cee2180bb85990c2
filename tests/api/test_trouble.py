"""When Milepost itself is in trouble, the API says so, and nothing of what broke."""

from typing import Any

import pytest
from django.db import OperationalError

from backoffice.api import lists
from backoffice.people import api_tokens
from tests.api.program import Program

pytestmark = pytest.mark.django_db


def test_without_a_database_it_asks_for_patience(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to server at secret-host failed")

    monkeypatch.setattr(api_tokens, "found", away)
    heard = program.get("stores")
    assert heard.status == 503 and heard.problem["kind"] == "no-database"
    assert heard.headers["Retry-After"] == "30" and b"secret-host" not in heard.body


def test_what_broke_is_not_told(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(lists, "_told_stores", broken)
    monkeypatch.setattr(lists.StoresView, "tell", broken)
    heard = program.get("stores")
    assert heard.status == 500 and heard.problem["kind"] == "broken"
    assert b"secret" not in heard.body
