"""The money path of a redemption, screen by screen, without and with script."""

import re
import uuid

import pytest
from django.urls import reverse

from backoffice.journal.models import Transaction
from backoffice.journal.states import State
from tests.cashier.conftest import Till, hidden, sit_down
from tests.cast import COLLECTOR, COLLECTOR_SUPPRESSED, Cast
from tests.figures import stands_in
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    approved,
    code,
    not_sent,
    offer,
    silence,
)

pytestmark = pytest.mark.django_db

TRACK_2 = f";{COLLECTOR}=49121010000000000?"


def test_a_fragment_is_the_screen_alone_and_a_page_is_all_of_it(till: Till) -> None:
    page = till.get("/")
    assert 'id="screen"' in page and "Scan the card" in page
    assert ("<!doctype html>" in page) is not till.htmx


def test_a_scan_asks_for_the_basket_and_shows_the_last_four_digits_only(till: Till) -> None:
    page = till.scan(COLLECTOR)
    assert "What is the basket after tax?" in page
    assert "••••\u00a00001" in page and "Scan" in page
    assert COLLECTOR not in page


def test_a_stripe_is_a_swipe_and_typing_is_typing(plain: Till) -> None:
    assert ">Swipe<" in plain.scan(TRACK_2)
    assert ">Typed<" in plain.scan(COLLECTOR, entry="MANUAL")
    assert ">Typed<" in plain.scan(COLLECTOR, entry="")


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ("0123456789012", "product code, not a card"),
        ("8000001000", "11 digits"),
        ("70000010001", "starts with 8"),
        ("", "Type or scan the card number."),
    ],
)
def test_what_is_not_a_card_is_said_and_nothing_is_asked(
    till: Till, scripted: ScriptedPlatform, read: str, said: str
) -> None:
    page = till.scan(read)
    assert said in page and "Scan the card" in page
    assert scripted.sent == []


def test_a_typed_mistake_stays_in_its_field_and_takes_the_focus(till: Till) -> None:
    page = till.scan("8000001000", entry="MANUAL")
    field = re.search(r'<input[^>]*id="id_value"[^>]*>', page)
    assert field is not None
    assert 'value="8000001000"' in field[0] and 'aria-invalid="true"' in field[0]
    assert "autofocus" in field[0] and "id_value_error" in field[0]


def test_a_wrong_scan_in_the_middle_of_a_sale_leaves_the_sale_on_the_screen(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    quick = sit_down(cast.cashier, cast.till, htmx=True)
    response = quick.post(reverse("cashier:card"), value="123456", entry="SCAN", keeps_screen="1")
    assert response["HX-Retarget"] == "#flash"
    assert 'id="screen"' not in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("43.35", 4335), ("43,35", 4335), ("$1,234.50", 123450), ("1 234,50 $", 123450), ("43", 4300)],
)
def test_an_amount_is_read_as_people_type_it(
    plain: Till, scripted: ScriptedPlatform, typed: str, cents: int
) -> None:
    scripted.will(offer())
    plain.type_basket(plain.scan(COLLECTOR), typed)
    asked = scripted.sent[0].fields["postTaxBasketAmount"]
    assert asked == f"{cents // 100}.{cents % 100:02d}"


@pytest.mark.parametrize("typed", ["", "0", "abc", "-5", "1e9", "999999999", "\u0664\u0663"])
def test_a_bad_amount_is_named_kept_and_not_sent(
    till: Till, scripted: ScriptedPlatform, typed: str
) -> None:
    page = till.type_basket(till.scan(COLLECTOR), typed)
    assert 'id="id_basket_error"' in page
    field = re.search(r'<input[^>]*id="id_basket"[^>]*>', page)
    assert field is not None and 'aria-invalid="true"' in field[0] and "autofocus" in field[0]
    assert f'value="{typed}"' in field[0] or not typed
    assert scripted.sent == []


