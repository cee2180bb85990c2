"""The one line to the programme's platform, as the settings describe it."""

import functools
import os
import socket

from django.conf import settings

from backoffice.wire import BearerSource, Gate, Platform, Timeouts


@functools.cache
def platform() -> Platform:
    """Return this process's line to the platform; its token and its gate are shared by threads."""
    timeouts = Timeouts(connect_s=settings.PLATFORM_CONNECT_S, total_s=settings.PLATFORM_TOTAL_S)
    may_be_local = not settings.MILEPOST_PRODUCTION
    bearer = BearerSource(
        token_url=settings.AIRMILES_TOKEN_URL,
        client_id=settings.AIRMILES_CLIENT_ID,
        client_secret=settings.AIRMILES_CLIENT_SECRET,
        audience=settings.AIRMILES_AUDIENCE,
        timeouts=timeouts,
        allow_loopback=may_be_local,
    )
    return Platform(
        base_url=settings.AIRMILES_BASE_URL,
        bearer=bearer,
        timeouts=timeouts,
        gate=Gate(
            settings.PLATFORM_CALLS_AT_ONCE,
            wait_s=settings.PLATFORM_GATE_WAIT_S,
            waiting_limit=settings.PLATFORM_CALLS_WAITING,
        ),
        allow_loopback=may_be_local,
    )


def is_of_this_host(sender: str) -> bool:
    """Say whether a sender's name is one of this machine's processes."""
    return f" at {socket.gethostname()}/" in f"{sender}/"


def sender_name(kind: str) -> str:
    """Name this process in attempts and audit entries: `web at till-server/4711`."""
    return f"{kind} at {socket.gethostname()}/{os.getpid()}"[:80]
