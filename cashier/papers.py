"""A receipt in the words of its language, for the screen and for 80 mm paper.

Formats only: what may be said of a redemption, `amcash.receipts` has decided.
"""

from dataclasses import dataclass

from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import override

from amcash.receipts import Receipt
from backoffice.barcodes import code128
from backoffice.journal import sales
from backoffice.journal.choices import OfferStatus
from backoffice.journal.models import Transaction
from backoffice.journal.states import UNSETTLED, Operation
from cashier.templatetags.milepost import count, money, zone_word
from cashier.texts import ENTRY_WORDS
from issuance.selectors import names_of


@dataclass(frozen=True, kw_only=True)
class Line:
    """A word on the left, a value on the right."""

    word: str
    value: str
    is_strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A receipt, ready to be laid out; `balances` is empty on the screen."""

    language: str
    title: str
    sponsor_name: str
    store_name: str
    till: str
    cashier_name: str
    printed: str
    lines: tuple[Line, ...]
    balances: tuple[Line, ...]
    balances_note: str
    has_balances: bool
    confirmation: str
    barcode: SafeString
    deadline: str
    is_copy: bool
    is_training: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Miles:
    """What a receipt says of miles given or taken back, in its language."""

    lines: tuple[Line, ...]
    note: str


def paper_of(receipt: Receipt, *, has_balances: bool = False, miles: Miles | None = None) -> Paper:
    """Return the receipt in its own language; `has_balances` says that the paper prints them.

    With `miles` it is the one receipt of a sale that used miles and earned some.
    """
    with override(receipt.language):
        return Paper(
            language=receipt.language,
            title=_("Reversal") if receipt.is_reversal else _("Redemption"),
            sponsor_name=receipt.sponsor_name,
            store_name=f"{receipt.store_name}, {receipt.city}",
            till=_("Till %(number)s") % {"number": receipt.till},
            cashier_name=receipt.cashier,
            printed=f"{receipt.at:%Y-%m-%d %H:%M} {zone_word(receipt.at)}",
            lines=(*_lines(receipt), *(miles.lines if miles else ())),
            note=miles.note if miles else "",
            balances=tuple(
                Line(word=_("Balance, %(word)s") % {"word": word}, value=count(miles))
                for word, miles in receipt.balances
            ),
            balances_note=_balances_note(receipt),
            has_balances=has_balances,
            confirmation=receipt.confirmation_grouped,
            barcode=_barcode(receipt.confirmation_number),
            deadline=_deadline(receipt),
            is_copy=receipt.is_copy,
            is_training=receipt.is_training,
        )


def paper_of_miles(row: Transaction, *, is_copy: bool) -> Paper:
    """Return the receipt of miles given or taken back, in its own language.

    Its code is our number of the sale, which a later return is found by.
    """
    with override(row.language):
        store, sponsor = row.store, row.store.sponsor
        at = row.opened_at.astimezone(store.tzinfo)
        card = _("%(programme)s card") % {"programme": sponsor.word("programme", row.language)}
        entry = str(ENTRY_WORDS.get(row.card_entry_mode, row.card_entry_mode))
        told = miles_of(row)
        is_return = row.operation == Operation.RETURN
        return Paper(
            language=row.language,
            title=_("Return") if is_return else _("Miles"),
            sponsor_name=sponsor.name,
            store_name=f"{store.name_in(row.language)}, {store.city}",
            till=_("Till %(number)s") % {"number": row.device.number},
            cashier_name=row.user.shown_name if row.user else "",
            printed=f"{at:%Y-%m-%d %H:%M} {zone_word(at)}",
            lines=(
                Line(word=card, value="•" * 7 + row.collector_last4),
                Line(word=_("Read by"), value=entry),
                Line(word=_("Basket after tax"), value=money(row.basket_cents)),
                *told.lines,
            ),
            balances=(),
            balances_note="",
            has_balances=False,
            confirmation=row.confirmation_number or row.checkout_id,
            barcode=SafeString("") if is_return else _barcode(sales.code_of(row)),
            deadline="",
            is_copy=is_copy,
            is_training=row.is_training,
            note=told.note,
        )


def miles_of(row: Transaction) -> Miles:
    """Return what a receipt says of an issuance or a return: what was given, or that it follows.

    An issuance counts with its corrections, a return with what the same press took back of them.
    """
    is_return = row.operation == Operation.RETURN
    rows = (sales.returned_with(row) if is_return else sales.given_of(row)) or [row]
    with override(row.language):
        word = {"miles": row.store.sponsor.word("miles", row.language)}
        lines = [line for one in rows for line in _confirmed(one)]
        if any(one.state in UNSETTLED for one in rows):
            said = (
                _("The %(miles)s are taken back later.")
                if is_return
                else _("Your %(miles)s for this sale follow.")
            )
            follow = _("to follow")
            total = _("%(miles)s taken back") if is_return else _("%(miles)s given")
            lines = [Line(word=_capital(total % word), value=follow, is_strong=True)]
            return Miles(lines=tuple(lines), note=said % word)
        total = _("%(miles)s taken back") if is_return else _("%(miles)s given")
        miles = sum(one.miles or 0 for one in rows)
        lines.append(Line(word=_capital(total % word), value=count(miles), is_strong=True))
        return Miles(lines=tuple(lines), note="")


def _confirmed(row: Transaction) -> list[Line]:
    names = names_of(row)
    final = [one for one in row.offers.all() if one.status == OfferStatus.CONFIRMED]
    return [Line(word=names[one.offer_id], value=count(one.miles)) for one in final]


def _lines(receipt: Receipt) -> tuple[Line, ...]:
    card = _("%(programme)s card") % {"programme": receipt.programme}
    entry = str(ENTRY_WORDS.get(receipt.card_entry_mode, receipt.card_entry_mode))
    lines = [
        Line(word=card, value=receipt.card_masked),
        Line(word=_("Read by"), value=entry),
    ]
    if receipt.is_reversal:
        back = _("%(word)s given back") % {"word": _capital(receipt.cash_word)}
        lines.append(Line(word=back, value=count(receipt.miles)))
        lines.append(Line(word=_("Reversed"), value=money(receipt.amount_cents), is_strong=True))
        return tuple(lines)
    used = _("%(word)s used") % {"word": _capital(receipt.cash_word)}
    lines.append(Line(word=used, value=count(receipt.miles)))
    if receipt.basket_cents is not None:
        lines.append(Line(word=_("Basket after tax"), value=money(receipt.basket_cents)))
    off = money(-receipt.amount_cents) if receipt.amount_cents is not None else money(None)
    lines.append(Line(word=_("Taken off"), value=off, is_strong=True))
    if receipt.left_cents is not None:
        lines.append(Line(word=_("Left to pay"), value=money(receipt.left_cents), is_strong=True))
    return tuple(lines)


def _balances_note(receipt: Receipt) -> str:
    if not receipt.balances or receipt.balances_at is None:
        return ""
    return _("as of %(time)s today") % {"time": receipt.balances_at.strftime("%H:%M")}


def _deadline(receipt: Receipt) -> str:
    # Without its number there is nothing to reverse it by.
    if receipt.reversible_until is None or not receipt.confirmation_number:
        return ""
    until = receipt.reversible_until
    day = formats.date_format(until, "D j F")
    return _("Valid for reversal until %(day)s %(time)s") % {
        "day": day,
        "time": f"{until:%H:%M}\u00a0{zone_word(until)}",
    }


def _barcode(text: str) -> SafeString:
    return code128(text) if text else SafeString("")


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
