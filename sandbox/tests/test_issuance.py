"""Miles given and taken back by messages in which the partner states them; and RECORD."""

from typing import Any

import pytest

from sandbox.tests.partner import ask, errors, given, issuance, item, message, send, statuses
from sandbox.tests.till import REGULAR, Till

UNKNOWN = "84444444444"
PARTIAL = "80000020207"
NOT_FOUND = "80000020400"
STUMBLES = "80000020500"
GIVE_AND_TAKE = [
    ("post", "issuance-reverse"),
    ("post-event", "issuance-reverse-event"),
    ("post", "issuance-reverse-event"),
]


def original(call: str, number: str) -> dict[str, str]:
    is_event = call == "issuance-reverse-event"
    return {"originalClientTransactionId" if is_event else "originalTransactionId": number}


def balance(till: Till, collector: str = REGULAR) -> int:
    return till.cash(collector)


def items_of(till: Till, collector: str = REGULAR) -> list[dict[str, Any]]:
    transactions = till.look(f"transactions?collector={collector}")["transactions"]
    return [one for transaction in transactions for one in transaction["items"]]


@pytest.mark.parametrize("call", ["post", "post-event"])
def test_miles_given_are_on_the_balance_and_in_the_ledger_item_by_item(
    till: Till, call: str
) -> None:
    two = [issuance(5, "STANDARD", locationCode="1100"), issuance(12, "BONUS", offerId=77)]
    answer = ask(till, call, "key-1", issuances=two)
    assert balance(till) == 1200 + 17
    first, second = till.effects(REGULAR)
    assert (first["kind"], first["miles"], first["offer_code"]) == (call, 5, "STANDARD")
    assert (first["location_code"], first["account"]) == ("1100", "cash")
    assert (second["miles"], second["offer_code"], second["offer_id"]) == (12, "BONUS", "77")
    assert {first["transaction_id"], second["transaction_id"]} == {answer.body["transactionId"]}
    assert {first["key"], second["key"]} == {"key-1"}
    assert len(first["body_sha256"]) == 64
    confirmed = [one["confirmation"] for one in items_of(till)]
    assert [first["confirmation"], second["confirmation"]] == confirmed
    assert till.look("ledger")["sum_miles_by_collector_and_offer"] == [
        {"collector": REGULAR, "offer_code": "BONUS", "miles": 12},
        {"collector": REGULAR, "offer_code": "STANDARD", "miles": 5},
    ]


def test_miles_can_be_earned_into_the_other_account(till: Till) -> None:
    till.control("settings", earned_into="dream")
    transaction = given(till)
    body = till.ask("inquire").body
    assert (body["cashBalance"], body["dreamBalance"]) == ("1200", "550")
    ask(till, "issuance-reverse", originalTransactionId=transaction)
    assert till.ask("inquire").body["dreamBalance"] == "545"
    assert [effect["account"] for effect in till.effects()] == ["dream", "dream"]


@pytest.mark.parametrize(("give", "take"), GIVE_AND_TAKE)
@pytest.mark.parametrize("is_own", [True, False])
def test_miles_are_taken_back_by_either_number_of_the_original(
    till: Till, give: str, take: str, is_own: bool
) -> None:
    body = message(give)
    answer = send(till, give, body).body
    own = body["clientTransactionId" if give == "post-event" else "checkoutTransactionId"]
    number = own if is_own else answer["transactionId"]
    reversed_ = ask(till, take, "taken", **original(take, number))
    assert reversed_.status == 200
    assert balance(till) == 1200
    effect = till.effects()[-1]
    assert (effect["kind"], effect["miles"]) == (take, -5)
    assert effect["undoes"] == answer["transactionId"]


