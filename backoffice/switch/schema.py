"""What the switch tells of itself in OpenAPI, beside what each product knows of its messages."""

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

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
    type={"type": "string", "maxLength": 255},
)
_REFERENCE: Final = OpenApiParameter(
    name="Milepost-Transaction",
    location=OpenApiParameter.HEADER,
    response=True,
    description="The transaction of Milepost's log that the answer is about.",
    type={"type": "string", "format": "uuid"},
)


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
        "parameters": [KEY, _REFERENCE] if has_key else [],
        "request": {JSON: dict(request)},
        "responses": {
            (status, JSON): OpenApiResponse(response=dict(shape), description=text)
            for status, (text, shape) in sorted(told.items())
        },
        "examples": _examples(path),
    }


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
