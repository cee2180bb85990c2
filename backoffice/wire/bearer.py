"""Calls to the platform with a bearer token: fetched, kept and renewed here, sent nowhere else.
The token and the secret are in no repr, no log line and no error.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlencode

from backoffice.wire import transport
from backoffice.wire.addresses import checked_path, checked_url
from backoffice.wire.answers import Reply, Silence
from backoffice.wire.gate import Gate
from backoffice.wire.transport import Request, Timeouts

JSON: Final = "application/json"

# A token is renewed this long before it expires, so that it does not expire on the way.
_MARGIN_S = 60.0
# What a token lives when its answer does not say, and the longest that is believed.
_DEFAULT_LIFE_S = 300.0
_LONGEST_LIFE_S = 86_400.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")


class Send(Protocol):
    """What `transport.send` is; a test may bring its own."""

    def __call__(
        self, request: Request, *, timeouts: Timeouts, start_by: float | None = None
    ) -> Reply | Silence: ...


class BearerSource:
    """The bearer token of one client, kept until shortly before it expires. One per process.

    Threads share it: whoever finds no token fetches one while the others wait for it, and when that
    fails they share the failure instead of queueing up to fail one after the other.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        audience: str,
        timeouts: Timeouts,
        *,
        body_format: Literal["json", "form"] = "json",
        allow_loopback: bool = False,
        send: Send = transport.send,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        url = checked_url(token_url, what="The token URL", allow_loopback=allow_loopback)
        self._timeouts = timeouts
        self._send = send
        self._monotonic = monotonic
        self._request = _token_request(url, client_id, client_secret, audience, body_format)
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0
        self._fetches = 0
        self._failure: Silence | None = None

    def token(self, start_by: float | None = None) -> str | Silence:
        """A token that is good for a while yet, or why there is none."""
        fetches_seen = self._fetches
        token = self._kept()
        return token or self._fetched(fetches_seen, "", start_by, self._timeouts.total_s)

    def renew(
        self, old_token: str, *, start_by: float | None = None, within_s: float | None = None
    ) -> str | Silence:
        """A token in place of one that was refused; another thread may have fetched it already."""
        fetches_seen = self._fetches
        token = self._kept()
        if token and token != old_token:
            return token

        total_s = self._timeouts.total_s
        limit_s = total_s if within_s is None else min(within_s, total_s)
        return self._fetched(fetches_seen, old_token, start_by, limit_s)

    def _kept(self) -> str:
        return self._token if self._monotonic() < self._good_until else ""

    def _fetched(
        self, fetches_seen: int, refused: str, start_by: float | None, limit_s: float
    ) -> str | Silence:
        started = time.monotonic()
        if limit_s <= 0 or not self._lock.acquire(timeout=limit_s):
            return _no_token(started, "no time left to fetch a token")

        try:
            token = self._kept()
            if token and token != refused:
                return token
            if self._failure is not None and self._fetches != fetches_seen:
                return self._failure

            left_s = limit_s - (time.monotonic() - started)
            return self._fetch(started, start_by, left_s)
        finally:
            self._lock.release()

    def _fetch(self, started: float, start_by: float | None, left_s: float) -> str | Silence:
        if left_s <= 0:
            return _no_token(started, "no time left to fetch a token")

        asked_at = self._monotonic()
        timeouts = Timeouts(connect_s=min(self._timeouts.connect_s, left_s), total_s=left_s)
        answer = self._send(self._request, timeouts=timeouts, start_by=start_by)
        found = _token_and_life(answer)
        self._fetches += 1
        if isinstance(found, str):
            self._token, self._good_until = "", 0.0
            self._failure = _no_token(started, found)
            return self._failure

        token, life_s = found
        # The margin must not eat a short life whole.
        self._good_until = asked_at + life_s - min(_MARGIN_S, life_s / 10)
        self._token, self._failure = token, None
        return token

    def __repr__(self) -> str:
        return f"<BearerSource {self._request.url}>"


