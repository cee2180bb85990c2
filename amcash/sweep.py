"""The sweep of AIR MILES Cash as a process runs it: until nothing is due."""

import threading

from amcash import services
from backoffice.journal import sweeping


def until_done(*, sender: str, stop: threading.Event | None = None) -> int:
    """Settle until a pass gets on with nothing, or until told to stop; return how many it did."""
    return sweeping.in_passes(
        services.OPERATIONS,
        lambda limit: services.settle_due(sender=sender, limit=limit),
        sender=sender,
        before_each=lambda: services.look_after(sender=sender),
        stop=stop,
    )
