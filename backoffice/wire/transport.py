"""The one door to the network, and the only place that sees `requests`. It sends bytes once and
says what came back. It never retries, never follows a redirect, never lets an exception out.
"""

import functools
import http.client
import os
import re
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import urllib3.exceptions
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.poolmanager import PoolManager

from backoffice.wire import deadline
from backoffice.wire.answers import MaybeAppliedKind, NotSentKind, Reply, Silence

# No answer of the platform is anywhere near; whatever is larger is not one.
ANSWER_LIMIT: Final = 256 * 1024
# What may arrive on the wire for it: headers and the frames of a chunked body come on top.
WIRE_LIMIT: Final = 2 * ANSWER_LIMIT
# A request on a connection that the peer closes at that moment becomes a doubt. Peers and balancers
# drop idle connections after a minute or so, so ours are dropped well before that.
IDLE_LIMIT_S: Final = 15.0

_CHUNK = 64 * 1024
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a call may take: until the connection stands, and in all."""

    connect_s: float
    total_s: float

    def __post_init__(self) -> None:
        if self.connect_s <= 0 or self.total_s <= 0:
            raise ValueError("A call needs some time to connect and some time in all.")


@dataclass(frozen=True, kw_only=True)
class Request:
    """Exactly what is sent. Its headers hold the token and its body a collector number, so neither
    is ever shown.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def __post_init__(self) -> None:
        # Checked when it is made, which is before anything is armed: a request that cannot be sent
        # would otherwise end as a doubt about a message that never left.
        if self.method not in ("GET", "POST"):
            raise ValueError("A request is a GET or a POST.")
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("A request goes to an http or https URL.")
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(f"The header {name!r} has characters that cannot be sent.")


def send(request: Request, *, timeouts: Timeouts, start_by: float | None = None) -> Reply | Silence:
    """Send the bytes once and return what came back within `timeouts.total_s`, or the silence.

    Nothing is written at or after `start_by` (monotonic); it is checked again right before the
    first byte, because connecting can take seconds.
    """
    started = time.monotonic()
    if start_by is not None and started >= start_by:
        return Silence(kind="late", maybe_applied=False, duration_ms=0)

    budget = deadline.Budget(
        connect_by=started + timeouts.connect_s,
        end_by=started + timeouts.total_s,
        start_by=start_by,
        byte_limit=WIRE_LIMIT,
    )
    try:
        with deadline.spending(budget):
            return _exchange(request, timeouts, started)
    except Exception as error:
        # Every way to fail is a silence; which ones prove that nothing was sent is decided below.
        return _silence(error, _since_ms(started))


def forget_connections() -> None:
    """Close the connections this thread keeps open between calls."""
    kept = getattr(_local, "kept", None)
    if kept is not None:
        _local.kept = None
        kept.session.close()


def _exchange(request: Request, timeouts: Timeouts, started: float) -> Reply | Silence:
    response = _session().request(
        request.method,
        request.url,
        data=request.body,
        headers={
            "Accept": "application/json",
            "User-Agent": "Milepost",
            **request.headers,
            # A small body can unpack to gigabytes; nothing of the platform's is worth packing.
            "Accept-Encoding": "identity",
        },
        # Only the first line of defence: the sockets themselves keep to the total.
        timeout=(timeouts.connect_s, timeouts.total_s),
        allow_redirects=False,
        stream=True,
    )
    with response:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding != "identity":
            return _maybe("encoded", started)

        body = bytearray()
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                return _maybe("too_large", started)

        return Reply(
            status=response.status_code,
            body=bytes(body),
            duration_ms=_since_ms(started),
            date=_date(response.headers.get("Date", "")),
            content_type=response.headers.get("Content-Type", ""),
        )


def _silence(error: Exception, duration_ms: int) -> Silence:
    detail = " < ".join(type(one).__name__ for one in _chain(error)[:4])
    not_sent = _proof_of_not_sent(error)
    if not_sent is not None:
        return Silence(kind=not_sent, maybe_applied=False, duration_ms=duration_ms, detail=detail)

    kind = _name_of(error)
    return Silence(kind=kind, maybe_applied=True, duration_ms=duration_ms, detail=detail)


def _proof_of_not_sent(error: Exception) -> NotSentKind | None:
    """The allow-list. Whatever is not on it may have been applied (RELIABILITY 4.3).

    `requests` raises its ConnectionError both for a closed port and for a reset after the request
    was read, so the class alone proves nothing: only the reason it gives does.
    """
    if isinstance(error, deadline.LateError):
        return "late"
    if isinstance(error, requests.ConnectTimeout):
        return "connect_timeout"
    if isinstance(error, requests.ConnectionError) and error.args:
        reason = getattr(error.args[0], "reason", None)
        if isinstance(reason, urllib3.exceptions.NameResolutionError):
            return "unresolved"
        if isinstance(reason, urllib3.exceptions.NewConnectionError):
            return "refused"

    return None


# In this order: some of these are kinds of others, and a timeout is often wrapped in another error.
_NAMES: Final[tuple[tuple[MaybeAppliedKind, tuple[type[BaseException], ...]], ...]] = (
    ("too_large", (deadline.TooLargeError,)),
    ("closed", (http.client.RemoteDisconnected,)),
    ("tls", (ssl.SSLError, urllib3.exceptions.SSLError)),
    ("cut", (http.client.IncompleteRead,)),
    ("reset", (ConnectionResetError, BrokenPipeError)),
    ("read_timeout", (urllib3.exceptions.ReadTimeoutError,)),
    ("write_timeout", (TimeoutError,)),
    ("garbled", (http.client.HTTPException,)),
    # What remains of these is a body whose frames broke off.
    ("cut", (urllib3.exceptions.ProtocolError,)),
)


def _name_of(error: Exception) -> MaybeAppliedKind:
    """What to call a silence that may have been applied. Only a word: nothing hangs on it."""
    chain = _chain(error)
    for name, classes in _NAMES:
        if any(isinstance(one, classes) for one in chain):
            return name

    return "other"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and all it was made from, outermost first."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]

    return found


def _maybe(kind: MaybeAppliedKind, started: float) -> Silence:
    return Silence(kind=kind, maybe_applied=True, duration_ms=_since_ms(started))


def _since_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: even a redirect that is not followed would have its body read, without limit."""
        return None


class _Adapter(HTTPAdapter):
    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=_tls_context(),
            **pool_kwargs,
        )
        self.poolmanager.pool_classes_by_scheme = deadline.BOUNDED_POOLS

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to do: the context has the certificates, and verifies always."""


@functools.cache
def _tls_context() -> ssl.SSLContext:
    # Made once: reading the certificates takes longer than a whole call to the platform.
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = deadline.BoundedTLSSocket
    return context


@dataclass
class _Kept:
    session: _Session
    process: int
    used_at: float


_local = threading.local()


def _session() -> _Session:
    """This thread's own session: a new one per call would cost twice the time."""
    kept: _Kept | None = getattr(_local, "kept", None)
    # After a fork both processes hold the same connections, and answers would go to the wrong one.
    if kept is None or kept.process != os.getpid():
        kept = _local.kept = _Kept(_new_session(), os.getpid(), 0)
    if time.monotonic() - kept.used_at > IDLE_LIMIT_S:
        kept.session.close()
    kept.used_at = time.monotonic()
    return kept.session


def _new_session() -> _Session:
    session = _Session()
    # The environment could name a proxy, and .netrc would replace our token with a password.
    session.trust_env = False
    session.headers.clear()
    # Only Authorization may differ between two sends of a message, so no cookie is ever kept.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(max_retries=0))
    return session
