"""The addresses of the API in OpenAPI."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from backoffice.api import problems
from backoffice.api.doors import JSON_TYPE
from backoffice.api.parameters import Parameter
from backoffice.api.shapes import Form
from backoffice.people.models import ApiScope

_PROBLEM: Final[Form] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "parameter": {"type": "string"},
        "scope": {"type": "string"},
    },
    "required": ["type", "title", "status"],
}
_TEXTS: Final = {
    400: "An unknown or a wrong parameter; `parameter` names it",
    401: "No API token, or one that is not good",
    403: "The token has not the scope that `scope` names",
    404: "Not there, or not in the stores of this token",
    406: "There is JSON only",
    410: "The log was restored: begin anew",
    429: "Too many requests of this token; `Retry-After` says when to go on",
    500: "Something broke inside Milepost",
    503: "The database does not answer",
}
_ETAG: Final = OpenApiParameter(
    name="ETag",
    location=OpenApiParameter.HEADER,
    response=[200],
    description="The same for the same answer; send it back as If-None-Match.",
    type=str,
)
_ALWAYS: Final = (400, 401, 406, 429, 500, 503)


class ApiBearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a program says who it is."""

    target_class = "backoffice.api.access.ApiBearer"
    name = "api"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Name the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token that an administrator made in the office.",
        }


def of(
    name: str,
    *,
    summary: str,
    answer: Form,
    parameters: Sequence[Parameter] = (),
    path: Mapping[str, Form] | None = None,
    scope: ApiScope | None = None,
    more: Sequence[int] = (),
) -> dict[str, Any]:
    """Return how `extend_schema` describes one address."""
    described = [one.described() for one in parameters]
    described += [
        OpenApiParameter(
            name=one,
            location=OpenApiParameter.PATH,
            description="By which a list has it.",
            type=dict(form),
        )
        for one, form in (path or {}).items()
    ]
    responses: dict[Any, Any] = {
        (200, JSON_TYPE): OpenApiResponse(response=answer, description="What is there"),
        304: OpenApiResponse(description="The same as If-None-Match names"),
    }
    statuses = {*_ALWAYS, *more, *((404,) if path else ()), *((403,) if scope else ())}
    for status in sorted(statuses):
        responses[status, problems.CONTENT_TYPE] = OpenApiResponse(
            response=_PROBLEM, description=_TEXTS[status]
        )
    return {
        "operation_id": name,
        "tags": ["API"],
        "summary": summary,
        "description": f"Needs the scope {scope.value}." if scope else "Needs no scope.",
        "parameters": [*described, _ETAG],
        "request": None,
        "responses": responses,
    }
