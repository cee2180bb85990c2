"""Goods brought back: the sale is found by any of its numbers, and its miles taken back once."""

import re
from typing import Any

import pytest
from django.urls import reverse

from backoffice.journal import sales
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from tests.cashier.conftest import Till, sit_down
from tests.cashier.test_giving import add, give, given, previewed, read_card, sale_of, text
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import TRANSACTION_ID, answered, confirmed, pending
from tests.scripted import ScriptedPlatform, approved, not_sent, offer, reversed_

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(by_goods: Cast) -> Cast:
    """The sponsor works out the miles itself."""
    return by_goods


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
