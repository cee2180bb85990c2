"""What the switch tells of itself in OpenAPI, beside what each product knows of its messages."""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from backoffice import exact
from backoffice.switch.doors import KEY as KEY_FORM

JSON: Final = "application/json"
MESSAGE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}
# What stands before the message is read: not let in, not a call of this device's.
REFUSALS: Final = {
    401: "No device has this token, or it was revoked",
    403: "The device's profile does not have this call",
}
KEY: Final = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Names the request; the same key must bring the same body. Without one, the exact "
    "body is the key.",
    type={"type": "string", "pattern": f"^{KEY_FORM}$"},
)
_REFERENCE: Final = OpenApiParameter(
    name="Milepost-Transaction",
    location=OpenApiParameter.HEADER,
    response=True,
    description="The transaction of Milepost's log that the answer is about.",
    type={"type": "string", "format": "uuid"},
)
_EVERY_CALL: Final = (
    "Only POST is served: any other method is answered 405 with `Allow` and a `message`. The body "
    "is read as JSON whatever its `Content-Type` says, and the answer is JSON whatever `Accept` "
    "says. A body of more than 128 KiB is a bad request (400)."
)
# What a field may be that the pages do not know: it is passed on as sent. What is null is left
# out, which a list cannot bear without moving what stands behind it.
ANYTHING: Final = {"$ref": "#/components/schemas/Anything"}
_SOMETHING: Final = {"$ref": "#/components/schemas/Something"}
_COMPONENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Anything": {"anyOf": [_SOMETHING, {"type": "null"}]},
    "Something": {
        "type": ["array", "boolean", "number", "object", "string"],
        "additionalProperties": ANYTHING,
        "exclusiveMaximum": 10**exact.MOST_DIGITS,
        "exclusiveMinimum": -(10**exact.MOST_DIGITS),
        "items": _SOMETHING,
    },
}
# Where an operation's links wait for the hook that puts them where OpenAPI has them.
_LINKS: Final = "x-links"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Which call may follow an answer, and what of it and of its request the next body has.

    `same` fields are as the request had them, `known` ones are a request's of another name,
    `told` ones are the answer's, and `empty` ones are left empty. `on` has the statuses of the
    answers it follows.
    """

    name: str
    says: str
    on: tuple[int, ...]
    operation: str
    same: frozenset[str] = frozenset()
    known: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()

    def written(self) -> dict[str, Any]:
        """Return it as OpenAPI's Link Object."""
        asked = {name: f"$request.body#/{name}" for name in self.same}
        asked |= {name: f"$request.body#/{of}" for name, of in self.known.items()}
        told = {name: f"$response.body#/{of}" for name, of in self.told.items()}
        told |= dict.fromkeys(self.empty, "")
        return {
            "operationId": self.operation,
            "description": self.says,
            "requestBody": dict(sorted((asked | told).items())),
        }


class DeviceBearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a till says who it is."""

    target_class = "backoffice.devices.bearer.DeviceBearer"
    name = "device"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Name the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of an enrolled device (`manage.py enrol_device --token`).",
        }


@functools.cache
def samples() -> tuple[dict[str, Any], ...]:
    """Return the programme's own samples, as its pages print them."""
    text = (Path(__file__).parent / "samples.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))


def operation(
    path: str,
    *,
    name: str,
    tag: str,
    summary: str,
    request: Mapping[str, Any],
    answers: Mapping[int, tuple[str, Mapping[str, Any]]],
    has_key: bool,
    links: Sequence[Link] = (),
) -> dict[str, Any]:
    """Return how `extend_schema` describes one call: its message, its answers and its samples."""
    told = dict(answers)
    for status, text in REFUSALS.items():
        # The programme has codes of the same status; a stranger is told no code.
        others, _shape = told.get(status, ("", MESSAGE))
        told[status] = (f"{text}; or {others}" if others else text, MESSAGE)
    return {
        "operation_id": name,
        "tags": [tag],
        "summary": summary,
        "description": _EVERY_CALL,
        "parameters": [KEY, _REFERENCE] if has_key else [],
        "request": {JSON: dict(request)},
        "responses": {
            (status, JSON): OpenApiResponse(response=dict(shape), description=text)
            for status, (text, shape) in sorted(told.items())
        },
        "examples": _examples(path),
        "extensions": {_LINKS: _by_status(links)} if links else {},
    }


def finished(result: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Put links and named forms where OpenAPI has them; drf-spectacular calls this at the end."""
    result["components"].setdefault("schemas", {}).update(_COMPONENTS)
    for methods in result["paths"].values():
        for described in methods.values():
            if "requestBody" in described:
                described["requestBody"]["required"] = True
            for status, links in described.pop(_LINKS, {}).items():
                described["responses"][status]["links"] = links
    return result


def _by_status(links: Iterable[Link]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for link in links:
        for status in link.on:
            found.setdefault(str(status), {})[link.name] = link.written()
    return found


def _examples(path: str) -> Sequence[OpenApiExample]:
    found = []
    for one in samples():
        if one["path"] != path:
            continue
        name = f"The programme's sample: {one['name']}"
        found.append(OpenApiExample(name, value=one["request"], request_only=True))
        if "response" in one:
            status = [str(one["status"])]
            found.append(
                OpenApiExample(name, value=one["response"], response_only=True, status_codes=status)
            )
    return found
