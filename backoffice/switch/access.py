"""Who speaks on the switch: a device, known by its token. Reveals nothing to anybody else."""

from typing import Any, ClassVar, Protocol, cast

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backoffice.audit import trail
from backoffice.devices import tokens
from backoffice.devices.models import Device
from backoffice.people.actors import Actor, Channel

_SCHEME = "bearer"


class Door(Protocol):
    """A view that says which call it serves (`amcash.redeem`)."""

    call: ClassVar[str]


class DeviceBearer(BaseAuthentication):
    """The bearer token of a device. A missing, unknown or revoked one is refused alike (401)."""

    def authenticate(self, request: Request) -> tuple[Device, str]:
        """Return the device; a stranger is refused, and the audit log says so."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        device = None
        if scheme.lower() == _SCHEME:
            device = tokens.device_of(token.strip(), now=timezone.now())
        if device is None:
            _note(request, "switch.stranger_refused")
            raise AuthenticationFailed
        return device, _SCHEME

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a refusal is a 401."""
        return "Bearer"


class MayCall(BasePermission):
    """A device makes the calls of its profile and no others (403)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the device's profile; a refusal is in the audit log."""
        device = device_of(request)
        is_allowed = device.may(view.call)
        if not is_allowed:
            _note(request, "switch.call_refused", device)
        return is_allowed


def device_of(request: Request) -> Device:
    """Return the device that an authenticated request comes from."""
    return cast(Device, request.user)


def actor_of(request: Request) -> Actor:
    """Return who acts: a till, and no person that Milepost knows."""
    return Actor(user=None, device=device_of(request), channel=Channel.SWITCH)


def _note(request: Request, event: str, device: Device | None = None) -> None:
    trail.record(
        event,
        subject=f"path:{request.path}",
        actor=f"till {device.number}" if device else "stranger",
        channel=Channel.SWITCH,
        store=device.store.number if device else "",
        device=device.number if device else "",
    )
