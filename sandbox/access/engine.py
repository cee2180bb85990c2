"""Bearer tokens: signed, short-lived, and refused when they are older than the last revocation.

Their lifetime runs on the machine's time, not on the sandbox's clock: a token belongs to the
connection, and a test that moves the programme's calendar would otherwise lose its login.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta

from django.conf import settings

from sandbox.conditions.switches import Switches

CLIENT_ID = "milepost"
CLIENT_SECRET = "sandbox"  # noqa: S105 - printed by bin/run: it guards nothing.


def knows(client_id: str, client_secret: str) -> bool:
    """Return whether these are the demo client's credentials."""
    return client_id == CLIENT_ID and client_secret == CLIENT_SECRET


def issue(switches: Switches, *, audience: str, real_now: datetime) -> str:
    """Return a new token, in the shape of the JWT that the programme's provider issues."""
    claims = {
        "iss": "sandbox",
        "sub": f"{CLIENT_ID}@clients",
        "aud": audience,
        "iat": real_now.timestamp(),
        "exp": (real_now + timedelta(seconds=switches.token_lifetime_s)).timestamp(),
        "gty": "client-credentials",
        "generation": switches.token_generation,
    }
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{signed}.{_signature(signed)}"


def accepts(token: str, switches: Switches, *, real_now: datetime) -> bool:
    """Return whether a token is ours, has not expired and was not revoked."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(signed).encode()):
        return False
    claims = json.loads(_decoded(signed.partition(".")[2]))
    return bool(
        claims["generation"] == switches.token_generation and real_now.timestamp() < claims["exp"]
    )


def _signature(signed: str) -> str:
    digest = hmac.digest(settings.SECRET_KEY.encode(), signed.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
