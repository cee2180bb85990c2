"""Tills by bearer token, for Django REST framework. A stranger learns nothing but that it is one.

Whether the device may make the call at hand is asked of it afterwards (`Device.may`).
"""

from typing import Final

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backoffice.devices import strangers, tokens
from backoffice.devices.models import Device

SCHEME: Final = "Bearer"
# What a till says of its own software, for the list of devices.
VERSION_HEADER: Final = "Till-Version"


class DeviceBearer(BaseAuthentication):
    """`Authorization: Bearer <token>`. Without a good one: 401, `WWW-Authenticate`, an audit entry.

    The request's user is then the device, and its auth is the word ``Bearer``, never the token.
    """

    def authenticate(self, request: Request) -> tuple[Device, str]:
        """Return the device that asks; raise AuthenticationFailed for everybody else alike."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        device = None
        if scheme.lower() == SCHEME.lower():
            version = request.headers.get(VERSION_HEADER, "").strip()
            device = tokens.device_of(
                token.strip(),
                now=timezone.now(),
                version=version if version.isascii() and version.isprintable() else "",
            )
        if device is None:
            strangers.note(request._request, channel="switch")
            raise AuthenticationFailed
        return device, SCHEME

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, which makes the refusal a 401."""
        return SCHEME
