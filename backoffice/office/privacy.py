"""Where a collector's number is typed or shown: search, reveal, and a person's own request.

A number comes by POST and goes into no address, session or page but the one of a reveal; whoever
sees something of it is recorded before they do. What may be erased the log's writer decides.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.cards import NotACard, parse_card
from backoffice.journal import entries, payloads, purging, selectors
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.models import Transaction
from backoffice.office import records, search
from backoffice.office.access import OfficeRequest, office_page
from backoffice.office.forms import FocusedForm
from backoffice.people.models import Role, User
from backoffice.people.scope import visible_stores
from backoffice.vault import VaultError
from backoffice.wire import scrub

_MOST_ROWS: Final = 200
_MOST_SEEN: Final = 100
# As long as a page with a person's record may stand open before the number is asked for again.
_REQUEST_FOR_S: Final = 30 * 60


class NumberForm(FocusedForm):
    """A whole collector number, which is never shown again."""

    number = forms.CharField(
        label=_("Collector number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["number"].widget.attrs["autocomplete"] = "off"

    def clean_number(self) -> str:
        """Return the digits."""
        try:
            return parse_card(self.cleaned_data["number"])
        except NotACard as error:
            raise forms.ValidationError(
                _("This is not a collector number: eleven digits, the first an 8.")
            ) from error

    def forget(self) -> None:
        """Keep what was typed off the page that tells its fault."""
        self.data = {"number": ""}


class ReasonForm(FocusedForm):
    """Why somebody must see or erase something."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        min_length=5,
        widget=forms.Textarea(attrs={"rows": 2, "class": "input"}),
    )

    def clean_reason(self) -> str:
        """Refuse a card number."""
        text: str = self.cleaned_data["reason"]
        if scrub(text) != text:
            # What a field shows after a fault is read from here.
            self.data = {**{name: self.data[name] for name in self.data}, "reason": ""}
            raise forms.ValidationError(
                _("Leave card numbers out; the last four digits are enough.")
            )
        return text


@dataclass(frozen=True, kw_only=True)
class _Collector:
    """Whom a request is about: never the number itself."""

    mac: str
    last4: str

    @classmethod
    def of(cls, number: str) -> "_Collector":
        return cls(mac=payloads.vault().blind_index(number), last4=number[-4:])

    def sealed(self, user: User, now: datetime) -> str:
        """Return it for a hidden field of this person's page."""
        data = f"{self.mac}{self.last4}".encode()
        return payloads.vault().seal_token(data, bound_to=_binding(user), now=now)

    @classmethod
    def opened(cls, text: str, user: User, now: datetime) -> "_Collector | None":
        """Return it from that field; None where the page was open for too long."""
        try:
            data = payloads.vault().open_token(
                text, bound_to=_binding(user), now=now, max_age_s=_REQUEST_FOR_S
            )
        except VaultError:
            return None
        told = data.decode()
        return cls(mac=told[:-4], last4=told[-4:])


@require_GET
@office_page
def home(request: OfficeRequest) -> HttpResponseBase:
    """Show the search, a person's request, and who has seen what."""
    return _page(request)


@sensitive_post_parameters("number")
@require_POST
@office_page
def find(request: OfficeRequest) -> HttpResponseBase:
    """Show the transactions of a collector in the stores that the reader may see."""
    form = NumberForm(request.POST, auto_id="search_%s")
    if not form.is_valid():
        form.forget()
        form.focus_on_fault()
        return _page(request, search_form=form, status=400)
    now, collector = timezone.now(), _Collector.of(form.cleaned_data["number"])
    rows = selectors.visible(request.user).filter(collector_mac=collector.mac)
    found = list(rows.order_by(*selectors.NEWEST_FIRST)[: _MOST_ROWS + 1])
    shown = found[:_MOST_ROWS]
    entries.disclose(
        DisclosureKind.SEARCH,
        person=request.user,
        collector_mac=collector.mac,
        last4=collector.last4,
        now=now,
        count=len(shown),
    )
    context = {
        "section": "privacy",
        "last4": collector.last4,
        "lines": [{"row": row, "shown": row.shown(now)} for row in shown],
        "has_more": len(found) > _MOST_ROWS,
        "most": _MOST_ROWS,
    }
    return render(request, "office/privacy_found.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def reveal(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Ask for a reason; posted with one, show the full number of one transaction, once."""
    if not request.user.may_decide:
        raise PermissionDenied
    try:
        row = selectors.get_visible(request.user, reference)
    except Transaction.DoesNotExist as missing:
        raise Http404 from missing
    number = records.number_in(row)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"section": "log", "row": row, "form": form, "is_kept": bool(number)}
    if number and form.is_valid():
        entries.disclose(
            DisclosureKind.REVEAL,
            person=request.user,
            collector_mac=row.collector_mac,
            last4=row.collector_last4,
            reason=form.cleaned_data["reason"],
            transaction=row,
            now=timezone.now(),
        )
        context["number"] = number
    elif form.is_bound:
        form.focus_on_fault()
    return render(request, "office/privacy_reveal.html", context, status=_status(form))


