"""Miles without a sale as somebody enters them, and between two screens: sealed, so that the card
is in no page, and what was looked at is what is sent.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from django import forms
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from backoffice.cards import Card, CardFault, EntryMode, NotACard, entry_mode_of, parse_card
from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.office.forms import FocusedForm
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Store
from backoffice.units import Miles
from backoffice.vault import VaultError
from backoffice.wire import scrub
from issuance.approvals import Wish
from issuance.proposals import EventReason

# Django's form classes are generic for type checkers only.
if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    _ReasonChoice = forms.ModelChoiceField[EventReason]
    _StoreChoice = forms.ModelChoiceField[Store]
else:
    _ReasonChoice = _StoreChoice = forms.ModelChoiceField

_GOOD_FOR_S: Final = 15 * 60
MOST_MILES: Final = 100_000
CARD_FAULTS: Final[dict[CardFault, "StrPromise"]] = {
    CardFault.EMPTY: _("Scan the card or type its number."),
    CardFault.NOT_DIGITS: _("This is not a card number."),
    CardFault.PRODUCT_CODE: _("This is a product code, not a card."),
    CardFault.WRONG_LENGTH: _("A card number has 11 digits."),
    CardFault.WRONG_START: _("A card number begins with 8."),
}


class DraftLost(Exception):
    """A sealed draft cannot be opened: too old, or another session's."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody entered and looks at before it is sent."""

    reference: uuid.UUID
    store_id: int
    reason_id: int
    card: Card
    miles: Miles
    note: str
    original: uuid.UUID | None = None
    corrects: uuid.UUID | None = None

    def sealed(self, *, bound_to: str, now: datetime) -> str:
        """Return text for a hidden field that only `bound_to` (a person's session) can open."""
        plain = {
            "reference": str(self.reference),
            "store_id": self.store_id,
            "reason_id": self.reason_id,
            "number": self.card.number,
            "entry_mode": self.card.entry_mode.value,
            "miles": self.miles,
            "note": self.note,
            "original": str(self.original) if self.original else None,
            "corrects": str(self.corrects) if self.corrects else None,
        }
        return payloads.vault().seal_token(
            json.dumps(plain).encode(), bound_to=f"draft:{bound_to}", now=now
        )

    @classmethod
    def opened(cls, text: str, *, bound_to: str, now: datetime) -> Self:
        """Return the draft again, or raise DraftLost."""
        try:
            data = payloads.vault().open_token(
                text, bound_to=f"draft:{bound_to}", now=now, max_age_s=_GOOD_FOR_S
            )
        except VaultError as error:
            raise DraftLost from error
        plain: dict[str, Any] = json.loads(data)
        return cls(
            reference=uuid.UUID(plain["reference"]),
            store_id=plain["store_id"],
            reason_id=plain["reason_id"],
            card=Card(number=plain["number"], entry_mode=EntryMode(plain["entry_mode"])),
            miles=Miles(plain["miles"]),
            note=plain["note"],
            original=uuid.UUID(plain["original"]) if plain["original"] else None,
            corrects=uuid.UUID(plain["corrects"]) if plain["corrects"] else None,
        )

    def wish(
        self,
        *,
        store: Store,
        reason: EventReason,
        original: Transaction | None,
        corrects: Transaction | None,
    ) -> Wish:
        """Return it with the rows that it names."""
        return Wish(
            reference=self.reference,
            store=store,
            reason=reason,
            card=self.card,
            miles=self.miles,
            note=self.note,
            original=original,
            corrects=corrects,
        )


class _ReasonField(_ReasonChoice):
    def label_from_instance(self, obj: Any) -> str:
        name = obj.name_in(get_language() or "en")
        return f"{name} · {obj.code}"


class _StoreField(_StoreChoice):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number} · {obj.name_in(get_language() or 'en')}"


