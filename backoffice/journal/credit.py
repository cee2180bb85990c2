"""When a customer is owed store credit or a gift card for miles that stay used. Reads only."""

from backoffice.journal.choices import NeedsPerson, Step
from backoffice.journal.models import Transaction
from backoffice.journal.states import LIVE_REVERSAL, Operation, State


def is_owed(redemption: Transaction, *, is_over: bool) -> bool:
    """Say whether credit may be given for a redemption; `is_over` is its product's word that it is
    too late to begin a reversal.

    Never while a reversal is under way or with a person, nor after one whose first send may have
    worked, unless people have decided that it did not, and no answer has contradicted them since:
    the customer would be refunded twice (RELIABILITY V6).
    """
    if redemption.operation != Operation.REDEEM or not redemption.is_granted:
        return False
    if redemption.reversed_at is not None or redemption.credit_given:
        return False
    reversals = list(redemption.reversals.prefetch_related("decisions"))
    if any(State(reversal.state) in LIVE_REVERSAL for reversal in reversals):
        return False
    if any(_is_contradicted(reversal) for reversal in reversals):
        return False
    if any(reversal.has_unknown and not _is_decided(reversal) for reversal in reversals):
        return False
    return is_over or any(
        reversal.state == State.EXPIRED or _is_decided(reversal) for reversal in reversals
    )


def _is_decided(reversal: Transaction) -> bool:
    """Say whether two people have agreed that it gave nothing back."""
    return any(decision.step == Step.CONFIRMED for decision in reversal.decisions.all())


def _is_contradicted(reversal: Transaction) -> bool:
    """Say whether the programme has told of it in two ways, also when people have looked at that:
    a closed conflict does not say where the miles are."""
    if reversal.needs_person == NeedsPerson.CONFLICT:
        return True
    return any(one.needs_person == NeedsPerson.CONFLICT for one in reversal.decisions.all())
