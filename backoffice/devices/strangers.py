"""Leaves an audit entry for who came with no good token: a few an hour, so that a flood of them
does not bury what else the log has to say."""

from datetime import timedelta
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from backoffice.audit import trail
from backoffice.devices import tallies
from backoffice.devices.addresses import client_address

# A till with an old token asks on and on; a handful of entries tells that as well.
NOTED_OF_ONE: Final = 5
NOTED_OF_ALL: Final = 100
_WINDOW: Final = timedelta(hours=1)


def note(request: HttpRequest, *, channel: str) -> None:
    """Note a refused request with its address and path, unless enough of them are noted."""
    address = client_address(request)
    now = timezone.now()
    if tallies.count(f"stranger:{address}", now=now, window=_WINDOW) > NOTED_OF_ONE:
        return
    if tallies.count("stranger", now=now, window=_WINDOW) > NOTED_OF_ALL:
        return
    trail.record(
        "device.refused",
        subject=f"address:{address}",
        actor="",
        channel=channel,
        details={"path": request.path[:120]},
    )
