"""The sweep of issuance as a process runs it: in turns."""

import threading

from django.utils import timezone

from backoffice.journal import sweeping
from issuance import approvals, services

# Nobody waits at a till for miles, but a redemption's doubt and a reversal may fall due meanwhile.
_TURN_S = 5.0


def a_turn(*, sender: str, stop: threading.Event | None = None) -> int:
    """Settle until a pass gets on with nothing, a few seconds are over or told to stop; return how
    many rows were sent or closed.

    However much is due, the other product's turn comes.
    """
    # Nobody presses a button for it, and the cards in them must not stay.
    approvals.expire(now=timezone.now())
    return sweeping.in_passes(
        services.OPERATIONS,
        lambda limit: services.settle_due(sender=sender, limit=limit),
        sender=sender,
        before_each=lambda: services.look_after(sender=sender),
        stop=stop,
        for_s=_TURN_S,
    )