@sensitive_post_parameters("number")
@require_POST
@office_page
def request_of(request: OfficeRequest) -> HttpResponseBase:
    """Show how much is held about the person who asks, and what may be done."""
    _refuse_all_but_administrators(request.user)
    form = NumberForm(request.POST, auto_id="request_%s")
    if not form.is_valid():
        form.forget()
        form.focus_on_fault()
        return _page(request, request_form=form, status=400)
    return _request_page(request, _Collector.of(form.cleaned_data["number"]))


@require_POST
@office_page
def hand_out(request: OfficeRequest) -> HttpResponseBase:
    """Give what is held about a person, as a page to print or as JSON."""
    collector, form = _asked(request, auto_id="access_%s")
    if collector is None:
        return _page(request, is_too_old=True, status=400)
    if not form.is_valid():
        return _request_page(request, collector, access_form=form)
    now = timezone.now()
    record = records.record_of(collector.mac, last4=collector.last4, now=now)
    entries.disclose(
        DisclosureKind.ACCESS,
        person=request.user,
        collector_mac=collector.mac,
        last4=collector.last4,
        reason=form.cleaned_data["reason"],
        now=now,
        count=len(record.transactions) + len(record.proposals),
    )
    if request.POST.get("as") == "json":
        name = f"milepost-record_{now:%Y%m%dT%H%M%S}Z.json"
        return JsonResponse(
            record.as_dict(),
            json_dumps_params={"indent": 2, "ensure_ascii": False},
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    context = {"section": "privacy", "record": record, "zone": _zone(request.user)}
    return render(request, "office/privacy_record.html", context)


@require_POST
@office_page
def erase(request: OfficeRequest) -> HttpResponseBase:
    """Erase what leads back to a person, but for what is open or may still be given back."""
    collector, form = _asked(request, auto_id="erasure_%s")
    if collector is None:
        return _page(request, is_too_old=True, status=400)
    if not form.is_valid():
        return _request_page(request, collector, erasure_form=form)
    erased = entries.erase(
        collector_mac=collector.mac,
        last4=collector.last4,
        person=request.user,
        reason=form.cleaned_data["reason"],
        now=timezone.now(),
    )
    context = {"section": "privacy", "last4": collector.last4, "erased": erased}
    return render(request, "office/privacy_erased.html", context)


def _page(
    request: OfficeRequest,
    *,
    search_form: NumberForm | None = None,
    request_form: NumberForm | None = None,
    is_too_old: bool = False,
    status: int = 200,
) -> HttpResponseBase:
    context = {
        "section": "privacy",
        "search_form": search_form or NumberForm(auto_id="search_%s"),
        "request_form": request_form or NumberForm(auto_id="request_%s"),
        "is_too_old": is_too_old,
        "may_answer": _may_answer(request.user),
        "keep": purging.kept(),
        "seen": _seen(request.user)[:_MOST_SEEN],
        "zone": _zone(request.user),
    }
    return render(request, "office/privacy.html", context, status=status)


def _request_page(
    request: OfficeRequest,
    collector: _Collector,
    *,
    access_form: ReasonForm | None = None,
    erasure_form: ReasonForm | None = None,
) -> HttpResponseBase:
    now = timezone.now()
    faulty = access_form or erasure_form
    if faulty is not None:
        faulty.focus_on_fault()
    context = {
        "section": "privacy",
        "last4": collector.last4,
        "sealed": collector.sealed(request.user, now),
        "record": records.record_of(collector.mac, last4=collector.last4, now=now),
        "access_form": access_form or ReasonForm(auto_id="access_%s"),
        "erasure_form": erasure_form or ReasonForm(auto_id="erasure_%s"),
    }
    return render(
        request, "office/privacy_request.html", context, status=400 if faulty is not None else 200
    )


def _asked(request: OfficeRequest, *, auto_id: str) -> tuple[_Collector | None, ReasonForm]:
    _refuse_all_but_administrators(request.user)
    collector = _Collector.opened(request.POST.get("collector", ""), request.user, timezone.now())
    return collector, ReasonForm(request.POST, auto_id=auto_id)


def _seen(user: User) -> QuerySet[Disclosure]:
    """Return what the reader may know was seen: in their stores, or by themselves."""
    seen = Disclosure.objects.select_related("person", "transaction__store")
    if user.may_see_every_store:
        return seen
    return seen.filter(Q(transaction__store__in=visible_stores(user)) | Q(person=user))


def _zone(user: User) -> Any:
    return search.shared_zone(list(visible_stores(user).select_related("sponsor")))


def _may_answer(user: User) -> bool:
    # Such a request is about every store.
    return user.role == Role.ADMINISTRATOR


def _refuse_all_but_administrators(user: User) -> None:
    if not _may_answer(user):
        raise PermissionDenied


def _binding(user: User) -> str:
    return f"request:{user.pk}"


def _status(form: forms.Form) -> int:
    return 400 if form.is_bound and not form.is_valid() else 200
