"""The reasons of the cast's sponsor for miles without a sale."""

import pytest

from issuance.proposals import EventReason
from tests.cast import Cast


@pytest.fixture
def reason(cast: Cast) -> EventReason:
    return EventReason.objects.create(
        sponsor=cast.sponsor,
        code="GOODWILL",
        name_en="Goodwill",
        name_fr="Geste commercial",
        offer_id="100001",
        offer_code="STANDARD",
    )


@pytest.fixture
def error(cast: Cast) -> EventReason:
    """A reason to take miles back, which needs a note."""
    return EventReason.objects.create(
        sponsor=cast.sponsor,
        code="ERROR",
        name_en="Given in error",
        name_fr="Accordés par erreur",
        may_give=False,
        may_take_back=True,
        needs_note=True,
        offer_id="100001",
        offer_code="STANDARD",
    )
