"""Leaves an audit entry for who came with no good token, or asked for more than it may: a few an
hour, so that a flood of them does not bury what else the log has to say."""

from datetime import timedelta
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from backoffice.audit import trail
from backoffice.devices import history, tallies
from backoffice.devices.addresses import client_address
from backoffice.devices.models import Device

# A till with an old token asks on and on; a handful of entries tells that as well.
NOTED_OF_ONE: Final = 5
NOTED_OF_ALL: Final = 100
_WINDOW: Final = timedelta(hours=1)
_LONGEST_PATH: Final = 120


def note(request: HttpRequest, *, channel: str, event: str = "device.refused") -> None:
    """Note a refused request with its address and path, unless enough of them are noted.

    Each event is counted by itself: a flood of the one hides nothing of the other.
    """
    address = client_address(request)
    kind = "stranger" if event == "device.refused" else event
    place = f"{kind}:{tallies.place_of(address)}"
    if not (is_among_the_first(place) and is_among_the_first(kind, NOTED_OF_ALL)):
        return
    trail.record(
        event,
        subject=f"address:{address}",
        actor="",
        channel=channel,
        details={"path": request.path[:_LONGEST_PATH]},
    )


def note_call(request: HttpRequest, device: Device, *, channel: str) -> None:
    """Note that a device asked for what its profile does not allow, unless enough is noted."""
    if is_among_the_first(f"call:{device.pk}"):
        history.record(
            "call_refused",
            device,
            by=f"till {device.number}",
            channel=channel,
            path=request.path[:_LONGEST_PATH],
        )


def is_among_the_first(key: str, most: int = NOTED_OF_ONE) -> bool:
    """Count one more of what `key` names and say whether it is still to be noted, this hour."""
    return tallies.count(key, now=timezone.now(), window=_WINDOW) <= most
