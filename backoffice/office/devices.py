"""Devices in the office: which there are, when they were last seen, and who may be one.

Everybody here reads of their stores' devices; managers and administrators enrol and revoke them. A
code and a token are shown once, in the answer to the POST that made them.
"""

from typing import Any, Final

import segno
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from backoffice.audit.models import AuditEntry
from backoffice.devices import codes, history, pairing, selectors, tokens, training
from backoffice.devices.models import Device, DeviceProfile
from backoffice.devices.selectors import Standing
from backoffice.office import device_words
from backoffice.office.access import OfficeRequest, office_page
from backoffice.people.models import User
from backoffice.people.scope import visible_devices, visible_stores
from backoffice.stores.models import Store

_MOST_CHANGES: Final = 20
_LARGEST: Final = 2**63 - 1
_TILLS: Final = [one for one in DeviceProfile.choices if one[0] != DeviceProfile.TABLET]


class FilterForm(forms.Form):
    """Which devices are listed; all of them until something is picked."""

    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), required=False, empty_label=_("All")
    )
    profile = forms.ChoiceField(
        label=_("Profile"), required=False, choices=[("", _("All")), *DeviceProfile.choices]
    )
    standing = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), *((one.value, word) for one, word in device_words.WORDS.items())],
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        self.fields["store"].queryset = visible_stores(user)  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["class"] = "input input--small"


@require_GET
@office_page
def listed(request: OfficeRequest) -> HttpResponseBase:
    """List the devices of the reader's stores."""
    now = timezone.now()
    form = FilterForm(request.GET, user=request.user)
    devices = visible_devices(request.user).order_by(
        "store__sponsor__code", "store__number", "number"
    )
    if form.is_valid():
        found = form.cleaned_data
        if found["store"]:
            devices = devices.filter(store=found["store"])
        if found["profile"]:
            devices = devices.filter(profile=found["profile"])
        if found["standing"]:
            devices = selectors.of_standing(devices, Standing(found["standing"]), now=now)
    else:
        # What names no store or state of theirs lists nothing, rather than everything.
        devices = devices.none()
    rows = selectors.listed(devices, now=now)
    context = {
        "section": "devices",
        "form": form,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "rows": [{"device": row.device, **device_words.of(row.standing)} for row in rows],
    }
    return render(request, "office/devices.html", context)


@require_GET
@office_page
def device(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Show one device, what it proves itself with, and what became of it."""
    return _page(request, _visible(request, number))


@require_POST
@office_page
def code(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Make a pairing code and show it, this once, as text and as a picture to scan."""
    row = _enrollable(request, number)
    now = timezone.now()
    made = codes.shown(pairing.make_code(row, by=request.user.username, now=now))
    address = request.build_absolute_uri(reverse("cashier:pair"))
    context = {
        "section": "devices",
        "device": row,
        "code": made,
        "address": address,
        # Behind the #, so that it is in no server's log.
        "picture": segno.make(f"{address}#{made}", error="m").svg_data_uri(
            scale=6, border=2, light="#fff"
        ),
        "expires_at": now + pairing.LIFE,
    }
    return render(request, "office/device_code.html", context)


@require_POST
@office_page
def token(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Make a till's token and show it, this once."""
    row = _enrollable(request, number)
    profile = request.POST.get("profile", "")
    if profile not in dict(_TILLS):
        return _page(request, row, problem=str(_("Say what the token is for.")), status=400)
    made = tokens.renew(row, now=timezone.now(), profile=profile)
    history.record("token_made", row, by=request.user.username, channel="office", profile=profile)
    context = {
        "section": "devices",
        "device": row,
        "token": made,
        "profile": DeviceProfile(profile).label,
    }
    return render(request, "office/device_token.html", context)


@require_POST
@office_page
def revoke(request: OfficeRequest, number: int) -> HttpResponseBase:
    """End a device's tokens; whoever holds one gets nowhere from the next request on."""
    row = _changeable(request, number)
    tokens.revoke(row, by=request.user.username, now=timezone.now())
    return redirect("office:device", row.pk)


@require_POST
@office_page
def end_training(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Take a till out of training from afar: whoever began it may have forgotten it."""
    row = _changeable(request, number)
    training.end(row, by=request.user.username, approved_by="", channel="office")
    return redirect("office:device", row.pk)


def _page(
    request: OfficeRequest, row: Device, *, problem: str = "", status: int = 200
) -> HttpResponseBase:
    now = timezone.now()
    standing = selectors.listed(Device.objects.filter(pk=row.pk), now=now)[0].standing
    entries = AuditEntry.objects.filter(subject=f"device:{row.pk}")[:_MOST_CHANGES]
    context = {
        "section": "devices",
        "device": row,
        **device_words.of(standing),
        "tokens": [
            {"row": one, "profile": one.get_profile_display()}
            for one in selectors.good_tokens(row, now=now)
        ],
        "open_code": selectors.open_code(row, now=now),
        "may_change": request.user.may_decide,
        "is_closed": standing == Standing.CLOSED,
        "profiles": [
            {"value": value, "label": label, "is_own": value == row.profile}
            for value, label in _TILLS
        ],
        "moments": [
            {
                "at": entry.at,
                "what": device_words.event(entry.event),
                "by": entry.actor,
                "profile": dict(_TILLS).get(str(entry.details.get("profile")), ""),
            }
            for entry in entries
        ],
        "problem": problem,
    }
    return render(request, "office/device.html", context, status=status)


def _visible(request: OfficeRequest, number: int) -> Device:
    # A number that the database cannot hold names no device either.
    found = visible_devices(request.user).filter(pk=number) if number <= _LARGEST else None
    row = found.select_related("store__sponsor").first() if found is not None else None
    if row is None:
        raise Http404
    return row


def _changeable(request: OfficeRequest, number: int) -> Device:
    if not request.user.may_decide:
        raise PermissionDenied
    return _visible(request, number)


def _enrollable(request: OfficeRequest, number: int) -> Device:
    row = _changeable(request, number)
    if not (row.is_active and row.store.is_active and row.store.sponsor.is_active):
        raise Http404
    return row
