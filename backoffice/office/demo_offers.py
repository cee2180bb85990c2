"""The demo partner's own offers, one of each kind. The sandbox knows their codes; the worked
example of docs/offers.md is counted with them.
"""

from typing import Any, Final

from backoffice.stores.models import Sponsor, Store
from issuance.models import Exclusion, Kind, Offer

OFFERS: Final[tuple[dict[str, Any], ...]] = (
    {
        "offer_id": "100001",
        "code": "STANDARD",
        "kind": Kind.BASE,
        "description_en": "1 mile for every $20",
        "description_fr": "1 mille par tranche de 20 $",
        "miles": 1,
        "per_cents": 2000,
    },
    {
        "offer_id": "100004",
        "code": "ITEMBONUS",
        "kind": Kind.ITEM,
        "description_en": "5 miles for 2 bags of dog food",
        "description_fr": "5 milles pour 2 sacs de nourriture pour chiens",
        "miles": 5,
        "per_quantity": 2,
        "at_most": 3,
        "items": "SKU1234",
    },
    {
        "offer_id": "100005",
        "code": "COUPON",
        "kind": Kind.COUPON,
        "description_en": "25 miles with the welcome coupon",
        "description_fr": "25 milles avec le coupon de bienvenue",
        "miles": 25,
        "coupon": "57841",
    },
    {
        "offer_id": "100006",
        "code": "TENDER",
        "kind": Kind.TENDER,
        "description_en": "5 miles when you pay by credit card",
        "description_fr": "5 milles si vous payez par carte de crédit",
        "miles": 5,
        "tender": "CREDIT",
    },
    {
        "offer_id": "100010",
        "code": "DEPTBONUS",
        "kind": Kind.MULTIPLIER,
        "description_en": "3 times the miles in the bakery",
        "description_fr": "3 fois les milles à la boulangerie",
        "factor_percent": 300,
        "departments": "20",
        "group": "bakery",
    },
    {
        "offer_id": "100011",
        "code": "DEPTBONUS",
        "kind": Kind.MULTIPLIER,
        "description_en": "Twice the miles on everything baked",
        "description_fr": "2 fois les milles pour tout ce qui sort du four",
        "factor_percent": 200,
        "departments": "20, 30",
        "group": "bakery",
    },
    {
        "offer_id": "100020",
        "code": "DEPTBONUS",
        "kind": Kind.DEPARTMENT,
        "description_en": "2 miles for every $10 of groceries",
        "description_fr": "2 milles par tranche de 10 $ d’épicerie",
        "miles": 2,
        "per_cents": 1000,
        "departments": "10001",
    },
)
EXCLUSIONS: Final[tuple[dict[str, str], ...]] = (
    {"name": "Gift cards", "name_fr": "Cartes-cadeaux", "departments": "GIFT"},
    {"name": "Prescriptions", "name_fr": "Ordonnances", "categories": "RX"},
)
# By number, the stores of what does not hold in all of them.
STORES_OF: Final = {"100020": ("0002",), "Prescriptions": ("0001",)}


def seed_offers(sponsor: Sponsor, stores: dict[str, Store]) -> None:
    """Create what is missing and leave what is there as it is."""
    for fields in OFFERS:
        offer, is_new = Offer.objects.get_or_create(
            sponsor=sponsor, offer_id=fields["offer_id"], defaults=fields
        )
        if is_new:
            offer.stores.set(stores[number] for number in STORES_OF.get(offer.offer_id, ()))
    for names in EXCLUSIONS:
        exclusion, is_new = Exclusion.objects.get_or_create(
            sponsor=sponsor, name=names["name"], defaults=names
        )
        if is_new:
            exclusion.stores.set(stores[number] for number in STORES_OF.get(exclusion.name, ()))
