"""The console's words for codes, refusals and states (CONSOLE 2.4). Nothing is decided here.

Placeholders such as ``%(programme)s`` are filled with the sponsor's own words by `say`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from amcash.rules import Reason

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True, kw_only=True)
class Text:
    """What happened, and what to do about it."""

    title: "StrPromise"
    todo: "StrPromise"
    # Where a collector turns, or whom a cashier calls: the sponsor's sentence is added.
    adds: str = ""


CODE_TEXTS: dict[str, Text] = {
    "0000": Text(title=_("Approved."), todo=_("Show it and print the receipt.")),
    "0001": Text(
        title=_("Approved."), todo=_("Balance hidden at the collector’s request."), adds=""
    ),
    "0002": Text(
        title=_("This account is inactive."),
        todo=_("The collector needs to contact %(programme)s."),
        adds="advice",
    ),
    "0005": Text(
        title=_("No %(cash)s to redeem on this account."),
        todo=_("Go on with the sale. You can still give miles."),
    ),
    "0006": Text(
        title=_("No %(cash)s to redeem on this account."),
        todo=_("Go on with the sale. You can still give miles."),
    ),
    "0008": Text(
        title=_("%(programme)s has not answered, twice."),
        todo=_("Do not apply the discount. Go on without it, or ask again."),
        adds="escalation",
    ),
    "0009": Text(title=_("Scan the card."), todo=_("A typed number cannot redeem."), adds="advice"),
    "0025": Text(
        title=_("Card number not recognised."),
        todo=_("Check the card or go on without miles."),
        adds="advice",
    ),
    "0035": Text(
        title=_("%(programme)s did not accept this request."),
        todo=_("Nothing was taken. Go on without miles and report it."),
        adds="escalation",
    ),
    "0051": Text(
        title=_("Not enough %(cash)s for this amount."), todo=_("Choose less."), adds="advice"
    ),
    "0057": Text(title=_("Confirmation number not found."), todo=_("Scan it from the receipt.")),
    "0065": Text(title=_("Daily limit reached."), todo=_("Redeeming opens again at %(reopens)s.")),
    "0066": Text(title=_("The basket is under %(unit)s after tax."), todo=_("Add items?")),
    "0067": Text(title=_("Offer unavailable just now."), todo=_("Continue without it.")),
    "0080": Text(
        title=_("Too late to reverse."),
        todo=_("Refund as store credit or gift card, not cash."),
    ),
    "0092": Text(
        title=_("Planned maintenance at %(programme)s."),
        todo=_("Nothing was taken. Redeeming is not possible just now."),
    ),
    "0096": Text(
        title=_("%(programme)s had a problem."),
        todo=_("We tried again. Now call for help."),
        adds="escalation",
    ),
}
UNKNOWN_CODE = Text(
    title=_("%(programme)s answered something we do not know."),
    todo=_("Go on without miles."),
    adds="escalation",
)

REASON_TEXTS: dict[Reason, Text] = {
    Reason.TYPED_CARD: CODE_TEXTS["0009"],
    Reason.NOTHING_ASKED: Text(
        title=_("Nothing was chosen."), todo=_("Choose how much to take off.")
    ),
    Reason.OVER_BASKET: Text(
        title=_("That is more than the basket."), todo=_("Choose a smaller amount.")
    ),
    Reason.COLLECTOR_BUSY: Text(
        title=_("This card is being used at another till just now."),
        todo=_("Nothing was taken. Wait a moment, then try again."),
    ),
    Reason.COLLECTOR_IN_DOUBT: Text(
        title=_("An earlier redemption of this card is not confirmed yet."),
        todo=_("Nothing was taken. Wait until it is settled; we keep asking."),
        adds="escalation",
    ),
    Reason.SALE_OPEN: Text(
        title=_("This sale already has a redemption."),
        todo=_("Look at it under Today before you go on."),
    ),
    Reason.OTHER_CONTENT: Text(
        title=_("This sale was already sent with other amounts."),
        todo=_("Nothing new was sent. Look at it under Today."),
    ),
    Reason.STATE_CHANGED: Text(
        title=_("Something changed in the meantime."),
        todo=_("Look again: what you see now is how it stands."),
    ),
    Reason.UNSAFE: Text(
        title=_("Redeeming is not possible just now."),
        todo=_("Nothing was taken."),
        adds="escalation",
    ),
    Reason.PROGRAMME_DOWN: Text(
        title=_("%(programme)s is not answering just now."),
        todo=_("Nothing was taken. Go on without it, or try again in a minute."),
    ),
    Reason.TOO_LATE: CODE_TEXTS["0080"],
    Reason.ALREADY_REVERSED: Text(
        title=_("This redemption has a reversal already."),
        todo=_("Look at it under Today before you refund anything."),
    ),
    Reason.NOT_REVERSIBLE: Text(
        title=_("This cannot be reversed."),
        todo=_("Only a confirmed redemption can be given back."),
        adds="escalation",
    ),
    Reason.CREDIT_GIVEN: Text(
        title=_("Credit was given for this redemption."),
        todo=_("The miles stay used; giving them back would refund the customer twice."),
    ),
    Reason.CREDIT_NOT_OWED: Text(
        title=_("No credit can be given for this redemption."),
        todo=_("Look at it under Today before you refund anything."),
    ),
    Reason.VOIDED: Text(
        title=_("This redemption was voided before it came."), todo=_("Nothing was taken.")
    ),
    Reason.SUPERVISOR_NEEDED: Text(
        title=_("Ask a supervisor before trying again."),
        todo=_("The earlier redemption was not approved on re-check."),
        adds="escalation",
    ),
}

CARD_TEXTS: dict[str, "StrPromise"] = {
    "product_code": _("This is a product code, not a card. Scan the card."),
    "wrong_length": _("A card number has 11 digits. Check it and try again."),
    "wrong_start": _("A card number starts with 8. Check it and try again."),
    "not_digits": _("A card number has digits only. Check it and try again."),
    "not_for_training": _("This is a real card. Training uses the training cards only."),
    "expired": _("The card was read too long ago. Scan it again."),
}

ENTRY_WORDS: dict[str, "StrPromise"] = {
    "SCAN": _("Scan"),
    "SWIPE": _("Swipe"),
    "MANUAL": _("Typed"),
}

SILENT_INQUIRY = Text(
    title=_("%(programme)s has not answered."),
    todo=_("Nothing was taken. Ask again, or go on without miles."),
)
UNAVAILABLE = Text(
    title=_("%(programme)s cannot be reached just now."),
    todo=_("Nothing was taken. Go on without miles."),
)


def say(text: "StrPromise | str", words: Mapping[str, str]) -> str:
    """Return `text` in the active language with the sponsor's words in their places."""
    return str(text) % words
