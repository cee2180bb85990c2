"""A browser at a till, as Django's client: signed in, its till picked, with and without htmx."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from backoffice.devices import training
from backoffice.devices.models import Device
from backoffice.journal import line
from backoffice.people.models import User
from backoffice.stores.models import Calculation
from issuance.models import Kind, Offer
from tests.cast import SECRET, Cast
from tests.scripted import ScriptedPlatform, offer

HTMX = {"HX-Request": "true"}
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?')


@dataclass(kw_only=True)
class Till:
    """What a cashier does in a browser; `htmx` says whether the answers are fragments."""

    client: Client
    htmx: bool = False

    def get(self, url: str) -> str:
        response = self.client.get(url, headers=self._headers(), follow=True)
        return _text(response)

    def post(self, url: str, follow: Any = True, **data: Any) -> HttpResponse:
        # Any, so that a form may be given as a dict of texts.
        return self.client.post(  # type: ignore[return-value]
            url, data, headers=self._headers(), follow=follow
        )

    def scan(self, value: str, entry: str = "SCAN", **kept: str) -> str:
        """Give the card the way the page's own form does."""
        return _text(self.post(reverse("cashier:card"), value=value, entry=entry, **kept))

    def type_basket(self, page: str, basket: str, excluded: str = "") -> str:
        """Send the amount form of `page` with these amounts."""
        fields = {"sale": hidden(page, "sale"), "basket": basket, "excluded": excluded}
        return _text(self.post(reverse("cashier:offer"), **fields))

    def offered(self, card: str, basket: str = "43.35", excluded: str = "") -> str:
        """Scan a card and type a basket; return the screen that follows."""
        return self.type_basket(self.scan(card), basket, excluded)

    def confirm(self, page: str, units: int | str = 4, **data: Any) -> HttpResponse:
        """Send the offer form of `page`; do not follow."""
        fields = {
            "sale": hidden(page, "sale"),
            "client_ref": hidden(page, "client_ref"),
            "units": units,
            **data,
        }
        return self.post(reverse("cashier:redeem"), follow=False, **fields)

    def redeem(self, card: str, basket: str = "43.35") -> str:
        """Redeem the preselected amount; return the sale's address."""
        response = self.confirm(self.offered(card, basket))
        assert response.status_code == 303, _text(response)
        return str(response["Location"])

    def _headers(self) -> dict[str, str]:
        return HTMX if self.htmx else {}


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field; the page has it once or with one value."""
    values: set[str] = {value for found, value in _HIDDEN.findall(page) if found == name and value}
    assert len(values) == 1, (name, values)
    return values.pop()


def _text(response: Any) -> str:
    return str(response.content.decode())


def sit_down(user: User, till: Device, *, htmx: bool = False) -> Till:
    """Sign `user` in at `till`, in a browser of their own, as people do."""
    client = Client(headers={"Accept-Language": "en"})
    client.post(reverse("cashier:sign_in"), {"username": user.username, "password": SECRET})
    client.post(reverse("cashier:till"), {"till": till.pk})
    return Till(client=client, htmx=htmx)


@pytest.fixture(autouse=True)
def _static_files_need_not_be_collected() -> Any:
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STORAGES=storages):
        yield


@pytest.fixture(params=[False, True], ids=["plain", "htmx"])
def till(request: pytest.FixtureRequest, cast: Cast, scripted: ScriptedPlatform) -> Till:
    """North's cashier at North's first till, without and with script."""
    return sit_down(cast.cashier, cast.till, htmx=request.param)


@pytest.fixture
def plain(cast: Cast, scripted: ScriptedPlatform) -> Till:
    """North's cashier in a browser without script."""
    return sit_down(cast.cashier, cast.till)


@pytest.fixture
def ours(cast: Cast) -> Cast:
    """The sponsor works out the miles itself: one for each full $20."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    Offer.objects.create(
        sponsor=cast.sponsor,
        offer_id="100001",
        code="STANDARD",
        kind=Kind.BASE,
        description_en="1 mile for every $20",
        description_fr="1 mille par tranche de 20 $",
        miles=1,
        per_cents=2000,
    )
    return cast


@pytest.fixture
def by_goods(cast: Cast) -> Cast:
    """The sponsor works out the miles itself: five for two bags of dog food, one for each $10."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    for number, kind, fields in (
        ("100001", Kind.BASE, {"per_cents": 1000, "miles": 1}),
        ("100004", Kind.ITEM, {"per_quantity": 2, "miles": 5, "items": "SKU1234"}),
    ):
        Offer.objects.create(
            sponsor=cast.sponsor,
            offer_id=number,
            code="STANDARD",
            kind=kind,
            description_en=f"Offer {number}",
            **fields,
        )
    return cast


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPlatform]:
    """The training sandbox as this test scripts it; it offers something until told otherwise."""
    sandbox = ScriptedPlatform()
    sandbox.will(offer())
    monkeypatch.setattr(line, "training", lambda: sandbox)
    with override_settings(MILEPOST_TRAINING_URL="http://127.0.0.1:9"):
        yield sandbox


@pytest.fixture
def practising(till: Till, cast: Cast, trainer: ScriptedPlatform) -> Till:
    """The till, in training."""
    begin_training(cast.till, cast)
    return till


def begin_training(device: Device, cast: Cast) -> None:
    """Put a till into training, as its manager would."""
    by = cast.manager.username
    assert training.begin(device, by=by, approved_by="", channel="console", now=timezone.now())
