"""What a cashier types of a basket that earns miles, and of one that is brought back."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from backoffice.cards import NotACard, parse_card
from backoffice.units import Cents
from backoffice.wire import scrub
from cashier.forms import AmountField, BoundAttrs
from cashier.gifts import LONGEST_SEAL
from issuance.models import codes_in
from issuance.orders import Basket, Item
from issuance.rules import line_total

_QUANTITY = re.compile(r"[0-9]{1,5}(?:[.,][0-9]{1,3})?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# The two ways of paying that the programme's pages name; a till tells no others apart.
TENDERS = (("", _("Not said")), ("CASH", _("Cash")), ("CREDIT", _("Credit card")))


class CodeField(forms.CharField):
    """A number from a shelf or a shop's own list; never a card."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=60, **options)
        self.widget.attrs.update({"class": "input", "autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: Any) -> str:
        """Return the code. A card that was scanned here must not stay in a basket."""
        text = str(super().clean(value))
        if _is_card(text):
            raise ValidationError(_("This is a card, not an item."), code="card")
        if text and not _CODE.fullmatch(text):
            raise ValidationError(
                _("Letters, digits, dots, hyphens and underscores only."), code="invalid"
            )
        return text


def _is_card(text: str) -> bool:
    if scrub(text) != text:
        return True
    # Also with the hyphens of one that was typed.
    try:
        parse_card(text)
    except NotACard:
        return False
    return True


class QuantityField(forms.Field):
    """A number of pieces, or a weight: ``2``, ``0.535``, ``0,535``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.widget.attrs.update(
            {"class": "input num", "inputmode": "decimal", "autocomplete": "off", "maxlength": "9"}
        )

    def to_python(self, value: Any) -> Any:
        """Return a Decimal, or None for nothing."""
        text = str(value or "").strip()
        if not text:
            return None
        if not _QUANTITY.fullmatch(text):
            raise ValidationError(_("Type a quantity such as 2 or 0.535."), code="invalid")
        return Decimal(text.replace(",", "."))


class TotalsForm(BoundAttrs):
    """What a basket comes to. `before` is not asked where its items say it."""

    sale = forms.CharField(widget=forms.HiddenInput, max_length=LONGEST_SEAL)
    before = AmountField()
    after = AmountField()
    excluded = AmountField(required=False)
    coupons = forms.CharField(required=False, max_length=200)
    tender = forms.ChoiceField(choices=TENDERS, required=False)

    def __init__(self, *args: Any, items_cents: Cents | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.items_cents = items_cents
        for name in ("coupons", "tender"):
            self.fields[name].widget.attrs.update({"class": "input", "autocomplete": "off"})
        if items_cents is not None:
            del self.fields["before"], self.fields["excluded"]
        first = "before" if items_cents is None else "after"
        self.fields[first].widget.attrs["autofocus"] = items_cents is None

    def clean_coupons(self) -> tuple[str, ...]:
        """Return the codes, each once."""
        found = codes_in(self.cleaned_data["coupons"])
        for text in found:
            if scrub(text) != text or not _CODE.fullmatch(text):
                raise ValidationError(_("Coupons have letters and digits only."))
        return tuple(found)

    def clean(self) -> dict[str, Any]:
        """There is something to earn from, and tax makes nothing cheaper."""
        data = super().clean() or self.cleaned_data
        before = self.items_cents if self.items_cents is not None else data.get("before")
        after, excluded = data.get("after"), data.get("excluded")
        if before == 0 and "before" in self.fields:
            self.add_error("before", _("The basket is empty. Type its total."))
        elif before == 0:
            self.add_error("after", _("The basket is empty. Scan an item."))
        if before and after is not None and after < before:
            self.add_error("after", _("With tax it cannot be less than before."))
        if before and excluded and excluded > before:
            self.add_error("excluded", _("These goods cannot be more than the whole basket."))
        return data

    @property
    def known(self) -> dict[str, Any]:
        """What an OpenGift keeps of it. Only for a valid form."""
        data = self.cleaned_data
        before = self.items_cents if self.items_cents is not None else data["before"]
        return {
            "pre_tax_cents": Cents(before),
            "post_tax_cents": Cents(data["after"]),
            "excluded_cents": Cents(data.get("excluded") or 0),
            "coupons": data["coupons"],
            "tender": data["tender"],
        }


class ItemForm(BoundAttrs):
    """One line of a basket: what it is, how much of it, the price of one before tax."""

    sku = CodeField(error_messages={"required": _("Scan or type the item.")})
    price = AmountField()
    quantity = QuantityField(required=False)
    department = CodeField(required=False)
    category = CodeField(required=False)

    @property
    def item(self) -> Item:
        """The line, its number still to be given. Only for a valid form."""
        data = self.cleaned_data
        quantity, base = data["quantity"] or Decimal(1), Cents(data["price"])
        return Item(
            number=1,
            sku=data["sku"],
            name=data["sku"],
            quantity=quantity,
            base_cents=base,
            final_cents=line_total(base, quantity),
            department=data["department"],
            category=data["category"],
        )

    def clean_quantity(self) -> Decimal | None:
        """None of something is no line."""
        quantity: Decimal | None = self.cleaned_data["quantity"]
        if quantity is not None and not quantity:
            raise ValidationError(_("Type a quantity such as 2 or 0.535."))
        return quantity


class BroughtForm(BoundAttrs):
    """What comes back of a sale: pieces of its items, or an amount of its total.

    `left` is what earlier returns have left of it (issuance.selectors.left_of).
    """

    def __init__(
        self, *args: Any, sold: Basket, left: dict[int, Decimal] | Cents, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.sold, self.left = sold, left
        if isinstance(left, dict):
            for item in sold.items:
                self.fields[f"piece_{item.number}"] = QuantityField(required=False)
        else:
            self.fields["before"] = AmountField()
        self.fields["after"] = AmountField()

    @property
    def lines(self) -> list[tuple[Item, Decimal, Any]]:
        """Each item sold, how many of it may come back, and its field."""
        assert isinstance(self.left, dict)
        return [
            (item, self.left[item.number], self[f"piece_{item.number}"]) for item in self.sold.items
        ]

    @property
    def amount_left(self) -> Cents | None:
        """What is left of a sale entered by its totals."""
        return None if isinstance(self.left, dict) else self.left

    def clean(self) -> dict[str, Any]:
        """Something comes back, and no more than is left."""
        data = super().clean() or self.cleaned_data
        if isinstance(self.left, dict):
            for item, left, _field in self.lines:
                if (data.get(f"piece_{item.number}") or 0) > left:
                    self.add_error(f"piece_{item.number}", _("More than is left of it."))
            if not self.errors and not self.brought:
                self.add_error("after", _("Nothing is picked. Type how many come back."))
        elif (data.get("before") or 0) > self.left:
            self.add_error("before", _("More than is left of the sale."))
        before, after = self._before(), data.get("after")
        if not self.errors and after is not None and after < before:
            self.add_error("after", _("With tax it cannot be less than before."))
        if not self.errors and not before:
            self.add_error("after", _("Nothing is picked. Type how many come back."))
        return data

    @property
    def brought(self) -> tuple[Item, ...]:
        """The items that come back. They keep the numbers that they have in the sale."""
        found = []
        for item in self.sold.items:
            pieces = self.cleaned_data.get(f"piece_{item.number}")
            if pieces:
                cents = line_total(item.base_cents, pieces)
                found.append(replace(item, quantity=pieces, final_cents=cents))
        return tuple(found)

    @property
    def known(self) -> dict[str, Any]:
        """What an OpenGift keeps of it. Only for a valid form."""
        return {
            "items": self.brought,
            "has_items": bool(self.brought),
            "pre_tax_cents": self._before(),
            "post_tax_cents": Cents(self.cleaned_data["after"]),
        }

    def _before(self) -> Cents:
        if isinstance(self.left, dict):
            return Cents(sum(item.final_cents for item in self.brought))
        return Cents(self.cleaned_data.get("before") or 0)
