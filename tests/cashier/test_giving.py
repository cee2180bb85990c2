"""Miles given at the till: by totals, by items, beside a redemption, and while nobody answers."""

import re
from typing import Any

import pytest
from django.urls import reverse

from backoffice.journal import programme, sales
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.states import Operation, Shown, State
from backoffice.units import Cents
from cashier.issuances import _ISSUES, _RETURNS, ERROR_TEXTS, REASON_TEXTS
from issuance.rules import Reason
from tests.cashier.conftest import Till, sit_down
from tests.cast import COLLECTOR, Cast
from tests.issuance.stories import answered, confirmed, event, pending, refused, settle
from tests.issuance.test_outage import open_it
from tests.scripted import ScriptedPlatform, approved, not_sent, offer, silence

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    return str(response.content.decode())


def read_card(till: Till, card: str = COLLECTOR, entry: str = "SCAN") -> str:
    return text(till.post(reverse("cashier:give_card"), value=card, entry=entry))


def previewed(till: Till, page: str, **typed: str) -> str:
    fields = {"before": "100.00", "after": "113.00", **typed}
    return text(till.post(reverse("cashier:give_preview"), sale=sale_of(page), **fields))


def sale_of(page: str) -> str:
    values = re.findall(r'name="sale" value="([^"]+)"', page)
    assert values and len(set(values)) == 1
    return str(values[0])


def given(till: Till, page: str) -> str:
    """Confirm the preview; return the sale's address."""
    response = till.post(reverse("cashier:give_confirm"), follow=False, sale=sale_of(page))
    assert response.status_code == 303, text(response)
    return str(response["Location"])


def add(till: Till, page: str, **line: str) -> str:
    return text(till.post(reverse("cashier:give_basket"), sale=sale_of(page), **line))


def give(till: Till, card: str = COLLECTOR) -> str:
    return given(till, previewed(till, read_card(till, card)))


def test_every_state_and_every_refusal_has_its_words() -> None:
    assert set(_ISSUES) == set(_RETURNS) == set(Shown)
    assert set(REASON_TEXTS) == set(Reason)
    assert all(name == name.lower() for name in ERROR_TEXTS)