class _WishForm(FocusedForm):
    """What giving and taking back have in common."""

    reason = _ReasonField(
        EventReason.objects.none(),
        label=_("Reason"),
        empty_label=_("Choose a reason"),
        error_messages={"required": _("Choose a reason.")},
    )
    miles = forms.IntegerField(
        label=_("Miles"),
        min_value=1,
        max_value=MOST_MILES,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": _("Type how many miles."),
            "invalid": _("Type whole miles, in digits."),
        },
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Who asked, and why. Colleagues read it; leave card numbers out."),
    )

    def dress(self) -> None:
        """Give the fields the looks that they share."""
        for field in self.fields.values():
            field.widget.attrs |= {"class": "input input--small", "autocomplete": "off"}

    def clean_note(self) -> str:
        """Return the note, unless a card number stands in it."""
        note = str(self.cleaned_data["note"]).strip()
        if scrub(note) != note:
            self.data = {**{key: self.data[key] for key in self.data}, "note": ""}
            raise forms.ValidationError(
                _("Leave card numbers out; the last four digits are enough.")
            )
        return note

    def check_reason(self, found: dict[str, Any], sponsor_id: int | None) -> None:
        """Refuse a reason of another sponsor, and one that lacks its note."""
        reason = found.get("reason")
        if reason is None:
            return
        if sponsor_id is not None and reason.sponsor_id != sponsor_id:
            self.add_error("reason", _("This reason is another sponsor’s."))
        if reason.needs_note and not found.get("note") and "note" not in self.errors:
            self.add_error("note", _("This reason needs a note."))


class GiveForm(_WishForm):
    """Give miles without a sale. The card is typed or scanned, and kept sealed from then on."""

    store = _StoreField(Store.objects.none(), label=_("Store"))
    card = forms.CharField(
        label=_("Card"),
        required=False,
        max_length=80,
        help_text=_("Scan it, or type its 11 digits."),
    )
    kept = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
    field_order = ("store", "card", "reason", "miles", "note", "kept")

    def __init__(
        self, data: Mapping[str, Any] | None, *, user: User, bound_to: str, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.bound_to = f"card:{bound_to}"
        self.read: Card | None = None
        stores = visible_stores(user).filter(is_active=True).select_related("sponsor")
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        reasons = EventReason.objects.filter(
            is_active=True, may_give=True, sponsor__in=stores.values("sponsor")
        )
        self.fields["reason"].queryset = reasons  # type: ignore[attr-defined]
        self.dress()

    def clean(self) -> dict[str, Any]:
        """Read the card, typed just now or kept from before; no number goes back to the page."""
        found = super().clean() or self.cleaned_data
        typed, kept = str(found.get("card") or ""), str(found.get("kept") or "")
        self.data = {**{key: self.data[key] for key in self.data}, "card": "", "kept": ""}
        try:
            if typed or not kept:
                number = parse_card(typed)
                mode = entry_mode_of(typed)
                # A scanner at a desk types like a person; only a stripe tells itself apart.
                is_swiped = mode is EntryMode.SWIPE
                self.read = Card(number=number, entry_mode=mode if is_swiped else EntryMode.MANUAL)
            else:
                self.read = self._kept(kept)
        except NotACard as problem:
            self.add_error("card", CARD_FAULTS[problem.fault])
        else:
            self.data["kept"] = self._seal(self.read)
        store = found.get("store")
        self.check_reason(found, store.sponsor_id if store is not None else None)
        return found

    def _seal(self, card: Card) -> str:
        plain = f"{card.entry_mode.value}:{card.number}".encode()
        return payloads.vault().seal_token(plain, bound_to=self.bound_to, now=timezone.now())

    def _kept(self, text: str) -> Card:
        try:
            plain = payloads.vault().open_token(
                text, bound_to=self.bound_to, now=timezone.now(), max_age_s=_GOOD_FOR_S
            )
        except VaultError as error:
            raise NotACard(CardFault.EMPTY) from error
        mode, _colon, number = plain.decode().partition(":")
        return Card(number=number, entry_mode=EntryMode(mode))


class TakeBackForm(_WishForm):
    """Take miles of an event back; its card and its store are those of the event."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, original: Transaction, most: int, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.sponsor_id = original.store.sponsor_id
        self.most = most
        reasons = EventReason.objects.filter(
            is_active=True, may_take_back=True, sponsor=self.sponsor_id
        )
        self.fields["reason"].queryset = reasons  # type: ignore[attr-defined]
        self.dress()

    def clean_miles(self) -> int:
        """Return the miles, which cannot be more than there still are."""
        miles = int(self.cleaned_data["miles"])
        if miles > self.most:
            raise forms.ValidationError(
                _("At most %(most)s miles can still be taken back."), params={"most": self.most}
            )
        return miles

    def clean(self) -> dict[str, Any]:
        """Look at the reason and its note together."""
        found = super().clean() or self.cleaned_data
        self.check_reason(found, self.sponsor_id)
        return found
