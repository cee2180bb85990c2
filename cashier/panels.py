"""What an operation's state looks like on the till: words, colour, ways on (RELIABILITY 4.8).

A table in code: every Shown of both operations has its panel. Nothing is decided here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from amcash.receipts import whole_basket_of
from backoffice.journal.choices import Step
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Shown
from cashier.rows import is_given_up, lacks_discount
from cashier.templatetags.milepost import clock, count, dollars, money
from cashier.texts import CODE_TEXTS, UNKNOWN_CODE, Text, say


@dataclass(frozen=True, kw_only=True)
class Action:
    """One way on. The main one stands last, bottom right."""

    word: str
    url: str
    is_post: bool = False
    is_main: bool = False
    key: str = ""
    icon: str = ""
    then: str = ""
    prints: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    waits: bool = False

    @property
    def key_word(self) -> str:
        """The key as it stands on the button."""
        return {"Escape": _("Esc"), "Enter": _("Enter")}.get(self.key, self.key)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A way on that needs a sentence; without an action it is what happens by itself."""

    title: str
    text: str
    action: Action | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One state, said in full."""

    tone: str
    icon: str
    title: str
    text: str = ""
    small: str = ""
    choices: tuple[Choice, ...] = ()
    advice: str = ""
    is_unfinished: bool = False


Words = Mapping[str, str]


def panel_of(transaction: Transaction, words: Words, now: datetime) -> Panel:
    """Return what the screen says of an operation at `now`."""
    if transaction.is_granted and is_given_up(transaction) and not transaction.reversed_at:
        return _going_back(transaction, words)
    shown = transaction.shown(now)
    table = _REVERSALS if transaction.operation == Operation.REVERSE else _REDEMPTIONS
    return table[shown](transaction, words)


def code_panel(code: str, words: Words, *, small: str = "", text: Text | None = None) -> Panel:
    """Return the refusal with this code, in its own words; the code itself in small print."""
    said = text or CODE_TEXTS.get(code, UNKNOWN_CODE)
    shown_code = _("Code %(code)s") % {"code": code} if code else ""
    return Panel(
        tone="attention",
        icon="triangle-alert",
        title=say(said.title, words),
        text=say(said.todo, words),
        advice=words[said.adds] if said.adds else "",
        small=" · ".join(filter(None, (small, shown_code))),
    )


def code_words(transaction: Transaction, words: Words) -> Words:
    """Add what a code's words may name: the unit, and when the daily limit opens again."""
    return {
        **words,
        "unit": dollars(transaction.unit_cents) if transaction.unit_cents else words["cash"],
        "reopens": clock(transaction.deadline_at, transaction.store),
    }


def _done(row: Transaction, words: Words) -> Panel:
    if row.reversed_at:
        return Panel(
            tone="queued",
            icon="undo-2",
            title=_("This redemption was reversed."),
            text=_("%(count)s %(miles)s are back on the card.")
            % {**words, "count": count(row.miles)},
        )
    if lacks_discount(row):
        return _without_discount(row, words)
    note = say(CODE_TEXTS["0001"].todo, words) if row.response_code == "0001" else ""
    less = ""
    if row.asked_cents and row.amount_cents and row.amount_cents < row.asked_cents:
        less = _("%(asked)s was asked; the programme granted %(amount)s.") % {
            "asked": money(row.asked_cents),
            "amount": money(row.amount_cents),
        }
    settled = _settled(words) if _is_decided(row) else ""
    return Panel(
        tone="done",
        icon="circle-check",
        title=_("%(off)s off.") % {"off": money(row.amount_cents)},
        text=_confirmation(row),
        small=" ".join(filter(None, (less, note, settled))),
    )


def _without_discount(row: Transaction, words: Words) -> Panel:
    """People have settled that miles were taken for a discount that the customer never got."""
    used = {**words, "count": count(row.miles)}
    taken = _("%(count)s %(miles)s were used.") % used if row.miles else ""
    go_on = (
        _("Do not apply it now. Reverse it to give the miles back.")
        if row.confirmation_number
        else _("Do not apply it now.")
    )
    return Panel(
        tone="attention",
        icon="triangle-alert",
        title=_("It went through, but the customer got no discount."),
        text=" ".join(filter(None, (taken, go_on))),
        small=f"{_settled(words)} {_('Reference %(ref)s') % {'ref': short_ref(row)}}",
        advice="" if row.confirmation_number else words["escalation"],
    )


def _is_decided(row: Transaction) -> bool:
    return row.decisions.filter(step=Step.CONFIRMED).exists()


def _settled(words: Words) -> str:
    return _("Two people have settled this with %(programme)s.") % words


def _given_back(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="done",
        icon="circle-check",
        title=_("%(count)s %(miles)s given back.")
        % {**words, "count": count((row.reverses or row).miles)},
        text=_confirmation(row),
        small=_("Refund the rest of the sale the way it was paid."),
    )


def _confirmation(row: Transaction) -> str:
    number = row.confirmation_number or (row.reverses.confirmation_number if row.reverses else "")
    return _("Confirmation %(number)s") % {"number": grouped(number)} if number else ""


def grouped(number: str) -> str:
    """Return a confirmation number in groups of four, for eyes."""
    return "\u00a0".join(number[start : start + 4] for start in range(0, len(number), 4))


