"""The demo partner's reasons for miles without a sale, under an offer that the sandbox knows."""

from typing import Any, Final

from backoffice.stores.models import Sponsor
from issuance.models import EventReason

REASONS: Final[tuple[dict[str, Any], ...]] = (
    {"code": "GOODWILL", "name_en": "Goodwill", "name_fr": "Geste commercial", "needs_note": True},
    {"code": "MISSED", "name_en": "Card forgotten at the till", "name_fr": "Carte oubliée"},
    {"code": "CORRECTION", "name_en": "Correction", "name_fr": "Correction", "may_take_back": True},
    {
        "code": "ERROR",
        "name_en": "Given in error",
        "name_fr": "Accordés par erreur",
        "may_give": False,
        "may_take_back": True,
        "needs_note": True,
    },
)


def seed_reasons(sponsor: Sponsor) -> None:
    """Add the reasons that are not there yet; what somebody changed stays."""
    for fields in REASONS:
        EventReason.objects.get_or_create(
            sponsor=sponsor,
            code=fields["code"],
            defaults={"offer_id": "100001", "offer_code": "STANDARD", **fields},
        )
