"""What a cashier types, read and named field by field. No rule of the programme is checked here."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.units import Cents, parse_cents
from backoffice.wire import scrub

# A basket above this is a scanned product code or a slip of the finger, not a sale.
_LARGEST_CENTS = 10_000_000
_LONGEST_TEXT = 13
_LONGEST_KEPT = 200
_SPACES = re.compile(r"[\s\u00a0\u202f$]")


class AmountField(forms.Field):
    """An amount as people type it in either language: ``43.35``, ``43,35 $``, ``$1,234.50``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(error_messages={"required": _("Type the amount.")}, **options)
        self.widget.attrs.update(
            {"class": "input num", "inputmode": "decimal", "autocomplete": "off", "maxlength": "20"}
        )

    def to_python(self, value: Any) -> Any:
        """Return the cents, or None for an empty optional field."""
        text = _SPACES.sub("", str(value or ""))
        if not text:
            return None
        if len(text) > _LONGEST_TEXT:
            raise ValidationError(_("This amount is too large. Check it."), code="too_large")
        # The last mark followed by one or two digits is the decimal one; the others group.
        match = re.fullmatch(r"([0-9][0-9,.]*?|)(?:[.,]([0-9]{0,2}))?", text)
        whole = re.sub(r"[.,]", "", match[1]) if match else ""
        if not match or not (whole or match[2]):
            raise ValidationError(_("Type an amount such as 43.35."), code="invalid")
        cents = parse_cents(f"{whole or '0'}.{(match[2] or '').ljust(2, '0')}")
        if cents > _LARGEST_CENTS:
            raise ValidationError(_("This amount is too large. Check it."), code="too_large")
        return cents


class BoundAttrs(forms.Form):
    """A form whose failing fields name their error to a screen reader and take the focus."""

    def mark_errors(self) -> None:
        """Point each failing field to its sentence; the first one gets the focus."""
        has_focus = False
        for field in self.fields.values():
            field.widget.attrs.pop("autofocus", None)
        for name, field in self.fields.items():
            identifier = self[name].id_for_label
            described = [field.widget.attrs.get("aria-describedby", "")]
            if self[name].errors:
                field.widget.attrs["aria-invalid"] = "true"
                described.insert(0, f"{identifier}_error")
                if not has_focus:
                    field.widget.attrs["autofocus"] = True
                    has_focus = True
            if any(described):
                field.widget.attrs["aria-describedby"] = " ".join(filter(None, described))
        # What a field shows after a fault is read from here.
        self.data = {name: without_card(str(self.data.get(name, ""))) for name in self.fields}


class CardForm(forms.Form):
    """A card as the scanner, the reader or a hand gives it; what it is, `orders` says."""

    value = forms.CharField(
        max_length=120,
        error_messages={"required": _("Type or scan the card number.")},
    )
    entry = forms.ChoiceField(
        choices=[("SCAN", "SCAN"), ("SWIPE", "SWIPE"), ("MANUAL", "MANUAL")], required=False
    )
    basket = forms.CharField(max_length=20, required=False)
    excluded = forms.CharField(max_length=20, required=False)

    def clean_entry(self) -> str:
        """A path nobody named counts as typed, which can do the least."""
        return self.cleaned_data["entry"] or "MANUAL"


class AmountForm(BoundAttrs):
    """The basket after tax, and the goods in it that the programme does not count."""

    sale = forms.CharField(widget=forms.HiddenInput, max_length=4000)
    basket = AmountField()
    excluded = AmountField(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["basket"].widget.attrs["autofocus"] = True
        self.fields["excluded"].widget.attrs["aria-describedby"] = "id_excluded_help"

    def clean_basket(self) -> int:
        """Nothing to pay is nothing to redeem from."""
        cents = self.cleaned_data["basket"]
        if not cents:
            raise ValidationError(_("The basket is empty. Type the total after tax."))
        return int(cents)

    def clean(self) -> dict[str, Any]:
        """Excluded goods are part of the basket."""
        data = super().clean() or self.cleaned_data
        excluded, basket = data.get("excluded"), data.get("basket")
        if excluded and basket and excluded >= basket:
            self.add_error("excluded", _("These goods must be less than the whole basket."))
        return data

    @property
    def amounts(self) -> tuple[Cents, Cents]:
        """The whole basket, and the goods in it that do not count."""
        return Cents(self.cleaned_data["basket"]), Cents(self.cleaned_data["excluded"] or 0)


class RedeemForm(forms.Form):
    """The chosen steps, and the one-time value that makes a second press the same redemption."""

    sale = forms.CharField(max_length=4000)
    client_ref = forms.UUIDField()
    units = forms.IntegerField(required=False, min_value=1, max_value=9999)
    other = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=9999,
        error_messages={"invalid": _("Type a whole number of steps.")},
    )

    def clean(self) -> dict[str, Any]:
        """A number typed beside the steps wins over the step that was preselected."""
        data = super().clean() or self.cleaned_data
        data["chosen"] = data.get("other") or data.get("units")
        return data


class ConfirmationForm(forms.Form):
    """The code of a receipt, scanned or typed: letters and digits, spaces ignored."""

    confirmation = forms.CharField(
        max_length=80, error_messages={"required": _("Scan or type the code on the receipt.")}
    )

    def clean_confirmation(self) -> str:
        """Return the number without the gaps we print. A sale's own may have hyphens and dots."""
        code = re.sub(r"[\s\u00a0]", "", self.cleaned_data["confirmation"])
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", code):
            raise ValidationError(_("The code has letters and digits only."))
        return code


def without_card(text: str) -> str:
    """Return what was typed, to be kept in its field; nothing when a card is in it.

    A scanner without script types into whichever field has the focus.
    """
    return text if scrub(text) == text else ""


def kept_of(request: HttpRequest, names: Iterable[str]) -> dict[str, str]:
    """Return what was typed into these fields and not sent yet, to be given back to them."""
    typed = {name: without_card(request.POST.get(name, ""))[:_LONGEST_KEPT] for name in names}
    return {name: text for name, text in typed.items() if text and name != "sale"}


def decimal_text(cents: int) -> str:
    """Write cents the way they are typed, to give a kept amount back to its field."""
    return f"{Decimal(cents) / 100:.2f}"
