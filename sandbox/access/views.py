"""The token endpoint: OAuth 2.0 client credentials, in JSON or as a form (PLATFORM 3)."""

from urllib.parse import parse_qsl

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from sandbox import wire
from sandbox.access import engine
from sandbox.conditions import switches as conditions

FORM = "application/x-www-form-urlencoded"


class TokenView(APIView):
    """Give the demo client a bearer token."""

    def post(self, request: Request) -> HttpResponse:
        try:
            fields = _fields(request)
        except ValueError:
            return _error(400, "invalid_request", "the body is neither JSON nor a form")
        grant = fields.get("grant_type", "")
        if not grant:
            return _error(400, "invalid_request", "grant_type is missing")
        if grant != "client_credentials":
            return _error(400, "unsupported_grant_type", "only client_credentials is served")
        if not engine.knows(fields.get("client_id", ""), fields.get("client_secret", "")):
            return _error(401, "invalid_client", "unknown client or wrong secret")
        switches = conditions.load()
        token = engine.issue(
            switches, audience=fields.get("audience", ""), real_now=conditions.real_now()
        )
        lifetime = switches.token_lifetime_s
        answer = JsonResponse(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(lifetime) if lifetime >= 1 else lifetime,
            }
        )
        answer["Cache-Control"] = "no-store"
        return answer


def _fields(request: Request) -> dict[str, str]:
    raw = request._request.body
    if (request.content_type or "").partition(";")[0].strip().lower() == FORM:
        return dict(parse_qsl(raw.decode("utf-8"), max_num_fields=20))
    return {name: str(value) for name, value in wire.read_object(raw).items()}


def _error(status: int, error: str, description: str) -> HttpResponse:
    return JsonResponse({"error": error, "error_description": description}, status=status)