@pytest.mark.parametrize(("give", "take"), GIVE_AND_TAKE)
def test_no_more_is_taken_back_than_was_given(till: Till, give: str, take: str) -> None:
    number = given(till, give, issuances=[issuance(5), issuance(3, "BONUS")])
    link = original(take, number)
    assert ask(till, take, "1", **link, issuances=[issuance(2)]).status == 200
    refused = ask(till, take, "2", **link, issuances=[issuance(4)])
    assert (refused.status, statuses(refused), errors(refused)) == (
        400,
        ["REJECTED"],
        ["MoreThanIssued"],
    )
    mixed = ask(till, take, "3", **link, issuances=[issuance(3), issuance(3), issuance(1, "X")])
    assert mixed.status == 200
    # The miles that the first item takes are gone for the second.
    assert errors(mixed) == ["AlreadyReversed", "OfferNotIssued"]
    assert till.look("ledger")["total_miles"] == 3
    assert ask(till, take, "4", **link, issuances=[issuance(3, "BONUS")]).status == 200
    assert balance(till) == 1200


def test_a_second_return_of_the_same_miles_is_refused(till: Till) -> None:
    number = given(till)
    body = message("issuance-reverse", originalTransactionId=number)
    assert send(till, "issuance-reverse", body, "a").status == 200
    again = send(till, "issuance-reverse", body, "b")
    assert (again.status, errors(again)) == (400, ["AlreadyReversed"])
    assert balance(till) == 1200


def test_no_more_goods_come_back_than_were_bought(till: Till) -> None:
    bought = [item("A", 3), item("B", 1)]
    number = given(till, items=bought)
    take: dict[str, Any] = {"originalTransactionId": number, "issuances": [issuance(1)]}

    def bring(key: str, *items: dict[str, Any]) -> list[str]:
        return errors(ask(till, "issuance-reverse", key, **take, items=list(items)))

    assert bring("1", item("A", 2)) == []
    assert bring("2", item("A", 2)) == ["MoreThanBought"]
    assert bring("3", item("C")) == ["MoreThanBought"]
    assert bring("4", item("A", 1), item("B", 1)) == []
    assert bring("5", item("B", 1)) == ["MoreThanBought"]
    # What was refused brought nothing back, and a reversal without items moves no goods.
    assert errors(ask(till, "issuance-reverse", "6", **take)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"originalTransactionId": "nobody-knows-it"},
        {"sponsorCode": "KELL"},
        {"collectorNumber": "80000010007"},
    ],
)
def test_an_original_is_known_by_its_number_sponsor_and_collector(
    till: Till, changes: dict[str, str]
) -> None:
    link = {"originalTransactionId": given(till)} | changes
    answer = ask(till, "issuance-reverse", **link)
    assert (answer.status, errors(answer)) == (400, ["OriginalNotFound"])


def test_a_correction_needs_no_original(till: Till) -> None:
    assert ask(till, "issuance-reverse", issuances=[issuance(200)]).status == 200
    assert ask(till, "issuance-reverse-event", issuances=[issuance(1000)]).status == 200
    assert balance(till) == 0


def test_nobody_owes_miles(till: Till) -> None:
    number = given(till, collectorNumber="80000010002", issuances=[issuance(300)])
    till.redeemed(collectorNumber="80000010002", dollarRedeemRequest="30")
    answer = ask(
        till,
        "issuance-reverse",
        collectorNumber="80000010002",
        originalTransactionId=number,
        issuances=[issuance(300)],
    )
    assert (answer.status, errors(answer)) == (400, ["InsufficientMiles"])
    assert balance(till, "80000010002") == 300 - 3 * 95


@pytest.mark.parametrize("collector", [NOT_FOUND, UNKNOWN])
@pytest.mark.parametrize("call", ["post", "post-event", "issuance-reverse"])
def test_an_unknown_collector_has_every_item_rejected(
    till: Till, call: str, collector: str
) -> None:
    answer = ask(till, call, collectorNumber=collector, issuances=[issuance(), issuance(2, "B")])
    assert (answer.status, statuses(answer)) == (400, ["REJECTED", "REJECTED"])
    reason = "The requested collector does not exist."
    for one in answer.body["issuances"]:
        assert one["errors"] == [{"errorCode": "CollectorNotFound", "errorReason": reason}]
        assert not {"confirmationNumber", "processedDateTime"} & set(one)
    assert till.effects() == []


