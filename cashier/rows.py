"""One line of a list of sales, and the facts and moments beside a sale. Formats only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from amcash import rules
from amcash.receipts import whole_basket_of
from backoffice.journal.choices import Result, Step
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import Operation, Shown, State, Wanted
from cashier.cards import OpenSale
from cashier.templatetags.milepost import (
    clock,
    clock_s,
    count,
    day_clock,
    dollars,
    money,
    seconds,
    time_left,
)
from cashier.texts import ENTRY_WORDS


@dataclass(frozen=True, kw_only=True)
class Row:
    """A sale in a list."""

    url: str
    time: str
    amount_cents: int | None
    last4: str
    shown: str
    is_reversed: bool
    is_reversal: bool
    till: str
    cashier: str
    code: str
    confirmation: str
    kind: str
    is_miles: bool
    miles: int | None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A word and its value."""

    word: str
    value: str
    is_strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What happened when; with `countdown`, how long there is until then."""

    at: datetime
    time: str
    text: str
    countdown: datetime | None = None
    left: str = ""


def row_of(transaction: Transaction, now: datetime) -> Row:
    """Return the line a list shows of a transaction."""
    amount = transaction.amount_cents
    if amount is None:
        amount = transaction.asked_cents
    return Row(
        url=reverse("cashier:sale", args=[transaction.reference]),
        time=clock(transaction.opened_at, transaction.store),
        amount_cents=amount,
        last4=transaction.collector_last4,
        shown=shown_word(transaction, now),
        is_reversed=transaction.reversed_at is not None,
        is_reversal=transaction.is_undoing,
        till=transaction.device.number,
        cashier=transaction.user.shown_name if transaction.user else "",
        code=transaction.response_code,
        confirmation=transaction.confirmation_number,
        kind=transaction.operation,
        is_miles=transaction.is_issuance,
        miles=transaction.miles,
    )


def is_given_up(transaction: Transaction) -> bool:
    """Whether the customer paid another way: what the programme approves of it goes back."""
    return transaction.wanted == Wanted.CANCEL and transaction.operation == Operation.REDEEM


def lacks_discount(transaction: Transaction) -> bool:
    """Whether people have settled that it went through while the customer got no discount."""
    if transaction.operation != Operation.REDEEM or transaction.state != State.APPROVED:
        return False
    decided = transaction.decisions.filter(step=Step.CONFIRMED, outcome=State.APPROVED)
    return transaction.reversed_at is None and decided.exists()


def may_be_reversed(transaction: Transaction, now: datetime) -> bool:
    """Whether a till offers to give a redemption back: not without the number that names it."""
    is_open = transaction.reversed_at is None and not transaction.credit_given
    is_in_time = rules.may_reverse(now=now, deadline_at=transaction.deadline_at)
    return _is_reversible(transaction) and is_open and is_in_time


def shown_word(transaction: Transaction, now: datetime) -> str:
    """Return what a screen says, in a word; an approval nobody wants is being given back."""
    if transaction.reversed_at is not None:
        return "reversed"
    if transaction.credit_given:
        return "credited"
    if transaction.is_granted and is_given_up(transaction):
        return Shown.CANCELLING.value
    return transaction.shown(now).value


def masked(last4: str) -> str:
    """The only digits of a card that a screen shows."""
    return f"••••\u00a0{last4}"


def facts_of_sale(sale: OpenSale) -> list[Fact]:
    """Return this sale so far: the card, and the basket once it was typed."""
    facts = [
        Fact(word=_("Card"), value=masked(sale.card.last4), is_strong=True),
        Fact(word=_("Read by"), value=str(ENTRY_WORDS[sale.card.entry_mode.value])),
    ]
    if sale.basket_cents is not None:
        facts.append(
            Fact(word=_("Basket after tax"), value=money(sale.basket_cents), is_strong=True)
        )
        if sale.excluded_cents:
            facts.append(Fact(word=_("Does not count"), value=money(-sale.excluded_cents)))
            facts.append(Fact(word=_("Counts"), value=money(sale.counting_cents)))
    return facts


def facts_of_offer(sale: OpenSale, words: Mapping[str, str]) -> list[Fact]:
    """Return the four values to tell the collector; without `today` when balances are hidden."""
    offer = sale.offer
    if offer is None:
        return []
    each = _("%(count)s %(miles)s") % {**words, "count": count(offer.unit_miles)}
    facts = [Fact(word=dollars(offer.unit_cents), value=each)]
    if offer.today_units is not None:
        this_sale = _("up to %(off)s") % {"off": dollars(offer.max_units * offer.unit_cents)}
        today = _("%(off)s more") % {"off": dollars(offer.today_units * offer.unit_cents)}
        facts.append(Fact(word=_("This sale"), value=this_sale))
        facts.append(Fact(word=_("Today"), value=today))
    return facts


def facts_of_transaction(transaction: Transaction) -> list[Fact]:
    """Return this sale as the log has it."""
    mode = ENTRY_WORDS.get(transaction.card_entry_mode, transaction.card_entry_mode)
    facts = [
        Fact(word=_("Card"), value=masked(transaction.collector_last4), is_strong=True),
        Fact(word=_("Read by"), value=str(mode)),
    ]
    basket_cents = whole_basket_of(transaction.reverses or transaction)
    if basket_cents is not None:
        facts.append(Fact(word=_("Basket after tax"), value=money(basket_cents), is_strong=True))
    if transaction.asked_cents is not None:
        word = _("To give back") if transaction.reverses_id else _("Asked")
        facts.append(Fact(word=word, value=money(transaction.asked_cents), is_strong=True))
    return facts


def moments_of(transaction: Transaction, now: datetime) -> list[Moment]:
    """Return what happened, as times and sentences, and the last moment to reverse."""
    attempts = list(transaction.attempts.all())
    moments = [_attempt(transaction, attempt, attempts) for attempt in attempts]
    if transaction.reversed_at:
        text = _("Reversed. The miles are back.")
        moments.append(_moment(transaction, transaction.reversed_at, text))
    elif transaction.credit_given_at:
        text = _("%(kind)s given instead of the miles")
        given = text % {"kind": transaction.get_credit_given_display()}
        moments.append(_moment(transaction, transaction.credit_given_at, given))
    elif _is_reversible(transaction):
        moments.append(deadline_moment(transaction, now))
    return moments


def deadline_moment(transaction: Transaction, now: datetime) -> Moment:
    """Return the last moment to reverse at a till, with a countdown while there is time."""
    deadline = rules.reversible_until(transaction.deadline_at)
    left = int((deadline - now).total_seconds())
    if left <= 0:
        text = _("The time to reverse is over")
        return Moment(at=deadline, time=day_clock(deadline, transaction.store), text=text)
    return Moment(
        at=deadline,
        time=day_clock(deadline, transaction.store),
        text=_("Last moment to reverse"),
        countdown=deadline,
        left=time_left(left),
    )


def _is_reversible(transaction: Transaction) -> bool:
    """Whether there is a redemption, and the number that the programme takes it back by."""
    is_redemption = transaction.operation == Operation.REDEEM
    return is_redemption and transaction.is_granted and bool(transaction.confirmation_number)


def _moment(transaction: Transaction, at: datetime, text: str) -> Moment:
    return Moment(at=at, time=clock_s(at, transaction.store), text=text)


def _attempt(transaction: Transaction, attempt: Attempt, attempts: Sequence[Attempt]) -> Moment:
    sent = _("Sent") if attempt is attempts[0] else _("Same request again")
    if transaction.is_granted and attempt.result == Result.ANSWERED:
        name = transaction.user.shown_name if transaction.user else _("Till")
        done = {
            Operation.REVERSE: _("Reversed by %(name)s"),
            Operation.ISSUE: _("Given by %(name)s"),
            Operation.RETURN: _("Taken back by %(name)s"),
        }.get(Operation(transaction.operation), _("Redeemed by %(name)s"))
        sent = done % {"name": name}
    came = _came(attempt)
    text = _("%(sent)s · %(came)s") % {"sent": sent, "came": came}
    return _moment(transaction, attempt.armed_at, text)


def _came(attempt: Attempt) -> str:
    # In one piece: a unit does not stand on a line of its own.
    took = f"{seconds(attempt.duration_ms or 0)}\u00a0s"
    match attempt.result:
        case Result.ANSWERED:
            return _("answered in %(took)s") % {"took": took}
        case Result.UNKNOWN:
            return _("no answer after %(took)s") % {"took": took}
        case Result.NOT_SENT:
            return _("could not be reached")
        case Result.NOT_EXECUTED:
            return _("not carried out")
        case _:
            return _("waiting for the answer")
