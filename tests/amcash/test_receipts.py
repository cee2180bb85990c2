"""What stands on a receipt, and above all what does not."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from amcash import services
from amcash.receipts import Receipt, receipt_for
from backoffice.journal import payloads
from backoffice.journal.models import Payload, Transaction
from backoffice.people.actors import Actor, Channel
from backoffice.units import Cents
from tests.amcash.stories import order, redeem, reverse
from tests.cast import COLLECTOR, Cast
from tests.figures import stands_in
from tests.journal.rows import written
from tests.scripted import CONFIRMATION, ScriptedPlatform, approved, code, reversed_

pytestmark = pytest.mark.django_db


@pytest.fixture
def redemption(cast: Cast, scripted: ScriptedPlatform) -> Iterator[Transaction]:
    """$40 off a $43.35 basket at North's first till."""
    scripted.will(approved())
    yield redeem(cast)


def paper(row: Transaction, *, is_copy: bool = False) -> Receipt:
    return receipt_for(row, is_copy=is_copy, with_balances=True)


def test_a_receipt_says_who_where_when_how_much_and_by_which_number(
    redemption: Transaction,
) -> None:
    receipt = paper(redemption)
    assert (receipt.sponsor_name, receipt.programme) == ("Northgate Grocers", "AIR MILES")
    assert (receipt.store_name, receipt.store_number, receipt.city) == ("North", "0001", "Toronto")
    assert (receipt.till, receipt.cashier) == ("001", "Cashier")
    assert (receipt.units, receipt.miles, receipt.amount_cents) == (4, 380, 4000)
    assert (receipt.basket_cents, receipt.left_cents) == (4335, 335)
    assert receipt.confirmation_number == CONFIRMATION
    assert receipt.confirmation_grouped == "7KQ4 20X9 B1TM"
    assert receipt.card_masked == "•••••••0001" and receipt.card_entry_mode == "SCAN"
    assert not receipt.is_reversal and not receipt.is_copy and not receipt.is_training
    assert paper(redemption, is_copy=True).is_copy


def test_times_are_the_stores_and_the_deadline_is_the_transactions(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    south = Actor(user=cast.south_manager, device=cast.south_till)
    row = services.redeem(order(), actor=south, now=timezone.now()).transaction
    receipt = paper(row)
    assert str(receipt.at.tzinfo) == "America/St_Johns" and receipt.at == row.settled_at
    assert receipt.reversible_until == row.deadline_at
    # 03:00 in the programme's Toronto, as the wall clock of St. John's tells it.
    assert receipt.reversible_until is not None
    assert (receipt.reversible_until.hour, receipt.reversible_until.minute) == (4, 30)


def test_balances_are_printed_where_the_code_allows_and_are_on_no_screen(
    redemption: Transaction,
) -> None:
    assert paper(redemption).balances == (("Cash miles", 820), ("Dream miles", 545))
    on_screen = receipt_for(redemption, is_copy=False, with_balances=False)
    assert on_screen.balances == ()
    assert not any(stands_in(figure, repr(paper(redemption))) for figure in ("820", "545"))


def test_a_suppressed_balance_is_on_no_receipt_whatever_the_platform_sent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved(response_code="0001"))
    receipt = paper(redeem(cast))
    assert receipt.balances == ()
    assert (receipt.confirmation_number, receipt.units, receipt.amount_cents) == (
        CONFIRMATION,
        4,
        4000,
    )
    for field in fields(receipt):
        assert getattr(receipt, field.name) not in (820, 545, 760, Cents(8000))


def test_a_balance_in_a_kept_answer_is_not_shown_when_the_code_forbids_it(
    redemption: Transaction,
) -> None:
    # As if an answer had been kept whole by mistake: the row's code still decides.
    Transaction.objects.filter(pk=redemption.pk).update(response_code="0001")
    redemption.refresh_from_db()
    assert b"820" in (payloads.answer_of(redemption) or b"")
    assert paper(redemption).balances == ()


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"cashBalance": ""}, ["Dream miles"]),
        ({"dreamBalance": ""}, ["Cash miles"]),
        ({"cashBalance": "", "dreamBalance": ""}, []),
    ],
)
def test_a_balance_that_did_not_come_is_not_made_up(
    cast: Cast, scripted: ScriptedPlatform, missing: dict[str, Any], words: list[str]
) -> None:
    scripted.will(approved(**missing))
    assert [word for word, _miles in paper(redeem(cast)).balances] == words


