"""Which calls a device that was let in (`devices.bearer`) may make on the switch, and as whom."""

from typing import Any, ClassVar, Protocol, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backoffice.devices import strangers
from backoffice.devices.models import Device
from backoffice.people.actors import Actor, Channel


class Door(Protocol):
    """A view that says which call it serves (`amcash.redeem`)."""

    call: ClassVar[str]


class MayCall(BasePermission):
    """A device makes the calls of its profile and no others (403)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the device's profile; a refusal is in the audit log."""
        device = device_of(request)
        is_allowed = device.may(view.call)
        if not is_allowed:
            strangers.note_call(request._request, device, channel=Channel.SWITCH)
        return is_allowed


def device_of(request: Request) -> Device:
    """Return the device that an authenticated request comes from."""
    return cast(Device, request.user)


def actor_of(request: Request) -> Actor:
    """Return who acts: a till, and no person that Milepost knows."""
    return Actor(user=None, device=device_of(request), channel=Channel.SWITCH)
