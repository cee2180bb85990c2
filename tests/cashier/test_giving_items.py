"""A basket told by its items: scanned, counted, taken out again; what is none is named."""

from decimal import Decimal

import pytest
from django.urls import reverse

from tests.cashier.conftest import Till
from tests.cashier.test_giving import add, given, read_card, sale_of, text
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import confirmed
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db


def test_items_are_scanned_counted_taken_out_and_given(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = add(till, read_card(till), by="items")
    page = add(till, page, sku="SKU1234", price="9.99", quantity="2", department="10001")
    # What is there already needs no price.
    page = add(till, page, sku="SKU1234")
    page = add(till, page, sku="SKU9", price="4.00", quantity="0,535")
    page = add(till, page, sku="WRONG", price="1.00")
    page = add(till, page, gone="3")
    assert "WRONG" not in page and "$32.11" in page
    fields = {"sale": sale_of(page), "after": "36.28"}
    page = text(till.post(reverse("cashier:give_preview"), **fields))
    assert "1 mile" in page
    scripted.will(confirmed())
    given(till, page)
    lines = scripted.sent[0].fields["items"]
    assert [(one["id"], one["number"]) for one in lines] == [
        ("SKU1234", 1),
        ("SKU9", 2),
    ]
    assert [Decimal(str(one["finalAmount"])) for one in lines] == [
        Decimal("29.97"),
        Decimal("2.14"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"sku": "NEW"}, "Type the amount."),
        ({"sku": "", "price": "1.00"}, "Scan or type the item."),
        ({"sku": "8412345678905"}, 'value="8412345678905"'),
        ({"sku": COLLECTOR, "price": "1.00"}, "This is a card, not an item."),
        ({"sku": "A", "price": "1.00", "quantity": "0"}, "Type a quantity"),
        ({"sku": "A", "price": "1.00", "quantity": "many"}, "Type a quantity"),
    ],
)
def test_a_line_that_is_none_is_named(
    till: Till, ours: Cast, line: dict[str, str], said: str
) -> None:
    page = add(till, add(till, read_card(till), by="items"), **line)
    assert said in page and COLLECTOR not in page


def test_an_empty_basket_of_items_earns_nothing_yet(till: Till, ours: Cast) -> None:
    page = add(till, read_card(till), by="items")
    fields = {"sale": sale_of(page), "after": "1.00"}
    assert "Scan an item." in text(till.post(reverse("cashier:give_preview"), **fields))


def test_what_is_typed_and_not_sent_outlives_a_scan_and_another_language(
    plain: Till, ours: Cast
) -> None:
    typed = {"after": "67.80", "coupons": "SAVE5", "tender": "CASH"}
    page = add(plain, read_card(plain), by="items")
    # htmx sends the totals along with each item.
    page = add(plain, page, sku="SKU1234", price="30.00", quantity="2", **typed)
    assert 'value="67.80"' in page and 'value="SAVE5"' in page
    assert '<option value="CASH" selected>' in page
    plain.client.cookies["django_language"] = "fr"
    page = add(plain, page, resumes="1", sku="SKU99", price="1.25", quantity="3", **typed)
    assert all(f'value="{text}"' in page for text in ("67.80", "SAVE5", "SKU99", "1.25", "3"))
    # Kept in their fields, not put into the basket; and a card is never kept.
    assert "1 ligne dans le panier." in page
    page = add(plain, page, resumes="1", sku=COLLECTOR, after="1.00")
    assert COLLECTOR not in page
