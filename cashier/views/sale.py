"""One sale as it stands, at one address for ever: shown, polled, printed, decided on; and Today."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from amcash import codes, services
from amcash.receipts import receipt_for
from amcash.rules import Reason
from amcash.services import Refused
from backoffice.journal import sales, selectors
from backoffice.journal.models import Transaction
from backoffice.journal.states import OF_A_SALE, TAKING, Operation, Shown, State
from cashier import approvals
from cashier.frames import Frame, SeeOther, at_till, is_fragment, posted, show, to, words_of
from cashier.lookups import visible_row
from cashier.panels import Action, Panel, panel_of, short_ref
from cashier.papers import miles_of, paper_of
from cashier.rows import (
    Fact,
    facts_of_transaction,
    is_given_up,
    lacks_discount,
    may_be_reversed,
    moments_of,
    row_of,
    shown_word,
)
from cashier.templatetags.milepost import count, money
from cashier.views.credit import show_given, show_owed, slip_of
from cashier.views.miles import paper, show_miles
from cashier.views.redeem import next_customer, refusal_panel

_TODAY_ROWS = 100


@require_GET
@at_till
def sale(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Show how this sale stands; after any crash the same address shows the same state."""
    return show_sale(request, frame, _visible(frame, reference))


@require_GET
@at_till
def status(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Answer the screen's own question, every 2 s: what is new, or the screen that follows.

    Where training has begun or ended meanwhile the sale is not there any more, nor is its screen.
    """
    try:
        row = _visible(frame, reference)
    except Http404:
        if is_fragment(request):
            return to(request, reverse("cashier:home"))
        raise
    if _shown(row, frame.now) == request.GET.get("shown") and is_fragment(request):
        return render(request, "cashier/_poll.html", _polling(row, frame))
    response = show_sale(request, frame, row)
    response["HX-Retarget"] = "#screen"
    response["HX-Push-Url"] = "false"
    return response


@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})
@require_GET
@at_till
def receipt(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """The paper: 80 mm, with the balances that the answer's code allows."""
    row = _visible(frame, reference)
    if row.is_issuance:
        return paper(request, frame, row)
    if row.credit_given:
        return slip_of(request, row)
    if lacks_discount(row):
        return _again(row)
    if not row.is_granted or is_given_up(row):
        return _slip(request, row)
    is_copy = request.GET.get("copy") == "1"
    given = _given_with(row, frame)
    printed = paper_of(
        receipt_for(row, is_copy=is_copy, with_balances=True),
        miles=miles_of(given) if given else None,
    )
    back = reverse("cashier:sale", args=[row.reference])
    context = {"paper": printed, "language": printed.language, "back": back}
    with override(printed.language):
        return render(request, "cashier/receipt.html", context)


@posted
@at_till
def present(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """The approval is on the screen, on paper, or the cashier went on: it was shown."""
    row = _visible(frame, reference)
    if not lacks_discount(row):
        services.present(row, actor=frame.actor, now=frame.now)
    match request.POST.get("then"):
        case "next":
            return SeeOther(reverse("cashier:home"))
        case "print":
            copy = "?copy=1" if row.presented_at else ""
            return SeeOther(reverse("cashier:receipt", args=[row.reference]) + copy)
        case _:
            return HttpResponse(status=204)


@posted
@at_till
def send_again(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Nothing had left: send the same request."""
    row = _visible(frame, reference)
    try:
        actor = approvals.actor_of(request, frame)
        services.send_again(row, actor=actor, now=frame.now)
    except approvals.NotApproved as nobody:
        return approvals.ask(request, frame, _to_approve(frame, row), nobody)
    except Refused as refusal:
        if refusal.reason is Reason.SUPERVISOR_NEEDED:
            return approvals.ask(request, frame, _to_approve(frame, row))
        return show_refusal(request, frame, row, refusal)
    return _again(row)


@posted
@at_till
def pay_otherwise(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Nothing had left, and nothing will."""
    row = _visible(frame, reference)
    services.pay_otherwise(row, actor=frame.actor, now=frame.now)
    return _again(row)


@posted
@at_till
def cancel(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """The customer paid another way: what went through, or will, is given back."""
    row = _visible(frame, reference)
    services.cancel(row, actor=frame.actor, now=frame.now)
    return _again(row)


@posted
@at_till
def check(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Have the doubt asked about at once."""
    row = _visible(frame, reference)
    services.check_now(row, actor=frame.actor, now=frame.now)
    return _again(row)


@require_GET
@at_till
def today(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The sales of today: this till's, or the store's."""
    is_store = request.GET.get("of") == "store"
    rows = selectors.latest(
        frame.user,
        store=frame.store if is_store else None,
        device=None if is_store else frame.till,
        on_or_after=frame.today_starts,
        is_training=frame.is_training,
        limit=_TODAY_ROWS,
    )
    context = {"rows": [row_of(row, frame.now) for row in rows], "is_store": is_store}
    return show(request, frame, "cashier/today.html", context, section="today")


def show_sale(request: HttpRequest, frame: Frame, row: Transaction) -> HttpResponse:
    """Answer with the screen of this sale's state."""
    if row.is_issuance:
        return show_miles(request, frame, row, _polling(row, frame))
    redemption = row.reverses or row
    if redemption.credit_given:
        return show_given(request, frame, redemption)
    words = words_of(row.store.sponsor)
    if row.reverses and services.owes_credit(row.reverses, now=frame.now):
        small = _("Reference %(ref)s") % {"ref": short_ref(row)}
        return show_owed(request, frame, row.reverses, facts_of_transaction(row), small)
    panel = panel_of(row, words, frame.now)
    context: dict[str, Any] = {
        "panel": panel,
        "advice": panel.advice,
        "facts": facts_of_transaction(row),
        "moments": moments_of(row, frame.now),
        "actions": _actions(row, frame, panel),
        "sale_url": reverse("cashier:sale", args=[row.reference]),
    }
    section = "return" if row.operation == Operation.REVERSE else "redeem"
    if not row.is_granted or is_given_up(row) or lacks_discount(row):
        if panel.is_unfinished:
            context |= {"polls": True, **_polling(row, frame)}
        return show(request, frame, "cashier/notice.html", context, section=section)

    told = receipt_for(row, is_copy=False, with_balances=False)
    given = _given_with(row, frame)
    known = codes.find(row.response_code)
    context |= {
        "receipt": paper_of(
            told,
            has_balances=bool(known and known.show_balances),
            miles=miles_of(given) if given else None,
        ),
        "figures": _figures(row, words, told.left_cents),
    }
    if row.state == State.APPROVED and row.presented_at is None:
        context["ack_url"] = reverse("cashier:present", args=[row.reference])
    return show(request, frame, "cashier/done.html", context, section=section)


def show_refusal(
    request: HttpRequest, frame: Frame, row: Transaction, refusal: Refused
) -> HttpResponse:
    """Answer a refused wish about this sale, with the way back to it."""
    panel = refusal_panel(refusal, frame)
    look = Action(word=_("Look at the sale"), url=reverse("cashier:sale", args=[row.reference]))
    context = {
        "panel": panel,
        "advice": panel.advice,
        "facts": facts_of_transaction(row),
        "actions": [look, next_customer()],
    }
    return show(request, frame, "cashier/notice.html", context)


def _to_approve(frame: Frame, row: Transaction) -> approvals.Asked:
    said = refusal_panel(Refused(Reason.SUPERVISOR_NEEDED), frame)
    return approvals.Asked(
        title=said.title,
        text=f"{said.text} {said.advice}",
        url=reverse("cashier:send_again", args=[row.reference]),
        fields=[],
        facts=facts_of_transaction(row),
        back=Action(word=_("Back"), url=reverse("cashier:sale", args=[row.reference])),
    )


def _visible(frame: Frame, reference: uuid.UUID) -> Transaction:
    row = visible_row(frame, reference)
    if row.operation not in OF_A_SALE:
        raise Http404
    return row


def _again(row: Transaction) -> HttpResponse:
    return SeeOther(reverse("cashier:sale", args=[row.reference]))


def _given_with(row: Transaction, frame: Frame) -> Transaction | None:
    """Return the miles that the same sale earned: they stand on one receipt with the redemption."""
    if row.operation != Operation.REDEEM or row.reversed_at:
        return None
    found = sales.issuance_of(frame.user, row)
    return found if found is not None and found.state in TAKING else None


def _shown(row: Transaction, now: datetime) -> str:
    """Return what a screen is about, in a word; of a return, all that the same press began."""
    rows = sales.returned_with(row) if row.operation == Operation.RETURN else [row]
    return "-".join(shown_word(one, now) for one in rows)


def _polling(row: Transaction, frame: Frame) -> dict[str, Any]:
    url = reverse("cashier:status", args=[row.reference])
    return {
        "poll_url": f"{url}?shown={_shown(row, frame.now)}",
        "sale_url": reverse("cashier:sale", args=[row.reference]),
        "moments": moments_of(row, frame.now),
    }


def _figures(row: Transaction, words: Mapping[str, str], left_cents: int | None) -> list[Fact]:
    back = row.reverses if row.operation == Operation.REVERSE else row
    if back is not None and (row.reversed_at or row.operation == Operation.REVERSE):
        return [
            Fact(word=_("Reversed"), value=money(back.amount_cents), is_strong=True),
            Fact(word=_("Back on the card"), value=count(back.miles)),
        ]
    used = _("%(word)s used") % {"word": words["miles"].capitalize()}
    figures = [Fact(word=used, value=count(row.miles))]
    if left_cents is not None:
        figures.insert(0, Fact(word=_("Left to pay"), value=money(left_cents), is_strong=True))
    return figures


def _actions(row: Transaction, frame: Frame, panel: Panel) -> list[Action]:
    def at(name: str) -> str:
        return reverse(f"cashier:{name}", args=[row.reference])

    if lacks_discount(row):
        return [*_giving_back(row, frame), next_customer()]
    if row.is_granted and not is_given_up(row):
        return _done_actions(row, frame)
    match shown_word(row, frame.now):
        case Shown.QUEUED.value if row.operation == Operation.REDEEM:
            return [
                Action(word=_("Pay another way"), url=at("pay_otherwise"), is_post=True),
                Action(
                    word=_("Send again"),
                    url=at("send_again"),
                    is_post=True,
                    is_main=True,
                    key="Enter",
                    waits=True,
                ),
            ]
        case Shown.DOUBT.value:
            return [
                Action(word=_("Next customer"), url=reverse("cashier:home")),
                Action(
                    word=_("Ask again now"),
                    url=at("check"),
                    is_post=True,
                    is_main=True,
                    key="Enter",
                ),
            ]
        case Shown.CANCELLING.value:
            slip = Action(
                word=_("Print slip"), url=at("present"), key="F8", is_post=True,
                then="print", prints=at("receipt"),
            )  # fmt: skip
            return [slip, next_customer()]
        case Shown.WAITING.value:
            return []
        case _:
            return [next_customer()]


def _done_actions(row: Transaction, frame: Frame) -> list[Action]:
    present_url = reverse("cashier:present", args=[row.reference])
    paper = reverse("cashier:receipt", args=[row.reference])
    actions = _giving_back(row, frame)
    if row.operation == Operation.REDEEM and row.reversed_at is None:
        given = sales.issuance_of(frame.user, row)
        name, key = ("sale", "") if given else ("give_of_sale", "F7")
        url = reverse(f"cashier:{name}", args=[(given or row).reference])
        word = _("Look at the %(miles)s") if given else _("Give %(miles)s")
        actions.append(Action(word=word % frame.words, url=url, key=key))
    was_shown = row.presented_at is not None
    actions.append(
        Action(
            word=_("Print copy") if was_shown else _("Print"),
            url=present_url,
            is_post=True,
            then="print",
            prints=f"{paper}?copy=1" if was_shown else paper,
            key="F8",
        )
    )
    actions.append(
        Action(
            word=_("Next customer"),
            url=present_url,
            is_post=True,
            then="next",
            is_main=True,
            key="Enter",
        )
    )
    return actions


def _giving_back(row: Transaction, frame: Frame) -> list[Action]:
    """The miles back while there is time, then what is owed instead; nothing where neither is."""
    if may_be_reversed(row, frame.now):
        url = reverse("cashier:reverse", args=[row.reference])
        return [Action(word=_("Reverse"), url=url, key="F9")]
    if services.owes_credit(row, now=frame.now):
        url = reverse("cashier:credit", args=[row.reference])
        return [Action(word=_("Refund"), url=url, key="F9")]
    return []


def _slip(request: HttpRequest, row: Transaction) -> HttpResponse:
    """A slip for the customer of a doubt: no amount was taken off, and what will happen."""
    with override(row.language):
        context = {
            "row": row,
            "language": row.language,
            "at": row.opened_at,
            "words": words_of(row.store.sponsor),
            "store_name": row.store.name_in(row.language),
            "reference": short_ref(row),
            "is_cancelling": row.wanted == "cancel",
            "back": reverse("cashier:sale", args=[row.reference]),
        }
        return render(request, "cashier/slip.html", context)