def waiting(row: Transaction, words: Words) -> Panel:
    """Say that the programme was asked and has not answered yet, whatever it was asked."""
    return Panel(
        tone="queued",
        icon="hourglass",
        title=_("Waiting for %(programme)s") % words,
        text=_("Do not start again. The answer appears here by itself."),
        is_unfinished=True,
    )


def _doubt(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="doubt",
        icon="circle-question-mark",
        title=_("Not confirmed yet"),
        text=_(
            "Do not apply the discount and do not redeem again. "
            "We keep asking %(programme)s with the same request."
        )
        % words,
        choices=(
            Choice(
                title=_("The customer waits"),
                text=_("Nothing to press. If it went through, the discount appears here."),
            ),
            Choice(
                title=_("The customer pays another way"),
                text=_("If it went through, the miles go back by themselves. A slip says so."),
                action=Action(
                    word=_("Paid another way"),
                    url=reverse("cashier:cancel", args=[row.reference]),
                    is_post=True,
                    key="F9",
                ),
            ),
        ),
        is_unfinished=True,
    )


def _doubtful_reversal(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="doubt",
        icon="circle-question-mark",
        title=_("Not confirmed yet"),
        text=_(
            "Do not refund the redeemed amount in any form yet. "
            "We keep asking %(programme)s with the same request."
        )
        % words,
        is_unfinished=True,
    )


def _cancelling(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="doubt",
        icon="undo-2",
        title=_("Will be given back if it went through"),
        text=_("The customer pays %(basket)s another way. Give them the slip.")
        % {"basket": money(whole_basket_of(row))},
        is_unfinished=True,
    )


def _going_back(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="doubt",
        icon="undo-2",
        title=_("It went through and is being given back"),
        text=_(
            "The customer paid another way, or nobody was shown it in time. "
            "Do not apply the discount."
        ),
        is_unfinished=True,
    )


def _queued(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="queued",
        icon="cloud-off",
        title=_("Could not reach %(programme)s") % words,
        text=_("Nothing was taken. Send the same request again, or go on without it."),
    )


def _queued_reversal(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="queued",
        icon="clock",
        title=_("The miles go back by themselves"),
        text=_("%(programme)s has not been asked yet. Nothing to press.") % words,
        is_unfinished=True,
    )


def _not_sent(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="queued",
        icon="cloud-off",
        title=_("Not sent. Nothing was taken."),
        text=_("The customer pays the whole amount another way."),
    )


def _declined(row: Transaction, words: Words) -> Panel:
    if _is_decided(row):
        return Panel(
            tone="queued",
            icon="ban",
            title=_("It did not go through. Nothing was taken."),
            text=_settled(words),
            small=_("Reference %(ref)s") % {"ref": short_ref(row)},
        )
    return code_panel(row.response_code, code_words(row, words))


def _declined_after_doubt(row: Transaction, words: Words) -> Panel:
    said = CODE_TEXTS.get(row.response_code, UNKNOWN_CODE)
    return Panel(
        tone="attention",
        icon="triangle-alert",
        title=_("Not approved on re-check"),
        text=_("Do not apply the discount. Ask a supervisor before trying again."),
        small=_("%(reason)s Code %(code)s")
        % {"reason": say(said.title, code_words(row, words)), "code": row.response_code},
        advice=words["escalation"],
    )


def _expired(row: Transaction, words: Words) -> Panel:
    return code_panel("0080", words, small=_("Reference %(ref)s") % {"ref": short_ref(row)})


def _manual(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="stop",
        icon="octagon-alert",
        title=_("A person must look at this"),
        text=_("Do not apply the discount and do not redeem again."),
        small=_("Reference %(ref)s") % {"ref": short_ref(row)},
        advice=words["escalation"],
    )


def _manual_reversal(row: Transaction, words: Words) -> Panel:
    return Panel(
        tone="stop",
        icon="octagon-alert",
        title=_("A person must look at this"),
        text=_("The miles may already be back. Give no refund or credit for them yet."),
        small=_("Reference %(ref)s") % {"ref": short_ref(row)},
        advice=words["escalation"],
    )


def short_ref(row: Transaction) -> str:
    """The first eight characters of our reference, to say over the telephone."""
    return str(row.reference)[:8].upper()


_Say = Callable[[Transaction, Words], Panel]
_REDEMPTIONS: dict[Shown, _Say] = {
    Shown.WAITING: waiting,
    Shown.DOUBT: _doubt,
    Shown.CANCELLING: _cancelling,
    Shown.QUEUED: _queued,
    Shown.PENDING: waiting,
    Shown.APPROVED: _done,
    Shown.DONE: _done,
    Shown.CONFIRMED: _done,
    Shown.DECLINED: _declined,
    Shown.REJECTED: _declined,
    Shown.PARTIAL: _manual,
    Shown.DECLINED_AFTER_DOUBT: _declined_after_doubt,
    Shown.NOT_SENT: _not_sent,
    Shown.EXPIRED: _expired,
    Shown.MANUAL: _manual,
}
_REVERSALS: dict[Shown, _Say] = {
    **_REDEMPTIONS,
    Shown.DOUBT: _doubtful_reversal,
    Shown.CANCELLING: _doubtful_reversal,
    Shown.QUEUED: _queued_reversal,
    Shown.APPROVED: _given_back,
    Shown.DONE: _given_back,
    Shown.CONFIRMED: _given_back,
    Shown.MANUAL: _manual_reversal,
    Shown.PARTIAL: _manual_reversal,
}
