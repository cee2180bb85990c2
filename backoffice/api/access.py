"""Who reads over the API: the token, what it may read, of which stores, and how often."""

import math
from datetime import timedelta
from typing import Any, Final, cast

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backoffice.api import problems
from backoffice.audit import trail
from backoffice.devices import strangers, tallies
from backoffice.journal.selectors import EVERY_STORE, Scope
from backoffice.people import api_tokens
from backoffice.people.models import ApiScope, ApiToken
from backoffice.stores.models import Store

SCHEME: Final = "Bearer"
MOST_REQUESTS: Final = 300
_WINDOW: Final = timedelta(minutes=1)
_CHANNEL: Final = "api"
_LONGEST_PATH: Final = 120


class ApiBearer(BaseAuthentication):
    """`Authorization: Bearer <token>`, and nothing else: no session, no device, no cookie.

    The request's user is then the ApiToken, and its auth is the word ``Bearer``, never the token.
    """

    def authenticate(self, request: Request) -> tuple[ApiToken, str]:
        """Return the token that asks; tell everybody else alike, with an audit entry."""
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        token = None
        if scheme.lower() == SCHEME.lower():
            token = api_tokens.found(secret.strip(), now=timezone.now())
        if token is None:
            strangers.note(request._request, channel=_CHANNEL, event="api_token.refused")
            raise problems.no_token(was_given=bool(scheme))
        return token, SCHEME

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme."""
        return SCHEME


class MayRead(BasePermission):
    """A token reads what its scopes name, so many times a minute."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Count the request, and ask the token; a refusal is in the audit log."""
        token = token_of(request)
        _keep_pace(token)
        scope: ApiScope | None = view.scope
        if scope is not None and scope.value not in token.scopes:
            _note_refusal(request, token, scope)
            raise problems.missing_scope(scope.value)
        return True


def token_of(request: Request) -> ApiToken:
    """Return the token of an authenticated request."""
    return cast(ApiToken, request.user)


def stores_of(request: Request) -> QuerySet[Store]:
    """Return the stores of which the request may read."""
    return api_tokens.visible_stores(token_of(request))


def scope_of(request: Request) -> Scope:
    """Return the same for the log."""
    if token_of(request).is_of_every_store:
        return EVERY_STORE
    return Scope(store_ids=tuple(stores_of(request).values_list("pk", flat=True)))


def _keep_pace(token: ApiToken) -> None:
    key, now = f"api:{token.pk}", timezone.now()
    if tallies.count(key, now=now, window=_WINDOW) > MOST_REQUESTS:
        left = tallies.left(key, now=now, window=_WINDOW)
        raise problems.too_many(
            most=MOST_REQUESTS, retry_after_s=max(1, math.ceil(left.total_seconds()))
        )


def _note_refusal(request: Request, token: ApiToken, scope: ApiScope) -> None:
    if not strangers.is_among_the_first(f"api-scope:{token.pk}"):
        return
    trail.record(
        "api_token.read_refused",
        subject=f"api_token:{token.pk}",
        actor=token.made_by.username,
        channel=_CHANNEL,
        details={"name": token.name, "scope": scope.value, "path": request.path[:_LONGEST_PATH]},
    )
