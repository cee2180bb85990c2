"""The 03:00 clock: whose day it is, and until when a redemption can be undone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.clock import reversal_deadline, trading_day
from sandbox.tests.till import Till, request_of, sample

CASES = sample("reversal-deadline")["cases"]
TORONTO = ZoneInfo("America/Toronto")


def case_name(case: dict[str, Any]) -> str:
    return f"{case['zone']} {case['redeemed_at']}"


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_deadline_is_the_shared_vectors_deadline(case: dict[str, Any]) -> None:
    redeemed_at = datetime.fromisoformat(case["redeemed_at"])
    deadline = reversal_deadline(redeemed_at, ZoneInfo(case["zone"]))
    assert deadline.timestamp() == datetime.fromisoformat(case["deadline"]).timestamp()


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_window_closes_to_the_second(till: Till, case: dict[str, Any]) -> None:
    till.control("settings", zone=case["zone"])
    deadline = datetime.fromisoformat(case["deadline"])
    till.control("clock", now=case["redeemed_at"], stopped=True)
    early, late = till.redeemed(), till.redeemed()
    till.control("clock", now=(deadline - timedelta(seconds=1)).isoformat(), stopped=True)
    assert till.ask("reverse", redemptionConfirmationNumber=early).code == "0000"
    till.control("clock", now=case["deadline"], stopped=True)
    assert till.ask("reverse", redemptionConfirmationNumber=late).code == "0080"


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-11-20T02:59:59-05:00", "2026-11-19"),
        ("2026-11-20T03:00:00-05:00", "2026-11-20"),
        # The night an hour is repeated, and the one an hour is skipped.
        ("2026-11-01T01:30:00-05:00", "2026-10-31"),
        ("2026-11-01T03:00:00-05:00", "2026-11-01"),
        ("2027-03-14T01:59:59-05:00", "2027-03-13"),
        ("2027-03-14T03:00:00-04:00", "2027-03-14"),
    ],
)
def test_a_day_begins_at_three_on_the_wall(local: str, day: str) -> None:
    moment = datetime.fromisoformat(local).astimezone(UTC)
    assert trading_day(moment, TORONTO).isoformat() == day


def test_the_daily_cap_is_used_up_and_comes_back_at_three(till: Till) -> None:
    collector = "84095202006"
    till.control("seed", members=[{"collector": collector, "cash_miles": 9500}])
    till.control("settings", daily_cap_cents=10_000)
    till.control("clock", now="2026-11-20T22:00:00-05:00", stopped=True)
    order = {"collectorNumber": collector, "postTaxBasketAmount": "500.00"}
    assert till.ask("redeem", dollarRedeemRequest="70.00", **order).body["unitsRedeemed"] == "7"
    assert till.ask("inquire", **order).body["dailyOfferLimit"] == "3"
    rest = till.ask("redeem", dollarRedeemRequest="70.00", **order).body
    assert (rest["unitsRedeemed"], rest["availableDollarAmount"]) == ("3", "0")
    till.control("clock", now="2026-11-21T02:59:59-05:00", stopped=True)
    assert till.ask("redeem", **order).code == "0065"
    assert "offerId" not in till.ask("inquire", **order).body
    till.control("clock", now="2026-11-21T03:00:00-05:00", stopped=True)
    assert till.ask("inquire", **order).body["dailyOfferLimit"] == "10"
    assert till.ask("redeem", **order).code == "0000"


def test_a_reversal_restores_the_allowance_of_its_day(till: Till) -> None:
    till.control("settings", daily_cap_cents=4_000)
    confirmation = till.redeemed()
    assert till.ask("redeem").code == "0065"
    till.ask("reverse", redemptionConfirmationNumber=confirmation)
    assert till.ask("redeem").code == "0000"


def test_use_that_was_seeded_for_today_is_gone_tomorrow(till: Till) -> None:
    till.control("clock", now="2026-11-20T12:00:00-05:00", stopped=True)
    member = {"collector": "84444444444", "cash_miles": 950, "used_today_cents": 75_000}
    till.control("seed", members=[member])
    assert till.ask("redeem", collectorNumber="84444444444").code == "0065"
    till.control("clock", now="2026-11-21T03:00:00-05:00")
    assert till.ask("redeem", collectorNumber="84444444444").code == "0000"
    assert till.ask("redeem", collectorNumber="80000010006").code == "0065"


def test_a_late_repeat_gets_its_stored_answer_unless_the_window_is_checked_first(
    till: Till,
) -> None:
    till.control("clock", now="2026-11-20T23:00:00-05:00", stopped=True)
    body = request_of("reverse", redemptionConfirmationNumber=till.redeemed())
    first = till.send("reverse", body, "key-1")
    till.control("clock", now="2026-11-21T03:00:05-05:00", stopped=True)
    assert till.send("reverse", body, "key-1").raw == first.raw
    till.control("settings", window_before_key=True)
    assert till.send("reverse", body, "key-1").code == "0080"


def test_the_answer_bears_the_platforms_wall_clock_without_offset(till: Till) -> None:
    till.control("clock", now="2026-07-01T12:00:00Z", stopped=True)
    assert till.ask("echo").body["transDateTime"] == "2026-07-01T08:00:00"


def test_a_clock_that_was_set_goes_on_and_can_be_returned_to_real_time(till: Till) -> None:
    till.control("clock", now="2030-01-01T00:00:00Z")
    first, second = till.look("clock")["now"], till.look("clock")["now"]
    assert first.startswith("2030-01-01T00:00")
    assert second > first
    assert till.control("clock")["offset_s"] == 0
    assert not till.look("clock")["now"].startswith("2030")
