"""Which device a browser is: the tablet's cookie, how it is kept, and what a session is bound to.

Whether a person may use that device is decided in `people.scope`, not here.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from backoffice.devices import tokens
from backoffice.devices.addresses import is_on_this_machine
from backoffice.devices.models import Device, DeviceProfile

# The longest that browsers keep one; each rotation begins it anew.
_COOKIE_AGE_S: Final = int(timedelta(days=400).total_seconds())
_SESSION_KEY: Final = "device"
# The partner of `manage.py demo`, whose sign-ins are in the README.
_DEMO_SPONSOR: Final = "LOY1"


def device_for(request: HttpRequest) -> Device | None:
    """Return the enrolled device that this request came from, or None. Asks nothing more."""
    device = getattr(request, "device", None)
    assert device is None or isinstance(device, Device)
    return device


def tablet_for(request: HttpRequest) -> Device | None:
    """Return the device that this request came from when it may use the console."""
    device = device_for(request)
    return device if device is not None and device.may("console") else None


def cookie_of(request: HttpRequest) -> str | None:
    """Return the token that a browser brought; it is unproved."""
    return request.COOKIES.get(settings.DEVICE_COOKIE_NAME)


def remember(request: HttpRequest, response: HttpResponseBase, device: Device, token: str) -> None:
    """Make this browser the device for as long as browsers allow, and bind its session to it."""
    set_cookie(response, token)
    bind(request, device)


def pairs_itself(request: HttpRequest, device: Device) -> bool:
    """Whether a browser may become this device by saying so: in development, at this machine, and
    only a tablet of the demo partner that nobody has revoked."""
    return (
        not settings.MILEPOST_PRODUCTION
        and device.store.sponsor.code == _DEMO_SPONSOR
        and device.profile == DeviceProfile.TABLET
        and device.revoked_at is None
        and is_on_this_machine(request)
    )


def pair_itself(
    request: HttpRequest, response: HttpResponseBase, device: Device, *, now: datetime
) -> None:
    """Make this browser a demo tablet beside others that are the same one."""
    assert pairs_itself(request, device)
    remember(request, response, device, tokens.add(device, now=now, profile=DeviceProfile.TABLET))


def bind(request: HttpRequest, device: Device) -> None:
    """Bind the session to the device: without the device's own cookie it is over."""
    request.session[_SESSION_KEY] = device.pk


def is_bound_elsewhere(request: HttpRequest, device: Device | None) -> bool:
    """Whether the session belongs to a device that this request did not come from."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    bound_to = request.session.get(_SESSION_KEY)
    return bound_to is not None and (device is None or device.pk != bound_to)


def set_cookie(response: HttpResponseBase, token: str) -> None:
    """Hand a tablet its token. No script can read it and no other site can have it sent."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        token,
        max_age=_COOKIE_AGE_S,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Strict",
    )


def forget_cookie(response: HttpResponseBase) -> None:
    """Take a token away from a browser that has no more use for it."""
    response.delete_cookie(settings.DEVICE_COOKIE_NAME, samesite="Strict")