def test_a_card_in_the_wrong_field_is_not_kept_in_the_page(till: Till) -> None:
    page = till.scan(COLLECTOR)
    places = {
        "offer": {"sale": hidden(page, "sale"), "basket": COLLECTOR, "excluded": COLLECTOR},
        "resume": {"sale": hidden(page, "sale"), "basket": COLLECTOR},
        "card": {"value": COLLECTOR, "entry": "SCAN", "basket": COLLECTOR},
        "return": {"confirmation": f"{COLLECTOR} "},
    }
    for name, fields in places.items():
        answer = till.post(reverse(f"cashier:{name}"), **fields).content.decode()
        assert COLLECTOR not in answer and "<h1" in answer, name


def test_excluded_goods_do_not_count_but_are_to_be_paid(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(3), approved(3))
    page = till.type_basket(till.scan(COLLECTOR), "43.35", "10")
    assert scripted.sent[0].fields["postTaxBasketAmount"] == "33.35"
    assert "$13.35" in page  # 43.35 less 30 off: the gift card is still to be paid.
    sale = till.get(till.confirm(page, 3)["Location"])
    body = scripted.sent[1].fields
    assert (body["postTaxBasketAmount"], body["originalPostTaxBasketAmount"]) == ("33.35", "43.35")
    assert "$13.35" in sale


def test_the_most_is_preselected_and_each_step_says_dollars_and_miles(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer())
    page = till.offered(COLLECTOR)
    steps = re.findall(r'name="units" value="(\d)"( checked)?', page)
    assert steps == [("1", ""), ("2", ""), ("3", ""), ("4", " checked")]
    for text in ("$10", "$40", "95 miles", "380 miles", "$3.35", "Up to $40"):
        assert text in page
    # What the account holds is for the paper alone.
    for balance in ("1200", "1,200", "545", "1,140"):
        assert not stands_in(balance, page)


def test_a_hidden_balance_hides_what_is_left_of_it_too(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(response_code="0001"))
    page = till.offered(COLLECTOR_SUPPRESSED)
    assert "$40" in page
    for text in ("Up to", "up to", "more", "12"):
        assert text not in re.sub(r"<svg.*?</svg>|<form.*?>|<input.*?>|<a .*?>", "", _main(page))


def test_many_units_are_a_few_round_steps_and_a_stepper(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(75), approved(37))
    page = till.offered(COLLECTOR, "800.00")
    tiles = re.findall(r'name="units" value="(\d+)"', page)
    assert tiles[0] == "1" and tiles[-1] == "75" and len(tiles) <= 8
    till.confirm(page, 75, other="37")
    assert scripted.sent[1].fields["dollarRedeemRequest"] == "370.00"


@pytest.mark.parametrize("chosen", [{"units": ""}, {"units": "5"}, {"other": "0"}, {"other": "x"}])
def test_a_choice_outside_the_offer_is_asked_again_and_not_sent(
    till: Till, scripted: ScriptedPlatform, chosen: dict[str, str]
) -> None:
    scripted.will(offer())
    page = till.offered(COLLECTOR)
    again = till.confirm(page, **{"units": "4", **chosen}).content.decode()
    assert "Choose between 1 and 4" in again
    assert hidden(again, "client_ref") == hidden(page, "client_ref")
    assert len(scripted.sent) == 1


