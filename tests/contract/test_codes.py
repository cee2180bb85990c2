"""Double entry: the sandbox and Milepost transcribed the table of codes independently of each
other; both must equal the recorded one.
"""

from typing import Any

import pytest

from amcash import codes
from backoffice.journal.states import State
from tests.cast import COLLECTOR, Cast
from tests.contract import acts
from tests.contract.peer import sample
from tests.servers.stack import Sandbox

RECORDED: dict[str, dict[str, Any]] = {one["code"]: one for one in sample("amcash-codes")["codes"]}
STATES = {
    "approved": State.APPROVED,
    "declined": State.DECLINED,
    "declined_after_doubt": State.DECLINED,
    "expired": State.EXPIRED,
    "manual": State.MANUAL,
    "unavailable": State.QUEUED,
    "unknown": State.DOUBT,
}
SHARED = ("code", "http", "message", "endpoints")


def of(call: str) -> list[str]:
    """Return the codes that a call can answer, except the plain approval."""
    return [code for code, one in RECORDED.items() if call in one["endpoints"] and code != "0000"]


def test_the_sandbox_and_milepost_and_the_record_have_one_table(sandbox: Sandbox) -> None:
    recorded = {code: {name: one[name] for name in SHARED} for code, one in RECORDED.items()}
    theirs = {one["code"]: {name: one[name] for name in SHARED} for one in sandbox.codes()}
    ours = {
        one.code: {
            "code": one.code,
            "http": one.http,
            "message": one.message,
            "endpoints": sorted(one.endpoints),
        }
        for one in codes.CODES.values()
    }
    assert theirs == recorded
    assert ours == recorded


@pytest.mark.django_db
@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("code", of("redeem"))
def test_a_redemption_with_a_code_card_ends_as_recorded(
    cast: Cast, sandbox: Sandbox, code: str
) -> None:
    one = RECORDED[code]
    row = acts.redeem(cast, f"8000000{code}")
    assert row.state == STATES[one["verdict"]]
    assert (row.response_code, row.http_status) == (code, one["http"])
    assert not row.after_doubt
    acts.assert_sent_identically(sandbox, row, times=2 if one["retry_at_once"] else 1)
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.django_db
@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("code", of("redeem"))
def test_a_code_after_a_lost_first_send_ends_as_recorded_for_a_doubt(
    cast: Cast, sandbox: Sandbox, code: str
) -> None:
    sandbox.fault("drop_before", path=acts.REDEEM_PATH)
    row = acts.redeem(cast, f"8000000{code}")
    verdict = RECORDED[code]["verdict_after_doubt"]
    assert row.state == STATES[verdict]
    assert row.after_doubt == (verdict == "declined_after_doubt")
    acts.assert_sent_identically(sandbox, row, times=2)


@pytest.mark.django_db
@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("is_after_doubt", [False, True])
@pytest.mark.parametrize("code", of("reverse"))
def test_a_reversal_that_is_answered_with_a_code_ends_as_recorded(
    cast: Cast, sandbox: Sandbox, code: str, is_after_doubt: bool
) -> None:
    redemption = acts.redeem(cast)
    account = {"collector": COLLECTOR, "cash_miles": 820, "dream_miles": 545}
    sandbox.control("seed", members=[{**account, "answers_code": code}])
    if is_after_doubt:
        sandbox.fault("drop_before", path=acts.REVERSE_PATH)
    row = acts.reverse(cast, redemption)
    verdict = RECORDED[code]["verdict_after_doubt" if is_after_doubt else "verdict"]
    assert row.state == STATES[verdict]
    assert row.response_code == code
    redemption.refresh_from_db()
    assert (redemption.reversed_at is not None) == (verdict == "approved")
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.django_db
@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("code", of("inquire"))
def test_an_inquiry_with_a_code_card_says_what_is_recorded(
    cast: Cast, sandbox: Sandbox, code: str
) -> None:
    one = RECORDED[code]
    kinds = {
        "approved": "offer" if one["may_prompt_redemption"] else "no_offer",
        "declined": "refused",
        "unavailable": "unavailable",
        "unknown": "silent",
    }
    inquiry = acts.inquire(cast, f"8000000{code}")
    assert (inquiry.kind, inquiry.code) == (kinds[one["verdict"]], code)
    assert len(sandbox.exchanges(acts.INQUIRE_PATH)) == (2 if one["retry_at_once"] else 1)
