"""Who does something, at which till, through which door."""

from dataclasses import dataclass
from enum import StrEnum

from backoffice.devices.models import Device
from backoffice.people.models import User


class Channel(StrEnum):
    """The doors of Milepost (PRODUCT 2), and the sweep that finishes what they began."""

    CONSOLE = "console"
    SWITCH = "switch"
    OFFICE = "office"
    SETTLE = "settle"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person (none on the switch) and the till that ask for an operation."""

    user: User | None
    device: Device
    channel: Channel = Channel.CONSOLE
