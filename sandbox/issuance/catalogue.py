"""The programme's own offers: those of a reset, and which of them count for a sponsor."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sandbox.issuance.models import CatalogueOffer
from sandbox.issuance.offers import Kind, Offer

# Miles that a sponsor's offers earn are printed with the offer's own location, if it has one.
SAMPLE_LOCATION = "1100"


def first_morning() -> list[CatalogueOffer]:
    """Return the offers of a reset, unsaved: the recorded samples' own, and one of each kind."""
    return [
        # CALCULATE, ISSUE and RETURN as printed: 5 miles for $24.97.
        CatalogueOffer(
            sponsor="TEST",
            code="STANDARD",
            offer_id="123454",
            kind=Kind.BASE,
            miles=1,
            per_cents=500,
            rounding="nearest",
            location=SAMPLE_LOCATION,
            description="Bonus Miles for Groceries.",
        ),
        _offer("STANDARD", "100001", Kind.BASE, 1, 2000, "", "1 mile for every $20"),
        _offer("DEPTBONUS", "100002", Kind.DEPARTMENT, 2, 1000, "DEPT2", "2 miles for every $10"),
        _offer("CATBONUS", "100003", Kind.CATEGORY, 3, 0, "CAT2", "3 miles for each"),
        _offer("ITEMBONUS", "100004", Kind.ITEM, 2, 0, "SKU1234", "2 miles for each"),
        _offer("COUPON", "100005", Kind.COUPON, 10, 0, "57841", "10 miles with this coupon"),
        _offer("TENDER", "100006", Kind.TENDER, 1, 3000, "CREDIT", "1 mile for every $30"),
        CatalogueOffer(
            code="OPENING",
            offer_id="100007",
            kind=Kind.BASE,
            miles=25,
            description="25 miles in the opening week of 2024",
            starts_on=date(2024, 3, 1),
            ends_on=date(2024, 3, 7),
        ),
    ]


def offers_for(sponsor: str) -> list[Offer]:
    """Return a sponsor's own offers or, where it has none, those for every sponsor."""
    rows = list(CatalogueOffer.objects.filter(sponsor=sponsor))
    return [offer_of(row) for row in rows or CatalogueOffer.objects.filter(sponsor="")]


def offer_of(row: CatalogueOffer) -> Offer:
    """Return an offer as the engine knows it."""
    return Offer(
        code=row.code,
        offer_id=row.offer_id,
        kind=Kind(row.kind),
        miles=row.miles,
        per=Decimal(row.per_cents) / 100,
        match=row.match,
        rounding=row.rounding,
        location=row.location,
        description=row.description,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
    )


def seed(offers: Sequence[CatalogueOffer]) -> None:
    """Put offers in place of all that their sponsors had before."""
    CatalogueOffer.objects.filter(sponsor__in={offer.sponsor for offer in offers}).delete()
    CatalogueOffer.objects.bulk_create(offers)


def start_over() -> None:
    """Put the offers of the first morning back."""
    CatalogueOffer.objects.all().delete()
    CatalogueOffer.objects.bulk_create(first_morning())


def _offer(
    code: str, offer_id: str, kind: Kind, miles: int, per_cents: int, match: str, description: str
) -> CatalogueOffer:
    return CatalogueOffer(
        code=code,
        offer_id=offer_id,
        kind=kind,
        miles=miles,
        per_cents=per_cents,
        match=match,
        description=description,
    )
