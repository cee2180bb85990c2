"""What every answer, and every absence of one, says of a redemption and of a reversal."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amcash.answers import finding_of
from backoffice.journal.decisions import Finding, Verdict
from backoffice.journal.states import Operation
from backoffice.wire.answers import Reply, Silence
from tests.amcash.test_messages import HOSTILE

RECORDED: dict[str, dict[str, Any]] = {
    row["code"]: row
    for row in json.loads(
        (Path(__file__).parent.parent / "samples" / "amcash-codes.json").read_text(encoding="utf-8")
    )["codes"]
}
SAID = {
    "approved": Verdict.APPROVED,
    "declined": Verdict.DECLINED,
    "declined_after_doubt": Verdict.DECLINED_AFTER_DOUBT,
    "expired": Verdict.EXPIRED,
    "manual": Verdict.UNCLEAR,
    "unavailable": Verdict.NOT_EXECUTED,
    "unknown": Verdict.UNKNOWN,
}
STATUSES = [200, 201, 202, 204, 299, 400, 401, 403, 404, 408, 409, 429, 499, 500, 502, 503, 599]
REDIRECTS = [300, 301, 302, 303, 304, 307, 308, 399]
# Enough for an approval of a redemption.
GRANT = {
    "txnConfirmationNumber": "7KQ420X9B1TM",
    "unitsRedeemed": "4",
    "unitValueDollars": "10.00",
    "unitValueAMCash": "95",
    "cashBalance": "820",
    "dreamBalance": "545",
}


def read(
    operation: Operation, body: bytes, status: int = 200, *, earlier_unknown: bool = False
) -> Finding:
    reply = Reply(status=status, body=body, duration_ms=42)
    return finding_of(operation, reply, earlier_unknown=earlier_unknown)


def answer(code: str, **fields: object) -> bytes:
    return json.dumps({"responseCode": code, "message": "said", **GRANT, **fields}).encode()


def expected(operation: Operation, code: str, status: int, earlier_unknown: bool) -> Verdict:
    row = RECORDED[code]
    if operation.value not in row["endpoints"]:
        return Verdict.UNKNOWN
    verdict = SAID[row["verdict_after_doubt" if earlier_unknown else "verdict"]]
    if verdict is Verdict.APPROVED and not 200 <= status < 300:
        return Verdict.UNKNOWN
    return verdict


@pytest.mark.parametrize("code", RECORDED)
@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("earlier_unknown", [False, True])
def test_the_code_decides_and_an_approval_needs_a_success_status(
    code: str, operation: Operation, earlier_unknown: bool
) -> None:
    for status in STATUSES:
        finding = read(operation, answer(code), status, earlier_unknown=earlier_unknown)
        assert finding.verdict is expected(operation, code, status, earlier_unknown), status
        assert (finding.http_status, finding.response_code) == (status, code)
        assert finding.duration_ms == 42 and finding.silence == ""


@pytest.mark.parametrize("code", RECORDED)
@pytest.mark.parametrize("operation", Operation)
def test_a_redirect_decides_nothing_whatever_it_says(code: str, operation: Operation) -> None:
    for status, earlier_unknown in itertools.product(REDIRECTS, [False, True]):
        finding = read(operation, answer(code), status, earlier_unknown=earlier_unknown)
        assert finding.verdict is Verdict.UNKNOWN, status


@pytest.mark.parametrize("code", ["0005", "0006"])
@pytest.mark.parametrize("operation", Operation)
def test_a_success_of_an_inquiry_is_no_approval_of_anything_else(
    code: str, operation: Operation
) -> None:
    assert read(operation, answer(code), 202).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("code", ["0057", "0080"])
def test_a_reversals_refusal_says_nothing_of_a_redemption(code: str) -> None:
    for earlier_unknown in (False, True):
        finding = read(Operation.REDEEM, answer(code), 409, earlier_unknown=earlier_unknown)
        assert finding.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("code", ["0051", "0065", "0066", "0067"])
def test_a_redemptions_refusal_says_nothing_of_a_reversal(code: str) -> None:
    assert read(Operation.REVERSE, answer(code), 202).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("code", ["9999", "000", "00000", "0000x", "OK", "APPROVED", "0000 0000"])
def test_an_unknown_code_decides_nothing(code: str) -> None:
    for operation, status in itertools.product(Operation, STATUSES):
        assert read(operation, answer(code), status).verdict is Verdict.UNKNOWN, status


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:60]))
def test_what_is_not_an_answer_decides_nothing(operation: Operation, body: bytes) -> None:
    for status, earlier_unknown in itertools.product([200, 202, 302, 409, 500], [False, True]):
        finding = read(operation, body, status, earlier_unknown=earlier_unknown)
        assert finding.verdict is Verdict.UNKNOWN
        assert finding.answer is None and finding.confirmation_number == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "invalid_token"}', b"[]"])
def test_a_401_without_a_code_is_the_token_and_nothing_was_executed(body: bytes) -> None:
    for operation, earlier_unknown in itertools.product(Operation, [False, True]):
        finding = read(operation, body, 401, earlier_unknown=earlier_unknown)
        assert finding.verdict is Verdict.NOT_EXECUTED
        assert finding.response_code == "" and finding.answer is None


@pytest.mark.parametrize("body", [b'{"error": "x"}', b"", b"[]", b"<html>busy</html>"])
def test_no_code_decides_nothing_on_any_other_status(body: bytes) -> None:
    for operation, status in itertools.product(Operation, {*STATUSES, *REDIRECTS} - {401}):
        assert read(operation, body, status).verdict is Verdict.UNKNOWN, status


# --- Silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refused", "unresolved", "connect_timeout", "late", "no_token"])
@pytest.mark.parametrize("operation", Operation)
def test_only_proof_that_nothing_left_is_not_sent(operation: Operation, kind: Any) -> None:
    silence = Silence(kind=kind, maybe_applied=False, duration_ms=3)
    for earlier_unknown in (False, True):
        finding = finding_of(operation, silence, earlier_unknown=earlier_unknown)
        assert finding.verdict is Verdict.NOT_SENT
        assert (finding.silence, finding.duration_ms, finding.http_status) == (kind, 3, None)


@pytest.mark.parametrize("kind", ["read_timeout", "reset", "closed", "cut", "garbled", "other"])
@pytest.mark.parametrize("operation", Operation)
def test_every_other_silence_is_unknown(operation: Operation, kind: Any) -> None:
    silence = Silence(kind=kind, maybe_applied=True, duration_ms=10_000)
    for earlier_unknown in (False, True):
        finding = finding_of(operation, silence, earlier_unknown=earlier_unknown)
        assert finding.verdict is Verdict.UNKNOWN and finding.silence == kind


# --- Approvals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["0000", "0001"])
@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    ("dollars", "cents"), [("10", 1000), ("10.00", 1000), ("170.00", 17000), ("2.5", 250)]
)
def test_an_approved_redemption_is_worth_its_units_times_their_value(
    code: str, status: int, dollars: str, cents: int
) -> None:
    finding = read(Operation.REDEEM, answer(code, unitValueDollars=dollars), status)
    assert finding.verdict is Verdict.APPROVED
    assert (finding.units, finding.unit_cents, finding.amount_cents) == (4, cents, 4 * cents)
    assert (finding.miles, finding.unit_miles) == (380, 95)
    assert finding.confirmation_number == "7KQ420X9B1TM"
    kept = json.loads(finding.answer or b"")
    assert ("cashBalance" in kept) == (code == "0000")


def test_an_approval_without_miles_per_unit_is_an_approval_of_unknown_miles() -> None:
    finding = read(Operation.REDEEM, answer("0000", unitValueAMCash=""))
    assert finding.verdict is Verdict.APPROVED
    assert (finding.miles, finding.amount_cents) == (None, 4000)


@pytest.mark.parametrize(
    "missing",
    [
        {"txnConfirmationNumber": ""},
        {"txnConfirmationNumber": 4711},
        {"unitsRedeemed": ""},
        {"unitsRedeemed": "0"},
        {"unitValueDollars": ""},
        {"unitValueDollars": "0.00"},
        # Approved, and no column would hold it.
        {"txnConfirmationNumber": "7" * 41},
        {"txnConfirmationNumber": "7KQ4\u000020X9"},
        {"txnConfirmationNumber": "7KQ4\n20X9"},
        {"unitsRedeemed": "9999999999999999"},
        {"unitValueDollars": "9999999999999.99"},
        {"unitValueAMCash": "9999999999999999"},
    ],
)
def test_an_approval_that_lacks_what_must_be_shown_is_for_a_person(
    missing: dict[str, object],
) -> None:
    finding = read(Operation.REDEEM, answer("0000", **missing))
    assert finding.verdict is Verdict.INCOMPLETE
    assert finding.answer is not None
    assert (finding.units, finding.amount_cents, finding.confirmation_number) == (None, None, "")


def test_the_longest_number_that_fits_is_kept() -> None:
    finding = read(Operation.REDEEM, answer("0000", txnConfirmationNumber="7" * 40))
    assert finding.verdict is Verdict.APPROVED and finding.confirmation_number == "7" * 40


@pytest.mark.parametrize("fields", [{}, {"txnConfirmationNumber": ""}, {"unitsRedeemed": ""}])
def test_a_reversal_is_approved_by_its_code_alone(fields: dict[str, object]) -> None:
    finding = read(Operation.REVERSE, answer("0000", **fields))
    assert finding.verdict is Verdict.APPROVED
    assert finding.confirmation_number == fields.get("txnConfirmationNumber", "7KQ420X9B1TM")
    assert (finding.units, finding.amount_cents) == (None, None)


@pytest.mark.parametrize("code", [code for code in RECORDED if code not in {"0000", "0006"}])
def test_no_forbidden_balance_is_kept_of_any_answer(code: str) -> None:
    for operation in Operation:
        kept = read(operation, answer(code)).answer or b""
        assert b"cashBalance" not in kept and b"dreamBalance" not in kept
        assert b"820" not in kept and b"545" not in kept


def test_a_code_longer_than_its_column_is_cut() -> None:
    assert read(Operation.REDEEM, answer("0" * 500)).response_code == "0" * 8


# --- Anything at all ------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from([*GRANT, "responseCode", "message", "availableOfferUnits", "x"])
CODES = st.sampled_from([*RECORDED, "9999", ""])


@settings(derandomize=True, max_examples=400, deadline=None)
@given(
    operation=st.sampled_from(Operation),
    status=st.integers(100, 599),
    fields=st.dictionaries(NAMES, VALUES, max_size=6),
    code=CODES,
    earlier_unknown=st.booleans(),
)
def test_only_a_whole_grant_with_a_documented_code_is_ever_an_approval(
    operation: Operation,
    status: int,
    fields: dict[str, Any],
    code: str,
    earlier_unknown: bool,
) -> None:
    said = {**GRANT, "responseCode": code, **fields}
    finding = read(operation, json.dumps(said).encode(), status, earlier_unknown=earlier_unknown)
    assert len(finding.response_code) <= 8 and "\x00" not in finding.response_code
    if finding.verdict is not Verdict.APPROVED:
        return
    assert str(said["responseCode"]).strip() in {"0000", "0001"} and 200 <= status < 300
    if operation is Operation.REDEEM:
        assert finding.units and finding.unit_cents and finding.confirmation_number
        assert finding.amount_cents == finding.units * finding.unit_cents


@settings(derandomize=True, max_examples=400, deadline=None)
@given(operation=st.sampled_from(Operation), status=st.integers(100, 599), body=st.binary())
def test_no_bytes_are_ever_an_approval_by_chance(
    operation: Operation, status: int, body: bytes
) -> None:
    finding = read(operation, body, status)
    assert finding.verdict in {Verdict.UNKNOWN, Verdict.NOT_EXECUTED}
