"""Too late to give miles back: which store credit or gift card the customer got, said once."""

import uuid
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from amcash import rules, services
from amcash.services import Refused
from backoffice.journal.choices import Credit
from backoffice.journal.models import Transaction
from cashier.credits import given_panel, owed_panel
from cashier.frames import Frame, SeeOther, at_till, show, words_of
from cashier.lookups import visible_row
from cashier.panels import Action, grouped, short_ref
from cashier.rows import facts_of_transaction, moments_of
from cashier.templatetags.milepost import day_clock
from cashier.views.redeem import next_customer


@require_http_methods(["GET", "POST"])
@at_till
def credit(request: HttpRequest, frame: Frame, reference: uuid.UUID) -> HttpResponse:
    """Ask which of the two was given; record it, and show what is recorded."""
    row = visible_row(frame, reference)
    chosen = request.POST.get("kind", "")
    if chosen in Credit.values:
        with suppress(Refused):
            # None is owed any more, or none yet: the sale says how it stands.
            services.give_credit(row, Credit(chosen), actor=frame.actor, now=frame.now)
    elif services.owes_credit(row, now=frame.now):
        return show_owed(request, frame, row, facts_of_transaction(row))
    return SeeOther(reverse("cashier:sale", args=[row.reference]))


def show_owed(
    request: HttpRequest, frame: Frame, redemption: Transaction, facts: list[Any], small: str = ""
) -> HttpResponse:
    """Answer with the question which of the two was given."""
    is_over = not rules.may_reverse(now=frame.now, deadline_at=redemption.deadline_at)
    has_expired = redemption.reversals.filter(state="expired").exists()
    ended = day_clock(rules.reversible_until(redemption.deadline_at), redemption.store)
    over = _("The last moment was %(time)s.") % {"time": ended} if is_over else ""
    panel = owed_panel(
        redemption,
        is_too_late=is_over or has_expired,
        small=" · ".join(filter(None, (over, small))),
    )
    # Not on Enter, which would skip the question: what was given would never be recorded.
    later = Action(word=_("Next customer"), url=reverse("cashier:home"), key="Escape")
    context = {"panel": panel, "facts": facts, "actions": [later]}
    return show(request, frame, "cashier/notice.html", context, section="return")


def show_given(request: HttpRequest, frame: Frame, redemption: Transaction) -> HttpResponse:
    """Answer with what was given, and the way to print its slip."""
    at = {
        name: reverse(f"cashier:{name}", args=[redemption.reference])
        for name in ("present", "receipt")
    }
    slip = Action(
        word=_("Print slip"), url=at["present"], key="F8", is_post=True,
        then="print", prints=at["receipt"],
    )  # fmt: skip
    context = {
        "panel": given_panel(redemption),
        "facts": facts_of_transaction(redemption),
        "moments": moments_of(redemption, frame.now),
        "actions": [slip, next_customer()],
    }
    return show(request, frame, "cashier/notice.html", context, section="return")


def slip_of(request: HttpRequest, redemption: Transaction) -> HttpResponse:
    """The paper for the customer: what they got instead of the miles."""
    with override(redemption.language):
        context = {
            "row": redemption,
            "language": redemption.language,
            "at": redemption.credit_given_at,
            "words": words_of(redemption.store.sponsor),
            "store_name": redemption.store.name_in(redemption.language),
            "reference": short_ref(redemption),
            "confirmation": grouped(redemption.confirmation_number),
            "back": reverse("cashier:sale", args=[redemption.reference]),
        }
        return render(request, "cashier/credit_slip.html", context)
