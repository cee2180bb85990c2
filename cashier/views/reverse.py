"""Giving a redemption back: find it by the receipt's code or under Today, look, confirm."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse as url_of
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from amcash import rules, services
from amcash.orders import ReversalOrder
from amcash.rules import Reason
from amcash.services import Refused
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from cashier import approvals
from cashier.forms import ConfirmationForm, kept_of, without_card
from cashier.frames import Frame, SeeOther, at_till, show
from cashier.lookups import address_of, visible_row
from cashier.panels import Action
from cashier.rows import Fact, deadline_moment, masked
from cashier.templatetags.milepost import count, day_clock, moment_zone, money
from cashier.texts import CODE_TEXTS, say
from cashier.views.credit import show_owed
from cashier.views.sale import show_refusal


@require_http_methods(["GET", "POST"])
@at_till
def start(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Scan the receipt's code, or go to Today."""
    problem = unknown = ""
    if request.POST.get("resumes"):
        # The language was switched: nothing that was typed is sent yet.
        asked = ConfirmationForm({"confirmation": request.POST.get("unknown", "")})
        unknown = without_card(asked.cleaned_data["confirmation"]) if asked.is_valid() else ""
    elif request.method == "POST":
        form = ConfirmationForm(request.POST)
        if form.is_valid():
            url = address_of(frame, form.cleaned_data["confirmation"])
            if url is not None:
                return SeeOther(url)
            missing = CODE_TEXTS["0057"]
            problem = f"{say(missing.title, frame.words)} {say(missing.todo, frame.words)}"
            unknown = without_card(form.cleaned_data["confirmation"])
        else:
            problem = str(form.errors["confirmation"][0])
    typed = kept_of(request, ConfirmationForm.base_fields).get("confirmation", "")
    # A sale from before, or of another store: the programme may know it all the same.
    context = {"problem": problem, "typed": typed, "unknown": unknown}
    return show(request, frame, "cashier/return.html", context, section="return")


@require_http_methods(["GET", "POST"])
@at_till
def reverse(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Look at what would be given back, and until when; then give it back once."""
    row = visible_row(frame, reference)
    if row.operation != Operation.REDEEM:
        raise Http404
    if request.method == "GET":
        return _confirm(request, frame, row)
    try:
        order = ReversalOrder(
            client_ref=str(uuid.UUID(request.POST.get("client_ref", ""))),
            redemption=row.reference,
            language=frame.language,
        )
    except ValueError:
        return _confirm(request, frame, row)
    problem, actor = "", frame.actor
    if approvals.needs_manager(frame, row):
        try:
            actor = approvals.actor_of(request, frame)
        except approvals.NotApproved as refused:
            return approvals.ask(request, frame, _to_approve(row, order), refused)
        if actor.approver is None:
            return approvals.ask(request, frame, _to_approve(row, order))
    elif approvals.asks_again(frame):
        problem = approvals.own_pin_problem(request, frame)
    if problem:
        return _confirm(request, frame, row, problem=problem, client_ref=order.client_ref)
    try:
        outcome = services.reverse(order, row, actor=actor, now=frame.now)
    except Refused as refusal:
        if refusal.reason is Reason.TOO_LATE:
            return _too_late(request, frame, row)
        if refusal.reason is Reason.ALREADY_REVERSED:
            # Pressed twice, or at two tills: what there is tells how the reversal stands.
            existing = row.reversals.order_by("-id").first()
            if existing is not None:
                return SeeOther(url_of("cashier:sale", args=[existing.reference]))
        return show_refusal(request, frame, row, refusal)
    return SeeOther(url_of("cashier:sale", args=[outcome.transaction.reference]))


def _to_approve(row: Transaction, order: ReversalOrder) -> approvals.Asked:
    return approvals.Asked(
        title=_("A manager of this store must approve this."),
        text=_("This reversal is above the limit of a cashier."),
        url=url_of("cashier:reverse", args=[row.reference]),
        fields=[("client_ref", order.client_ref)],
        facts=_facts(row),
        back=Action(word=_("Keep it"), url=url_of("cashier:sale", args=[row.reference])),
        section="return",
    )


def _confirm(
    request: HttpRequest,
    frame: Frame,
    row: Transaction,
    *,
    problem: str = "",
    client_ref: str = "",
) -> HttpResponse:
    if not row.is_granted or row.reversed_at is not None or row.credit_given:
        return SeeOther(url_of("cashier:sale", args=[row.reference]))
    if not rules.may_reverse(now=frame.now, deadline_at=row.deadline_at):
        return _too_late(request, frame, row)
    if not row.confirmation_number:
        return show_refusal(request, frame, row, Refused(Reason.NOT_REVERSIBLE))
    context = {
        "row": row,
        "client_ref": client_ref or str(uuid.uuid4()),
        "asks_pin": approvals.asks_again(frame) and not approvals.needs_manager(frame, row),
        "needs_manager": approvals.needs_manager(frame, row),
        "problem": problem,
        "facts": _facts(row),
        "deadline": deadline_moment(row, frame.now),
        "programmes_deadline": day_clock(row.deadline_at, row.store),
        "ask_text": _("Giving back with %(programme)s") % frame.words,
        "back_url": url_of("cashier:sale", args=[row.reference]),
    }
    return show(request, frame, "cashier/reverse.html", context, section="return")


def _too_late(request: HttpRequest, frame: Frame, row: Transaction) -> HttpResponse:
    """Ask what was given instead; where nothing is owed, the reversal there is says why."""
    if services.owes_credit(row, now=frame.now):
        return show_owed(request, frame, row, _facts(row))
    latest = row.reversals.order_by("-id").first()
    return SeeOther(url_of("cashier:sale", args=[(latest or row).reference]))


def _facts(row: Transaction) -> list[Fact]:
    # On the clock of its receipt; the row's own date is the programme's.
    taken = moment_zone(row.settled_at or row.opened_at, row.store)
    facts = [
        Fact(word=_("Card"), value=masked(row.collector_last4), is_strong=True),
        Fact(word=_("Confirmation"), value=row.confirmation_number, is_strong=True),
        Fact(word=_("Redeemed"), value=taken),
        Fact(word=_("Till"), value=row.device.number),
    ]
    if row.user is not None:
        facts.append(Fact(word=_("By"), value=row.user.shown_name))
    facts.append(Fact(word=_("Miles"), value=count(row.miles)))
    facts.append(Fact(word=_("Taken off"), value=money(row.amount_cents), is_strong=True))
    return facts
