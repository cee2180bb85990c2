"""A receipt in the words of its language, for the screen and for 80 mm paper.

Formats only: what may be said, `amcash.receipts` has decided.
"""

from dataclasses import dataclass

from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import override

from amcash.receipts import Receipt
from cashier.barcodes import code128
from cashier.templatetags.milepost import count, money, zone_word
from cashier.texts import ENTRY_WORDS


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


def paper_of(receipt: Receipt, *, has_balances: bool = False) -> Paper:
    """Return the receipt in its own language; `has_balances` says that the paper prints them."""
    with override(receipt.language):
        return Paper(
            language=receipt.language,
            title=_("Reversal") if receipt.is_reversal else _("Redemption"),
            sponsor_name=receipt.sponsor_name,
            store_name=f"{receipt.store_name}, {receipt.city}",
            till=_("Till %(number)s") % {"number": receipt.till},
            cashier_name=receipt.cashier,
            printed=f"{receipt.at:%Y-%m-%d %H:%M} {zone_word(receipt.at)}",
            lines=_lines(receipt),
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
    if receipt.reversible_until is None:
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
