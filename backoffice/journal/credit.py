"""When a customer is owed store credit or a gift card for miles that stay used. Reads only."""

from backoffice.journal.models import Transaction
from backoffice.journal.states import LIVE_REVERSAL, Operation, State


def is_owed(redemption: Transaction, *, is_over: bool) -> bool:
    """Say whether credit may be given for a redemption; `is_over` is its product's word that it is
    too late to begin a reversal.

    Never while a reversal is under way or with a person, nor after one whose first send may have
    worked: the customer would be refunded twice (RELIABILITY V6).
    """
    if redemption.operation != Operation.REDEEM or not redemption.is_granted:
        return False
    if redemption.reversed_at is not None or redemption.credit_given:
        return False
    reversals = list(redemption.reversals.all())
    if any(State(reversal.state) in LIVE_REVERSAL for reversal in reversals):
        return False
    if any(reversal.has_unknown for reversal in reversals):
        return False
    return is_over or any(reversal.state == State.EXPIRED for reversal in reversals)
