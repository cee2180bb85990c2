"""What a program is told when it does not get what it asked for: RFC 9457 problem documents."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

CONTENT_TYPE: Final = "application/problem+json"
_TYPES: Final = "urn:milepost:problem:"


@dataclass(kw_only=True)
class Problem(Exception):
    """One problem. `kind` stays the same for the same problem; `more` is what a program may use."""

    kind: str
    status: int
    title: str
    detail: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """Write it down."""
        said = {"type": _TYPES + self.kind, "title": self.title, "status": self.status}
        said |= {"detail": self.detail} if self.detail else {}
        body = json.dumps(said | self.more, ensure_ascii=False).encode()
        response = HttpResponse(body, status=self.status, content_type=CONTENT_TYPE)
        response["Cache-Control"] = "no-store"
        for name, value in self.headers.items():
            response[name] = value
        return response


def bad_parameter(name: str, detail: str) -> Problem:
    """Say what is wrong with a parameter, never what was given: it could be a card number."""
    return Problem(
        kind="bad-parameter",
        status=400,
        title="A parameter is wrong",
        detail=f"{name}: {detail}",
        more={"parameter": name},
    )


def unknown_parameter(name: str, known: list[str]) -> Problem:
    """Refuse a filter that does not exist: left out, it would give other figures."""
    there = f"It has {', '.join(known)}." if known else "It has none."
    return Problem(
        kind="unknown-parameter",
        status=400,
        title="This address has no such parameter",
        detail=there,
        more={"parameter": name},
    )


def no_token(*, was_given: bool) -> Problem:
    """Refuse a stranger, who learns nothing else."""
    challenge = 'Bearer realm="milepost"' + (', error="invalid_token"' if was_given else "")
    return Problem(
        kind="no-token",
        status=401,
        title="No API token, or one that is not good",
        detail="Send Authorization: Bearer, with a token that an administrator made in the office.",
        headers={"WWW-Authenticate": challenge},
    )


def missing_scope(scope: str) -> Problem:
    """Name the scope that the token lacks."""
    challenge = f'Bearer realm="milepost", error="insufficient_scope", scope="{scope}"'
    return Problem(
        kind="missing-scope",
        status=403,
        title="The token may not read this",
        detail=f"It has no scope {scope}.",
        more={"scope": scope},
        headers={"WWW-Authenticate": challenge},
    )


def not_found() -> Problem:
    """Say the same of what is not there and of what is out of the token's stores."""
    return Problem(
        kind="not-found",
        status=404,
        title="There is nothing here",
        detail="No such address, or nothing of that name in the stores of this token.",
    )


def wrong_method() -> Problem:
    """Refuse everything that is no reading."""
    return Problem(
        kind="wrong-method", status=405, title="Only to be read", detail="GET, HEAD or OPTIONS."
    )


def only_json() -> Problem:
    """Say what there is instead of what was asked for."""
    return Problem(
        kind="only-json",
        status=406,
        title="There is JSON only",
        detail="Accept application/json.",
    )


def log_restored() -> Problem:
    """Tell a poller that its place is of another life of the log."""
    return Problem(
        kind="log-restored",
        status=410,
        title="The log was restored",
        detail="What was read may never have been. Read the log from its beginning again.",
    )


def too_many(*, most: int, retry_after_s: int) -> Problem:
    """Ask for patience."""
    return Problem(
        kind="too-many-requests",
        status=429,
        title="Too many requests of this token",
        detail=f"It has {most} in a minute.",
        headers={"Retry-After": str(retry_after_s)},
    )


def no_database() -> Problem:
    """Say that nothing can be read just now."""
    return Problem(
        kind="no-database",
        status=503,
        title="The database does not answer",
        detail="Ask again in a while.",
        headers={"Retry-After": "30"},
    )


def of(error: Exception) -> Problem:
    """Return the problem that an exception is for whoever asked; 500 for what nobody foresaw."""
    match error:
        case Problem():
            return error
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return no_token(was_given=False)
        case Http404() | exceptions.NotFound():
            return not_found()
        case exceptions.MethodNotAllowed():
            return wrong_method()
        case exceptions.NotAcceptable():
            return only_json()
        case exceptions.APIException():
            status = HTTPStatus(error.status_code)
            return Problem(kind="refused", status=status, title=status.phrase)
        case SuspiciousOperation():
            return Problem(kind="bad-request", status=400, title="The request cannot be read")
        case DatabaseError():
            return no_database()
        case _:
            return Problem(kind="broken", status=500, title="Something broke inside Milepost")
