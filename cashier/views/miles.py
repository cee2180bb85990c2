"""Miles given or taken back as they stand: the sale's own address shows them; and their paper."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from amcash.receipts import receipt_for
from backoffice.journal import entries, sales
from backoffice.journal.choices import Result
from backoffice.journal.models import Transaction
from backoffice.journal.states import TAKING, Operation, State
from cashier.frames import Frame, show, words_of
from cashier.issuances import OfferRow, Wait, offers_of_all, panel_of_all
from cashier.panels import Action
from cashier.papers import miles_of, paper_of, paper_of_miles
from cashier.rows import (
    deadline_moment,
    facts_of_transaction,
    is_given_up,
    lacks_discount,
    may_be_reversed,
    moments_of,
)
from cashier.templatetags.milepost import dollars
from cashier.views.redeem import next_customer
from issuance.selectors import sale_of


def show_miles(
    request: HttpRequest, frame: Frame, row: Transaction, polling: dict[str, Any]
) -> HttpResponse:
    """Answer with the screen of an issuance or of a return; `polling` while it is unfinished."""
    words = words_of(row.store.sponsor)
    is_return = row.operation == Operation.RETURN
    rows = sales.returned_with(row) if is_return else sales.corrected_with(row)
    panel = panel_of_all(rows, words, frame.now, partial(_wait, frame))
    redemption = _reversible(frame, row)
    context: dict[str, Any] = {
        "panel": panel,
        "advice": panel.advice,
        "facts": facts_of_transaction(row),
        "offers": offers_of_all(rows, _asked, words),
        "moments": [moment for one in rows for moment in moments_of(one, frame.now)],
        "receipt": _paper(frame, row, words) if _is_to_print(row) else None,
        "actions": _actions(row, frame, redemption),
        "sale_url": reverse("cashier:sale", args=[row.reference]),
    }
    if redemption is not None:
        context |= {"redemption": redemption, "deadline": deadline_moment(redemption, frame.now)}
    if panel.is_unfinished:
        context |= {"polls": True, **polling}
    section = "return" if is_return else "give"
    return show(request, frame, "cashier/miles.html", context, section=section)


def _wait(frame: Frame, row: Transaction) -> Wait:
    """Return what a queued row waits for."""
    if row.state == State.QUEUED and entries.ahead_of(row) is not None:
        return Wait.BEHIND
    last = row.attempts.order_by("-fence").first()
    could_not_leave = last is not None and last.result == Result.NOT_SENT
    return Wait.AWAY if frame.programme.is_issuance_down or could_not_leave else Wait.SOON


def paper(request: HttpRequest, frame: Frame, row: Transaction) -> HttpResponse:
    """The paper of a sale's miles; with its redemption, if it has one, the one receipt of both."""
    words = words_of(row.store.sponsor)
    with override(row.language):
        back = reverse("cashier:sale", args=[row.reference])
        is_copy = request.GET.get("copy") == "1"
        printed = _paper(frame, row, words, is_copy=is_copy, on_paper=True)
        context = {"paper": printed, "language": printed.language, "back": back}
        return render(request, "cashier/receipt.html", context)


def _paper(
    frame: Frame, row: Transaction, words: Any, *, is_copy: bool = False, on_paper: bool = False
) -> Any:
    redemption = sales.redemption_of(frame.user, row) if row.operation == Operation.ISSUE else None
    is_rejected = row.state not in TAKING
    if redemption is None or is_rejected or redemption.reversed_at or is_given_up(redemption):
        return paper_of_miles(row, is_copy=is_copy)
    if lacks_discount(redemption):
        return paper_of_miles(row, is_copy=is_copy)
    receipt = receipt_for(redemption, is_copy=is_copy, with_balances=on_paper)
    return paper_of(receipt, miles=miles_of(row))


def _is_to_print(row: Transaction) -> bool:
    return row.state in TAKING


def _asked(row: Transaction) -> list[OfferRow]:
    """What our own offers gave, until the programme has said what became of it."""
    sold = sale_of(row)
    awards = sold.awards if sold else ()
    return [
        OfferRow(name=award.description or award.offer_code, miles=award.miles, status="pending")
        for award in awards
    ]


def _reversible(frame: Frame, row: Transaction) -> Transaction | None:
    """Return the redemption that paid a part of what is brought back, while it can be reversed."""
    if row.operation != Operation.RETURN or row.original is None:
        return None
    return reversible(frame, row.original)


def reversible(frame: Frame, issued: Transaction) -> Transaction | None:
    """Return the redemption of an issuance's sale, while it can be given back at a till."""
    found = sales.redemption_of(frame.user, issued)
    if found is None or is_given_up(found):
        return None
    return found if may_be_reversed(found, frame.now) else None


def _actions(row: Transaction, frame: Frame, redemption: Transaction | None) -> list[Action]:
    def at(name: str) -> str:
        return reverse(f"cashier:{name}", args=[row.reference])

    actions = []
    if row.operation == Operation.ISSUE and sales.given_of(row):
        actions.append(Action(word=_("Return"), url=at("bring_back"), key="F9"))
    if _is_to_print(row):
        actions.append(
            Action(
                word=_("Print"),
                url=at("present"),
                is_post=True,
                key="F8",
                then="print",
                prints=at("receipt"),
            )
        )
    if redemption is None:
        return [*actions, next_customer()]
    url = reverse("cashier:reverse", args=[redemption.reference])
    amount = {"off": dollars(redemption.amount_cents)}
    give_back = Action(word=_("Reverse %(off)s") % amount, url=url, is_main=True, key="Enter")
    done = Action(word=_("Next customer"), url=reverse("cashier:home"))
    return [*actions, done, give_back]
