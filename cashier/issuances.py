"""Miles given and taken back, in the till's words: the state as a panel, each offer as a line.

A table in code: every Shown of both has its panel. Nothing is decided here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.journal.choices import OfferStatus
from backoffice.journal.models import OfferResult, Transaction
from backoffice.journal.states import Operation, Shown, State
from cashier.panels import Panel, Words, short_ref, waiting
from cashier.templatetags.milepost import in_miles
from cashier.texts import Text, say
from issuance.rules import Reason
from issuance.selectors import names_of

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True, kw_only=True)
class OfferRow:
    """One offer on a screen. `status` is empty in a preview."""

    name: str
    miles: int | Decimal
    status: str = ""
    why: str = ""
    confirmation: str = ""


# What the programme answers of an offer, by its code in lower case; others in its own words.
ERROR_TEXTS: dict[str, "StrPromise"] = {
    "collectornotfound": gettext_lazy("Card number not recognised."),
    "offerexpired": gettext_lazy("The offer is over."),
    "notprocessed": gettext_lazy("%(programme)s did not carry it out."),
    "alreadyreversed": gettext_lazy("These miles were taken back already."),
    "originalnotfound": gettext_lazy("%(programme)s does not know this sale."),
    "offernotissued": gettext_lazy("The sale gave nothing for this offer."),
    "morethanissued": gettext_lazy("The sale gave less than that for this offer."),
    "morethanbought": gettext_lazy("More is brought back than was bought."),
}

REASON_TEXTS: dict[Reason, Text] = {
    Reason.BAD_BASKET: Text(
        title=gettext_lazy("The basket does not add up."),
        todo=gettext_lazy("Nothing was sent. Check the amounts."),
    ),
    Reason.BAD_AWARDS: Text(
        title=gettext_lazy("An offer of this basket is not set up well."),
        todo=gettext_lazy("Nothing was sent. Go on without miles and report it."),
        adds="escalation",
    ),
    Reason.NOTHING_EARNED: Text(
        title=gettext_lazy("No %(miles)s for this basket."), todo=gettext_lazy("Go on as usual.")
    ),
    Reason.CALCULATED_THERE: Text(
        title=gettext_lazy("%(programme)s works the %(miles)s out by now."),
        todo=gettext_lazy("Nothing was sent. Start again with the card."),
    ),
    Reason.NO_ORIGINAL: Text(
        title=gettext_lazy("The sale is not known."),
        todo=gettext_lazy("Nothing was sent. Scan the receipt of the sale."),
    ),
    Reason.NOT_RETURNABLE: Text(
        title=gettext_lazy("No %(miles)s were given for this sale."),
        todo=gettext_lazy("There is nothing to take back."),
    ),
    Reason.NOT_CORRECTABLE: Text(
        title=gettext_lazy("Something changed in the meantime."),
        todo=gettext_lazy("Look again: what you see now is how it stands."),
    ),
    Reason.OTHER_CONTENT: Text(
        title=gettext_lazy("This sale was already sent with other amounts."),
        todo=gettext_lazy("Nothing new was sent. Look at it under Today."),
    ),
    Reason.SALE_OPEN: Text(
        title=gettext_lazy("This sale already has its %(miles)s."),
        todo=gettext_lazy("Nothing new was sent. Look at it under Today."),
    ),
    Reason.STATE_CHANGED: Text(
        title=gettext_lazy("Another till returns from this sale just now."),
        todo=gettext_lazy("Nothing was sent. Look again at what is left to return."),
    ),
}


class Wait(StrEnum):
    """What keeps a queued row: an earlier one, a programme that is away, or the next sweep."""

    BEHIND = "behind"
    AWAY = "away"
    SOON = "soon"


def panel_of(row: Transaction, words: Words, now: datetime, *, wait: Wait) -> Panel:
    """Return what the screen says; `wait` is what keeps it where it is queued."""
    table = _RETURNS if row.operation == Operation.RETURN else _ISSUES
    shown = row.shown(now)
    if shown is Shown.QUEUED:
        return _queued(row, words, wait)
    return table[shown](row, words)


def panel_of_all(
    rows: Sequence[Transaction], words: Words, now: datetime, wait: Callable[[Transaction], Wait]
) -> Panel:
    """Return what the screen says of all that one press began and what puts it right: of the one
    that is not well. What was put right is not ill any more.
    """
    total = sum(row.miles or 0 for row in rows)
    ailing = [row for row in rows if row.state != State.CONFIRMED and not _is_put_right(row, rows)]
    told = ailing[0] if ailing else rows[-1]
    panel = panel_of(told, words, now, wait=wait(told))
    if len(rows) == 1 or not total:
        return panel
    if not ailing:
        return replace(panel, title=_whole(told, total, words))
    if told.state in {State.PARTIAL, State.REJECTED}:
        # Of the others something came through.
        return replace(_partly(told, words), title=_part(told, total, words))
    return panel


def offers_of_all(
    rows: Sequence[Transaction],
    asked: Callable[[Transaction], list[OfferRow]],
    words: Words,
) -> list[OfferRow]:
    """Return the offers of all of them, without what was rejected and then put right."""
    return [
        offer
        for row in rows
        for offer in rows_of(row, asked(row), words)
        if offer.status != OfferStatus.REJECTED or not _is_put_right(row, rows)
    ]


def _is_put_right(row: Transaction, rows: Sequence[Transaction]) -> bool:
    return any(one.corrects_id == row.pk and one.state != State.NOT_SENT for one in rows)


def rows_of(row: Transaction, asked: Iterable[OfferRow], words: Words) -> list[OfferRow]:
    """Return each offer as the programme last said it; until it has, as it was asked."""
    told = list(row.offers.all())
    if not told:
        return list(asked)
    names = names_of(row)
    return [
        OfferRow(
            name=names[one.offer_id] or _("This sale"),
            miles=one.miles,
            status=one.status,
            why=why(one, words),
            confirmation=one.confirmation_number,
        )
        for one in told
    ]


def why(offer: OfferResult, words: Words) -> str:
    """Return why an offer was rejected, with the programme's code."""
    if offer.status != OfferStatus.REJECTED:
        return ""
    known = ERROR_TEXTS.get(offer.error_code.lower())
    said = say(known, words) if known else offer.error_reason
    code = _("Code %(code)s") % {"code": offer.error_code} if offer.error_code else ""
    return " ".join(filter(None, (said or _("Rejected."), code)))


