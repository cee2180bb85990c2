"""The work list of miles: what was rejected, waits or is stuck, and what people can do about it.

Which rows these are `journal.worklists` says, what may be sent instead `issuance.corrections`.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.cards import Card, EntryMode, NotACard, entry_mode_of, parse_card
from backoffice.devices.office import NumberTaken
from backoffice.journal import selectors, worklists
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from backoffice.journal.worklists import IssuanceTask
from backoffice.office.access import OfficeRequest, office_page
from backoffice.office.event_forms import CARD_FAULTS
from backoffice.office.events import REFUSALS
from backoffice.office.forms import FocusedForm
from backoffice.people.actors import Actor, Channel
from issuance import corrections, services
from issuance.approvals import Fault
from issuance.corrections import Correction
from issuance.rules import Reason
from issuance.services import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# The first alarm of RELIABILITY M8; sooner, it is the sweep's business alone.
_OPEN_FOR: Final = timedelta(hours=1)
_MOST_SHOWN: Final = 50
_TASKS: Final[dict[IssuanceTask, "StrPromise"]] = {
    IssuanceTask.REJECTED: _("Rejected"),
    IssuanceTask.PARTIAL: _("Rejected in part"),
    IssuanceTask.PERSON: _("Left to a person"),
    IssuanceTask.PENDING: _("With the programme for more than an hour"),
    IssuanceTask.STUCK: _("Without an answer for more than an hour"),
}
_REFUSALS: Final[dict[Reason, "StrPromise"]] = {
    Reason.OTHER_CONTENT: _("It was put right already, for another card."),
    Reason.STATE_CHANGED: _("Something changed in the meantime. Look again before you decide."),
    Reason.NOT_CORRECTABLE: _("It needs no correction any more."),
    Reason.CALCULATED_THERE: _("The programme calculates the miles by now; give them by hand."),
    Reason.NOTHING_EARNED: _("We calculate the miles by now; give them by hand."),
}


class CorrectionForm(FocusedForm):
    """The right card, if it was the card."""

    card = forms.CharField(
        label=_("Another card"),
        required=False,
        max_length=80,
        help_text=_("Scan it, or type its 11 digits. Empty: the same card once more."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.read: Card | None = None
        self.fields["card"].widget.attrs |= {"class": "input input--small", "autocomplete": "off"}

    def clean_card(self) -> str:
        """Read the card; no number goes back to the page."""
        typed = str(self.cleaned_data["card"])
        self.data = {**{key: self.data[key] for key in self.data}, "card": ""}
        if typed:
            try:
                number = parse_card(typed)
            except NotACard as problem:
                raise forms.ValidationError(CARD_FAULTS[problem.fault]) from problem
            is_swiped = entry_mode_of(typed) is EntryMode.SWIPE
            mode = EntryMode.SWIPE if is_swiped else EntryMode.MANUAL
            self.read = Card(number=number, entry_mode=mode)
        return ""


@require_GET
@office_page
def listed(request: OfficeRequest) -> HttpResponseBase:
    """List what people must see to, oldest first, with what each can do."""
    now = timezone.now()
    groups = _groups(request, now)
    wanted = request.GET.get("task", "")
    context = {
        "section": "events",
        "page": "issuances",
        "now": now,
        "groups": [
            {"name": _TASKS[group.task], "task": group.task, "lines": _lines(group.rows, now)}
            for group in groups
            if group.rows and wanted in {"", group.task}
        ],
        "tasks": [
            {"task": group.task, "name": _TASKS[group.task], "count": min(group.count, _MOST_SHOWN)}
            for group in groups
        ],
        "wanted": wanted,
        "most": _MOST_SHOWN,
        "may_decide": request.user.may_decide,
    }
    return render(request, "office/issuances.html", context)


@require_POST
@office_page
def check(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Have the sweep ask at once about what is open; nothing is sent from here."""
    row = _row(request, reference)
    actor = Actor(user=request.user, device=row.device, channel=Channel.OFFICE)
    services.check_now(row, actor=actor, now=timezone.now())
    return redirect("office:transaction", reference=reference)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def correct(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Show what would be sent in place of a rejected one; posted, send it."""
    row = _row(request, reference)
    correction = corrections.of(row)
    if request.method != "POST":
        return _correct_page(request, row, correction, CorrectionForm())
    form = CorrectionForm(request.POST)
    if correction is None:
        # A second press: the first has put it right.
        return redirect("office:transaction", reference=_newest(row).reference)
    if not form.is_valid():
        form.focus_on_fault()
        return _correct_page(request, row, correction, form)
    try:
        sent = corrections.send(
            correction, form.read or correction.card, person=request.user, now=timezone.now()
        )
    except NumberTaken:
        problem = REFUSALS[Fault.NUMBER_TAKEN]
    except Refused as refusal:
        problem = _REFUSALS.get(refusal.reason, REFUSALS[Fault.STATE_CHANGED])
    else:
        return redirect("office:transaction", reference=sent.reference)
    return _correct_page(request, row, correction, form, problem=problem)


def to_see_to(request: OfficeRequest, now: datetime) -> int:
    """Return how many issuances of the reader's stores people must see to."""
    return sum(group.count for group in _groups(request, now))


def _groups(request: OfficeRequest, now: datetime) -> list[worklists.IssuanceTasks]:
    before = now - _OPEN_FOR
    return worklists.issuances(request.user, opened_before=before, limit=_MOST_SHOWN)


def _lines(rows: tuple[Transaction, ...], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "shown": row.shown(now),
            "rejected": [one for one in row.offers.all() if one.error_code],
            "is_correctable": corrections.is_open(row),
            "is_event": row.operation == Operation.POST_EVENT,
        }
        for row in rows
    ]


def _row(request: OfficeRequest, reference: UUID) -> Transaction:
    if not request.user.may_decide:
        raise PermissionDenied
    try:
        row = selectors.get_visible(request.user, reference)
    except Transaction.DoesNotExist as error:
        raise Http404 from error
    if not row.is_issuance:
        raise Http404
    return row


def _newest(row: Transaction) -> Transaction:
    return row.corrections.order_by("-pk").first() or row


def _correct_page(
    request: OfficeRequest,
    row: Transaction,
    correction: Correction | None,
    form: CorrectionForm,
    *,
    problem: "StrPromise | str" = "",
) -> HttpResponse:
    context = {
        "section": "events",
        "row": row,
        "correction": correction,
        "rejected": [one for one in row.offers.all() if one.error_code],
        "form": form,
        "problem": problem,
    }
    return render(request, "office/issuance_correct.html", context, status=409 if problem else 200)
