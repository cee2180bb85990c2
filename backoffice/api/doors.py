"""What every address of the API does: let a token in, read its parameters, answer in JSON with an
ETag, and tell every refusal as a problem document.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import structlog
from django.db import DatabaseError
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.views import APIView

from backoffice.api import parameters, problems
from backoffice.api.access import ApiBearer, MayRead
from backoffice.api.parameters import Parameter
from backoffice.devices.middleware import needs_no_device
from backoffice.people.models import ApiScope

JSON_TYPE: Final = "application/json"
log = structlog.get_logger(__name__)


class ApiView(APIView):
    """An address of the API. A subclass names its scope and parameters, and says what is there."""

    authentication_classes = (ApiBearer,)
    permission_classes = (MayRead,)
    http_method_names = ["get", "head", "options"]
    scope: ClassVar[ApiScope | None] = None
    parameters: ClassVar[Sequence[Parameter]] = ()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view; no tablet's cookie is looked up for it."""
        return needs_no_device(super().as_view(**initkwargs))

    def get(self, request: Request, **named: Any) -> HttpResponse:
        """Answer with what is there."""
        given = parameters.read(request, self.parameters)
        return _answer(request, self.tell(request, given, **named))

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Answer with the methods alone."""
        return HttpResponse(status=204)

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return what is there, for JSON."""
        raise AssertionError("every address answers for itself")

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Tell what was refused, and what broke."""
        if isinstance(exc, DatabaseError):
            log.error("api.no_database", exc_info=exc)
        problem = problems.of(exc)
        if problem.status == 500:
            log.error("api.broken", exc_info=exc)
        return problem.response()


def link(request: Request, **changes: str | None) -> str:
    """Return the same address with other parameters; None takes one away."""
    given = [(name, text) for name, texts in request.query_params.lists() for text in texts]
    kept = [(name, text) for name, text in given if name not in changes]
    kept += [(name, text) for name, text in changes.items() if text is not None]
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def _answer(request: Request, told: dict[str, Any]) -> HttpResponse:
    """Write it down; nothing but its tag where the program has the very same already."""
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    is_known = "*" in known or tag in {one.removeprefix("W/") for one in known}
    response = HttpResponseNotModified() if is_known else HttpResponse(body, content_type=JSON_TYPE)
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Authorization",))
    return response
