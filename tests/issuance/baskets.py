"""Baskets and cards that the tests of issuance use again and again."""

from decimal import Decimal
from typing import Any

from backoffice.cards import Card, EntryMode
from backoffice.units import Cents, Miles
from issuance.orders import Award, Basket, Item, Taxes

CARD = Card(number="80000010001", entry_mode=EntryMode.SCAN)


def item(number: int = 1, **changes: Any) -> Item:
    """Two bags of dog food at $9.99, as the programme's samples have them."""
    fields: dict[str, Any] = {
        "number": number,
        "sku": "SKU1234",
        "name": "Dog Food",
        "quantity": Decimal(2),
        "base_cents": Cents(999),
        "final_cents": Cents(1998),
        "department": "10001",
        "category": "11101",
    }
    return Item(**{**fields, **changes})


CHIPS = item(
    2,
    sku="SKU1252",
    name="Potato Chips",
    quantity=Decimal(1),
    base_cents=Cents(499),
    final_cents=Cents(499),
)


def basket(**changes: Any) -> Basket:
    """The samples' basket: $24.97 and 13 % of tax."""
    fields: dict[str, Any] = {
        "pre_tax_cents": Cents(2497),
        "post_tax_cents": Cents(2822),
        "items": (item(), CHIPS),
        "taxes": Taxes(hst_cents=Cents(325)),
        "coupons": ("57841", "57862"),
        "tenders": ("CASH", "CREDIT"),
    }
    return Basket(**{**fields, **changes})


def award(miles: int = 5, **changes: Any) -> Award:
    """The samples' offer."""
    fields: dict[str, Any] = {
        "offer_id": "123454",
        "offer_code": "STANDARD",
        "miles": Miles(miles),
        "description": "Bonus Miles for Groceries.",
        "location_code": "1100",
        "contributing_skus": ("SKU1234", "SKU1252"),
    }
    return Award(**{**fields, **changes})
