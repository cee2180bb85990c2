"""A sale or a return that was put right: told, and brought back, as it really stands."""

import re
import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.cards import Card, EntryMode
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from issuance import corrections, selectors, services
from issuance.orders import IssuanceOrder
from tests.cashier.conftest import Till, sit_down
from tests.cashier.test_bringing import brought, sold_by_items
from tests.cashier.test_giving import add, given, read_card, sale_of, text
from tests.cast import Cast
from tests.issuance.stories import TRANSACTION_ID, answered, confirmed
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(by_goods: Cast) -> Cast:
    """The sponsor works out the miles itself."""
    return by_goods


def sold_and_corrected(
    till: Till, cast: Cast, scripted: ScriptedPlatform, *, becomes: str = "CONFIRMED"
) -> tuple[str, str]:
    """Two bags and chips, of which the offer for bags was rejected at first and given later.

    Return the sale's address and its correction's.
    """
    page = add(till, read_card(till), by="items")
    page = add(till, page, sku="SKU1234", price="9.99", quantity="2")
    page = add(till, page, sku="SKU1252", price="4.99")
    preview = till.post(reverse("cashier:give_preview"), sale=sale_of(page), after="28.22")
    scripted.will(confirmed("CONFIRMED", "REJECTED"))
    sale = given(till, text(preview))
    row = Transaction.objects.get()
    assert row.state == State.PARTIAL
    sold = selectors.sale_of(row)
    card = selectors.card_of(row)
    assert sold is not None and card is not None
    order = IssuanceOrder(
        client_ref=str(uuid.uuid4()),
        sale_ref=row.sale_ref,
        card=card,
        basket=sold.basket,
        language="en",
        awards=tuple(award for award in sold.awards if award.offer_id == "100004"),
    )
    scripted.will(answered(200, becomes, transactionId="correction"))
    corrected = services.give(order, actor=cast.actor, now=timezone.now(), corrects=row).transaction
    assert corrected.state == becomes.lower()
    return sale, reverse("cashier:sale", args=[corrected.reference])


@pytest.mark.parametrize("which", [0, 1])
def test_a_corrected_sale_gives_back_what_it_was_really_given(
    till: Till, ours: Cast, scripted: ScriptedPlatform, which: int
) -> None:
    both = sold_and_corrected(till, ours, scripted)
    first, correction = Transaction.objects.order_by("id")
    # Whichever of the two was found, and first only one bag of what both are for.
    page = brought(till, both[which], piece_1="1", after="11.29")
    assert "6 miles" in page and "Offer 100001" in page and "Offer 100004" in page
    scripted.will(confirmed(), confirmed())
    screen = till.get(given(till, page))
    assert "6 miles taken back." in screen
    assert [sent.fields["originalTransactionId"] for sent in scripted.sent[-2:]] == [
        TRANSACTION_ID,
        "correction",
    ]
    back = Transaction.objects.filter(operation=Operation.RETURN).order_by("id")
    assert [(one.original, one.miles) for one in back] == [(first, 1), (correction, 5)]
    paper = till.client.get(f"/sale/{back[0].reference}/receipt/").content.decode()
    assert re.search(r"Miles taken back</dt><dd>6<", paper)
    # The rest takes the rest, once.
    assert "More than is left of it." in brought(till, both[which], piece_1="2", after="22.57")
    page = brought(till, both[which], piece_1="1", piece_2="1", after="16.93")
    scripted.will(confirmed())
    assert "1 mile taken back." in till.get(given(till, page))
    assert sum(one.miles or 0 for one in back.all()) == 7
    assert "More is brought back" in brought(till, both[0], piece_2="1", after="5.64") or (
        "More than is left" in brought(till, both[0], piece_2="1", after="5.64")
    )


def test_a_correction_stands_on_the_receipt_of_its_sale(
    plain: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale, _correction = sold_and_corrected(plain, ours, scripted)
    paper = plain.client.get(f"{sale}receipt/").content.decode()
    assert re.search(r"Miles given</dt><dd>7<", paper)


@pytest.mark.parametrize("which", [0, 1])
def test_a_corrected_sale_is_told_as_it_stands(
    plain: Till, ours: Cast, scripted: ScriptedPlatform, which: int
) -> None:
    page = plain.get(sold_and_corrected(plain, ours, scripted)[which])
    assert "7 miles given." in page and "not all of them" not in page
    assert "store’s list" not in page and "Rejected" not in page
    assert page.count("Offer 100004") == page.count("Offer 100001") > 0


def test_a_correction_that_is_rejected_too_leaves_what_was_given(
    plain: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale, _correction = sold_and_corrected(plain, ours, scripted, becomes="REJECTED")
    assert "2 miles given, not all of them." in plain.get(sale)


def test_a_corrected_return_is_told_as_it_stands(
    plain: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale = sold_by_items(plain, scripted)
    page = brought(plain, sale, piece_1="2", piece_2="1", after="28.22")
    scripted.will(confirmed("CONFIRMED", "REJECTED"))
    back = given(plain, page)
    assert "2 miles taken back, not all of them." in plain.get(back)
    row = Transaction.objects.get(operation=Operation.RETURN)
    correction = corrections.of(row)
    assert correction is not None
    scripted.will(answered(200, "CONFIRMED", transactionId="correction"))
    other = Card(number="80000010002", entry_mode=EntryMode.SCAN)
    corrections.send(correction, other, person=ours.manager, now=timezone.now())
    page = plain.get(back)
    assert "7 miles taken back." in page and "not all of them" not in page


def test_two_tills_at_one_corrected_sale_send_nothing_of_the_later_one(
    plain: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale, _correction = sold_and_corrected(plain, ours, scripted)
    late = brought(plain, sale, piece_1="1", after="11.29")
    # Of another return only the correction's part is left to be noticed.
    done = brought(plain, sale, piece_1="1", after="11.29")
    scripted.will(confirmed("REJECTED"), confirmed())
    given(plain, done)
    before = len(scripted.sent)
    refusal = text(plain.post(reverse("cashier:give_confirm"), sale=sale_of(late)))
    assert "Nothing was sent." in refusal and len(scripted.sent) == before


def test_what_another_till_took_between_two_sends_is_told_as_it_is(
    plain: Till, ours: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, _correction = sold_and_corrected(plain, ours, scripted)
    page = brought(plain, sale, piece_1="1", after="11.29")
    real, calls = services.take_back, list[object]()

    def between(*args: Any, **options: Any) -> services.Outcome:
        calls.append(args)
        if len(calls) == 2:
            other = sit_down(ours.manager, ours.second_till)
            scripted.will(confirmed(), confirmed())
            given(other, brought(other, sale, piece_1="1", piece_2="1", after="16.93"))
        return real(*args, **options)

    scripted.will(confirmed())
    monkeypatch.setattr(services, "take_back", between)
    for _press in range(2):
        told = text(plain.post(reverse("cashier:give_confirm"), sale=sale_of(page)))
        assert "Not all miles were taken back." in told and "Nothing was sent" not in told
        mine = Transaction.objects.filter(operation=Operation.RETURN).order_by("id")[0]
        assert reverse("cashier:sale", args=[mine.reference]) in told


def test_pressed_twice_a_corrected_sale_is_brought_back_once(
    plain: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale, _correction = sold_and_corrected(plain, ours, scripted)
    page = brought(plain, sale, piece_1="2", piece_2="1", after="28.22")
    scripted.will(confirmed(), confirmed())
    assert given(plain, page) == given(plain, page)
    assert Transaction.objects.filter(operation=Operation.RETURN).count() == 2