def test_a_balance_of_nothing_is_still_a_balance(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved(cashBalance="0"))
    assert paper(redeem(cast)).balances[0] == ("Cash miles", 0)


def bare(cast: Cast, **values: object) -> Transaction:
    """An approved row whose request and answer were shredded, as retention does in the end."""
    past = timezone.now() - timedelta(days=1)
    row = written(cast, state="approved", deadline_at=past, replay_until=past, **values)
    Payload.objects.create(transaction=row, key_id="k", ciphertext=b"", mac="m")
    attempt = row.attempts.create(fence=1, sender="web", armed_at=past, result="answered")
    Payload.objects.create(transaction=row, attempt=attempt, key_id="k", ciphertext=b"", mac="m")
    return row


def test_what_was_shredded_leaves_a_receipt_of_what_the_row_knows(cast: Cast) -> None:
    row = bare(cast, response_code="0000", basket_cents=4335, amount_cents=4000)
    receipt = paper(row)
    assert receipt.balances == ()
    assert (receipt.basket_cents, receipt.left_cents) == (4335, 335)


def test_what_is_left_to_pay_counts_what_miles_cannot_buy(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    receipt = paper(redeem(cast, original_cents=Cents(6835)))
    assert (receipt.basket_cents, receipt.left_cents) == (6835, 2835)


def test_a_reversals_receipt_says_what_came_back_under_its_own_number(
    cast: Cast, scripted: ScriptedPlatform, redemption: Transaction
) -> None:
    scripted.will(reversed_())
    receipt = paper(reverse(cast, redemption))
    assert receipt.is_reversal
    assert (receipt.units, receipt.miles, receipt.amount_cents) == (4, 380, 4000)
    assert receipt.confirmation_number == "R3V3RS4L0001"
    assert (receipt.left_cents, receipt.reversible_until) == (None, None)
    assert receipt.balances == (("Cash miles", 1200),)


def test_a_reversal_without_a_number_shows_its_redemptions(
    cast: Cast, scripted: ScriptedPlatform, redemption: Transaction
) -> None:
    scripted.will(code("0001", 202))
    receipt = paper(reverse(cast, redemption))
    assert receipt.confirmation_number == CONFIRMATION and receipt.balances == ()


def test_a_french_receipt_is_french(cast: Cast, scripted: ScriptedPlatform) -> None:
    cast.north.name_fr = "Nord"
    cast.north.save()
    scripted.will(approved())
    receipt = paper(redeem(cast, language="fr"))
    assert (receipt.language, receipt.store_name) == ("fr", "Nord")
    assert receipt.cash_word == "milles Argent"
    assert [word for word, _miles in receipt.balances] == ["milles Argent", "milles Rêves"]


def test_a_till_without_a_person_prints_no_name(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    till = Actor(user=None, device=cast.till, channel=Channel.SWITCH)
    row = services.redeem(order(), actor=till, now=timezone.now()).transaction
    assert paper(row).cashier == ""


def test_what_the_programme_did_not_say_is_left_out(cast: Cast) -> None:
    receipt = paper(bare(cast))
    assert (receipt.miles, receipt.amount_cents, receipt.left_cents) == (None, None, None)
    assert receipt.confirmation_grouped == ""


@pytest.mark.parametrize("state", ["queued", "armed", "doubt", "declined", "manual", "not_sent"])
def test_there_is_no_receipt_of_what_was_not_approved(cast: Cast, state: str) -> None:
    with pytest.raises(AssertionError):
        paper(written(cast, state=state))


@pytest.mark.parametrize(
    ("number", "grouped"),
    [("", ""), ("7", "7"), ("7KQ4", "7KQ4"), ("7KQ42", "7KQ4 2"), ("7KQ420X9", "7KQ4 20X9")],
)
def test_a_confirmation_number_is_grouped_by_four(cast: Cast, number: str, grouped: str) -> None:
    receipt = paper(bare(cast, confirmation_number=number))
    assert receipt.confirmation_grouped == grouped


def test_the_card_number_is_on_no_receipt(redemption: Transaction) -> None:
    receipt = paper(redemption)
    assert not any(COLLECTOR in str(getattr(receipt, field.name)) for field in fields(receipt))
