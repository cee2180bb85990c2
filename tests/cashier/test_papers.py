"""The paper: what it says, what it keeps to itself, and how amounts and codes are written."""

import re

import pytest
from barcode.codex import Code128
from django.utils.translation import override

from backoffice.barcodes import code128
from cashier.templatetags.milepost import count, dollars, money, time_left
from tests.cashier.conftest import Till
from tests.cast import COLLECTOR, COLLECTOR_SUPPRESSED
from tests.figures import stands_in
from tests.scripted import ScriptedPlatform, approved, offer


@pytest.mark.django_db
def test_the_paper_has_the_number_twice_the_card_masked_and_the_balances(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(), approved())
    sale = plain.redeem(COLLECTOR)
    paper = plain.get(f"{sale}receipt/")
    for text in ("Northgate Grocers", "7KQ4 20X9 B1TM", "•••••••0001", "$40.00", "$3.35", "820"):
        assert text in paper
    assert "545" in paper and 'class="barcode"' in paper and "Valid for reversal until" in paper
    assert COLLECTOR not in paper and "COPY" not in paper
    assert "COPY" in plain.get(f"{sale}receipt/?copy=1")


@pytest.mark.django_db
def test_a_hidden_balance_is_not_on_the_paper_either(
    plain: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(response_code="0001"), approved(response_code="0001"))
    sale = plain.redeem(COLLECTOR_SUPPRESSED)
    for page in (plain.get(sale), plain.get(f"{sale}receipt/")):
        shown = re.sub(r"<svg.*?</svg>", "", page)
        assert "$40.00" in shown and "380" in shown
        assert "Balance," not in shown
        for balance in ("820", "545", "760"):
            assert not stands_in(balance, shown)


@pytest.mark.parametrize(
    ("cents", "english", "french"),
    [
        (4335, "$43.35", "43,35\u00a0$"),
        (0, "$0.00", "0,00\u00a0$"),
        (123456789, "$1,234,567.89", "1\u00a0234\u00a0567,89\u00a0$"),
        (-4000, "\u2212$40.00", "\u221240,00\u00a0$"),
        (5, "$0.05", "0,05\u00a0$"),
    ],
)
def test_money_is_written_as_its_language_does(cents: int, english: str, french: str) -> None:
    with override("en"):
        assert money(cents) == english
    with override("fr"):
        assert money(cents) == french


def test_whole_dollars_lose_their_cents_and_nothing_else_does() -> None:
    with override("en"):
        assert (dollars(4000), dollars(4050), dollars(-4000)) == ("$40", "$40.50", "\u2212$40")
        assert (count(7125), money(None), count(None)) == ("7,125", "–", "–")
        assert (time_left(13 * 3600 + 27 * 60), time_left(65), time_left(-5)) == (
            "13 h 27 min",
            "1 min",
            "0 min",
        )
    with override("fr"):
        assert (dollars(4000), count(7125)) == ("40\u00a0$", "7\u00a0125")


def test_a_barcode_draws_the_standards_modules_with_quiet_ends() -> None:
    drawn = code128("7KQ420X9B1TM")
    modules = Code128("7KQ420X9B1TM").build()[0]
    bars = [(int(start) - 10, int(width)) for start, width in re.findall(r"M(\d+) 0h(\d+)", drawn)]
    painted = ["0"] * len(modules)
    for start, width in bars:
        painted[start : start + width] = "1" * width
    assert "".join(painted) == modules
    assert f'viewBox="0 0 {len(modules) + 20} 1"' in drawn
