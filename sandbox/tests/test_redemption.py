"""Units, balances, allowances, and giving back."""

import pytest

from sandbox.tests.till import REGULAR, Till

SEEDED = "84444444444"
OFFER_FIELDS = {
    "availableOfferUnits",
    "dailyOfferLimit",
    "offerDescEn",
    "offerDescFr",
    "offerId",
    "offerType",
    "unitValueAMCash",
    "unitValueDollars",
}


def seed(till: Till, **fields: object) -> None:
    till.control("seed", members=[{"collector": SEEDED, **fields}])


def test_forty_dollars_off_a_basket_of_43_35(till: Till) -> None:
    inquiry = till.ask("inquire").body
    assert inquiry["availableOfferUnits"] == "4"
    assert (inquiry["availableCashBalance"], inquiry["availableDollarAmount"]) == ("1140", "120")
    redeemed = till.ask("redeem").body
    assert redeemed["unitsRedeemed"] == "4"
    assert redeemed["cashBalance"] == str(1200 - 4 * 95)
    assert (redeemed["availableCashBalance"], redeemed["availableDollarAmount"]) == ("760", "80")
    confirmation = redeemed["txnConfirmationNumber"]
    assert len(confirmation) == 12
    assert not set(confirmation) & set("01OIL")
    reversed_ = till.ask("reverse", redemptionConfirmationNumber=confirmation).body
    assert reversed_["cashBalance"] == "1200"
    assert reversed_["txnConfirmationNumber"] != confirmation
    ledger = till.look("ledger")
    assert [entry["miles"] for entry in ledger["entries"]] == [-380, 380]
    assert ledger["entries"][1]["undoes"] == confirmation
    assert (ledger["total_miles"], ledger["sum_miles_by_collector"]) == (0, {REGULAR: 0})


@pytest.mark.parametrize(
    ("asked", "basket", "units"),
    [
        ("16.12", "16.12", "1"),
        ("10", "43.35", "1"),
        ("40.00", "43.35", "4"),
        ("100.00", "43.35", "4"),
        ("500.00", "999.99", "12"),
        ("19.99", "19.99", "1"),
    ],
)
def test_a_request_is_adjusted_down_to_what_is_eligible(
    till: Till, asked: str, basket: str, units: str
) -> None:
    answer = till.ask("redeem", dollarRedeemRequest=asked, postTaxBasketAmount=basket)
    assert (answer.code, answer.body["unitsRedeemed"]) == ("0000", units)


@pytest.mark.parametrize(
    ("member", "request_", "code"),
    [
        ({"cash_miles": 94}, {}, "0051"),
        ({"cash_miles": 1200, "daily_cap_cents": 999}, {}, "0065"),
        ({"cash_miles": 1200, "used_today_cents": 74_500}, {}, "0065"),
        ({"cash_miles": 1200}, {"postTaxBasketAmount": "9.99"}, "0066"),
        ({"cash_miles": 1200}, {"dollarRedeemRequest": "9.99"}, "0035"),
        ({"cash_miles": 1200, "locked": True}, {}, "0067"),
        ({"cash_miles": 1200, "locked": True, "suppressed": True}, {}, "0067"),
    ],
)
def test_not_even_one_unit_is_refused_for_its_reason(
    till: Till, member: dict[str, object], request_: dict[str, str], code: str
) -> None:
    seed(till, **member)
    assert till.ask("redeem", collectorNumber=SEEDED, **request_).code == code
    assert till.effects() == []


@pytest.mark.parametrize(
    ("asked", "basket", "code"),
    [("60.00", "43.35", "0066"), ("130.00", "200.00", "0051"), ("120.00", "200.00", "0000")],
)
def test_a_platform_that_does_not_adjust_declines(
    till: Till, asked: str, basket: str, code: str
) -> None:
    till.control("settings", redeem_beyond="decline")
    answer = till.ask("redeem", dollarRedeemRequest=asked, postTaxBasketAmount=basket)
    assert answer.code == code


