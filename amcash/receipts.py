"""What a receipt says of a redemption or a reversal. The balance rules are applied here, once.

Templates get the result and never a raw balance (PLATFORM 5; PRODUCT 4, balances).
"""

from dataclasses import dataclass, field
from datetime import datetime

from amcash import messages, rules
from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from backoffice.units import Cents, Miles


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One receipt. Moments are in the store's time; `balances` is empty where none may be shown."""

    reference: str
    language: str
    sponsor_name: str
    programme: str
    store_name: str
    store_number: str
    city: str
    till: str
    cashier: str
    at: datetime
    is_reversal: bool
    is_copy: bool
    is_training: bool
    card_masked: str
    card_entry_mode: str
    cash_word: str
    miles: Miles | None
    units: int | None
    amount_cents: Cents | None
    basket_cents: Cents | None
    left_cents: Cents | None
    confirmation_number: str
    reversible_until: datetime | None
    balances: tuple[tuple[str, Miles], ...] = field(default=(), repr=False)
    balances_at: datetime | None = None

    @property
    def confirmation_grouped(self) -> str:
        """The confirmation number in groups of four, for eyes."""
        number = self.confirmation_number
        return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def receipt_for(transaction: Transaction, *, is_copy: bool, with_balances: bool) -> Receipt:
    """Return the receipt of an approved transaction.

    `with_balances` is for paper only: Cash and Dream balances never stand on a screen. They are
    shown only where the answer's code allows it, and are not even stored where it does not.
    """
    assert transaction.is_granted
    store = transaction.store
    sponsor = store.sponsor
    language = transaction.language
    is_reversal = transaction.operation == Operation.REVERSE
    told = transaction.reverses if is_reversal and transaction.reverses else transaction
    at = (transaction.settled_at or transaction.opened_at).astimezone(store.tzinfo)
    return Receipt(
        reference=str(transaction.reference),
        language=language,
        sponsor_name=sponsor.name,
        programme=sponsor.word("programme", language),
        store_name=store.name_in(language),
        store_number=store.number,
        city=store.city,
        till=transaction.device.number,
        cashier=transaction.user.shown_name if transaction.user else "",
        at=at,
        is_reversal=is_reversal,
        is_copy=is_copy,
        is_training=transaction.is_training,
        card_masked="•" * 7 + transaction.collector_last4,
        card_entry_mode=transaction.card_entry_mode,
        cash_word=sponsor.word("cash", language),
        miles=_miles(told.miles),
        units=told.units,
        amount_cents=_cents(told.amount_cents),
        basket_cents=whole_basket_of(told),
        left_cents=None if is_reversal else _left(told),
        # The platform's pages promise a number of its own for a reversal; without one, the
        # redemption's is the only handle there is.
        confirmation_number=transaction.confirmation_number or told.confirmation_number,
        reversible_until=None if is_reversal else told.deadline_at.astimezone(store.tzinfo),
        balances=_balances(transaction) if with_balances else (),
        balances_at=at,
    )


def whole_basket_of(redemption: Transaction) -> Cents | None:
    """Return what the customer had to pay, goods that do not count included.

    The row keeps the part that counts; the whole stands in the request, until that is emptied.
    """
    body = payloads.body_of(redemption)
    if body and redemption.operation == Operation.REDEEM:
        return messages.original_basket_of(body)
    return _cents(redemption.basket_cents)


def _balances(transaction: Transaction) -> tuple[tuple[str, Miles], ...]:
    kept = payloads.answer_of(transaction)
    if kept is None:
        return ()
    answer = messages.parse(kept)
    sponsor = transaction.store.sponsor
    told = (("cash", answer.cash_miles), ("dream", answer.dream_miles))
    lines = []
    for word, balance in told:
        shown = rules.shown_balance(balance, code=transaction.response_code)
        if shown is not None:
            lines.append((sponsor.word(word, transaction.language), shown))  # type: ignore[arg-type]
    return tuple(lines)


def _left(transaction: Transaction) -> Cents | None:
    basket_cents = whole_basket_of(transaction)
    if basket_cents is None or transaction.amount_cents is None:
        return None
    return Cents(basket_cents - transaction.amount_cents)


def _miles(value: int | None) -> Miles | None:
    return None if value is None else Miles(value)


def _cents(value: int | None) -> Cents | None:
    return None if value is None else Cents(value)