def test_confirming_shows_the_amount_the_number_and_the_receipt(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    page = till.get(till.redeem(COLLECTOR))
    for text in ("$40.00 off.", "$3.35", "7KQ4\u00a020X9\u00a0B1TM", 'class="barcode"', "Reverse"):
        assert text in page
    for balance in ("820", "545", "760"):
        assert not stands_in(balance, re.sub(r"<svg.*?</svg>", "", _main(page)))


def test_two_presses_are_one_redemption_and_show_the_same_sale(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    page = till.offered(COLLECTOR)
    first, second = till.confirm(page), till.confirm(page)
    assert first["Location"] == second["Location"]
    assert len(scripted.sent) == 2 and Transaction.objects.count() == 1


def test_a_sealed_sale_opens_at_its_own_till_only(
    cast: Cast, plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    page = plain.offered(COLLECTOR)
    stranger = sit_down(cast.french_cashier, cast.second_till)
    answer = stranger.confirm(page)
    assert answer.status_code == 200 and Transaction.objects.count() == 0


def test_nothing_the_browser_holds_has_the_card_in_it(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    page = plain.offered(COLLECTOR)
    plain.get(plain.confirm(page)["Location"])
    session = dict(plain.client.session)
    held = [page, str(session), str(plain.client.cookies)]
    assert not any(COLLECTOR in text for text in held)


def test_a_typed_number_gets_an_answer_but_no_offer(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(code("0000", 200))
    page = till.type_basket(till.scan(COLLECTOR, entry="MANUAL"), "43.35")
    assert "Scan the card to redeem." in page and 'name="units"' not in page
    # A card scanned now takes the basket along: nothing is typed twice.
    assert 'id="id_basket" value="43.35"' in page
    assert 'value="43.35"' in till.scan(COLLECTOR, basket="43.35")


def test_a_silent_inquiry_took_nothing_and_may_be_asked_again(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence(), silence(), offer())
    page = till.offered(COLLECTOR)
    assert "has not answered" in page and "Nothing was taken" in page
    again = till.type_basket(page, "43.35")
    assert 'name="units"' in again


def test_what_could_not_be_sent_may_be_sent_again_or_paid_otherwise(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), not_sent(), not_sent(), approved())
    sale = till.redeem(COLLECTOR)
    page = till.get(sale)
    assert "Could not reach AIR MILES" in page and "Nothing was taken" in page
    done = till.post(f"{sale}send-again/").content.decode()
    assert "$40.00 off." in done
    assert scripted.sent[1].body == scripted.sent[-1].body


def test_paying_otherwise_closes_what_was_never_sent(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), not_sent(), not_sent())
    sale = till.redeem(COLLECTOR)
    page = till.post(f"{sale}pay-otherwise/").content.decode()
    assert "Not sent. Nothing was taken." in page
    assert Transaction.objects.get().state == State.NOT_SENT


def test_an_approval_is_presented_by_the_screen_by_print_and_by_next(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    sale = till.redeem(COLLECTOR)
    row = Transaction.objects.get()
    page = till.get(sale)
    assert row.presented_at is None and f'hx-post="{sale}present/"' in page
    # Looking acts on nothing.
    assert till.client.get(f"{sale}present/")["Location"] == sale
    row.refresh_from_db()
    assert row.presented_at is None
    assert till.post(f"{sale}present/", follow=False).status_code == 204
    assert Transaction.objects.get(pk=row.pk).presented_at is not None
    assert till.post(f"{sale}present/", follow=False, then="next")["Location"] == "/"
    assert "receipt/" in till.post(f"{sale}present/", follow=False, then="print")["Location"]


def test_a_language_switched_in_the_middle_keeps_the_step(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer())
    page = plain.offered(COLLECTOR)
    plain.post(reverse("cashier:language"), language="fr", next="/")
    refs = {"sale": hidden(page, "sale"), "client_ref": hidden(page, "client_ref")}
    french = plain.post(reverse("cashier:resume"), **refs).content.decode()
    assert "Combien déduire?" in french and "40\u00a0$" in french and "3,35\u00a0$" in french
    assert hidden(french, "client_ref") == refs["client_ref"]
    assert len(scripted.sent) == 1


def test_a_scanned_receipt_on_the_resting_screen_opens_its_reversal(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    plain.redeem(COLLECTOR)
    page = plain.scan(CONFIRMATION)
    assert "Give this redemption back?" in page


def test_an_unknown_sale_is_not_found(plain: Till) -> None:
    url = reverse("cashier:sale", args=[uuid.uuid4()])
    assert plain.client.get(url).status_code == 404


def _main(page: str) -> str:
    found = re.search(r'<div id="screen".*', page, re.DOTALL)
    assert found is not None
    return found[0]
