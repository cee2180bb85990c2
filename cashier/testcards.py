"""The sandbox's test cards (PRODUCT 3): at a desk without a scanner, and in training."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.cards import CardFault, NotACard, is_for_training, parse_card
from cashier.frames import Frame


@dataclass(frozen=True, kw_only=True)
class SandboxCard:
    """A card of the sandbox and what it shows. Screens name it; they never hold its number."""

    name: str
    number: str
    title: str | Promise


_CARDS = (
    SandboxCard(name="regular", number="80000010001", title=_("Regular offer")),
    SandboxCard(name="special", number="80000010007", title=_("Special offer")),
    SandboxCard(name="hidden", number="80000010003", title=_("Balance hidden")),
    SandboxCard(name="nothing", number="80000010002", title=_("Nothing to redeem")),
    SandboxCard(name="locked", number="80000010005", title=_("Account locked")),
    SandboxCard(name="limit", number="80000010006", title=_("Daily limit used")),
)
# What a cashier should have seen once before it happens with a customer waiting.
_RARE = (
    SandboxCard(name="silent", number="80000000008", title=_("No answer")),
    SandboxCard(name="unknown", number="80000000025", title=_("Unknown card")),
    SandboxCard(name="short", number="80000000051", title=_("Not enough miles")),
    SandboxCard(name="pending", number="80000020202", title=_("Miles that follow later")),
)


def available(frame: Frame) -> tuple[SandboxCard, ...]:
    """Return the cards that the resting screen offers to scan: in training all of them, else none
    unless it faces the sandbox on a desk."""
    if frame.is_training:
        return _CARDS + _RARE
    return _CARDS if settings.MILEPOST_TEST_CARDS else ()


def number_read(text: str, frame: Frame) -> str:
    """Return the collector number in what was scanned or typed.

    Raises NotACard; in training also for a customer's own card, which has no business in the
    training sandbox.
    """
    number = parse_card(text)
    if frame.is_training and not is_for_training(number):
        raise NotACard(CardFault.NOT_FOR_TRAINING)
    return number
