"""Headers that every answer has beside Django's own and the content policy, and security.txt."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.checks import CheckMessage, Tags, Warning, register
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from backoffice.devices.middleware import needs_no_device

# A till reads cards as a keyboard does: no page of ours needs a device of the browser's.
_UNUSED: Final = (
    "camera",
    "display-capture",
    "geolocation",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)
_HEADERS: Final = {
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
# RFC 9116 wants it under a year; whoever reads it late asks for a fresh one.
_GOOD_FOR: Final = timedelta(days=90)


class HeadersMiddleware:
    """Adds what Django has no setting for, unless a view has set its own.

    A page of which nothing else is said is kept by nobody: tablets are shared.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as the view does, with the headers."""
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response


@login_not_required
@needs_no_device
@never_cache
@require_GET
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say where to report a weakness (RFC 9116); 404 where nobody has been named."""
    contact = settings.MILEPOST_SECURITY_CONTACT
    if not contact:
        raise Http404
    expires = (timezone.now() + _GOOD_FOR).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [f"Contact: {contact}", f"Expires: {expires}", "Preferred-Languages: en, fr"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@register(Tags.security, deploy=True)
def somebody_is_named(**kwargs: Any) -> list[CheckMessage]:
    """Warn where nobody can be told of a weakness."""
    contact = settings.MILEPOST_SECURITY_CONTACT
    if contact.startswith(("mailto:", "https://")):
        return []
    return [
        Warning(
            "MILEPOST_SECURITY_CONTACT names nobody to tell of a weakness.",
            hint="Set it to a mailto: or https: address; /.well-known/security.txt shows it.",
            id="milepost.W001",
        )
    ]
