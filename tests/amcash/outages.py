"""What the tests of an outage do again and again."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode
from amcash.rules import Reason
from backoffice.journal import programme
from backoffice.journal.models import ProgrammeState
from backoffice.journal.states import Product
from tests.amcash.stories import redeem
from tests.cast import Cast
from tests.scripted import code

ECHO = "/checkout/amcash/echo"
OUTAGE = code("0092", 503)
GOOD = code("0000", 200)


def card(number: int) -> Card:
    """Another collector's card."""
    return Card(number=f"8000001{number:04d}", entry_mode=EntryMode.SCAN)


def is_open() -> bool:
    programme.forget()
    return programme.standing(Product.CASH).is_open


def open_it() -> None:
    """The programme said that it is closed; the first probe was sent just now, in vain."""
    programme.outage(Product.CASH, timezone.now())
    assert programme.take_probe(Product.CASH, timezone.now())
    assert is_open()


def long_ago(seconds: int) -> datetime:
    """Let the next probe have been due for so long."""
    probe_at = timezone.now() - timedelta(seconds=seconds)
    ProgrammeState.objects.update(probe_at=probe_at)
    programme.forget()
    return probe_at


def refusal_of_a_redemption(cast: Cast, **changes: object) -> Reason:
    with pytest.raises(services.Refused) as refused:
        redeem(cast, **changes)
    return refused.value.reason
