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
    # Who approved it over the cashier's screen, where the cashier may not decide alone.
    approver: User | None = None
    # Whether somebody practises: what they ask for goes to the training sandbox and counts nowhere.
    is_training: bool = False

    @property
    def has_supervisor(self) -> bool:
        """Whether somebody who may decide asks for this, or has approved it in place."""
        return any(
            person is not None and person.may_decide for person in (self.user, self.approver)
        )

    @property
    def marks(self) -> dict[str, bool]:
        """What an audit entry of theirs says besides: that it was training, or nothing."""
        return {"training": True} if self.is_training else {}

    @property
    def approved_by(self) -> str:
        """The name that the log keeps beside the cashier's; empty when nobody had to approve."""
        return self.approver.username if self.approver is not None else ""
