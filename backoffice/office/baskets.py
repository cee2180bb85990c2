"""A basket as somebody types or pastes it, to see what it would earn. Reads; decides nothing."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.office.forms import FocusedForm
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Store
from backoffice.units import Cents, parse_cents
from issuance.models import codes_in
from issuance.orders import Basket, Item
from issuance.rules import line_total

_MOST_LINES: Final = 200
_LONGEST_TEXT: Final = 20_000
_LONGEST_CELL: Final = 60
_QUANTITY: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")
_EXAMPLE: Final = "SKU1234, 10001, 11101, 9.99, 2\nSKU1252, 10001, , 4.99"


class BasketForm(FocusedForm):
    """Where, when and what is bought. Nothing of it is kept."""

    store = forms.ModelChoiceField(Store.objects.none(), label=gettext_lazy("Store"))
    day = forms.DateField(
        label=gettext_lazy("Day of the sale"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
    )
    lines = forms.CharField(
        label=gettext_lazy("Basket"),
        max_length=_LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "wrap": "off"}),
        help_text=gettext_lazy(
            "A line for each item: number, department, category, price before tax, quantity."
            " Cells apart by commas, semicolons or tabs, as a spreadsheet copies them."
        ),
    )
    coupons = forms.CharField(label=gettext_lazy("Coupons"), required=False, max_length=200)
    tenders = forms.CharField(label=gettext_lazy("Ways of paying"), required=False, max_length=200)

    def __init__(self, data: Mapping[str, Any] | None, *, user: User, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        stores = visible_stores(user).filter(is_active=True).select_related("sponsor")
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs |= {"class": "input input--small", "autocomplete": "off"}
        self.fields["lines"].widget.attrs |= {"class": "input mono", "placeholder": _EXAMPLE}
        self.fields["coupons"].widget.attrs["placeholder"] = "57841"
        self.fields["tenders"].widget.attrs["placeholder"] = "CASH, CREDIT"

    def clean_lines(self) -> tuple[Item, ...]:
        """Return the items. What cannot be read is told with the number of its line."""
        found = []
        texts = [
            (number, text)
            for number, text in enumerate(self.cleaned_data["lines"].splitlines(), start=1)
            if text.strip(" \t,;")
        ]
        if len(texts) > _MOST_LINES:
            raise forms.ValidationError(
                _("At most %(most)s lines can be shown.") % {"most": _MOST_LINES}
            )
        for place, (number, text) in enumerate(texts, start=1):
            try:
                found.append(read_line(text, place))
            except ValueError as error:
                raise forms.ValidationError(
                    _("Line %(number)s: %(fault)s") % {"number": number, "fault": error}
                ) from error
        return tuple(found)

    @property
    def basket(self) -> Basket:
        """The basket, before tax. Only for a valid form."""
        items = self.cleaned_data["lines"]
        total = Cents(sum(item.final_cents for item in items))
        return Basket(
            pre_tax_cents=total,
            post_tax_cents=total,
            items=items,
            coupons=tuple(codes_in(self.cleaned_data["coupons"])),
            tenders=tuple(codes_in(self.cleaned_data["tenders"])),
        )


def read_line(text: str, place: int) -> Item:
    """Read one line of a basket; a ValueError with a sentence where that cannot be done."""
    separator = next((mark for mark in ("\t", ";", ",") if mark in text), ",")
    cells = [cell.strip() for cell in text.split(separator)]
    if not 4 <= len(cells) <= 5:
        raise ValueError(_("four or five cells are needed: number, department, category, price."))
    if any(len(cell) > _LONGEST_CELL for cell in cells):
        raise ValueError(_("a cell is too long."))
    sku, department, category, price = cells[:4]
    if not sku:
        raise ValueError(_("the number of the item is missing."))
    if separator != ",":
        # A French spreadsheet writes 9,99; where commas part the cells that cannot be.
        price, cells[-1] = price.replace(",", "."), cells[-1].replace(",", ".")
    base_cents, quantity = _price(price), _quantity(cells[4] if len(cells) == 5 else "1")
    return Item(
        number=place,
        sku=sku,
        name=sku,
        quantity=quantity,
        base_cents=base_cents,
        final_cents=line_total(base_cents, quantity),
        department=department,
        category=category,
    )


def _price(text: str) -> Cents:
    try:
        return parse_cents(text.strip("$ \u00a0"))
    except ValueError as error:
        raise ValueError(_("“%(text)s” is not a price.") % {"text": text}) from error


def _quantity(text: str) -> Decimal:
    if not _QUANTITY.fullmatch(text) or not Decimal(text):
        raise ValueError(_("“%(text)s” is not a quantity.") % {"text": text})
    return Decimal(text)
