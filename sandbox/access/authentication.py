"""The bearer token at the door of every imitated call."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from sandbox.access import engine
from sandbox.conditions import switches as conditions


class BearerAuthentication(BaseAuthentication):
    """Let in who shows a token of ours; refuse everybody else with a 401 that bears no code."""

    def authenticate(self, request: Request) -> tuple[str, str]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated
        if not engine.accepts(token.strip(), conditions.load(), real_now=conditions.real_now()):
            raise AuthenticationFailed
        return engine.CLIENT_ID, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