def refusal_panel(reason: Reason, words: Words, *, small: str = "") -> Panel:
    """Return what the screen says where nothing was written or sent."""
    said = REASON_TEXTS[reason]
    return Panel(
        tone="attention",
        icon="triangle-alert",
        title=say(said.title, words),
        text=say(said.todo, words),
        advice=words[said.adds] if said.adds else "",
        small=small,
    )


def _whole(row: Transaction, number: int, words: Words) -> str:
    if row.operation == Operation.RETURN:
        said = ngettext("%(told)s taken back.", "%(told)s taken back.", number)
    else:
        said = ngettext("%(told)s given.", "%(told)s given.", number)
    return said % {"told": in_miles(number, words["miles"])}


def _part(row: Transaction, number: int, words: Words) -> str:
    if row.operation == Operation.RETURN:
        said = ngettext(
            "%(told)s taken back, not all of them.",
            "%(told)s taken back, not all of them.",
            number,
        )
    else:
        said = ngettext(
            "%(told)s given, not all of them.", "%(told)s given, not all of them.", number
        )
    return said % {"told": in_miles(number, words["miles"])}


def _given(row: Transaction, words: Words) -> Panel:
    if not row.miles:
        title = _("No %(miles)s for this sale.") % words
        return Panel(tone="queued", icon="circle-check", title=title)
    return Panel(tone="done", icon="circle-check", title=_whole(row, row.miles, words))


