"""CALCULATE, ISSUE and RETURN: miles that the programme works out itself."""

from typing import Any

import pytest

from sandbox.tests.partner import ask, errors, issuance, item, message, send, statuses
from sandbox.tests.till import REGULAR, Till

# By the offers of a reset, on these goods: 5 for $100, 3 x 2, 2 x 3, 1 x 2, a coupon, 3 x $30.
GOODS = [
    item("SKU1234", 1, 40.0),
    item("BREAD", 1, 30.0, departmentId="DEPT2"),
    item("SOAP", 2, 15.0, categoryId="CAT2"),
]
EXTRAS: dict[str, Any] = {"coupon": ["57841"], "tender": ["CREDIT"]}
EARNED = {
    "STANDARD": 5,
    "DEPTBONUS": 6,
    "CATBONUS": 6,
    "ITEMBONUS": 2,
    "COUPON": 10,
    "TENDER": 3,
}
NEVER = "80000020203"


def miles(body: dict[str, Any]) -> dict[str, int]:
    return {one["issuanceOfferCode"]: one["milesAmount"] for one in body["issuances"]}


def issued(till: Till, **changes: Any) -> str:
    answer = ask(till, "issue", **({"items": GOODS} | EXTRAS | changes))
    assert answer.status == 200, answer.raw
    return str(answer.body["transactionId"])


def test_a_basket_earns_by_every_kind_of_offer(till: Till) -> None:
    for call in ("calculate", "issue"):
        body = ask(till, call, items=GOODS, **EXTRAS).body
        assert miles(body) == EARNED
        contributing = {
            one["issuanceOfferCode"]: one["contributingItemIds"] for one in body["issuances"]
        }
        assert contributing["DEPTBONUS"] == ["BREAD"]
        assert contributing["ITEMBONUS"] == ["SKU1234"]
        assert contributing["STANDARD"] == ["SKU1234", "BREAD", "SOAP"]
    assert till.cash() == 1200 + sum(EARNED.values())
    effects = {effect["offer_code"]: effect["miles"] for effect in till.effects()}
    assert effects == EARNED


def test_a_calculation_moves_nothing_and_has_no_status(till: Till) -> None:
    answer = ask(till, "calculate", collectorNumber=NEVER, items=GOODS)
    assert answer.status == 200
    assert not {"status", "confirmationNumber", "processedDateTime"}.intersection(
        *answer.body["issuances"]
    )
    assert till.effects() == []
    assert len(till.look("transactions")["transactions"]) == 3


@pytest.mark.parametrize("call", ["calculate", "issue"])
def test_goods_that_earn_nothing_are_no_mistake(till: Till, call: str) -> None:
    answer = ask(till, call, items=[item("GUM", 1, 1.0)], basketPreTaxAmount=1)
    assert (answer.status, answer.body["issuances"]) == (200, [])
    till.control("settings", empty_issuances="omitted")
    assert "issuances" not in ask(till, call, items=[item("GUM", 1, 1.0)]).body
    assert till.effects() == []


def test_a_basket_of_totals_earns_on_its_amount_before_tax(till: Till) -> None:
    assert miles(ask(till, "issue", basketPreTaxAmount=59.99).body) == {"STANDARD": 2}


def test_offers_are_those_of_the_sponsor_and_the_day(till: Till) -> None:
    rule = {"sponsor": "KELL", "code": "SUMMER", "offer_id": "S-1", "kind": "base", "miles": 9}
    dates = {"starts_on": "2026-07-16", "ends_on": "2026-07-16"}
    seeded = till.control("seed", offers=[{**rule, **dates, "location": "ST90"}])
    assert seeded == {"seeded": ["S-1"]}
    assert miles(ask(till, "issue").body) == {"STANDARD": 5}
    body = ask(till, "issue", sponsorCode="KELL", locationCode="1137").body
    assert miles(body) == {"SUMMER": 9}
    assert body["issuances"][0]["locationCode"] == "ST90"
    assert body["locationCode"] == "1137"
    # Midnight on the programme's own clock ends the day: 23:59 in Toronto, 03:59 in Greenwich.
    for moment, earned in (
        ("2026-07-17T03:59:59Z", {"SUMMER": 9}),
        ("2026-07-17T04:00:00Z", {}),
        ("2026-07-16T03:59:59Z", {}),
    ):
        body = ask(till, "issue", sponsorCode="KELL", checkoutDateTime=moment).body
        assert miles(body) == earned