def test_the_offer_is_absent_where_a_condition_fails(till: Till) -> None:
    for changes in (
        {"collectorNumber": "80000010002"},
        {"collectorNumber": "80000010004"},
        {"collectorNumber": "80000010005"},
        {"collectorNumber": "80000010006"},
        {"cardEntryMode": "manual"},
    ):
        body = till.ask("inquire", **changes).body
        assert not OFFER_FIELDS & set(body), changes
    for changes in ({}, {"collectorNumber": "80000010003"}, {"cardEntryMode": "scan"}):
        assert set(till.ask("inquire", **changes).body) >= OFFER_FIELDS, changes


def test_a_small_basket_has_an_offer_of_no_units(till: Till) -> None:
    body = till.ask("inquire", postTaxBasketAmount="9.99").body
    assert body["availableOfferUnits"] == "0"
    assert body["availableDollarAmount"] == "120"


def test_a_special_offer_has_its_own_unit(till: Till) -> None:
    special = "80000010007"
    body = till.ask("inquire", collectorNumber=special).body
    assert (body["offerType"], body["unitValueAMCash"], body["unitValueDollars"]) == (
        "SPL",
        "1500",
        "10.00",
    )
    assert body["availableCashBalance"] == "6000"
    redeemed = till.ask("redeem", collectorNumber=special, dollarRedeemRequest="20").body
    assert (redeemed["unitsRedeemed"], redeemed["cashBalance"]) == ("2", "3000")


def test_a_unit_of_broken_dollars_is_counted_in_cents(till: Till) -> None:
    seed(till, cash_miles=500, offer={"unit_miles": 100, "unit_cents": 1250})
    body = till.ask("inquire", collectorNumber=SEEDED, postTaxBasketAmount="37.49").body
    assert (body["availableOfferUnits"], body["unitValueDollars"]) == ("2", "12.50")
    assert body["availableDollarAmount"] == "62.50"


def test_suppressed_balances_are_sent_unless_a_switch_holds_them_back(till: Till) -> None:
    hidden = {"cashBalance", "dreamBalance", "availableCashBalance", "availableDollarAmount"}
    for call in ("inquire", "redeem"):
        answer = till.ask(call, collectorNumber="80000010003")
        assert (answer.code, set(answer.body) & hidden) == ("0001", hidden)
    till.control("settings", send_suppressed_balances=False)
    for call in ("inquire", "redeem"):
        answer = till.ask(call, collectorNumber="80000010003")
        assert (answer.code, set(answer.body) & hidden) == ("0001", set())


def test_a_typed_number_is_inquired_about_without_offer_and_never_redeems(till: Till) -> None:
    confirmation = till.redeemed()
    assert till.ask("inquire", cardEntryMode="MANUAL").code == "0000"
    assert till.ask("redeem", cardEntryMode="MANUAL").code == "0009"
    answer = till.ask("reverse", cardEntryMode="MANUAL", redemptionConfirmationNumber=confirmation)
    assert answer.code == "0009"


def test_a_redemption_is_reversed_once_and_by_its_own_collector(till: Till) -> None:
    confirmation = till.redeemed()
    for changes in (
        {"collectorNumber": "80000010007"},
        {"sponsorCode": "KELL"},
        {"redemptionConfirmationNumber": confirmation.lower()},
    ):
        wrong = {"redemptionConfirmationNumber": confirmation} | changes
        assert till.ask("reverse", **wrong).code == "0057", changes
    elsewhere = {"storeId": "0002", "deviceId": "002"}
    first = till.ask("reverse", redemptionConfirmationNumber=confirmation, **elsewhere)
    assert first.code == "0000"
    assert till.ask("reverse", redemptionConfirmationNumber=confirmation).code == "0057"
    again = first.body["txnConfirmationNumber"]
    assert till.ask("reverse", redemptionConfirmationNumber=again).code == "0057"
    assert till.look("ledger")["total_miles"] == 0


def test_a_code_card_keeps_its_own_account(till: Till) -> None:
    confirmation = till.redeemed(collectorNumber="80000000080")
    assert till.cash("80000000080") == 820
    assert till.cash("80000000057") == 1200
    answer = till.ask(
        "reverse", collectorNumber="80000000080", redemptionConfirmationNumber=confirmation
    )
    assert answer.code == "0080"


def test_the_confirmation_field_can_have_its_other_spelling(till: Till) -> None:
    till.control("settings", confirmation_field="txtConfirmationNumber")
    body = till.ask("redeem").body
    assert "txtConfirmationNumber" in body
    assert "txnConfirmationNumber" not in body
