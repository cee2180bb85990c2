"""The back-office pages: read, filter, export, decide. No rule lives here; what is written is that
somebody made an export, and what people decide.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from amcash import reversals, services
from backoffice.exports import base, transactions
from backoffice.journal import deadlines, entries, figures, selectors, worklists
from backoffice.journal.choices import Step
from backoffice.journal.entries import Refused
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import Page, Scope
from backoffice.office import decisions, events, issuances, search, story
from backoffice.office.access import OfficeRequest, office_page
from backoffice.office.decisions import NoteForm, ProposalForm
from backoffice.office.search import LogForm
from backoffice.people.scope import visible_devices

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# A doubt is settled within a lease, a call and a poll once the programme answers (45 s).
_EXPECTED_BY: Final = timedelta(minutes=2)
_MOST_SHOWN: Final = 12


@require_GET
@office_page
def home(request: OfficeRequest) -> HttpResponseBase:
    """Show what needs a person, then today's figures per store."""
    now = timezone.now()
    before = now - _EXPECTED_BY
    near = deadlines.near(request.user, now=now, limit=_MOST_SHOWN + 1)
    overdue = worklists.overdue(request.user, opened_before=before, limit=_MOST_SHOWN + 1)
    groups = (
        ("near", near),
        ("person", worklists.waiting_for_a_person(request.user, limit=_MOST_SHOWN + 1)),
        ("overdue", [row for row in overdue if row not in near]),
        (
            "unshown",
            worklists.not_presented(request.user, opened_before=before, limit=_MOST_SHOWN + 1),
        ),
    )
    days = figures.today(request.user, now=now)
    context = {
        "section": "home",
        "now": now,
        "groups": [
            {
                "name": name,
                "lines": [_line(row, now) for row in rows[:_MOST_SHOWN]],
                "has_more": len(rows) > _MOST_SHOWN,
            }
            for name, rows in groups
            if rows
        ],
        "days": days,
        "totals": figures.totals(days),
        "stops": story.stops(),
        "issuances_wanted": issuances.to_see_to(request, now),
        "in_training": visible_devices(request.user).exclude(training_since=None).count(),
        "seconds_wanted": events.waiting_for_a_second(request, now),
    }
    return render(request, "office/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def log(request: OfficeRequest) -> HttpResponseBase:
    """Show a page of the log. A posted search is checked and then becomes an address."""
    if request.method == "POST":
        return _searched(request)
    form = LogForm(request.GET, user=request.user)
    if form.has_full_card:
        # Away from this address at once: it would stay in histories.
        return redirect(_log_address(form, notice="card"))
    return _log_page(request, form)


@require_GET
@office_page
def export(request: OfficeRequest) -> HttpResponseBase:
    """Stream the log as filtered, all of it, as CSV."""
    form = LogForm(request.GET, user=request.user)
    if form.has_full_card:
        return redirect(_log_address(form, notice="card"))
    if not form.is_valid() or form.is_training:
        # The page says what is wrong with the filter, or that training is in no export.
        return _log_page(request, form, status=400)
    made = transactions.begin(
        scope=Scope.of(request.user),
        filters=form.filters(),
        zone=form.zone,
        actor=request.user.username,
        channel="office",
        now=timezone.now(),
    )
    response = StreamingHttpResponse(
        transactions.csv_bytes(made),
        content_type=base.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{made.file_name}"'},
    )
    return response


@require_GET
@office_page
def transaction(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Show one transaction: its facts, what happened to it, who and why."""
    return _transaction_page(request, _row(request, reference, is_training=None))


@require_POST
@office_page
def decide(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Record what one person says of a task: proposed, confirmed, not confirmed, or dealt with."""
    if not request.user.may_decide:
        raise PermissionDenied
    row = _row(request, reference)
    step = request.POST.get("step", "")
    form = decisions.form_of(row, step, request.POST, now=timezone.now())
    if not form.is_valid():
        form.focus_on_fault()
        return _transaction_page(request, row, form=form, status=422)
    try:
        _decided(request, row, step, form)
    except Refused as refusal:
        said = decisions.REFUSALS[refusal.conflict]
        return _transaction_page(request, _row(request, reference), problem=said, status=409)
    return redirect("office:transaction", reference=row.reference)


def _decided(request: OfficeRequest, row: Transaction, step: str, form: NoteForm) -> None:
    now, person, note = timezone.now(), request.user, form.cleaned_data["note"]
    proposal = request.POST.get("proposal", "")
    proposal_id = int(proposal) if proposal.isdecimal() and len(proposal) < 16 else 0
    match step:
        case Step.PROPOSED if isinstance(form, ProposalForm):
            entries.propose(row, form.ruling(), person=person, now=now)
        case Step.CONFIRMED:
            entries.confirm(
                row,
                proposal_id,
                note=note,
                person=person,
                now=now,
                make_reversal=reversals.unwanted,
            )
        case Step.REJECTED:
            entries.reject(row, proposal_id, note=note, person=person, now=now)
        case Step.DEALT_WITH:
            entries.deal_with(row, note, person=person, now=now)
        case _:
            raise SuspiciousOperation("There is no such step.")


def _row(
    request: OfficeRequest, reference: UUID, *, is_training: bool | None = False
) -> Transaction:
    try:
        return selectors.get_visible(request.user, reference, is_training=is_training)
    except Transaction.DoesNotExist as error:
        # The same answer whether it is another store's or nobody's.
        raise Http404 from error


def _transaction_page(
    request: OfficeRequest,
    row: Transaction,
    *,
    form: NoteForm | None = None,
    problem: "StrPromise | str" = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "section": "log",
        "now": now,
        "row": row,
        "shown": row.shown(now),
        "door": story.door(row),
        "why": story.why(row.shown(now)),
        "code": story.meaning(row),
        "attempts": story.attempts(row),
        "moments": story.moments(row),
        "offers": row.offers.all(),
        "reversals": row.reversals.order_by("pk"),
        "returns": row.returns.order_by("pk"),
        "corrections": row.corrections.order_by("pk"),
        "deadline": story.deadline(row, now),
        # Nobody decides about what was practised, and nobody is owed for it.
        "task": None if row.is_training else decisions.task_of(row, request.user, form, now=now),
        "owes_credit": not row.is_training and services.owes_credit(row, now=now),
        "problem": problem,
    }
    return render(request, "office/transaction.html", context, status=status)


def _searched(request: OfficeRequest) -> HttpResponseBase:
    form = LogForm(request.POST, user=request.user)
    if not form.is_valid():
        return _log_page(request, form)
    address = _log_address(form)
    if not request.htmx:
        return redirect(address)
    # Read again from its address, so that what is shown is what the address says.
    response = _log_page(request, LogForm(_query_of(address), user=request.user))
    response["HX-Push-Url"] = address
    return response


def _log_page(request: OfficeRequest, form: LogForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    page = Page(rows=(), older=None, newer=None)
    if form.is_valid():
        page = selectors.log_page(request.user, form.filters(), search.cursor_in(request.GET))
    else:
        form.focus_on_fault()
    is_fragment = bool(request.htmx) and not request.htmx.history_restore_request
    context: dict[str, Any] = {
        "section": "log",
        "now": now,
        "form": form,
        "filters": form.filters() if form.is_valid() else None,
        "lines": [_line(row, now) for row in page.rows],
        "export_address": _with_query(reverse("office:export"), form.address()),
        "older": page.older and _log_address(form, older=search.in_url(page.older)),
        "newer": page.newer and _log_address(form, newer=search.in_url(page.newer)),
        "ranges": search.ranges(form, now),
        "notice": request.GET.get("notice") == "card",
    }
    template = "office/_log.html" if is_fragment else "office/log.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _line(row: Transaction, now: datetime) -> dict[str, Any]:
    return {"row": row, "shown": row.shown(now)}


def _log_address(form: LogForm, **more: str) -> str:
    return _with_query(reverse("office:log"), form.address(**more))


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _query_of(address: str) -> QueryDict:
    return QueryDict(address.partition("?")[2])