@pytest.mark.parametrize("collector", ["80000020400", "84444444444"])
def test_an_unknown_collector_is_told_with_what_he_would_have_earned(
    till: Till, collector: str
) -> None:
    issue = ask(till, "issue", collectorNumber=collector)
    assert (issue.status, statuses(issue), errors(issue)) == (
        400,
        ["REJECTED"],
        ["CollectorNotFound"],
    )
    for call, more in (("calculate", {}), ("return", {"originalTransactionId": "x"})):
        answer = ask(till, call, collectorNumber=collector, **more)
        assert (answer.status, errors(answer)) == (400, ["CollectorNotFound"])
        assert "issuances" not in answer.body


def test_the_card_of_half_an_answer_is_offered_one_more_and_refused_it(till: Till) -> None:
    answer = ask(till, "issue", collectorNumber="80000020207")
    assert (answer.status, statuses(answer), errors(answer)) == (
        200,
        ["CONFIRMED", "REJECTED"],
        ["OfferExpired"],
    )
    number = answer.body["transactionId"]
    back = ask(till, "return", collectorNumber="80000020207", originalTransactionId=number)
    assert (miles(back.body), statuses(back)) == ({"STANDARD": 5}, ["CONFIRMED"])


@pytest.mark.parametrize(
    ("call", "collector"), [("calculate", "80000020500"), ("issue", "80000020500")]
)
def test_the_card_that_stumbles_is_fine_the_third_time(
    till: Till, call: str, collector: str
) -> None:
    body = message(call, collectorNumber=collector)
    assert [send(till, call, body, "key-1").status for _ in range(3)] == [500, 500, 200]


def test_the_pending_card_is_confirmed_at_the_third_look(till: Till) -> None:
    body = message("issue", collectorNumber="80000020202")
    seen = [send(till, "issue", body, "key-1") for _ in range(4)]
    assert [answer.status for answer in seen] == [202, 202, 202, 200]
    assert [miles(answer.body) for answer in seen] == [{"STANDARD": 5}] * 4


@pytest.mark.parametrize("is_own", [True, False])
def test_a_return_of_everything_takes_back_what_was_given(till: Till, is_own: bool) -> None:
    number = issued(till, checkoutTransactionId="SALE-1")
    answer = ask(
        till,
        "return",
        originalTransactionId="SALE-1" if is_own else number,
        items=GOODS,
    )
    assert answer.status == 200
    assert miles(answer.body) == EARNED
    assert set(statuses(answer)) == {"CONFIRMED"}
    assert till.cash() == 1200
    assert {effect["undoes"] for effect in till.effects()[6:]} == {number}
    assert all(effect["miles"] < 0 for effect in till.effects()[6:])


def test_returns_in_parts_take_back_the_difference_and_at_last_all(till: Till) -> None:
    number = issued(till)
    # $100 earn 5, $70 earn 3; the department's bonus goes with its bread.
    bread = ask(till, "return", originalTransactionId=number, items=[GOODS[1]])
    assert miles(bread.body) == {"STANDARD": 2, "DEPTBONUS": 6, "TENDER": 1}
    contributing = [one["contributingItemIds"] for one in bread.body["issuances"]]
    assert contributing == [["BREAD"]] * 3
    soap = ask(till, "return", originalTransactionId=number, items=[item("SOAP", 1, 15.0)])
    assert miles(soap.body) == {"STANDARD": 1, "CATBONUS": 3, "TENDER": 1}
    rest = ask(
        till, "return", originalTransactionId=number, items=[GOODS[0], item("SOAP", 1, 15.0)]
    )
    assert rest.status == 200
    assert till.look("ledger")["total_miles"] == 0
    assert all(one["miles"] == 0 for one in till.look("ledger")["sum_miles_by_collector_and_offer"])


def test_the_goods_come_back_at_the_price_they_were_bought_at(till: Till) -> None:
    number = issued(till)
    cheaper = item("SKU1234", 1, 1.0)
    answer = ask(till, "return", originalTransactionId=number, items=[cheaper])
    assert miles(answer.body)["STANDARD"] == 2


