"""Which PINs are refused, and why."""

import pytest

from backoffice.people.pin_rules import Fault, fault_of


@pytest.mark.parametrize(
    "pin",
    [
        *("0000", "1111", "1234", "4321", "7890", "0123", "1212", "123123", "1122", "1984"),
        *("2026", "2580", "987654", "112112", "1211", "252525", "147258"),
    ],
)
def test_a_trivial_pin_is_refused(pin: str) -> None:
    assert fault_of(pin, is_cashier=True) is Fault.TRIVIAL


@pytest.mark.parametrize("pin", ["246810", "135790", "7351", "40918", "8026"])
def test_a_good_pin_is_taken(pin: str) -> None:
    assert fault_of(pin, is_cashier=True) is None


@pytest.mark.parametrize("pin", ["", "12a4", "٤٥٦٧", " 7351", "7351\n", "-7351", "½351"])
def test_a_pin_has_digits_only(pin: str) -> None:
    assert fault_of(pin, is_cashier=True) is Fault.NOT_DIGITS


def test_a_cashiers_pin_has_four_to_six_digits_and_everybody_elses_six_or_more() -> None:
    assert fault_of("735", is_cashier=True) is Fault.TOO_SHORT
    assert fault_of("7351946", is_cashier=True) is Fault.TOO_LONG
    assert fault_of("73519", is_cashier=False) is Fault.TOO_SHORT
    assert fault_of("735194", is_cashier=False) is None
    assert fault_of("73519462", is_cashier=False) is None
    assert fault_of("73519462518", is_cashier=False) is Fault.TOO_LONG
