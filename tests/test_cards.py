"""What a scanner, a stripe reader and a hand bring, and what of it is a collector's card."""

import pytest

from backoffice.cards import Card, CardFault, EntryMode, NotACard, entry_mode_of, parse_card

NUMBER = "80000010001"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"  {NUMBER}\r\n",
        "8000 001 0001",
        "8000-001-0001",
        "8 0 0 0 0 0 1 0 0 0 1",
        f";{NUMBER}=99121010000000000000?",
        f";{NUMBER}=99121010000000000000?\r\n",
        f"{NUMBER}=9912",
        f"{NUMBER}D9912",
        f";{NUMBER}=",
        f";{NUMBER}=line one\nline two",
    ],
)
def test_the_number_is_read_from_what_readers_and_hands_send(text: str) -> None:
    assert parse_card(text) == NUMBER


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", CardFault.EMPTY),
        (" \t\r\n", CardFault.EMPTY),
        ("abc", CardFault.NOT_DIGITS),
        ("8000001000x", CardFault.NOT_DIGITS),
        ("8000001000.", CardFault.NOT_DIGITS),
        ("+80000010001", CardFault.NOT_DIGITS),
        ("8000--0010001", CardFault.NOT_DIGITS),
        ("8000  0010001", CardFault.NOT_DIGITS),
        ("-80000010001", CardFault.NOT_DIGITS),
        ("80000010001-", CardFault.NOT_DIGITS),
        ("%B80000010001^NAME^9912?", CardFault.NOT_DIGITS),
        (";8000001000=9912?", CardFault.NOT_DIGITS),
        (";=9912?", CardFault.NOT_DIGITS),
        # Digits of other scripts are digits to Python and to nobody's card reader.
        ("٨٠٠٠٠٠١٠٠٠١", CardFault.NOT_DIGITS),
        (";٨٠٠٠٠٠١٠٠٠١=9912?", CardFault.NOT_DIGITS),
        ("8000001000１", CardFault.NOT_DIGITS),
        ("8²000001000", CardFault.NOT_DIGITS),
        ("8\u00a00000010001", CardFault.NOT_DIGITS),
        ("80000010001\x00", CardFault.NOT_DIGITS),
        ("70000010001", CardFault.WRONG_START),
        ("00000000000", CardFault.WRONG_START),
        (";70000010001=9912?", CardFault.WRONG_START),
        (";1234567890123456789=9912?", CardFault.WRONG_LENGTH),
        (";8000001000112=9912?", CardFault.WRONG_LENGTH),
        (";80000010001123=9912?", CardFault.WRONG_LENGTH),
    ],
)
def test_everything_else_is_refused_by_name(text: str, fault: CardFault) -> None:
    with pytest.raises(NotACard) as refused:
        parse_card(text)
    assert refused.value.fault is fault


@pytest.mark.parametrize("length", range(1, 41))
def test_a_length_is_a_card_a_product_or_wrong(length: int) -> None:
    text = "8" * length
    if length == 11:
        assert parse_card(text) == text
        return
    with pytest.raises(NotACard) as refused:
        parse_card(text)
    is_product = length in {8, 12, 13, 14}
    assert refused.value.fault is (CardFault.PRODUCT_CODE if is_product else CardFault.WRONG_LENGTH)


def test_a_fault_tells_nothing_of_what_was_read() -> None:
    with pytest.raises(NotACard) as refused:
        parse_card("80000010001234567")
    assert "8000" not in str(refused.value)


def test_a_stripe_is_known_by_its_track_and_everything_else_was_scanned() -> None:
    assert entry_mode_of(f";{NUMBER}=9912?\r") is EntryMode.SWIPE
    assert entry_mode_of(f"{NUMBER}=9912") is EntryMode.SWIPE
    assert entry_mode_of(f" {NUMBER}\r\n") is EntryMode.SCAN


@pytest.mark.parametrize("mode", EntryMode)
def test_a_card_shows_four_digits_and_never_its_number(mode: EntryMode) -> None:
    card = Card(number="84095202006", entry_mode=mode)
    assert card.last4 == "2006"
    assert "84095202006" not in repr(card)
