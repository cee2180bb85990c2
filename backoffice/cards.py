"""A collector's card: its number, how it was read, and how a reader's input becomes one. Pure."""

import re
from dataclasses import dataclass, field
from enum import StrEnum


class EntryMode(StrEnum):
    """How the card number came into the till (PLATFORM 2.1, cardEntryMode)."""

    SCAN = "SCAN"
    SWIPE = "SWIPE"
    MANUAL = "MANUAL"


class CardFault(StrEnum):
    """Why something read is not a collector's card."""

    EMPTY = "empty"
    NOT_DIGITS = "not_digits"
    PRODUCT_CODE = "product_code"
    WRONG_LENGTH = "wrong_length"
    WRONG_START = "wrong_start"
    NOT_FOR_TRAINING = "not_for_training"


class NotACard(ValueError):
    """What was read is not a collector number."""

    def __init__(self, fault: CardFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class Card:
    """A collector number and how it was read. The number never shows in a repr."""

    number: str = field(repr=False)
    entry_mode: EntryMode

    @property
    def last4(self) -> str:
        """The only digits that a screen shows."""
        return self.number[-4:]


COLLECTOR_DIGITS = 11
# What the sandbox's test cards begin with (PRODUCT 3).
_PRACTICE = ("8000000", "8000001", "8000002")
# Any run of so many digits, grouped or not, is taken for a card where none may stand.
_SAYS_A_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){10,}(?!\d)")
_TRACK_2 = re.compile(r";?(\d{11,19})[=D].*", re.DOTALL)


def parse_card(text: str) -> str:
    """Return the collector number in what a scanner, a stripe reader or a person entered.

    Reads the number itself, with spaces or hyphens between digits, and magstripe track 2. No check
    digit is tried: the programme's own samples have none (PLATFORM 8). Raises NotACard.
    """
    raw = text.strip()
    track = _TRACK_2.fullmatch(raw)
    digits = track.group(1) if track else re.sub(r"(?<=\d)[ -](?=\d)", "", raw)
    if not digits:
        raise NotACard(CardFault.EMPTY)
    if not (digits.isascii() and digits.isdigit()):
        raise NotACard(CardFault.NOT_DIGITS)
    if track is None and len(digits) in {8, 12, 13, 14}:
        # The lengths of EAN-8, UPC-A, EAN-13 and ITF-14: something from the shelf.
        raise NotACard(CardFault.PRODUCT_CODE)
    if len(digits) != COLLECTOR_DIGITS:
        raise NotACard(CardFault.WRONG_LENGTH)
    if not digits.startswith("8"):
        raise NotACard(CardFault.WRONG_START)
    return digits


def is_for_training(number: str) -> bool:
    """Say whether a collector number is one of the sandbox's, which nobody carries."""
    return number.startswith(_PRACTICE)


def says_a_card(text: str) -> bool:
    """Say whether a text has something in it that could be a whole card number."""
    return bool(_SAYS_A_CARD.search(text))


def entry_mode_of(text: str) -> EntryMode:
    """Return how a reader's raw input was read: a stripe's track 2, or a scanned code."""
    return EntryMode.SWIPE if _TRACK_2.fullmatch(text.strip()) else EntryMode.SCAN
