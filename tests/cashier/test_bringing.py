"""Goods brought back: the sale is found by any of its numbers, and its miles taken back once."""

import re
import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.cards import Card, EntryMode
from backoffice.journal import sales
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from backoffice.stores.models import Calculation
from issuance import corrections, selectors, services
from issuance.models import Kind, Offer
from issuance.orders import IssuanceOrder
from tests.cashier.conftest import Till, sit_down
from tests.cashier.test_giving import add, give, given, previewed, read_card, sale_of, text
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import TRANSACTION_ID, answered, confirmed, pending
from tests.scripted import ScriptedPlatform, approved, not_sent, offer, reversed_

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(cast: Cast) -> Cast:
    """The sponsor works out the miles itself: five for two bags of dog food, one for each $10."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    for number, kind, fields in (
        ("100001", Kind.BASE, {"per_cents": 1000, "miles": 1}),
        ("100004", Kind.ITEM, {"per_quantity": 2, "miles": 5, "items": "SKU1234"}),
    ):
        Offer.objects.create(
            sponsor=cast.sponsor,
            offer_id=number,
            code="STANDARD",
            kind=kind,
            description_en=f"Offer {number}",
            **fields,
        )
    return cast


def sold_by_items(till: Till, scripted: ScriptedPlatform) -> str:
    """Two bags and chips: six miles."""
    page = add(till, read_card(till), by="items")
    page = add(till, page, sku="SKU1234", price="9.99", quantity="2")
    page = add(till, page, sku="SKU1252", price="4.99")
    preview = till.post(reverse("cashier:give_preview"), sale=sale_of(page), after="28.22")
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    return given(till, text(preview))


def brought(till: Till, sale: str, **picked: str) -> str:
    """Pick what comes back; return the preview."""
    return text(till.post(f"{sale}return/", **picked))


def found_by(till: Till, number: str) -> str:
    return text(till.post(reverse("cashier:return"), confirmation=number))


@pytest.mark.parametrize("way", ["transaction", "till", "code", "typed"])
def test_a_sale_is_found_by_every_number_it_has(
    till: Till, ours: Cast, scripted: ScriptedPlatform, way: str
) -> None:
    sold_by_items(till, scripted)
    row = Transaction.objects.get()
    number = {
        "transaction": TRANSACTION_ID,
        "till": row.checkout_id,
        "code": sales.code_of(row),
        "typed": TRANSACTION_ID.upper(),
    }[way]
    page = found_by(till, number)
    assert "What comes back?" in page and "SKU1234" in page
    # A scanner gives it anywhere.
    if way == "code":
        assert "What comes back?" in till.scan(number)


def test_one_of_two_bags_takes_its_miles_and_the_rest_later(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale = sold_by_items(till, scripted)
    page = brought(till, sale, piece_1="1", after="11.29")
    assert "6 miles" in page and "Offer 100004" in page
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    returned = till.get(given(till, page))
    assert "6 miles taken back." in returned and "Refund the sale" in returned
    (line,) = scripted.sent[-1].fields["items"]
    assert (line["id"], line["number"], line["quantity"]) == ("SKU1234", 1, 1)
    assert scripted.sent[-1].fields["originalTransactionId"] == TRANSACTION_ID
    # What is left is one bag and the chips; more than that cannot come back.
    page = brought(till, sale, piece_1="2", after="22.57")
    assert "More than is left of it." in page
    page = brought(till, sale, piece_1="1", piece_2="1", after="16.93")
    assert "1 mile\n" in page or "1 mile<" in page
    scripted.will(confirmed())
    assert "1 mile taken back." in till.get(given(till, page))
    taken = Transaction.objects.filter(operation=Operation.RETURN)
    assert sum(row.miles or 0 for row in taken) == 7


def test_a_return_is_taken_once_however_often_it_is_pressed(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale = sold_by_items(till, scripted)
    pages = [brought(till, sale, piece_1="2", after="22.58") for _till in range(2)]
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    assert given(till, pages[0]) == given(till, pages[0])
    refusal = text(till.post(reverse("cashier:give_confirm"), sale=sale_of(pages[1])))
    assert "Another till returns from this sale just now." in refusal and "Look again" in refusal
    assert Transaction.objects.filter(operation=Operation.RETURN).count() == 1


def test_a_sale_by_its_totals_is_returned_by_an_amount(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = previewed(till, read_card(till))
    scripted.will(confirmed())
    sale = given(till, page)
    assert "At most $100.00." in till.get(f"{sale}return/")
    assert "More than is left of the sale." in brought(till, sale, before="100.01", after="113.01")
    page = brought(till, sale, before="95.00", after="107.35")
    assert "10 miles" in page
    assert "At most $100.00." in till.get(f"{sale}return/")
    scripted.will(confirmed())
    given(till, page)
    assert "At most $5.00." in till.get(f"{sale}return/")


@pytest.mark.parametrize(
    ("picked", "said"),
    [
        ({"after": "1.00"}, "Nothing is picked."),
        ({"piece_1": "1", "after": ""}, "Type the amount."),
        ({"piece_1": "1", "after": "9.98"}, "With tax it cannot be less than before."),
        ({"piece_1": "one", "after": "11.00"}, "Type a quantity such as"),
    ],
)
def test_what_is_picked_wrongly_is_named(
    till: Till, ours: Cast, scripted: ScriptedPlatform, picked: dict[str, str], said: str
) -> None:
    page = brought(till, sold_by_items(till, scripted), **picked)
    assert said in page and 'aria-invalid="true"' in page
    assert Transaction.objects.count() == 1


def test_what_cost_no_miles_takes_none_and_says_so(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = previewed(till, read_card(till), before="105.00", after="118.65")
    scripted.will(confirmed())
    page = brought(till, given(till, page), before="5.00", after="5.65")
    assert "No miles to take back." in page and 'name="sale"' not in page


def test_the_programme_calculates_what_a_return_takes(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(answered(200, ""), confirmed())
    sale = give(till)
    scripted.will(answered(200, ""))
    page = brought(till, sale, before="100.00", after="113.00")
    asked = scripted.sent[-1].fields
    assert asked["transactionType"] == "RETURN"
    assert asked["originalTransactionId"] == TRANSACTION_ID
    scripted.will(confirmed())
    assert "5 miles taken back." in till.get(given(till, page))
    assert scripted.sent[-1].path.endswith("/return")


def test_a_return_of_a_pending_sale_waits_and_says_so(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(answered(200, ""), pending())
    sale = give(till)
    scripted.will(not_sent())
    page = till.get(given(till, brought(till, sale, before="100.00", after="113.00")))
    assert "The miles are taken back later" in page
    assert Transaction.objects.get(operation=Operation.RETURN).state == State.QUEUED


def test_the_redemption_of_the_sale_is_offered_with_its_deadline(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    redeemed = till.redeem(COLLECTOR)
    page = till.get(f"{redeemed}give/")
    scripted.will(confirmed())
    sale = given(till, previewed(till, page, before="40.00", after="43.35"))
    # The one receipt leads to the return of both.
    page = found_by(till, "7KQ4 20X9 B1TM")
    assert "What comes back?" in page and "$40.00 of this sale was paid with miles" in page
    assert f'href="{redeemed}reverse/"' in page and "data-countdown" in page
    page = brought(till, sale, before="40.00", after="43.35")
    scripted.will(confirmed())
    page = till.get(given(till, page))
    assert "4 miles taken back." in page and "data-countdown" in page
    assert "Reverse $40" in page and f'href="{redeemed}reverse/"' in page
    confirm = till.get(f"{redeemed}reverse/")
    press = re.search(r'name="client_ref" value="([^"]+)"', confirm)
    assert press is not None
    scripted.will(reversed_())
    done = text(till.post(f"{redeemed}reverse/", client_ref=press[1]))
    assert "380 miles given back." in done
    # Nothing more is offered once it is done.
    assert "was paid with miles" not in till.get(f"{sale}return/")


def test_a_sale_from_elsewhere_is_returned_by_its_number(
    till: Till, scripted: ScriptedPlatform
) -> None:
    page = found_by(till, "ELSEWHERE-77")
    assert "not found" in page and "Return by this number" in page
    url = reverse("cashier:give_unknown")
    assert "A card number has 11 digits" in text(till.post(url, original_id="E-77", value="80"))
    page = text(till.post(url, original_id="ELSEWHERE-77", value=COLLECTOR))
    assert "What comes back?" in page
    scripted.will(answered(200, ""))
    page = previewed(till, page, before="20.00", after="22.60")
    assert "Take these miles back?" in page
    scripted.will(confirmed())
    assert "5 miles taken back." in till.get(given(till, page))
    fields: dict[str, Any] = scripted.sent[-1].fields
    assert fields["originalTransactionId"] == "ELSEWHERE-77"


def test_of_an_unknown_sale_todays_offers_say_what_comes_back_and_the_screen_says_so(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = found_by(till, "ELSEWHERE-77")
    assert "Return by this number" in page
    page = text(till.post(reverse("cashier:give_unknown"), original_id="E-77", value=COLLECTOR))
    page = add(till, page, by="items")
    assert "Scan what comes back" in page
    page = add(till, page, sku="SKU1234", price="9.99", quantity="2")
    page = text(till.post(reverse("cashier:give_preview"), sale=sale_of(page), after="22.58"))
    assert "6 miles" in page and "this sale is not known here" in page
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    assert "6 miles taken back." in till.get(given(till, page))
    sent = scripted.sent[-1]
    assert sent.path.endswith("/reverse") and sent.fields["originalTransactionId"] == "E-77"
    assert [line["id"] for line in sent.fields["items"]] == ["SKU1234"]


def test_a_rejected_sale_has_nothing_to_bring_back(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(answered(200, ""), confirmed("REJECTED"))
    sale = give(till)
    assert "No miles were given." in till.get(f"{sale}return/")


def test_a_sale_of_another_store_is_not_found(
    cast: Cast, ours: Cast, plain: Till, scripted: ScriptedPlatform
) -> None:
    sold_by_items(plain, scripted)
    stranger = sit_down(cast.south_manager, cast.south_till)
    assert "not found" in found_by(stranger, TRANSACTION_ID)


def test_another_language_keeps_a_number_that_is_half_typed(till: Till) -> None:
    page = till.get(reverse("cashier:return"))
    assert re.search(r'<form id="confirmation"[^>]* data-kept>', page)
    assert re.search(r'<form id="resume"[^>]*>.*name="resumes" value="1"', page)
    page = text(till.post(reverse("cashier:return"), resumes="1", confirmation="7KQ4 2"))
    assert 'value="7KQ4 2"' in page
    assert "field__error" not in page and "aria-invalid" not in page
    # What was not found stays in view, and a card is kept nowhere.
    page = found_by(till, "ELSEWHERE-77")
    assert 'name="unknown" value="ELSEWHERE-77"' in page
    fields = {"resumes": "1", "unknown": "ELSEWHERE-77", "confirmation": COLLECTOR}
    page = text(till.post(reverse("cashier:return"), **fields))
    assert 'name="original_id" value="ELSEWHERE-77"' in page and COLLECTOR not in page
    page = text(till.post(reverse("cashier:return"), resumes="1", unknown=COLLECTOR))
    assert COLLECTOR not in page and 'name="original_id"' not in page


def test_another_language_keeps_what_was_picked(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    sale = sold_by_items(till, scripted)
    page = brought(till, sale, resumes="1", piece_1="1", after="11.29")
    assert "What comes back?" in page and 'value="11.29"' in page
    assert re.search(r'name="piece_1" value="1"', page)
    assert "field__error" not in page


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
