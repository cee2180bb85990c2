"""The language of a browser's screens and receipts, kept in a cookie."""

from typing import Final

from django.conf import settings
from django.http import HttpResponse

KNOWN: Final = frozenset(code for code, _name in settings.LANGUAGES)
_YEAR_S = 365 * 24 * 60 * 60


def remember_language(response: HttpResponse, chosen: str) -> None:
    """Keep a language that there is; leave the browser's as it was for any other."""
    if chosen not in KNOWN:
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=_YEAR_S,
        samesite="Strict",
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
    )
