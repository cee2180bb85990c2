"""What every door of the sandbox shares: strict JSON in, compact JSON out, errors as JSON.

Knows no endpoint and decides nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.views import exception_handler

JSON_TYPE = "application/json;charset=UTF-8"
MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 20
# Where the server leaves a `Notes` for the views to fill in.
NOTES_KEY = "sandbox.notes"


@dataclass(kw_only=True)
class Notes:
    """What a view tells the log of exchanges about one request."""

    code: str = ""
    has_effect: bool = False
    is_replay: bool = False


class Unreadable(ValueError):
    """The body is not one plain JSON object."""


def read_object(raw: bytes, *, is_exact: bool = False) -> dict[str, Any]:
    """Return a body's JSON object; refuse what two readers could read differently.

    Exact numbers with a point or an exponent come as `Decimal`, with every digit that was sent.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise Unreadable(f"the body is longer than {MAX_BODY_BYTES} bytes")
    try:
        parsed = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=Decimal if is_exact else None,
        )
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except (ValueError, ArithmeticError) as problem:
        raise Unreadable(f"the body is not JSON: {problem}") from None
    if not isinstance(parsed, dict):
        raise Unreadable("the body is not a JSON object")
    _check_depth(parsed)
    return parsed


def write(fields: Mapping[str, object]) -> bytes:
    """Return an answer's bytes. Empty elements are left out, names sorted as on the pages."""
    present = {name: value for name, value in fields.items() if value not in (None, "")}
    return _text(present).encode()


def read_back(written: bytes) -> dict[str, Any]:
    """Return what `write` wrote, numbers with every digit."""
    fields: dict[str, Any] = json.loads(written, parse_float=Decimal)
    return fields


def notes_of(request: HttpRequest) -> Notes:
    """Return the notes of a request; one that did not come through our server gets blank ones."""
    notes = request.META.get(NOTES_KEY)
    return notes if isinstance(notes, Notes) else Notes()


def answer_for_exception(problem: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer what the framework refuses. A missing or bad token has no responseCode."""
    if isinstance(problem, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        answer = JsonResponse({"message": "Missing or invalid bearer token"}, status=401)
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    return exception_handler(problem, dict(context))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for a path the platform does not have."""
    return JsonResponse({"message": f"There is no {request.path}"}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer for a mistake of the sandbox itself: plainly, and never as one of the codes."""
    return JsonResponse({"message": "The sandbox failed; its log says why"}, status=500)


def _text(value: object) -> str:
    # The standard encoder would turn a Decimal into a float, and 10.00 into 10.0.
    if isinstance(value, Mapping):
        members = ",".join(f"{_text(name)}:{_text(value[name])}" for name in sorted(value))
        return "{" + members + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(element) for element in value) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise Unreadable("a name occurs twice")
    return names


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not JSON")


def _check_depth(parsed: object) -> None:
    level: list[object] = [parsed]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise Unreadable("the body is nested too deeply")
