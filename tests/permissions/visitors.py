"""Who knocks at every door of the table: people in browsers, tablets, tills and programs."""

from collections.abc import Callable

from django.conf import settings
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.devices import tokens
from backoffice.devices.models import Device
from backoffice.people import api_tokens
from backoffice.people.models import ApiScope, User
from backoffice.people.sessions import Proof
from tests.cast import Cast

Visitor = Callable[[Cast], Client]


def _browser(person: User | None, tablet: Device | None) -> Client:
    client = Client(headers={"Accept-Language": "en"}, raise_request_exception=False)
    if tablet is not None:
        client.cookies[settings.DEVICE_COOKIE_NAME] = tokens.add(
            tablet, now=timezone.now(), profile="tablet"
        )
    if person is not None:
        client.force_login(person)
    return client


def _by_pin(client: Client, tablet: Device) -> Client:
    session = client.session
    session["proof"], session["device"] = Proof.PIN.value, tablet.pk
    session["begun_at"] = session["seen_at"] = timezone.now().timestamp()
    session.save()
    return client


def _till(device: Device, profile: str) -> Client:
    token = tokens.add(device, now=timezone.now(), profile=profile)
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def _program(cast: Cast) -> Client:
    """A program that reads all there is of North."""
    _row, token = api_tokens.make(
        "Warehouse",
        scopes=ApiScope.values,
        stores=[cast.north],
        expires_at=None,
        by=cast.administrator,
        now=timezone.now(),
    )
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def _revoked(client: Client, device: Device) -> Client:
    tokens.revoke(device, by="administrator", now=timezone.now())
    return client


# In the order of the table's columns. All of them stand before things of store North.
VISITORS: dict[str, Visitor] = {
    "stranger": lambda cast: _browser(None, None),
    "cashier": lambda cast: _browser(cast.cashier, cast.till),
    "cashier, no tablet": lambda cast: _browser(cast.cashier, None),
    "manager": lambda cast: _browser(cast.manager, cast.till),
    "other store's manager": lambda cast: _browser(cast.south_manager, cast.south_till),
    "administrator": lambda cast: _browser(cast.administrator, cast.till),
    "auditor": lambda cast: _browser(cast.auditor, cast.till),
    "revoked tablet": lambda cast: _revoked(_browser(cast.administrator, cast.till), cast.till),
    "manager by PIN": lambda cast: _by_pin(_browser(cast.manager, cast.till), cast.till),
    "tablet's token": lambda cast: _till(cast.till, "tablet"),
    "till": lambda cast: _till(cast.till, "till"),
    "till, AM Cash": lambda cast: _till(cast.till, "till_amcash"),
    "till, miles": lambda cast: _till(cast.till, "till_issuance"),
    "revoked till": lambda cast: _revoked(_till(cast.till, "till"), cast.till),
    "program": _program,
}

# Where one signs in: with a password, at a tablet with a PIN, and the admin's own name for it.
_DOORS = ("/sign-in/", "/unlock/", "/admin/login/")
# What an answer means. A form that finds nothing in it was reached all the same.
REACHED = frozenset({200, 204, 303, 400, 409, 410, 415, 422, 429, 503})


def outcome(response: HttpResponseBase) -> str:
    """Return one sign for what became of a request (see table.SIGNS)."""
    status = response.status_code
    if status in {301, 302, 303}:
        to = response.headers["Location"]
        if to.startswith(_DOORS):
            return "s"
        return "t" if to == reverse("cashier:till") else "+"
    refusals = {401: "u", 403: "f", 404: "n", 405: "m"}
    if status in refusals:
        return refusals[status]
    return "+" if status in REACHED else "!"
