"""The line to the programme's platform, and the one to the training sandbox, as the settings
describe them. Which of the two an operation takes is written in its row."""

import functools
import os
import socket
from typing import Any, Final

from django.conf import settings

from backoffice.wire import BearerSource, Gate, Platform, Reply, Silence, Timeouts

# What the sandbox's token endpoint knows. The programme's own credentials never go there.
_TRAINEE: Final = ("milepost", "sandbox")


class _Nowhere:
    """The line where no training sandbox is set up: nothing leaves, and nothing is lost."""

    def exchange(self, path: str, body: bytes, **_how: Any) -> Reply | Silence:
        """Send nothing."""
        return Silence(kind="refused", maybe_applied=False, duration_ms=0)


def to(*, is_training: bool) -> Platform | _Nowhere:
    """Return the line that an operation takes."""
    return training() if is_training else platform()


@functools.cache
def platform() -> Platform:
    """Return this process's line to the platform; its token and its gate are shared by threads."""
    return _line(
        settings.AIRMILES_BASE_URL,
        token_url=settings.AIRMILES_TOKEN_URL,
        client=(settings.AIRMILES_CLIENT_ID, settings.AIRMILES_CLIENT_SECRET),
        allow_loopback=not settings.MILEPOST_PRODUCTION,
    )


@functools.cache
def training() -> Platform | _Nowhere:
    """Return this process's line to the training sandbox, which is ours and may be anywhere."""
    base_url = settings.MILEPOST_TRAINING_URL
    if not base_url:
        return _Nowhere()
    token_url = f"{base_url}/oauth/token"
    return _line(base_url, token_url=token_url, client=_TRAINEE, allow_loopback=True)


def give_trainees_fresh_cards() -> bool:
    """Have the training sandbox forget what was practised before; say whether it did."""
    answer = training().exchange("/_control/reset", b"{}", idempotency_key=None)
    return isinstance(answer, Reply) and answer.status == 200


def _line(
    base_url: str, *, token_url: str, client: tuple[str, str], allow_loopback: bool
) -> Platform:
    timeouts = Timeouts(connect_s=settings.PLATFORM_CONNECT_S, total_s=settings.PLATFORM_TOTAL_S)
    client_id, client_secret = client
    bearer = BearerSource(
        token_url=token_url,
        client_id=client_id,
        client_secret=client_secret,
        audience=settings.AIRMILES_AUDIENCE,
        timeouts=timeouts,
        allow_loopback=allow_loopback,
    )
    return Platform(
        base_url=base_url,
        bearer=bearer,
        timeouts=timeouts,
        gate=_gate(),
        allow_loopback=allow_loopback,
    )


@functools.cache
def _gate() -> Gate:
    # One for both lines: whoever waits for either holds a thread that serves pages.
    return Gate(
        settings.PLATFORM_CALLS_AT_ONCE,
        wait_s=settings.PLATFORM_GATE_WAIT_S,
        waiting_limit=settings.PLATFORM_CALLS_WAITING,
    )


def is_of_this_host(sender: str) -> bool:
    """Say whether a sender's name is one of this machine's processes."""
    return f" at {socket.gethostname()}/" in f"{sender}/"


def sender_name(kind: str) -> str:
    """Name this process in attempts and audit entries: `web at till-server/4711`."""
    return f"{kind} at {socket.gethostname()}/{os.getpid()}"[:80]
