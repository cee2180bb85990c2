"""The sandbox's test cards (PRODUCT 3), for a desk without a scanner. Never in production."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


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


def available() -> tuple[SandboxCard, ...]:
    """Return the cards that the resting screen offers to scan; none unless it faces the sandbox."""
    return _CARDS if settings.MILEPOST_TEST_CARDS else ()
