"""What a GET may not do, and what a POST may not do without its token: on every address."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client

from tests.web import routes
from tests.web.conftest import Shop

_WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\s+(?:INTO\s+|FROM\s+)?\"?(\w+)", re.I)
# Who is there, and since when: kept for every request, whatever it asks for.
_OF_A_VISIT = {"django_session", "devices_devicetoken", "devices_device", "devices_tally"}
# Tills of other makes bring a token of their own, never a cookie.
_BEARER = ("checkout/", "api/")


def _noted(written: str) -> set[str]:
    """Return where it is noted that a file left the house, or that a stranger stood at its door."""
    is_noted = written == "office/log/export/" or written.startswith(_BEARER)
    return {"audit_auditentry"} if is_noted else set()


def writes(statements: list[str]) -> set[str]:
    """Return the tables that statements wrote to."""
    return {found[2] for one in statements if (found := _WRITES.match(one))}


def ask(client: Client, method: str, address: str) -> tuple[HttpResponseBase, set[str]]:
    """Send a request; return the answer and the tables that were written to."""
    said: list[str] = []

    def listen(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        said.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(listen):
        response = getattr(client, method)(address)
        if response.streaming:
            b"".join(response.streaming_content)
    return response, writes(said)


@pytest.mark.parametrize("person", ["cashier", "manager", "administrator"])
def test_no_address_changes_anything_when_it_is_read(shop: Shop, person: str) -> None:
    client = shop.browser(getattr(shop.cast, person))
    changed: dict[str, set[str]] = {}
    for written in routes.written():
        for method in ("get", "head"):
            response, tables = ask(client, method, routes.filled(written, shop.parts))
            assert response.status_code < 500, written
            tables -= _OF_A_VISIT | _noted(written)
            if tables:
                changed[f"{method} {written}"] = tables
    assert changed == {}


def test_a_write_is_noticed(shop: Shop) -> None:
    client = shop.browser(shop.cast.manager)
    _response, tables = ask(client, "get", "/office/log/export/")
    assert tables - _OF_A_VISIT == {"audit_auditentry"}


def test_most_addresses_are_really_read(shop: Shop) -> None:
    client = shop.browser(shop.cast.administrator)
    answers = [client.get(routes.filled(one, shop.parts)).status_code for one in routes.written()]
    assert len(answers) > 60 and answers.count(200) > 40


def test_nothing_is_posted_without_the_token_of_its_page(shop: Shop) -> None:
    client = shop.browser(shop.cast.administrator, checks_csrf=True)
    got_in: dict[str, int] = {}
    for written in routes.written():
        if written.startswith(_BEARER):
            continue
        response, tables = ask(client, "post", routes.filled(written, shop.parts))
        if response.status_code not in {403, 405} or tables - _OF_A_VISIT:
            got_in[written] = response.status_code
    assert got_in == {}


def test_a_change_is_never_asked_for_by_other_methods(shop: Shop) -> None:
    client = shop.browser(shop.cast.administrator)
    for written in routes.written():
        if written.startswith(("admin/", *_BEARER)):
            continue
        for method in ("put", "patch", "delete"):
            response, tables = ask(client, method, routes.filled(written, shop.parts))
            assert response.status_code in {302, 303, 405}, (method, written)
            assert not tables - _OF_A_VISIT
