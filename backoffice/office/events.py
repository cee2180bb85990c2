"""Miles without a sale in the office: enter, look, send, or let a second person agree. Who may and
how often, `issuance.approvals` decides; here is what people see of it.
"""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.journal import selectors
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from backoffice.office.access import OfficeRequest, office_page
from backoffice.office.event_forms import Draft, DraftLost, GiveForm, TakeBackForm
from backoffice.people.scope import visible_stores
from backoffice.units import Miles
from backoffice.wire import conceal
from issuance import approvals
from issuance.approvals import Fault, NotAllowed, Wish
from issuance.proposals import EventProposal, EventReason, ProposalState

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_MOST_SHOWN: Final = 50
REFUSALS: Final[dict[Fault, "StrPromise"]] = {
    Fault.OTHER_CONTENT: _("This was sent before with other content. Begin anew."),
    Fault.REASON: _("This reason cannot be used for it any more. Begin anew."),
    Fault.TOO_MUCH: _("More would come back than was given."),
    Fault.NOT_KEPT: _("What was sent is no longer kept, so it cannot be taken back here."),
    Fault.SAME_PERSON: _("Whoever proposed it cannot agree to it. Ask somebody else."),
    Fault.STATE_CHANGED: _("Something changed in the meantime. Look again before you decide."),
    Fault.NUMBER_TAKEN: _(
        "A till of this store has the office’s device number. An administrator can choose another"
        " one in the sponsor’s settings; then send it again."
    ),
}


