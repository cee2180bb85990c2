"""The forms on which a PIN is chosen; what is wrong with it is said in one sentence."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.people import pin_rules
from backoffice.people.models import Role, User
from backoffice.people.pin_rules import Fault


def pin_field(label: Any, name: str = "off") -> forms.CharField:
    """Return a field for digits that no browser keeps."""
    attributes = {"class": "input num", "inputmode": "numeric", "autocomplete": name}
    return forms.CharField(
        label=label,
        max_length=pin_rules.LONGEST_OF_A_MANAGER,
        widget=forms.PasswordInput(attrs={**attributes, "spellcheck": "false"}),
    )


class NewPinForm(forms.Form):
    """A new PIN for `person`, typed twice."""

    new_pin = pin_field(gettext_lazy("New PIN"))
    again = pin_field(gettext_lazy("The new PIN again"))

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data)
        self._is_cashier = person.role == Role.CASHIER
        fewest, most = pin_rules.bounds(is_cashier=self._is_cashier)
        help_text = _("%(fewest)s to %(most)s digits, no row and no year.")
        self.fields["new_pin"].help_text = help_text % {"fewest": fewest, "most": most}

    def clean_new_pin(self) -> str:
        """Refuse what anybody would guess first."""
        pin = str(self.cleaned_data["new_pin"])
        fault = pin_rules.fault_of(pin, is_cashier=self._is_cashier)
        if fault is not None:
            raise ValidationError(_said(fault, is_cashier=self._is_cashier))
        return pin

    def clean_again(self) -> str:
        """Refuse a slip of the finger."""
        again = str(self.cleaned_data["again"])
        if again != self.cleaned_data.get("new_pin", again):
            raise ValidationError(_("The two are not the same."))
        return again


class OwnPinForm(NewPinForm):
    """A new PIN of one's own, against the old one."""

    old_pin = pin_field(gettext_lazy("PIN until now"))
    field_order = ("old_pin", "new_pin", "again")


def _said(fault: Fault, *, is_cashier: bool) -> str:
    fewest, most = pin_rules.bounds(is_cashier=is_cashier)
    return {
        Fault.NOT_DIGITS: _("A PIN has digits only."),
        Fault.TOO_SHORT: _("A PIN here has %(fewest)s digits or more.") % {"fewest": fewest},
        Fault.TOO_LONG: _("A PIN here has %(most)s digits at most.") % {"most": most},
        Fault.TRIVIAL: _("This PIN is guessed first. Choose another."),
    }[fault]