def test_a_rejection_may_travel_with_a_200(till: Till) -> None:
    till.control("settings", all_rejected_status=200)
    answer = ask(till, "post", collectorNumber=NOT_FOUND)
    assert (answer.status, statuses(answer)) == (200, ["REJECTED"])


def test_an_account_that_is_not_active_earns_nothing(till: Till) -> None:
    till.control("seed", members=[{"collector": UNKNOWN, "active": False}])
    assert errors(ask(till, "post", collectorNumber=UNKNOWN)) == ["CollectorInactive"]


def test_the_card_of_half_an_answer_has_its_last_item_rejected(till: Till) -> None:
    answer = ask(till, "post", collectorNumber=PARTIAL, issuances=[issuance(), issuance(2, "B")])
    assert (answer.status, statuses(answer)) == (200, ["CONFIRMED", "REJECTED"])
    assert errors(answer) == ["OfferExpired"]
    assert [effect["miles"] for effect in till.effects()] == [5]
    alone = ask(till, "post", collectorNumber=PARTIAL)
    assert statuses(alone) == ["CONFIRMED"]


@pytest.mark.parametrize("call", ["post", "post-event", "issuance-reverse", "record"])
def test_the_card_that_stumbles_is_fine_the_third_time(till: Till, call: str) -> None:
    body = message(call, collectorNumber=STUMBLES)
    assert [send(till, call, body, "key-1").status for _ in range(4)] == [500, 500, 200, 200]
    assert len(till.effects()) == (0 if call == "record" else 1)
    # Each transaction stumbles for itself.
    answer = ask(till, call, "key-2", collectorNumber=STUMBLES)
    assert (answer.status, errors(answer)) == (500, ["InternalError"])


def test_a_card_that_spells_a_code_of_am_cash_is_a_regular_card_here(till: Till) -> None:
    answer = ask(
        till, "post", collectorNumber="80000000002", issuances=[issuance(), issuance(2, "B")]
    )
    assert (answer.status, statuses(answer)) == (200, ["CONFIRMED", "CONFIRMED"])
    assert balance(till, "80000000057") == 1200


def test_offers_that_are_not_set_up_can_be_refused(till: Till) -> None:
    till.control("settings", unknown_offers="reject")
    asked = [issuance(5, "STANDARD"), issuance(1, "NOSUCH"), issuance(1, "OPENING")]
    answer = ask(till, "post", issuances=asked)
    assert statuses(answer) == ["CONFIRMED", "REJECTED", "REJECTED"]
    assert errors(answer) == ["OfferNotFound", "OfferExpired"]


@pytest.mark.parametrize("collector", [REGULAR, None, UNKNOWN])
def test_a_record_is_kept_and_moves_nothing(till: Till, collector: str | None) -> None:
    body = message("record", collectorNumber=collector, transactionType="RETURN", items=[item()])
    answer = send(till, "record", body, "key-1")
    assert answer.status == 200
    assert answer.body == body | {"transactionId": answer.body["transactionId"]}
    kept = till.look("transactions")["transactions"][-1]
    assert (kept["call"], kept["items"]) == ("record", [])
    assert kept["transaction_id"] == answer.body["transactionId"]
    assert till.effects() == []
    # It takes no key, so the same one again is another record.
    assert send(till, "record", body, "key-1").body["transactionId"] != kept["transaction_id"]


def test_what_is_recorded_is_no_original(till: Till) -> None:
    number = ask(till, "record", issuances=[issuance()]).body["transactionId"]
    answer = ask(till, "issuance-reverse", originalTransactionId=number)
    assert errors(answer) == ["OriginalNotFound"]