@require_GET
@office_page
def listed(request: OfficeRequest) -> HttpResponseBase:
    """List what waits for a second person, then what was proposed lately."""
    now = timezone.now()
    mine = approvals.visible(request.user)
    waiting = mine.filter(state=ProposalState.WAITING, expires_at__gt=now)
    lately = mine.exclude(pk__in=waiting.values("pk"))[:_MOST_SHOWN]
    context = {
        "section": "events",
        "waiting": _lines(waiting.order_by("proposed_at", "pk"), now),
        "lately": _lines(lately, now),
        "may_give": request.user.may_decide,
    }
    return render(request, "office/events.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def give(request: OfficeRequest) -> HttpResponseBase:
    """Enter miles to give; posted, show what would be sent. Nothing is written."""
    _only_who_decides(request)
    corrects = _corrected(request)
    if request.method != "POST":
        initial = _beginning(request, corrects)
        form = GiveForm(None, user=request.user, bound_to=_bound_to(request), initial=initial)
        return _give_page(request, form, corrects)
    form = GiveForm(request.POST, user=request.user, bound_to=_bound_to(request))
    if not form.is_valid() or form.read is None:
        form.focus_on_fault()
        return _give_page(request, form, corrects)
    found = form.cleaned_data
    draft = Draft(
        reference=uuid.uuid4(),
        store_id=found["store"].pk,
        reason_id=found["reason"].pk,
        card=form.read,
        miles=Miles(found["miles"]),
        note=found["note"],
        corrects=corrects.reference if corrects is not None else None,
    )
    return _preview(request, draft)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def take_back(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Enter miles of an event to take back; posted, show what would be sent."""
    _only_who_decides(request)
    original = _row(request, reference)
    card = approvals.card_of(original) if original.operation == Operation.POST_EVENT else None
    if card is None:
        raise Http404
    most = approvals.may_come_back(original)
    if request.method != "POST":
        form = TakeBackForm(None, original=original, most=most, initial={"miles": most or None})
        return _take_back_page(request, form, original, most)
    form = TakeBackForm(request.POST, original=original, most=most)
    if not form.is_valid():
        form.focus_on_fault()
        return _take_back_page(request, form, original, most)
    found = form.cleaned_data
    draft = Draft(
        reference=uuid.uuid4(),
        store_id=original.store_id,
        reason_id=found["reason"].pk,
        card=card,
        miles=Miles(found["miles"]),
        note=found["note"],
        original=original.reference,
    )
    return _preview(request, draft)


@require_POST
@office_page
def send(request: OfficeRequest) -> HttpResponseBase:
    """Send what was looked at, or propose it where a second person must agree."""
    _only_who_decides(request)
    now = timezone.now()
    try:
        draft = Draft.opened(request.POST.get("draft", ""), bound_to=_bound_to(request), now=now)
    except DraftLost:
        return redirect("office:event-new")
    try:
        proposal = approvals.propose(_wish(request, draft), person=request.user, now=now)
    except NotAllowed as refusal:
        return _preview(request, draft, problem=REFUSALS[refusal.fault])
    return _sent(request, proposal)


@require_GET
@office_page
def event(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Show one proposal, who agreed, and what became of each offer."""
    return _event_page(request, _proposal(request, reference))


@require_POST
@office_page
def decide(request: OfficeRequest, reference: UUID) -> HttpResponseBase:
    """Agree and send, send what was agreed to, or put a proposal aside."""
    _only_who_decides(request)
    proposal = _proposal(request, reference)
    now, person = timezone.now(), request.user
    try:
        match request.POST.get("step", ""):
            case "agree":
                proposal = approvals.agree(proposal, person=person, now=now)
            case "send":
                pass
            case "put_aside":
                # A card number in it would outlive every erasure.
                note = conceal(request.POST.get("note", "")[:500])
                approvals.put_aside(proposal, note, person=person, now=now)
                return redirect("office:event", reference=reference)
            case _:
                raise SuspiciousOperation("There is no such step.")
    except NotAllowed as refusal:
        fresh = _proposal(request, reference)
        return _event_page(request, fresh, problem=REFUSALS[refusal.fault], status=409)
    return _sent(request, proposal)


def waiting_for_a_second(request: OfficeRequest, now: datetime) -> int:
    """Return how many proposals of the reader's stores wait for a second person."""
    mine = approvals.visible(request.user)
    return mine.filter(state=ProposalState.WAITING, expires_at__gt=now).count()


def _sent(request: OfficeRequest, proposal: EventProposal) -> HttpResponseBase:
    if proposal.state == ProposalState.APPROVED:
        try:
            approvals.send(proposal, person=request.user, now=timezone.now())
        except NotAllowed as refusal:
            fresh = _proposal(request, proposal.reference)
            return _event_page(request, fresh, problem=REFUSALS[refusal.fault], status=409)
    return redirect("office:event", reference=proposal.reference)


def _only_who_decides(request: OfficeRequest) -> None:
    if not request.user.may_decide:
        raise PermissionDenied


def _bound_to(request: OfficeRequest) -> str:
    return f"office:{request.user.pk}:{request.session.session_key}"


def _row(request: OfficeRequest, reference: UUID) -> Transaction:
    try:
        return selectors.get_visible(request.user, reference)
    except Transaction.DoesNotExist as error:
        raise Http404 from error


def _proposal(request: OfficeRequest, reference: UUID) -> EventProposal:
    found = approvals.visible(request.user).filter(reference=reference).first()
    if found is None:
        # The same answer whether it is another store's or nobody's.
        raise Http404
    return found


def _corrected(request: OfficeRequest) -> Transaction | None:
    """Return the rejected event that this is to put right, if it is."""
    text = request.POST.get("corrects") or request.GET.get("corrects") or ""
    try:
        reference = UUID(text)
    except ValueError:
        return None
    row = _row(request, reference)
    is_rejected = row.operation == Operation.POST_EVENT and row.state == State.REJECTED
    return row if is_rejected and row.needs_person else None


def _beginning(request: OfficeRequest, corrects: Transaction | None) -> dict[str, Any]:
    store = visible_stores(request.user).filter(is_active=True).first()
    initial: dict[str, Any] = {"store": store}
    if corrects is not None:
        earlier = EventProposal.objects.filter(reference__in=_references(corrects)).first()
        initial["store"] = corrects.store
        if earlier is not None:
            initial |= {"reason": earlier.reason, "miles": earlier.miles, "note": earlier.note}
    return initial


def _references(row: Transaction) -> list[UUID]:
    try:
        return [UUID(row.client_ref.removeprefix("event-"))]
    except ValueError:
        return []


def _wish(request: OfficeRequest, draft: Draft) -> Wish:
    store = visible_stores(request.user).select_related("sponsor").filter(pk=draft.store_id).first()
    reason = EventReason.objects.filter(pk=draft.reason_id).first()
    if store is None or reason is None:
        raise Http404
    return draft.wish(
        store=store,
        reason=reason,
        original=_row(request, draft.original) if draft.original else None,
        corrects=_row(request, draft.corrects) if draft.corrects else None,
    )


def _preview(
    request: OfficeRequest, draft: Draft, *, problem: "StrPromise | str" = ""
) -> HttpResponse:
    now = timezone.now()
    wish = _wish(request, draft)
    context = {
        "section": "events",
        "wish": wish,
        "draft": draft.sealed(bound_to=_bound_to(request), now=now),
        "needs_second": approvals.needs_second(wish, now=now),
        "limit": wish.store.most_event_miles,
        "good_for_days": approvals.GOOD_FOR.days,
        "problem": problem,
    }
    return render(request, "office/event_preview.html", context, status=409 if problem else 200)


def _give_page(
    request: OfficeRequest, form: GiveForm, corrects: Transaction | None
) -> HttpResponse:
    context = {"section": "events", "form": form, "corrects": corrects, "kept": form.read}
    return render(request, "office/event_new.html", context)


def _take_back_page(
    request: OfficeRequest, form: TakeBackForm, original: Transaction, most: int
) -> HttpResponse:
    context = {"section": "events", "form": form, "original": original, "most": most}
    return render(request, "office/event_take_back.html", context)


def _event_page(
    request: OfficeRequest,
    proposal: EventProposal,
    *,
    problem: "StrPromise | str" = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    line = _lines([proposal], now)[0]
    row = line["row"]
    is_waiting = proposal.state == ProposalState.WAITING and proposal.expires_at > now
    context = {
        "section": "events",
        "now": now,
        "line": line,
        **line,
        "offers": row.offers.all() if row is not None else [],
        "is_waiting": is_waiting,
        "is_own": proposal.proposed_by_id == request.user.pk,
        "is_unsent": proposal.state == ProposalState.APPROVED and row is None,
        "may_decide": request.user.may_decide,
        "may_take_back": row is not None
        and row.operation == Operation.POST_EVENT
        and request.user.may_decide
        and approvals.may_come_back(row) > 0,
        "problem": problem,
    }
    return render(request, "office/event.html", context, status=status)


def _lines(proposals: Any, now: datetime) -> list[dict[str, Any]]:
    found = list(proposals)
    rows = approvals.transactions_of(found)
    return [
        {
            "proposal": one,
            "row": rows.get(one.reference),
            "shown": rows[one.reference].shown(now) if one.reference in rows else "",
            "is_expired": one.state == ProposalState.WAITING and one.expires_at <= now,
        }
        for one in found
    ]
