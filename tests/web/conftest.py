"""Somebody signed in at an enrolled till, and a row for every address that names one."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.people.models import User
from issuance.models import Offer
from tests.amcash.stories import redeem
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, approved


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop with one redemption, and what stands in the place of an address's parts."""

    cast: Cast
    parts: dict[str, object]

    def browser(self, user: User, *, checks_csrf: bool = False) -> Client:
        """Return a browser at North's first till with this person signed in."""
        client = Client(enforce_csrf_checks=checks_csrf, raise_request_exception=False)
        client.force_login(user)
        if user.may_use_till and not checks_csrf:
            client.post(reverse("cashier:till"), {"till": self.cast.till.pk})
        return client


@pytest.fixture
def shop(cast: Cast, scripted: ScriptedPlatform) -> Shop:
    """A shop after its first customer."""
    scripted.will(approved())
    row = redeem(cast)
    offer = Offer.objects.create(
        sponsor=cast.sponsor,
        offer_id="100",
        code="STANDARD",
        kind="base",
        miles=1,
        per_cents=2000,
        description_en="Bread",
    )
    by_type = {"uuid": row.reference, "int": offer.pk, "str": "1", "path": "1"}
    return Shop(cast=cast, parts={**by_type, "app_label": "stores", "url": "nowhere"})


@pytest.fixture
def browser_of(shop: Shop) -> Callable[..., Client]:
    """Open a browser for somebody of the cast."""
    return lambda name, **how: shop.browser(getattr(shop.cast, name), **how)
