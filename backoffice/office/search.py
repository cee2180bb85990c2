"""What a reader looks for in the log: the form, its place in the URL, and its zone.

A card number never comes into a URL: the form is posted, and only what passes here is written
into the address.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backoffice import clock
from backoffice.cards import says_a_card
from backoffice.devices.models import Device
from backoffice.journal.choices import Operation
from backoffice.journal.selectors import Cursor, LogFilters
from backoffice.journal.states import State
from backoffice.office.forms import FocusedForm
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Sponsor, Store

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# Above this, tills are offered only once their store is chosen.
_MOST_TILLS: Final = 60

# The word in the URL, what it is called, and the states of the log behind it.
STATE_CHOICES: Final = (
    ("done", _("Done"), (State.DONE, State.CONFIRMED)),
    ("reversed", _("Reversed"), ()),
    ("credited", _("Credit given"), ()),
    ("approved", _("Approved, not shown"), (State.APPROVED,)),
    ("doubt", _("Not confirmed"), (State.ARMED, State.DOUBT)),
    ("manual", _("Needs a person"), (State.MANUAL,)),
    ("declined", _("Refused"), (State.DECLINED,)),
    ("expired", _("Too late"), (State.EXPIRED,)),
    ("pending", _("Pending"), (State.PENDING,)),
    ("rejected", _("Rejected"), (State.REJECTED, State.PARTIAL)),
    ("queued", _("Not sent yet"), (State.QUEUED,)),
    ("not_sent", _("Not sent"), (State.NOT_SENT,)),
)
_STATES: Final = {word: tuple(map(str, states)) for word, _label, states in STATE_CHOICES}
_REVERSED: Final = {"reversed": True, "done": False, "approved": False}


def _full_card() -> forms.ValidationError:
    return forms.ValidationError(
        _("Type only the last four digits. A whole number is searched for under Privacy."),
        code="full_card",
    )


class MomentField(forms.CharField):
    """A moment on a wall clock, as ``2026-11-20T13:30``; a day alone is its midnight."""

    def __init__(self, *, label: Any) -> None:
        super().__init__(
            required=False,
            label=label,
            max_length=32,
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        )

    def clean(self, value: Any) -> datetime | None:
        """Return the moment without a zone, or None."""
        text = str(super().clean(value) or "").strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not a day and time.")) from error
        # Years outside these would not fit every database and zone.
        if moment.tzinfo is not None or not 2000 <= moment.year <= 2999:
            raise forms.ValidationError(_("This is not a day and time."))
        return moment


class LogForm(FocusedForm):
    """The filters of the log. Its names are those in the URL."""

    store = forms.ModelChoiceField(
        Store.objects.none(), required=False, label=_("Store"), empty_label=_("All stores")
    )
    till = forms.ModelChoiceField(
        Device.objects.none(), required=False, label=_("Till"), empty_label=_("All tills")
    )
    kind = forms.ChoiceField(
        choices=[("", _("All kinds")), *Operation.choices], required=False, label=_("Kind")
    )
    state = forms.ChoiceField(
        choices=[("", _("All states")), *((word, label) for word, label, _of in STATE_CHOICES)],
        required=False,
        label=_("State"),
    )
    code = forms.RegexField(
        r"^[0-9A-Za-z]{1,8}$",
        required=False,
        label=_("Code"),
        error_messages={"invalid": _("A code has four digits, as 0051.")},
    )
    card = forms.CharField(required=False, label=_("Card, last 4"))
    confirmation = forms.CharField(required=False, label=_("Confirmation"), max_length=60)
    person = forms.BooleanField(required=False, label=_("Only what needs a person"))
    training = forms.BooleanField(required=False, label=_("Training instead"))

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self._held_a_card = False
        # Names that Python keeps for itself, and the order of the screen.
        self.fields["from"] = MomentField(label=_("From"))
        self.fields["to"] = MomentField(label=_("To, not included"))
        self.order_fields(["from", "to"])
        self.stores = visible_stores(user).select_related("sponsor")
        self.fields["store"].queryset = self.stores  # type: ignore[attr-defined]
        tills = Device.objects.filter(store__in=self.stores).select_related("store")
        self.fields["till"].queryset = tills  # type: ignore[attr-defined]
        self._offer_tills(tills)
        self._dress()

    def _offer_tills(self, tills: Any) -> None:
        field = self.fields["till"]
        assert isinstance(field, forms.ModelChoiceField)
        chosen = str(self.data.get("store") or "")
        if chosen.isdecimal():
            tills = tills.filter(store_id=int(chosen[:15]))
        offered = list(tills[: _MOST_TILLS + 1])
        if len(offered) > _MOST_TILLS:
            offered = [till for till in offered if str(till.pk) == self.data.get("till")]
            field.empty_label = _("Choose a store first")
        field.choices = [
            ("", field.empty_label),
            *((till.pk, str(till)) for till in offered),
        ]

    def _dress(self) -> None:
        for field in self.fields.values():
            attrs = field.widget.attrs
            attrs["autocomplete"] = "off"
            if not isinstance(field, forms.BooleanField):
                attrs["class"] = "input input--small"
            if isinstance(field, forms.ChoiceField):
                # Django's own sentence repeats what was given, which may be a card.
                field.error_messages["invalid_choice"] = _("Choose one of the list.")
                # A choice is complete when it is made; text is when Enter is pressed.
                attrs |= {"hx-post": reverse("office:log"), "hx-trigger": "change"}
        self.fields["card"].widget.attrs |= {"inputmode": "numeric", "placeholder": "0000"}
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "placeholder": "0051"}

    def clean_card(self) -> str:
        """Return four digits. More are refused and not kept, not even on the screen."""
        text = re.sub(r"[\s•*-]", "", self.cleaned_data["card"])
        if len(text) > 4:
            self._forget("card")
            raise _full_card()
        if text and not re.fullmatch(r"[0-9]{4}", text):
            raise forms.ValidationError(_("Type the last four digits of the card."))
        return text

    def clean_confirmation(self) -> str:
        """Return the number without the spaces in which receipts group it."""
        text = self.cleaned_data["confirmation"]
        if says_a_card(text):
            self._forget("confirmation")
            raise _full_card()
        return re.sub(r"\s", "", text)

    def clean(self) -> dict[str, Any]:
        """Compare the two ends, and drop a till of another store."""
        found = self.cleaned_data
        starts, ends = found.get("from"), found.get("to")
        if starts and ends and ends <= starts:
            self.add_error("to", _("The end lies before the start."))
        till, store = found.get("till"), found.get("store")
        if till and store and till.store_id != store.pk:
            # Left over from the store that was chosen before.
            found["till"] = None
        for name in self.fields:
            if says_a_card(str(self.data.get(name) or "")):
                self._forget(name)
                self._held_a_card = True
        return found

    def _forget(self, name: str) -> None:
        # What a field shows after a fault is read from here.
        self.data = {**{key: self.data[key] for key in self.data}, name: ""}

    @property
    def has_full_card(self) -> bool:
        """Whether somebody gave a whole card number."""
        errors = self.errors.as_data()
        refused = any(error.code == "full_card" for found in errors.values() for error in found)
        return refused or self._held_a_card

    @property
    def checks(self) -> list[forms.BoundField]:
        """The boxes to tick; the other fields are filled in."""
        return [one for one in self if isinstance(one.field, forms.BooleanField)]

    @property
    def fields_to_fill(self) -> list[forms.BoundField]:
        """The fields of the screen but its boxes."""
        return [one for one in self if not isinstance(one.field, forms.BooleanField)]

    @property
    def is_training(self) -> bool:
        """Whether what was practised is looked for, which is never exported."""
        return bool(self.cleaned_data.get("training"))

    @property
    def is_in_use(self) -> bool:
        """Whether anything is filtered at all."""
        return bool(self.address())

    @property
    def zone(self) -> ZoneInfo:
        """The clock on which the range is read: the chosen store's, or that of all, or the
        programme's where stores differ."""
        store = self.cleaned_data.get("store") if self.is_valid() else None
        if isinstance(store, Store):
            return store.tzinfo
        return shared_zone(list(self.stores))

    def filters(self) -> LogFilters:
        """Return what to look for. Only for a valid form."""
        found = self.cleaned_data
        word = found.get("state") or ""
        return LogFilters(
            opened_from=self._instant("from"),
            opened_before=self._instant("to"),
            store_id=found["store"].pk if found.get("store") else None,
            device_id=found["till"].pk if found.get("till") else None,
            operation=found.get("kind") or "",
            states=_STATES.get(word, ()),
            is_reversed=_REVERSED.get(word),
            is_credited=word == "credited",
            response_code=found.get("code") or "",
            collector_last4=found.get("card") or "",
            confirmation_number=found.get("confirmation") or "",
            is_for_a_person=bool(found.get("person")),
            is_training=bool(found.get("training")),
        )

    def address(self, **more: str) -> str:
        """Return the filters as a URL's query, in one order, without empty ones."""
        parts = {name: _in_url(self.cleaned_data.get(name)) for name in self.fields}
        return urlencode({name: text for name, text in (parts | more).items() if text})

    def _instant(self, name: str) -> datetime | None:
        moment = self.cleaned_data.get(name)
        if not isinstance(moment, datetime):
            return None
        return clock.instant_of(moment.date(), moment.time(), self.zone)


