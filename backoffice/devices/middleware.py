"""Gives every request its device, replaces a tablet's token daily, and shows a refused one out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from backoffice.devices import enrolment, strangers, tokens
from backoffice.devices.models import DeviceToken

ROTATE_AFTER: Final = timedelta(days=1)

View = Callable[..., HttpResponseBase]


def needs_no_device(view: View) -> View:
    """Mark a view that must answer although the database does not: nobody is looked up for it."""
    view.needs_no_device = True  # type: ignore[attr-defined]
    return view


class DeviceMiddleware:
    """Sets `request.device` from the tablet's cookie; None without one, or with a refused one.

    A refused cookie (revoked, outdated, made up) ends the session that came with it, and so does
    the lack of the cookie to which a session is bound: a revoked tablet gets nowhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve the request, and hand a tablet a new token when its own has grown old."""
        request.device = None  # type: ignore[attr-defined]
        request.device_token = None  # type: ignore[attr-defined]
        response = self.get_response(request)
        token: DeviceToken | None = request.device_token  # type: ignore[attr-defined]
        if settings.DEVICE_COOKIE_NAME in response.cookies or response.status_code >= 500:
            return response
        if token is not None:
            _rotate(response, token)
        elif getattr(request, "device_is_refused", False):
            enrolment.forget_cookie(response)
        return response

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> None:
        """Look the device up, before anybody asks who the person is."""
        if getattr(view_func, "needs_no_device", False):
            return
        now = timezone.now()
        cookie = enrolment.cookie_of(request)
        token = tokens.found(cookie, now=now) if cookie else None
        if token is not None:
            tokens.note_use(token, now=now, version=settings.MILEPOST_VERSION)
            request.device = token.device  # type: ignore[attr-defined]
            request.device_token = token  # type: ignore[attr-defined]
        elif cookie:
            request.device_is_refused = True  # type: ignore[attr-defined]
            strangers.note(request, channel="console")
        device = enrolment.device_for(request)
        if (cookie and device is None) or enrolment.is_bound_elsewhere(request, device):
            request.session.flush()


def _rotate(response: HttpResponseBase, token: DeviceToken) -> None:
    now = timezone.now()
    if now - token.created_at < ROTATE_AFTER:
        return
    fresh = tokens.successor(token, now=now)
    if fresh is not None:
        enrolment.set_cookie(response, fresh)
