"""The worked example of docs/offers.md, counted with the offers of `manage.py demo`."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from backoffice.office.management.commands.demo import seed
from backoffice.stores.models import Sponsor
from backoffice.units import Cents, Miles, parse_cents
from issuance import offers, returns, selectors
from issuance.models import Exclusion, Offer
from issuance.orders import Award, Basket, Item
from issuance.returns import Given

PAGE = Path(__file__).parents[2] / "docs" / "offers.md"
EXAMPLE = PAGE.read_text(encoding="utf-8").partition("## A worked example")[2]


def table(heading: str) -> list[list[str]]:
    """Return the cells of the example's table that starts with this heading."""
    _before, _found, after = EXAMPLE.partition(f"| {heading} |")
    rows = after.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def basket() -> Basket:
    items = [
        Item(
            number=number,
            sku=sku,
            name=sku,
            quantity=Decimal(quantity),
            base_cents=parse_cents(price),
            final_cents=parse_cents(total),
            department=department,
            category=category.strip("–"),
        )
        for number, (sku, department, category, price, quantity, total) in enumerate(
            table("item"), start=1
        )
    ]
    whole = Cents(sum(item.final_cents for item in items))
    return Basket(
        pre_tax_cents=whole,
        post_tax_cents=whole,
        items=tuple(items),
        coupons=("57841",),
        tenders=("CREDIT",),
    )


def test_the_worked_example_earns_what_the_page_says(db: None) -> None:
    seed()
    sold = basket()
    assert all(item.base_cents * item.quantity == item.final_cents for item in sold.items)
    catalogue = selectors.catalogue_of(Sponsor.objects.get(code="LOY1"))
    found = offers.weighed(sold, catalogue, store="0001", on=date(2026, 11, 20))
    said = {row[0]: int(row[3]) for row in table("offer | what it says")}
    assert {verdict.offer.offer_id: verdict.miles for verdict in found} == said
    assert re.findall(r"That is (\d+) miles", EXAMPLE) == [str(sum(said.values()))]
    amounts = {row[0]: re.findall(r"\$([\d.]+)", row[2]) for row in table("offer | what it says")}
    for verdict in found:
        for amount in amounts[verdict.offer.offer_id]:
            assert verdict.share.amount_cents == parse_cents(amount)


def test_the_worked_example_is_taken_back_as_the_page_says(db: None) -> None:
    seed()
    sold = basket()
    catalogue = selectors.catalogue_of(Sponsor.objects.get(code="LOY1"))
    verdicts = offers.earned(sold, catalogue, store="0001", on=date(2026, 11, 20))
    awards = [verdict.award("en") for verdict in verdicts]
    said = table("offer | kept after the first return")
    first = taken(awards, sold, {1: Decimal(1), 4: Decimal(1)}, {})
    assert first == {row[0]: int(row[2]) for row in said if row[2] != "0"}
    rest = taken(awards, sold, {item.number: item.quantity for item in sold.items}, first)
    assert rest == {row[0]: int(row[3]) for row in said if row[3] != "0"}
    sums = re.search(r"(\d+) and (\d+) miles: together the (\d+)", EXAMPLE)
    assert sums is not None
    once, again = sum(first.values()), sum(rest.values())
    assert [int(text) for text in sums.groups()] == [once, again, once + again]


def taken(
    awards: list[Award], sold: Basket, returned: dict[int, Decimal], before: dict[str, int]
) -> dict[str, int]:
    given = [
        Given(award=award, taken_back=Miles(before.get(award.offer_id, 0))) for award in awards
    ]
    found = returns.take_back(given, sold=sold, returned=returned)
    return {award.offer_id: award.miles for award in found}


def test_the_demo_offers_could_have_been_entered_by_hand(db: None) -> None:
    seed()
    seed()
    rows = [*Offer.objects.all(), *Exclusion.objects.all()]
    assert len(rows) == 9
    for row in rows:
        row.full_clean()
    assert {row.kind for row in rows if isinstance(row, Offer)} >= {"base", "multiplier", "item"}