def shared_zone(stores: list[Store]) -> ZoneInfo:
    """Return the zone of all these stores, or the programme's where they differ or are none."""
    zones = {store.zone for store in stores}
    if len(zones) == 1:
        return ZoneInfo(zones.pop())
    sponsor = stores[0].sponsor if stores else Sponsor.objects.first()
    return ZoneInfo(sponsor.programme_zone if sponsor else "America/Toronto")


def cursor_in(data: QueryDict) -> Cursor | None:
    """Read a place in the log from a URL; None, the newest end, for anything else."""
    for name, is_towards_newer in (("older", False), ("newer", True)):
        found = re.fullmatch(r"([0-9]{1,17})-([0-9]{1,18})", data.get(name, ""))
        if found:
            opened_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(found[1]))
            return Cursor(opened_at=opened_at, id=int(found[2]), is_towards_newer=is_towards_newer)
    return None


def in_url(cursor: Cursor) -> str:
    """Write a place in the log for a URL."""
    since = cursor.opened_at - datetime(1970, 1, 1, tzinfo=UTC)
    return f"{since // timedelta(microseconds=1)}-{cursor.id}"


def _in_url(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, Store | Device):
        return str(value.pk)
    if value is True:
        return "1"
    return str(value or "")


@dataclass(frozen=True, kw_only=True)
class Range:
    """A range of time that is often wanted, as a link."""

    label: "StrPromise"
    query: str
    is_current: bool


def ranges(form: LogForm, now: datetime) -> list[Range]:
    """Return today, yesterday and the last seven days on the form's clock, and all times."""
    today = datetime.combine(now.astimezone(form.zone).date(), time())
    one = timedelta(days=1)
    wanted: tuple[tuple[StrPromise, datetime | None, datetime | None], ...] = (
        (_("All times"), None, None),
        (_("Today"), today, today + one),
        (_("Yesterday"), today - one, today),
        (_("Last 7 days"), today - 6 * one, today + one),
    )
    current = form.cleaned_data.get("from"), form.cleaned_data.get("to")
    return [
        Range(
            label=label,
            query=form.address(**{"from": _in_url(starts), "to": _in_url(ends)}),
            is_current=current == (starts, ends),
        )
        for label, starts, ends in wanted
    ]
