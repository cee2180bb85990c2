"""Everybody signs in, except where a view says otherwise; there nobody is looked up either.

A session that has lasted too long is nobody's any more.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from backoffice.people import sessions


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Django's own asks the database who it is before it asks whether that matters.

    A health check that comes with a session cookie would fail with the database then.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Let a view that needs nobody be, and leave the others to Django."""
        if not getattr(view_func, "login_required", True):
            return None
        if sessions.is_over(request.session, now=timezone.now()):
            logout(request)
        return super().process_view(request, view_func, view_args, view_kwargs)
