"""The table of codes against the recorded one, field by field and both ways."""

import json
from pathlib import Path
from typing import Any

import pytest

from amcash import codes
from amcash.codes import CODES, Reading

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "samples" / "amcash-codes.json").read_text(encoding="utf-8")
)["codes"]


def test_the_table_has_the_recorded_codes_and_no_other() -> None:
    assert list(CODES) == [recorded["code"] for recorded in RECORDED]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["code"]))
def test_a_code_is_what_was_recorded_in_every_field(recorded: dict[str, Any]) -> None:
    code = CODES[recorded["code"]]
    assert {
        "code": code.code,
        "http": code.http,
        "message": code.message,
        "endpoints": sorted(code.endpoints),
        "verdict": code.reading.value,
        "verdict_after_doubt": code.after_doubt.value,
        "retry_at_once": code.retry_at_once,
        "show_balances": code.show_balances,
        "may_prompt_redemption": code.may_prompt_redemption,
    } == {
        name: sorted(value) if name == "endpoints" else value
        for name, value in recorded.items()
        if name != "cashier"
    }
    assert codes.find(recorded["code"]) is code
    assert codes.read(recorded["code"], earlier_unknown=False) is code.reading
    assert codes.read(recorded["code"], earlier_unknown=True) is code.after_doubt


def test_every_other_code_of_four_digits_is_unknown() -> None:
    others = {f"{number:04d}" for number in range(10_000)} - CODES.keys()
    assert len(others) == 10_000 - len(RECORDED)
    for code in others:
        assert codes.find(code) is None
        assert codes.read(code, earlier_unknown=False) is Reading.UNKNOWN
        assert codes.read(code, earlier_unknown=True) is Reading.UNKNOWN


@pytest.mark.parametrize("code", ["", "0", "00", "000", "00000", "0000 ", "٠٠٠٠", "0x00", "null"])
def test_what_only_resembles_a_code_is_unknown(code: str) -> None:
    assert codes.find(code) is None
    assert codes.read(code, earlier_unknown=False) is Reading.UNKNOWN


def test_only_silence_like_codes_are_worth_a_retry_and_only_two_show_balances() -> None:
    assert {code.code for code in CODES.values() if code.retry_at_once} == {"0008", "0096"}
    assert {code.code for code in CODES.values() if code.show_balances} == {"0000", "0006"}
    assert {code.code for code in CODES.values() if code.may_prompt_redemption} == {"0000", "0001"}
