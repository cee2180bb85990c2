"""API tokens in the office: which programs read over `/api/v1/`, of what, and who answers for them.

For administrators alone. A token is shown once, in the answer to the POST that made it.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.audit.models import AuditEntry
from backoffice.office.access import OfficeRequest, office_page
from backoffice.office.forms import FocusedForm
from backoffice.people import api_tokens
from backoffice.people.api_tokens import Standing
from backoffice.people.models import ApiScope, ApiToken
from backoffice.stores.models import Store

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_MOST_CHANGES: Final = 20
_LARGEST: Final = 2**63 - 1
_WORDS: Final[dict[Standing, tuple["StrPromise", str, str]]] = {
    Standing.GOOD: (_("Good"), "done", "circle-check"),
    Standing.UNBACKED: (_("Stopped: its maker is no active administrator"), "attention", "clock"),
    Standing.ENDED: (_("Ended"), "queued", "x"),
    Standing.REVOKED: (_("Revoked"), "stop", "ban"),
}
_EVENTS: Final[dict[str, "StrPromise"]] = {
    "api_token.made": _("Made"),
    "api_token.revoked": _("Revoked"),
    "api_token.read_refused": _("Asked for what it may not read"),
}


class TokenForm(FocusedForm):
    """What a new token is for, and how far it reaches."""

    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("What reads with it."))
    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        help_text=_("Empty means until it is revoked."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("May read"), choices=ApiScope.choices, widget=forms.CheckboxSelectMultiple
    )
    reach = forms.ChoiceField(
        label=_("Of which stores"),
        choices=[("every", _("Every store, also later ones")), ("chosen", _("Only these:"))],
        widget=forms.RadioSelect,
    )
    stores = forms.ModelMultipleChoiceField(
        Store.objects.all(),
        label=_("Stores"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name in ("name", "last_day"):
            self.fields[name].widget.attrs["class"] = "input input--small"
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_last_day(self) -> date | None:
        """Refuse a day that is over."""
        day: date | None = self.cleaned_data["last_day"]
        if day is not None and day.year > api_tokens.LAST_YEAR:
            raise forms.ValidationError(_("This is too far away."))
        if day is not None and api_tokens.end_of(day) <= timezone.now():
            raise forms.ValidationError(_("This day is over."))
        return day

    def clean(self) -> dict[str, Any]:
        """Ask for stores where only some are meant."""
        found = self.cleaned_data
        if found.get("reach") == "chosen" and not found.get("stores") and not self.errors:
            self.add_error("stores", _("Choose at least one store."))
        return found


@require_GET
@office_page
def listed(request: OfficeRequest) -> HttpResponseBase:
    """List the tokens, those in use first."""
    _only_administrators(request)
    rows = [_shown(row) for row in api_tokens.listed().prefetch_related("stores")]
    context = {"section": "devices", "rows": rows, "zone": api_tokens.clock_of_tokens()}
    return render(request, "office/api_tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def new(request: OfficeRequest) -> HttpResponseBase:
    """Ask what a token is for; make it, and show it this once."""
    _only_administrators(request)
    if request.method != "POST":
        return _form(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        form.focus_on_fault()
        return _form(request, form)
    found = form.cleaned_data
    row, secret = api_tokens.make(
        found["name"],
        scopes=found["scopes"],
        stores=None if found["reach"] == "every" else found["stores"].select_related("sponsor"),
        expires_at=api_tokens.end_of(found["last_day"]) if found["last_day"] else None,
        by=request.user,
        now=timezone.now(),
    )
    address = request.build_absolute_uri("/api/v1/")
    context = {"section": "devices", "row": row, "token": secret, "address": address}
    return render(request, "office/api_token_made.html", context)


@require_GET
@office_page
def token(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Show one token: what it reads, who made it, and what became of it."""
    _only_administrators(request)
    row = _found(number)
    entries = AuditEntry.objects.filter(subject=f"api_token:{row.pk}")[:_MOST_CHANGES]
    moments = [
        {
            "at": entry.at,
            "what": _EVENTS.get(entry.event, entry.event),
            "by": entry.actor,
            "scope": entry.details.get("scope", ""),
        }
        for entry in entries
    ]
    context = {
        "section": "devices",
        "zone": api_tokens.clock_of_tokens(),
        "moments": moments,
        **_shown(row),
    }
    return render(request, "office/api_token.html", context)


@require_POST
@office_page
def revoke(request: OfficeRequest, number: int) -> HttpResponseBase:
    """End a token at once."""
    _only_administrators(request)
    row = _found(number)
    api_tokens.revoke(row, by=request.user.username, now=timezone.now())
    return redirect("office:api-token", row.pk)


def _only_administrators(request: OfficeRequest) -> None:
    if not api_tokens.is_backed(request.user):
        raise PermissionDenied


def _found(number: int) -> ApiToken:
    # A number that the database cannot hold names no token either.
    row = api_tokens.listed().filter(pk=number).first() if number <= _LARGEST else None
    if row is None:
        raise Http404
    return row


def _shown(row: ApiToken) -> dict[str, Any]:
    standing = api_tokens.standing(row, now=timezone.now())
    word, look, icon = _WORDS[standing]
    labels = dict(ApiScope.choices)
    return {
        "row": row,
        "standing": word,
        "look": look,
        "icon": icon,
        "is_revoked": standing is Standing.REVOKED,
        "scopes": [labels[scope] for scope in row.scopes],
        "stores": list(row.stores.all()),
    }


def _form(request: OfficeRequest, form: TokenForm) -> HttpResponseBase:
    return render(request, "office/api_token_new.html", {"section": "devices", "form": form})
