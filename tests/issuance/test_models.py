"""Offers as they are kept: what may not be entered, and what the tills make of the rest."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from backoffice.stores.models import Sponsor
from issuance import offers, selectors
from issuance.models import Exclusion, Offer, codes_in
from issuance.offers import Reach
from issuance.terms import Terms
from tests.cast import Cast
from tests.issuance.catalogues import for_each, line, named, sale


def kept(cast: Cast, **changes: Any) -> Offer:
    """The base rate, not saved."""
    fields: dict[str, Any] = {
        "sponsor": cast.sponsor,
        "offer_id": "100",
        "code": "STANDARD",
        "kind": "base",
        "description_en": "A mile for every $20",
        "miles": 1,
        "per_cents": 2000,
    }
    return Offer(**{**fields, **changes})


def faults(row: Offer | Exclusion) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    return caught.value.message_dict


def test_an_offer_is_counted_as_it_is_kept(cast: Cast) -> None:
    row = kept(
        cast,
        description_fr="Un mille par 20 $",
        location_code="1100",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 30),
        items="SKU1,SKU2;SKU1\nSKU3",
        left_out_departments="90",
        coupon="57841",
        tender="CREDIT",
        group="spring",
        at_most=4,
    )
    row.full_clean()
    row.save()
    row.stores.add(cast.south)
    assert row.items == "SKU1, SKU2, SKU3"
    assert selectors.catalogue_of(cast.sponsor).offers == (
        offers.Offer(
            offer_id="100",
            code="STANDARD",
            kind=offers.Kind.BASE,
            terms=for_each(2000, at_most=4),
            description_en="A mile for every $20",
            description_fr="Un mille par 20 $",
            location_code="1100",
            reach=Reach(
                stores=frozenset({"0002"}),
                starts_on=date(2026, 11, 1),
                ends_on=date(2026, 11, 30),
            ),
            selects=named(items="SKU1 SKU2 SKU3"),
            leaves_out=named(departments="90"),
            coupon="57841",
            tender="CREDIT",
            group="spring",
        ),
    )


def test_a_multiplier_is_kept_in_percent(cast: Cast) -> None:
    row = kept(cast, kind="multiplier", miles=None, per_cents=None, factor_percent=150)
    row.full_clean()
    row.save()
    assert row.rule().factor == Decimal("1.5")
    assert row.rule().terms is None


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"miles": None}, "miles", "Say how many miles it gives."),
        ({"miles": 0}, "miles", "Ensure this value is greater than or equal to 1."),
        ({"per_cents": None}, "per_cents", "A base offer gives miles for each full amount"),
        ({"per_quantity": 2}, "per_quantity", "for an amount or for pieces, not for both"),
        ({"factor_percent": 300}, "factor_percent", "only a multiplier has a percentage"),
        ({"kind": "item"}, "items", "Name the items of an item bonus."),
        ({"kind": "department"}, "departments", "Name the departments"),
        ({"kind": "category"}, "categories", "Name the categories"),
        ({"kind": "coupon"}, "coupon", "Give the coupon of a coupon bonus."),
        ({"kind": "tender"}, "tender", "Give the way of paying"),
        ({"kind": "multiplier"}, "factor_percent", "A multiplier needs a percentage"),
        ({"kind": "multiplier"}, "per_cents", "a multiplier takes the steps of a base offer"),
        ({"kind": "multiplier", "factor_percent": 100}, "factor_percent", "More than 100"),
        (
            {"starts_on": date(2026, 2, 2), "ends_on": date(2026, 2, 1)},
            "ends_on",
            "before the first",
        ),
        ({"items": "SKU1, SKU?"}, "items", "“SKU?” is not a code."),
        ({"items": "S" * 41}, "items", "is too long"),
        ({"offer_id": "1 2"}, "offer_id", "Letters, digits"),
        ({"location_code": "12345"}, "location_code", "at most 4 characters"),
        ({"kind": "gift"}, "kind", "is not a valid choice"),
    ],
)
def test_what_an_offer_needs_is_said_where_it_is_missing(
    cast: Cast, changes: dict[str, Any], field: str, sentence: str
) -> None:
    assert sentence in " ".join(faults(kept(cast, **changes))[field])


def test_a_number_is_a_sponsors_own_and_once(cast: Cast) -> None:
    kept(cast).save()
    assert "already exists" in " ".join(faults(kept(cast))["__all__"])
    other = Sponsor.objects.create(code="KENY", name="Other", vendor_id="1", acquirer_id="1")
    kept(cast, sponsor=other).full_clean()


@pytest.mark.parametrize(
    "changes",
    [
        {"miles": None},
        {"miles": 0},
        {"factor_percent": 300},
        {"kind": "multiplier"},
        {"kind": "multiplier", "miles": None, "per_cents": None},
        {"kind": "multiplier", "miles": None, "per_cents": None, "factor_percent": 100},
        {"per_quantity": 2},
        {"starts_on": date(2026, 2, 2), "ends_on": date(2026, 2, 1)},
    ],
)
def test_the_database_refuses_what_could_not_be_counted(
    cast: Cast, changes: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError):
        kept(cast, **changes).save()


def test_an_exclusion_of_nothing_is_refused(cast: Cast) -> None:
    row = Exclusion(sponsor=cast.sponsor, name="Gift cards")
    assert faults(row)["__all__"] == ["Name at least one item, department or category."]
    row.departments = "GIFT"
    row.full_clean()


def test_codes_are_read_however_they_are_parted() -> None:
    assert codes_in(" a,b;c\n\td  a ") == ["a", "b", "c", "d"]
    assert codes_in("  ") == []


def test_a_sale_is_awarded_by_the_calendar_of_its_store(cast: Cast) -> None:
    kept(cast, ends_on=date(2026, 11, 20)).save()
    # 23:45 on the 20th in Toronto is 01:15 on the 21st in St. John's.
    at = datetime(2026, 11, 21, 4, 45, tzinfo=UTC)
    basket = sale(line(1, 4500))
    (award,) = selectors.awards_for(basket, store=cast.north, at=at, language="fr")
    assert (award.miles, award.offer_id, award.description) == (2, "100", "A mile for every $20")
    assert Terms.read(award.terms) == for_each(2000)
    assert selectors.awards_for(basket, store=cast.south, at=at, language="fr") == ()


def test_another_sponsors_offers_and_exclusions_are_no_matter(cast: Cast) -> None:
    other = Sponsor.objects.create(code="KENY", name="Other", vendor_id="1", acquirer_id="1")
    kept(cast).save()
    kept(cast, sponsor=other, offer_id="900", group="more").save()
    Exclusion.objects.create(sponsor=other, name="All", items="SKU1")
    found = selectors.awards_for(
        sale(line(1, 4500)),
        store=cast.north,
        at=datetime(2026, 11, 20, 17, tzinfo=UTC),
        language="en",
    )
    assert [award.offer_id for award in found] == ["100"]