def _taken(row: Transaction, words: Words) -> Panel:
    number = row.miles or 0
    title = _whole(row, number, words)
    if not number:
        title = _("No %(miles)s to take back.") % words
    return Panel(
        tone="done",
        icon="circle-check",
        title=title,
        text=_("Refund the sale the way it was paid."),
    )


def _partly(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="attention",
        icon="circle-alert",
        title=_part(row, row.miles or 0, words),
        text=_("What was rejected stands below. It is on the store’s list; go on as usual."),
    )


def _refused(row: Transaction, words: Words) -> Panel:
    first = row.offers.filter(status=OfferStatus.REJECTED).first()
    said = (
        _("No %(miles)s were taken back.")
        if row.operation == Operation.RETURN
        else _("No %(miles)s were given.")
    )
    return Panel(
        tone="attention",
        icon="ban",
        title=said % words,
        text=why(first, words) if first else "",
        small=_("It is on the store’s list; go on as usual."),
        advice=words["advice"],
    )


def _pending(row: Transaction, words: Words) -> Panel:
    todo = (
        _("Nothing to press. Refund the sale the way it was paid.")
        if row.operation == Operation.RETURN
        else _("Nothing to press. The receipt says that the %(miles)s follow.")
    )
    return Panel(
        tone="queued",
        icon="hourglass",
        title=_("%(programme)s has it and is not finished") % words,
        text=todo % words,
        is_unfinished=True,
    )


def _doubt(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="doubt",
        icon="circle-question-mark",
        title=_("Not confirmed yet"),
        text=_("Do not start again. We keep asking %(programme)s with the same request.") % words,
        small=_("The customer need not wait."),
        is_unfinished=True,
    )


def _queued(row: Transaction, words: Words, wait: Wait) -> Panel:
    title = (
        _("The %(miles)s are taken back later")
        if row.operation == Operation.RETURN
        else _("The %(miles)s will follow")
    )
    match wait:
        case Wait.AWAY:
            text = _(
                "%(programme)s cannot be reached just now. It is sent by itself as soon as it can."
            )
        case Wait.BEHIND:
            text = _("An earlier sale of this card is not finished. It is sent by itself after it.")
        case Wait.SOON:
            text = _("It is sent by itself in a moment.")
    return Panel(
        tone="queued",
        icon="cloud-off" if wait is Wait.AWAY else "clock",
        title=title % words,
        text=text % words,
        small=_("Nothing to press. The customer need not wait."),
        is_unfinished=True,
    )


def _not_sent(row: Transaction, words: Words) -> Panel:
    return Panel(tone="queued", icon="cloud-off", title=_("Not sent. Nothing was done."))


def _manual(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="stop",
        icon="octagon-alert",
        title=_("A person must look at this"),
        text=_("Do not start again. The %(miles)s of this sale are settled in the office.") % words,
        small=_("Reference %(ref)s") % {"ref": short_ref(row)},
        advice=words["escalation"],
    )


_Say = Callable[[Transaction, Words], Panel]
_ISSUES: dict[Shown, _Say] = {
    Shown.WAITING: waiting,
    Shown.DOUBT: _doubt,
    Shown.CANCELLING: _doubt,
    Shown.QUEUED: waiting,
    Shown.PENDING: _pending,
    Shown.APPROVED: _given,
    Shown.DONE: _given,
    Shown.CONFIRMED: _given,
    Shown.PARTIAL: _partly,
    Shown.DECLINED: _refused,
    Shown.DECLINED_AFTER_DOUBT: _refused,
    Shown.REJECTED: _refused,
    Shown.EXPIRED: _refused,
    Shown.NOT_SENT: _not_sent,
    Shown.MANUAL: _manual,
}
_RETURNS: dict[Shown, _Say] = {
    **_ISSUES,
    Shown.APPROVED: _taken,
    Shown.DONE: _taken,
    Shown.CONFIRMED: _taken,
}
