"""A redemption that people have settled: the till says so, and offers what still can be done."""

from typing import Any

import pytest
from django.utils import timezone

from amcash import reversals
from backoffice.journal import entries
from backoffice.journal.models import Transaction
from backoffice.journal.rulings import Ruling
from backoffice.journal.states import State
from tests.cashier.conftest import Till
from tests.cast import COLLECTOR, Cast
from tests.figures import stands_in
from tests.scripted import ScriptedPlatform, approved, offer

pytestmark = pytest.mark.django_db

NUMBER = "7KQ420X9B1TM"


def settled(
    till: Till, cast: Cast, scripted: ScriptedPlatform, outcome: State, number: str = NUMBER
) -> str:
    """Redeem, with an answer that lacks its number, and have two people settle it."""
    scripted.will(offer(), approved(txnConfirmationNumber=""))
    sale = till.redeem(COLLECTOR)
    row = Transaction.objects.get()
    assert row.state == State.MANUAL
    ruling = Ruling(
        note="Asked the desk.",
        outcome=outcome,
        help_desk_ref="HD-77",
        confirmation_number=number,
        amount_cents=4000,
    )
    now = timezone.now()
    entries.propose(row, ruling, person=cast.manager, now=now)
    proposal = entries.proposal_of(row)
    assert proposal is not None
    entries.confirm(
        row,
        proposal.pk,
        note="The same.",
        person=cast.administrator,
        now=now,
        make_reversal=reversals.unwanted,
    )
    return sale


def test_a_discount_that_was_never_given_is_not_said_to_be_off(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    sale = settled(till, cast, scripted, State.APPROVED)
    page = till.get(sale)
    assert "It went through, but the customer got no discount." in page
    assert "Do not apply it now. Reverse it to give the miles back." in page
    assert "Two people have settled this with AIR MILES." in page
    assert "$40.00 off." not in page and f'href="{sale}reverse/"' in page


def test_nothing_of_it_is_presented_or_printed(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    sale = settled(till, cast, scripted, State.APPROVED)
    assert f"{sale}present/" not in till.get(sale) and f"{sale}receipt/" not in till.get(sale)
    # A screen from before the decision still has its buttons.
    till.post(f"{sale}present/", then="next")
    row = Transaction.objects.get()
    assert (row.state, row.presented_at) == (State.APPROVED, None)
    assert "customer got no discount" in till.get(f"{sale}receipt/")


def test_a_discount_that_was_given_says_who_settled_it(
    till: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    page = till.get(settled(till, cast, scripted, State.DONE))
    assert "$40.00 off." in page and "Two people have settled this with AIR MILES." in page
    assert stands_in("7KQ4\u00a020X9\u00a0B1TM", page)


@pytest.mark.parametrize("outcome", [State.DONE, State.APPROVED])
def test_without_its_number_nothing_is_offered_to_be_reversed(
    till: Till, cast: Cast, scripted: ScriptedPlatform, outcome: State
) -> None:
    sale = settled(till, cast, scripted, outcome, number="")
    page = till.get(sale)
    assert f"{sale}reverse/" not in page and "Last moment to reverse" not in page
    asked: dict[str, Any] = {"client_ref": "b9a5a5c1-7f7e-4b52-8c83-0f3f5f0f0f0f"}
    for answer in (till.get(f"{sale}reverse/"), till.post(f"{sale}reverse/", **asked).content):
        page = answer if isinstance(answer, str) else answer.decode()
        assert "This cannot be reversed." in page
    assert not Transaction.objects.filter(operation="reverse").exists()


def test_a_receipt_without_its_number_promises_no_reversal(
    plain: Till, cast: Cast, scripted: ScriptedPlatform
) -> None:
    sale = settled(plain, cast, scripted, State.DONE, number="")
    paper = plain.get(f"{sale}receipt/")
    assert "$40.00" in paper and "Valid for reversal" not in paper
