"""Goods brought back: pick what comes back of a sale, look at the miles it takes, take them."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from backoffice.journal import sales
from backoffice.journal.models import Transaction
from backoffice.journal.states import TAKING, Operation
from cashier.basket_forms import BroughtForm
from cashier.forms import kept_of
from cashier.frames import Frame, SeeOther, at_till, show
from cashier.gifts import OpenGift
from cashier.lookups import visible_row
from cashier.panels import Action, Panel
from cashier.rows import deadline_moment, facts_of_transaction
from cashier.views.give import show_preview
from cashier.views.miles import reversible
from cashier.views.redeem import next_customer
from issuance import selectors


@require_http_methods(["GET", "POST"])
@at_till
def bring_back(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Pick what comes back of a sale; then show the miles that it takes."""
    row = visible_row(frame, reference)
    if row.operation != Operation.ISSUE:
        raise Http404
    issued = sales.given_of(row)
    if not issued:
        return SeeOther(reverse("cashier:sale", args=[row.reference]))
    if row.state not in TAKING:
        # Its correction gave the miles that were rejected here.
        return SeeOther(reverse("cashier:bring_back", args=[issued[0].reference]))
    sold, left, card = selectors.sale_of(row), selectors.left_of(row), selectors.card_of(row)
    if sold is None or left is None or card is None:
        return _forgotten(request, frame, row)
    is_sent = request.method == "POST" and "resumes" not in request.POST
    form = BroughtForm(request.POST if is_sent else None, sold=sold.basket, left=left)
    form.initial = kept_of(request, form.fields)
    if is_sent:
        if form.is_valid():
            gift = OpenGift.of(card, original=str(row.reference), **form.known)
            return show_preview(request, frame, gift)
        form.mark_errors()
    return _pick(request, frame, row, form)


def _pick(request: HttpRequest, frame: Frame, row: Transaction, form: BroughtForm) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "row": row,
        "facts": facts_of_transaction(row),
        "ask_text": _("Asking %(programme)s") % frame.words,
        "back_url": reverse("cashier:sale", args=[row.reference]),
        "here": reverse("cashier:bring_back", args=[row.reference]),
    }
    redemption = reversible(frame, row)
    if redemption is not None:
        context |= {
            "redemption": redemption,
            "deadline": deadline_moment(redemption, frame.now),
            "reverse_url": reverse("cashier:reverse", args=[redemption.reference]),
        }
    return show(request, frame, "cashier/bring_back.html", context, section="return")


def _forgotten(request: HttpRequest, frame: Frame, row: Transaction) -> HttpResponse:
    panel = Panel(
        tone="attention",
        icon="triangle-alert",
        title=_("What was sold is no longer kept."),
        text=_("The miles of this sale cannot be taken back at the till."),
        advice=frame.words["escalation"],
    )
    look = Action(word=_("Look at the sale"), url=reverse("cashier:sale", args=[row.reference]))
    context = {
        "panel": panel,
        "facts": facts_of_transaction(row),
        "actions": [look, next_customer()],
    }
    return show(request, frame, "cashier/notice.html", context, section="return")
