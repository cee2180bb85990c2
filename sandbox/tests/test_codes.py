"""Every response code, reached by a card that spells it and by the state that deserves it."""

from collections.abc import Callable

import pytest

from sandbox.redemption.codes import CODES, Call
from sandbox.tests.till import REGULAR, Answer, Till, sample

VECTORS = {row["code"]: row for row in sample("amcash-codes")["codes"]}
SEEDED = "84444444444"
DOCUMENTED = sorted((code, call) for code, row in VECTORS.items() for call in row["endpoints"])
BY_CARD = [(code, call) for code, call in DOCUMENTED if call != "echo"]


def seed(till: Till, **fields: object) -> None:
    till.control("seed", members=[{"collector": SEEDED, "cash_miles": 1200, **fields}])


def test_the_table_agrees_with_the_shared_vectors(till: Till) -> None:
    table = {row["code"]: row for row in till.look("codes")["codes"]}
    assert set(table) == set(VECTORS)
    for code, row in VECTORS.items():
        assert table[code]["http"] == row["http"]
        assert table[code]["message"] == row["message"]
        assert table[code]["endpoints"] == sorted(row["endpoints"])
        assert table[code]["message_fr"] != row["message"]


@pytest.mark.parametrize(("code", "call"), BY_CARD)
def test_a_card_answers_the_code_it_spells(till: Till, code: str, call: str) -> None:
    card = f"8000000{code}"
    confirmation = None
    if call == "reverse":
        # Where REDEEM does not document the code, or approves, there is something to reverse.
        redeemed = till.ask("redeem", collectorNumber=card)
        confirmation = redeemed.body.get("txnConfirmationNumber", "NEVERISSUED2")
    changes = {"redemptionConfirmationNumber": confirmation} if confirmation else {}
    answer = till.ask(call, collectorNumber=card, **changes)
    assert (answer.code, answer.status) == (code, VECTORS[code]["http"])


@pytest.mark.parametrize(
    ("code", "call"), [("0065", "inquire"), ("0080", "redeem"), ("9999", "redeem")]
)
def test_a_card_is_a_regular_one_where_its_code_is_not_documented(
    till: Till, code: str, call: str
) -> None:
    answer = till.ask(call, collectorNumber=f"8000000{code}")
    assert answer.code == "0000"
    assert answer.body["dreamBalance"] == "545"


def outage(code: str) -> Callable[[Till, str], Answer]:
    def reach(till: Till, call: str) -> Answer:
        till.control("settings", outage=code)
        return till.ask(call)

    return reach


def with_member(**fields: object) -> Callable[[Till, str], Answer]:
    def reach(till: Till, call: str) -> Answer:
        seed(till)
        changes = {}
        if call == "reverse":
            changes["redemptionConfirmationNumber"] = till.redeemed(collectorNumber=SEEDED)
        seed(till, **fields)
        return till.ask(call, collectorNumber=SEEDED, **changes)

    return reach


def with_request(**changes: str) -> Callable[[Till, str], Answer]:
    return lambda till, call: till.ask(call, **changes)


def approved(till: Till, call: str) -> Answer:
    if call == "reverse":
        return till.ask(call, redemptionConfirmationNumber=till.redeemed())
    return till.ask(call)


def typed(till: Till, call: str) -> Answer:
    till.control("settings", manual_inquire="0009")
    return till.ask(call, cardEntryMode="Manual")


def without_miles(till: Till, call: str) -> Answer:
    till.control("settings", inquire_without_miles="0051")
    seed(till, cash_miles=94)
    return till.ask(call, collectorNumber=SEEDED)


def too_late(till: Till, call: str) -> Answer:
    till.control("clock", now="2026-11-20T14:00:00-05:00")
    confirmation = till.redeemed()
    till.control("clock", now="2026-11-21T03:00:00-05:00")
    return till.ask(call, redemptionConfirmationNumber=confirmation)


STATES: dict[str, Callable[[Till, str], Answer]] = {
    "0000": approved,
    "0001": with_member(suppressed=True),
    "0002": with_member(active=False),
    "0005": with_member(suppressed=True, locked=True),
    "0006": with_member(locked=True),
    "0008": outage("0008"),
    "0009": typed,
    "0025": with_request(collectorNumber="89999999999"),
    "0035": with_request(storeId="12345"),
    "0051": without_miles,
    "0057": with_request(redemptionConfirmationNumber="NEVERISSUED2"),
    "0065": with_member(used_today_cents=75_000),
    "0066": with_request(postTaxBasketAmount="9.99"),
    "0067": with_member(offer={"available": False}),
    "0080": too_late,
    "0092": outage("0092"),
    "0096": outage("0096"),
}


@pytest.mark.parametrize(("code", "call"), DOCUMENTED)
def test_a_code_is_reached_by_the_state_that_deserves_it(till: Till, code: str, call: str) -> None:
    answer = STATES[code](till, call)
    assert (answer.code, answer.status) == (code, VECTORS[code]["http"])
    if code not in {"0035"}:
        assert answer.body["message"] == VECTORS[code]["message"]


@pytest.mark.parametrize(("code", "call"), DOCUMENTED)
def test_messages_are_french_where_french_is_asked_for(till: Till, code: str, call: str) -> None:
    if call == "echo":
        assert CODES[code].message_fr
        return
    answer = till.ask(call, collectorNumber=f"8000000{code}", instantMessage="fr-CA")
    expected = CODES[answer.code].message_fr
    assert answer.body["message"].startswith(expected)
    assert Call(call) in CODES[answer.code].calls


def test_a_refusal_has_no_effect_and_says_no_more_than_it_must(till: Till) -> None:
    answer = till.ask("redeem", collectorNumber="80000000051")
    assert set(answer.body) == {"message", "responseCode", "transDateTime"}
    assert till.effects() == []


def test_any_other_number_is_no_collector(till: Till) -> None:
    for number in ("80000030001", "1", "8" * 19):
        assert till.ask("inquire", collectorNumber=number).code == "0025"


def test_the_regular_card_is_as_the_table_says(till: Till) -> None:
    body = till.ask("inquire", collectorNumber=REGULAR).body
    assert (body["cashBalance"], body["dreamBalance"], body["offerType"]) == ("1200", "545", "RGL")