def test_our_offers_are_previewed_given_and_printed(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = previewed(till, read_card(till))
    assert "1 mile for every $20" in page and "5 miles" in page
    assert not scripted.sent and not Transaction.objects.exists()
    scripted.will(confirmed())
    sale = given(till, page)
    page = till.get(sale)
    assert "5 miles given." in page and "Confirmed" in page
    row = Transaction.objects.get()
    assert (row.state, row.miles, row.basket_cents) == (State.CONFIRMED, 5, 11300)
    paper = till.client.get(f"{sale}receipt/").content.decode()
    assert "Miles given" in paper and sales.code_of(row) in paper
    assert COLLECTOR not in page + paper and "to follow" not in paper


def test_a_second_press_gives_nothing_twice(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = previewed(till, read_card(till))
    scripted.will(confirmed())
    assert given(till, page) == given(till, page)
    assert Transaction.objects.count() == len(scripted.sent) == 1


def test_the_programme_calculates_where_the_sponsor_says_so(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(answered(200, "", ""))
    page = previewed(till, read_card(till))
    assert "10 miles" in page
    assert scripted.sent[0].path.endswith("/calculate")
    assert scripted.sent[0].fields["transactionType"] == "PURCHASE"
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    assert "10 miles given." in till.get(given(till, page))
    assert scripted.sent[1].path.endswith("/issue")


def test_a_card_that_the_programme_does_not_know_ends_before_anything_is_written(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(refused("CollectorNotFound"))
    page = previewed(till, read_card(till))
    assert "Card number not recognised." in page and 'name="sale"' not in page
    assert not Transaction.objects.exists()


def test_while_the_programme_is_away_the_miles_wait_and_both_papers_say_so(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    page = previewed(till, read_card(till))
    assert "did not say how many" in page
    sale = given(till, page)
    page = till.get(sale)
    assert "The miles will follow" in page and "cannot be reached just now" in page
    assert 'hx-trigger="every 2s"' in page
    assert Transaction.objects.get().state == State.QUEUED
    paper = till.client.get(f"{sale}receipt/").content.decode()
    assert "Your miles for this sale follow." in paper and "to follow" in paper
    assert "Not sent yet" in till.get("/today/") and "Miles given" in till.get("/today/")
    scripted.will(confirmed())
    settle(Transaction.objects.get())
    assert "5 miles given." in till.get(sale)


def test_while_the_breaker_is_open_nothing_is_sent_and_the_miles_wait(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    open_it()
    assert "is not answering just now. Give the miles all the same" in till.get("/give/")
    page = till.get(give(till))
    assert "The miles will follow" in page and "cannot be reached just now" in page
    assert Transaction.objects.get().fence == 0
    assert not [one for one in scripted.sent if "issuance" in one.path]


def test_what_waits_for_nobody_says_that_it_goes_soon(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    open_it()
    sale = give(till)
    ProgrammeState.objects.all().delete()
    programme.forget()
    assert "It is sent by itself in a moment." in till.get(sale)


def test_goodwill_is_no_sale_of_a_till(cast: Cast, plain: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(confirmed())
    row = event(cast)
    for path in ("", "status/", "receipt/", "return/"):
        assert plain.client.get(f"/sale/{row.reference}/{path}").status_code == 404


def test_what_is_pending_asks_for_itself_until_it_ends(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    quick = sit_down(cast.cashier, cast.till, htmx=True)
    scripted.will(answered(200, ""), pending())
    sale = give(quick)
    page = quick.get(sale)
    assert "has it and is not finished" in page and "Pending" in page
    status = f"{sale}status/?shown=pending"
    same = quick.client.get(status, headers={"HX-Request": "true"})
    assert "HX-Retarget" not in same
    scripted.will(confirmed())
    settle(Transaction.objects.get())
    ended = quick.client.get(status, headers={"HX-Request": "true"})
    assert ended["HX-Retarget"] == "#screen" and "5 miles given." in text(ended)


def test_a_sale_behind_another_of_its_card_says_so(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(answered(200, ""), pending())
    give(till)
    scripted.will(answered(200, ""))
    page = till.get(give(till))
    assert "An earlier sale of this card is not finished." in page


def test_a_lost_answer_is_a_doubt_that_nobody_waits_for(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(answered(200, ""), silence())
    page = till.get(give(till))
    assert "Not confirmed yet" in page and "The customer need not wait." in page


def test_each_offer_says_what_became_of_it_and_why(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(answered(200, "", ""), confirmed("CONFIRMED", "REJECTED"))
    page = till.get(give(till))
    assert "5 miles given, not all of them." in page
    assert "Confirmed" in page and "Rejected" in page
    assert "The offer is over. Code OfferExpired" in page


def test_what_is_rejected_whole_says_why(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(answered(200, ""), refused("SomethingNew"))
    page = till.get(give(till))
    assert "No miles were given." in page and "Because of SomethingNew." in page


def test_a_typed_card_earns(till: Till, ours: Cast, scripted: ScriptedPlatform) -> None:
    page = previewed(till, read_card(till, entry="MANUAL"))
    scripted.will(confirmed())
    assert "5 miles given." in till.get(given(till, page))
    assert Transaction.objects.get().card_entry_mode == "MANUAL"


def test_what_is_no_card_says_what_it_is(till: Till) -> None:
    assert "This is a product code" in read_card(till, "012345678905")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"before": ""}, "Type the amount."),
        ({"before": "0"}, "The basket is empty."),
        ({"after": "99.99"}, "With tax it cannot be less than before."),
        ({"excluded": "100.01"}, "cannot be more than the whole basket"),
        ({"coupons": "57841 <b>"}, "Coupons have letters and digits only."),
        ({"coupons": COLLECTOR}, "Coupons have letters and digits only."),
    ],
)
def test_what_does_not_add_up_is_named_and_kept(
    till: Till, ours: Cast, typed: dict[str, str], said: str
) -> None:
    page = previewed(till, read_card(till), **typed)
    assert said in page and 'aria-invalid="true"' in page
    assert COLLECTOR not in page
    assert not Transaction.objects.exists()


def test_a_basket_that_earns_nothing_says_so(till: Till, ours: Cast) -> None:
    page = previewed(till, read_card(till), before="19.99", after="22.59")
    assert "No miles for this basket." in page


def test_goods_that_do_not_count_coupons_and_payment_are_counted_with(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = previewed(
        till, read_card(till), excluded="60.00", coupons="57841, 57862", tender="CREDIT"
    )
    assert "2 miles" in page
    scripted.will(confirmed())
    given(till, page)
    fields = scripted.sent[0].fields
    assert (fields["coupon"], fields["tender"]) == (["57841", "57862"], ["CREDIT"])


def test_a_redemption_and_its_miles_are_one_sale_with_one_receipt(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    redeemed = till.redeem(COLLECTOR)
    assert "Give miles" in till.get(redeemed)
    page = till.get(f"{redeemed}give/")
    assert 'value="43.35"' in page
    scripted.will(confirmed())
    sale = given(till, previewed(till, page, before="40.00", after="43.35"))
    one, other = Transaction.objects.order_by("id")
    assert (one.operation, other.operation) == (Operation.REDEEM, Operation.ISSUE)
    assert one.sale_ref == other.sale_ref
    for address in (redeemed, sale):
        paper = till.client.get(f"{address}receipt/").content.decode()
        assert "Taken off" in paper and "Miles given" in paper and "1 mile for every" in paper
    # It earns once: from the redemption the way leads to what there is.
    assert "2 miles given." in till.get(f"{redeemed}give/")


def test_a_card_that_may_not_redeem_earns_on_the_same_sale(
    till: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(response_code="0005"))
    page = till.offered(COLLECTOR)
    page = text(till.post(reverse("cashier:give_instead"), sale=sale_of(page)))
    assert "What does the basket come to?" in page and 'value="43.35"' in page
    scripted.will(confirmed())
    assert "2 miles given." in till.get(
        given(till, previewed(till, page, before="40.00", after="43.35"))
    )


def test_one_sale_gets_its_miles_once(till: Till, ours: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(offer(), approved())
    redeemed = till.redeem(COLLECTOR)
    pages = [previewed(till, till.get(f"{redeemed}give/")) for _press in range(2)]
    scripted.will(confirmed())
    given(till, pages[0])
    refusal = text(till.post(reverse("cashier:give_confirm"), sale=sale_of(pages[1])))
    assert "This sale already has its miles." in refusal
    assert Transaction.objects.filter(operation=Operation.ISSUE).count() == 1


def test_a_sealed_basket_opens_at_its_own_till_alone(
    cast: Cast, plain: Till, ours: Cast, scripted: ScriptedPlatform
) -> None:
    page = previewed(plain, read_card(plain))
    beside = sit_down(cast.cashier, cast.second_till)
    answer = beside.post(reverse("cashier:give_confirm"), sale=sale_of(page))
    assert "read too long ago" in text(answer)
    assert not Transaction.objects.exists()


def test_the_language_is_switched_between_two_steps(till: Till, ours: Cast) -> None:
    page = previewed(till, read_card(till))
    again = text(till.post(reverse("cashier:give_resume"), sale=sale_of(page)))
    assert "1 mile for every $20" in again
    assert "What does the basket come to?" in text(
        till.post(reverse("cashier:give_basket"), sale=sale_of(page))
    )


def test_french_says_it_in_french(cast: Cast, ours: Cast, scripted: ScriptedPlatform) -> None:
    till = sit_down(cast.french_cashier, cast.till)
    page = previewed(till, read_card(till))
    assert "1 mille par tranche de 20\u00a0$" in page or "1 mille par tranche de 20 $" in page
    scripted.will(confirmed())
    assert "5 milles accordés" in till.get(given(till, page))


def test_a_person_of_another_store_sees_none_of_it(
    cast: Cast, ours: Cast, plain: Till, scripted: ScriptedPlatform
) -> None:
    page = previewed(plain, read_card(plain))
    scripted.will(confirmed())
    sale = given(plain, page)
    stranger = sit_down(cast.south_manager, cast.south_till)
    for path in ("", "status/", "receipt/", "return/", "give/"):
        assert stranger.client.get(sale + path).status_code == 404
    assert Cents(11300) == Transaction.objects.get().basket_cents


def test_one_mile_is_not_said_as_many(till: Till, ours: Cast, scripted: ScriptedPlatform) -> None:
    card = read_card(till)
    till.client.cookies["django_language"] = "fr"
    page = previewed(till, card, before="20.00", after="22.60")
    assert "1 mille à accorder." in page and "1 milles" not in page
    scripted.will(confirmed())
    page = till.get(given(till, page))
    assert "1 mille accordé." in page and "1 milles" not in page
