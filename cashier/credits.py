"""Store credit or a gift card instead of miles, in the till's words. Decides nothing."""

from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.journal.choices import Credit
from backoffice.journal.models import Transaction
from cashier.panels import Action, Choice, Panel
from cashier.templatetags.milepost import money


def owed_panel(redemption: Transaction, *, is_too_late: bool, small: str = "") -> Panel:
    """Return the question which of the two was given; the amount is the redemption's."""
    title = _("Too late to reverse.") if is_too_late else _("The miles could not be given back.")
    return Panel(
        tone="attention",
        icon="calendar-x" if is_too_late else "triangle-alert",
        title=title,
        text=_("Refund %(amount)s as store credit or gift card, not cash. Say which you gave.")
        % {"amount": money(redemption.amount_cents)},
        small=small,
        choices=(
            Choice(
                title=_("Store credit"),
                text=_("%(amount)s to spend in this store.")
                % {"amount": money(redemption.amount_cents)},
                action=_given(redemption, Credit.STORE_CREDIT, _("Store credit given"), "F7"),
            ),
            Choice(
                title=_("Gift card"),
                text=_("A gift card worth %(amount)s.")
                % {"amount": money(redemption.amount_cents)},
                action=_given(redemption, Credit.GIFT_CARD, _("Gift card given"), "F9"),
            ),
        ),
    )


def given_panel(redemption: Transaction) -> Panel:
    """Return what was given, for good."""
    kind = Credit(redemption.credit_given)
    amount = {"amount": money(redemption.amount_cents)}
    if kind is Credit.STORE_CREDIT:
        title = _("%(amount)s given as store credit.") % amount
    else:
        title = _("%(amount)s given as a gift card.") % amount
    return Panel(
        tone="done",
        icon="gift",
        title=title,
        text=_("The miles stay used. Refund the rest of the sale the way it was paid."),
    )


def _given(redemption: Transaction, kind: Credit, word: str, key: str) -> Action:
    url = reverse("cashier:credit", args=[redemption.reference])
    return Action(word=word, url=url, is_post=True, key=key, fields=(("kind", kind.value),))
