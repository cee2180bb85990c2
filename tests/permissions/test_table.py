"""The permission table is true: every address and method, for every visitor; and it is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.cast import Cast
from tests.permissions import table
from tests.permissions.routes import Route, routes
from tests.permissions.visitors import VISITORS, outcome
from tests.permissions.world import World, make_world
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db
PEOPLE = list(VISITORS)[: len(table.EVERYBODY)]
BEARERS = list(VISITORS)[len(table.EVERYBODY) :]
ROUTES = routes()
OF_BEARERS = table.TILLS | table.API
OPEN = {name for name, lines in table.people().items() if "+" in (lines[0][0], lines[1][0])}


@pytest.fixture(autouse=True)
def _static_files_need_not_be_collected_and_somebody_is_named() -> Iterator[None]:
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        STORAGES=storages,
        MILEPOST_SECURITY_CONTACT="mailto:s@example.com",
        MILEPOST_TRAINING_URL="http://127.0.0.1:9",
    ):
        yield


@pytest.fixture
def world(cast: Cast, scripted: ScriptedPlatform) -> World:
    """One thing of each kind, of store North."""
    return make_world(cast, scripted)


@contextmanager
def undone() -> Iterator[None]:
    """Let nothing stay of what is done inside: each visitor finds the same."""
    block: Any = transaction.atomic()
    # As Django's own test cases say it: a commit that must be outermost may stand inside.
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


def knock(cast: Cast, world: World, route: Route, method: str, visitors: list[str]) -> str:
    """Return the signs of what becomes of these visitors."""
    signs = ""
    for name in visitors:
        with undone():
            client = VISITORS[name](cast)
            data = world.data.get(route.name) if method == "POST" else None
            address = world.address(route)
            if data is None:
                response = client.generic(method, address)
            else:
                response = client.post(address, data)
            signs += outcome(response)
    return signs


def expected(route: Route) -> tuple[str, str]:
    """Return what becomes of all visitors with a GET and with a POST."""
    strangers = "u" * len(PEOPLE)
    if route.name in table.TILLS:
        line = table.TILLS[route.name]
        return strangers + line.replace("+", "m"), strangers + line
    if route.name in table.API:
        line = table.API[route.name]
        return strangers + line, strangers + "uuuuum"
    get, post = table.people()[route.name]
    return get + get[0] * len(BEARERS), post + post[0] * len(BEARERS)


def visitors_of(route: Route) -> list[str]:
    """Return who knocks: everybody it is for, and of the others those who might get in."""
    if route.name in OF_BEARERS:
        return ["stranger", "administrator", *BEARERS]
    # No address for people reads a bearer token, whatever it is good for.
    return [*PEOPLE, "till", "program"]


def test_the_table_has_every_address_and_no_other() -> None:
    told = set(table.people()) | set(OF_BEARERS)
    known = {route.name for route in ROUTES}
    assert known - told == set(), "not in the table"
    assert told - known == set(), "in the table, and nowhere else"
    assert not set(table.people()) & set(OF_BEARERS)


def test_every_line_has_a_sign_for_each_visitor() -> None:
    lines = [line for pair in table.people().values() for line in pair]
    assert {len(line) for line in lines} == {len(PEOPLE)}
    assert {len(line) for line in OF_BEARERS.values()} == {len(BEARERS)}
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_visitor_gets_where_the_table_says(cast: Cast, world: World, route: Route) -> None:
    visitors = visitors_of(route)
    for method, signs in zip(("GET", "POST"), expected(route), strict=True):
        found = knock(cast, world, route, method, visitors)
        told_of = dict(zip(PEOPLE + BEARERS, signs, strict=True))
        wrong = {
            name: f"{was}, not {told_of[name]}"
            for name, was in zip(visitors, found, strict=True)
            if was != told_of[name]
        }
        assert wrong == {}, (route.address, method)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_other_method_opens_anything(cast: Cast, world: World, route: Route) -> None:
    bearer = "till" if route.name in table.TILLS else "program"
    visitors = ["stranger", bearer if route.name in OF_BEARERS else "administrator"]
    get, _post = expected(route)
    by_get = [get[(PEOPLE + BEARERS).index(name)] for name in visitors]
    for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        found = knock(cast, world, route, method, visitors)
        for name, was, with_get in zip(visitors, found, by_get, strict=True):
            where = (route.address, method, name, was)
            assert was != "!", where
            if was != "+" or (method == "HEAD" and with_get == "+"):
                continue
            # Django's admin answers any method but POST as it does a GET, which changes nothing
            # there; and what a program may ask tells its methods when asked for its OPTIONS.
            is_of_admin = name == "administrator" and route.address.startswith("/admin/")
            assert is_of_admin or (method == "OPTIONS" and name == "program"), where


def test_what_a_stranger_may_open_is_a_short_list() -> None:
    assert {
        "healthz",
        "readyz",
        "security-txt",
        "api",
        "api-schema",
        "cashier:sign_in",
        "cashier:pair",
        "cashier:language",
    } == OPEN


@override_settings(MILEPOST_SECOND_FACTOR=True)
def test_without_the_second_factor_the_office_stays_shut(cast: Cast, world: World) -> None:
    """In development the demo's people need none; in production whoever opens the office does."""
    of_the_office = [route for route in ROUTES if route.address.startswith(("/office/", "/admin/"))]
    assert len(of_the_office) > 60
    for route in of_the_office:
        for method in ("GET", "POST"):
            found = knock(cast, world, route, method, ["administrator", "manager"])
            index = route.name == "admin:logout"
            assert "+" not in found or index, (route.address, method, found)


def test_a_wrong_line_is_noticed(cast: Cast, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    route = next(route for route in ROUTES if route.name == "office:device-revoke")
    assert knock(cast, world, route, "POST", PEOPLE) == table.OWN_DECIDERS
    monkeypatch.setattr("backoffice.people.models.User.may_decide", True)
    assert knock(cast, world, route, "POST", PEOPLE) == table.OWN_READERS
