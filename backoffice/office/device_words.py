"""What the office calls the states of a device, and what became of it. Words only."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from backoffice.devices.selectors import Standing

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

WORDS: Final[dict[Standing, "StrPromise"]] = {
    Standing.IN_USE: _("In use"),
    Standing.STALE: _("Not seen for a day"),
    Standing.NEW: _("Not enrolled"),
    Standing.REVOKED: _("Revoked"),
    Standing.CLOSED: _("Out of use"),
}
_LOOKS: Final = {
    Standing.IN_USE: ("done", "circle-check"),
    Standing.STALE: ("attention", "clock"),
    Standing.NEW: ("queued", "circle-question-mark"),
    Standing.REVOKED: ("stop", "ban"),
    Standing.CLOSED: ("queued", "x"),
}
_EVENTS: Final[dict[str, "StrPromise"]] = {
    "device.added": _("Added"),
    "device.changed": _("Changed"),
    "device.code_made": _("Pairing code made"),
    "device.paired": _("Tablet paired with a code of this person"),
    "device.token_made": _("Till token made"),
    "device.revoked": _("Revoked"),
    "device.training_begun": _("Put into training"),
    "device.training_ended": _("Taken out of training"),
}


def of(standing: Standing) -> dict[str, "str | StrPromise"]:
    """Return the word of a standing, and how its badge looks."""
    look, icon = _LOOKS[standing]
    return {"standing": WORDS[standing], "look": look, "icon": icon}


def event(name: str) -> "str | StrPromise":
    """Return what an audit entry about a device is called."""
    return _EVENTS.get(name, name)