class Platform:
    """The platform's API: frozen bytes to a path of it, with a token, through the gate."""

    def __init__(
        self,
        base_url: str,
        bearer: BearerSource,
        timeouts: Timeouts,
        gate: Gate,
        *,
        allow_loopback: bool = False,
        send: Send = transport.send,
    ) -> None:
        self._base_url = checked_url(base_url, what="The base URL", allow_loopback=allow_loopback)
        self._bearer = bearer
        self._timeouts = timeouts
        self._gate = gate
        self._send = send

    def exchange(
        self,
        path: str,
        body: bytes,
        *,
        idempotency_key: str | None,
        start_by: float | None = None,
        content_type: str = JSON,
    ) -> Reply | Silence:
        """Send the bytes to a path and return what came back; `start_by` is a monotonic time.

        A 401 without a response code is about the token: it is renewed once and the same bytes are
        sent again, within the same total. A second such 401 is returned as it is.
        """
        headers = {"Content-Type": content_type}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        message = Request(
            method="POST", url=self._base_url + checked_path(path), headers=headers, body=body
        )

        started = time.monotonic()
        with self._gate.entered(start_by=start_by) as has_place:
            if not has_place:
                return Silence(kind="busy", maybe_applied=False, duration_ms=_since_ms(started))

            return self._exchange(message, start_by)

    def _exchange(self, message: Request, start_by: float | None) -> Reply | Silence:
        token = self._bearer.token(start_by)
        if isinstance(token, Silence):
            return token

        # Fetching the first token is not charged to the call: a call with little time left would
        # end as a doubt. From here on, everything shares one total.
        started = time.monotonic()
        total_s = self._timeouts.total_s
        answer = self._send(_signed(message, token), timeouts=self._timeouts, start_by=start_by)
        if isinstance(answer, Silence) or not refuses_token(answer):
            return answer

        left_s = total_s - (time.monotonic() - started)
        renewed = self._bearer.renew(token, start_by=start_by, within_s=left_s)
        if isinstance(renewed, Silence):
            return renewed

        left_s = total_s - (time.monotonic() - started)
        if left_s < total_s / 2:
            # The 401 says that nothing was done. Sending again with too little time to hear the
            # answer would turn that certainty into a doubt.
            return Silence(kind="late", maybe_applied=False, duration_ms=_since_ms(started))

        timeouts = Timeouts(connect_s=min(self._timeouts.connect_s, left_s), total_s=left_s)
        return self._send(_signed(message, renewed), timeouts=timeouts, start_by=start_by)

    def __repr__(self) -> str:
        return f"<Platform {self._base_url}>"


def refuses_token(reply: Reply) -> bool:
    """Whether a reply is about the token and not about the collector (who also gets 401s)."""
    return reply.status == 401 and not _object(reply.body).get("responseCode")


def _signed(message: Request, token: str) -> Request:
    return replace(message, headers={**message.headers, "Authorization": f"Bearer {token}"})


def _token_request(
    url: str, client_id: str, client_secret: str, audience: str, body_format: str
) -> Request:
    fields = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    if audience:
        fields["audience"] = audience
    if body_format == "json":
        content_type, body = JSON, json.dumps(fields)
    else:
        content_type, body = "application/x-www-form-urlencoded", urlencode(fields)

    return Request(
        method="POST", url=url, headers={"Content-Type": content_type}, body=body.encode()
    )


def _token_and_life(answer: Reply | Silence) -> tuple[str, float] | str:
    """The token and its life in seconds, or what is wrong with the answer."""
    if isinstance(answer, Silence):
        return f"token endpoint: {answer.kind}"
    if answer.status != 200:
        return f"token endpoint: HTTP {answer.status}"

    fields = _object(answer.body)
    token = fields.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return "token endpoint: no usable access_token"
    if str(fields.get("token_type", "Bearer")).lower() != "bearer":
        return "token endpoint: not a bearer token"

    try:
        life_s = float(fields["expires_in"])
    except (KeyError, TypeError, ValueError):
        life_s = _DEFAULT_LIFE_S
    # Written so that it also turns a NaN into the default.
    return token, min(life_s, _LONGEST_LIFE_S) if life_s > 0 else _DEFAULT_LIFE_S


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}

    return value if isinstance(value, dict) else {}


def _no_token(started: float, detail: str) -> Silence:
    return Silence(
        kind="no_token", maybe_applied=False, duration_ms=_since_ms(started), detail=detail
    )


def _since_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