def test_no_more_comes_back_than_was_bought_and_nothing_twice(till: Till) -> None:
    number = issued(till)

    def bring(key: str, **changes: Any) -> list[str]:
        return errors(ask(till, "return", key, originalTransactionId=number, **changes))

    assert bring("1", items=[item("SOAP", 3, 15.0)]) == ["MoreThanBought"]
    assert bring("2", items=[item("MILK")]) == ["MoreThanBought"]
    assert bring("3", items=[item("SOAP", 2, 15.0)]) == []
    assert bring("4", items=[item("SOAP", 1, 15.0)]) == ["MoreThanBought"]
    assert bring("5", basketPreTaxAmount=60) == ["ItemsRequired"]
    assert bring("6", basketPreTaxAmount=71) == ["MoreThanBought"]
    assert bring("7", basketPreTaxAmount=70) == []
    assert bring("8", items=[GOODS[0]]) == ["AlreadyReversed"]
    assert till.look("ledger")["total_miles"] == 0


def test_a_basket_of_totals_comes_back_by_its_amount(till: Till) -> None:
    number = issued(till, items=None, coupon=None, tender=None)
    part = ask(till, "return", originalTransactionId=number, basketPreTaxAmount=30)
    assert miles(part.body) == {"STANDARD": 2}
    more = ask(till, "return", originalTransactionId=number, basketPreTaxAmount=70.01)
    assert errors(more) == ["MoreThanBought"]
    rest = ask(till, "return", originalTransactionId=number, basketPreTaxAmount=70)
    assert miles(rest.body) == {"STANDARD": 3}


def test_goods_that_earned_nothing_come_back_once(till: Till) -> None:
    gum = [item("GUM", 1, 1.0)]
    number = ask(till, "issue", items=gum).body["transactionId"]
    first = ask(till, "return", originalTransactionId=number, items=gum)
    assert (first.status, first.body["issuances"]) == (200, [])
    again = ask(till, "return", originalTransactionId=number, items=gum)
    assert errors(again) == ["AlreadyReversed"]


def test_a_return_can_be_calculated_first(till: Till) -> None:
    number = issued(till)
    asked: dict[str, Any] = {"originalTransactionId": number, "items": [GOODS[1]]}
    told = ask(till, "calculate", transactionType="RETURN", **asked)
    done = ask(till, "return", **asked)
    assert miles(told.body) == miles(done.body) == {"STANDARD": 2, "DEPTBONUS": 6, "TENDER": 1}
    unknown = ask(
        till, "calculate", transactionType="RETURN", **(asked | {"originalTransactionId": "x"})
    )
    assert (unknown.status, errors(unknown)) == (400, ["OriginalNotFound"])


def test_rules_that_change_never_take_back_more_than_was_given(till: Till) -> None:
    number = issued(till, items=None, coupon=None, tender=None)
    rule = {"sponsor": "", "code": "STANDARD", "offer_id": "100001", "kind": "base"}
    till.control("seed", offers=[{**rule, "miles": 1000, "per_cents": 100}])
    part = ask(till, "return", originalTransactionId=number, basketPreTaxAmount=1)
    assert miles(part.body) == {"STANDARD": 5}
    rest = ask(till, "return", originalTransactionId=number, basketPreTaxAmount=99)
    assert rest.body["issuances"] == []
    assert till.look("ledger")["total_miles"] == 0


def test_what_the_partner_worked_out_is_no_original_of_a_return(till: Till) -> None:
    number = ask(till, "post").body["transactionId"]
    assert errors(ask(till, "return", originalTransactionId=number)) == ["OriginalNotFound"]
    # But the partner may take back by REVERSE what the programme worked out.
    number = issued(till)
    base = [issuance(5, offerId="100001")]
    back = ask(till, "issuance-reverse", originalTransactionId=number, issuances=base)
    assert (back.status, statuses(back)) == (200, ["CONFIRMED"])


def test_a_repeat_has_no_second_effect(till: Till) -> None:
    number = issued(till)
    body = message("return", originalTransactionId=number, items=[GOODS[1]])
    first = send(till, "return", body, "key-1")
    assert send(till, "return", body, "key-1").raw == first.raw
    assert till.cash(REGULAR) == 1200 + sum(EARNED.values()) - 9


def test_a_calculation_is_remembered_by_its_key_alone(till: Till) -> None:
    body = message("calculate")
    assert send(till, "calculate", body).raw != send(till, "calculate", body).raw
    assert send(till, "calculate", body, "a").raw == send(till, "calculate", body, "a").raw


def test_a_collector_with_something_pending_is_busy_for_issue_and_return(till: Till) -> None:
    number = issued(till, collectorNumber=REGULAR)
    till.control("pending", mode="never")
    assert ask(till, "issue", "1").status == 202
    assert errors(ask(till, "issue", "2")) == ["TransactionInProgress"]
    assert errors(ask(till, "return", originalTransactionId=number)) == ["TransactionInProgress"]
    assert ask(till, "calculate").status == 200
