"""Calls through the transport, as its tests make them."""

import time
from collections.abc import Callable

from backoffice.wire import Reply, Request, Silence, Timeouts, send

PATIENT = Timeouts(connect_s=10, total_s=20)
HURRIED = Timeouts(connect_s=2, total_s=2.25)
# What a busy machine may add to a deadline.
SLACK_S = 10.0
# What a peer goes on for, far beyond every deadline; it stops when its test is over.
LONG_S = 60.0


def request_to(url: str, body: bytes = b'{"traceId":"1"}', method: str = "POST") -> Request:
    return Request(method=method, url=url, headers={"Content-Type": "application/json"}, body=body)


def sent(
    url: str, timeouts: Timeouts = PATIENT, start_by: float | None = None, body: bytes = b"{}"
) -> tuple[Reply | Silence, float]:
    started = time.monotonic()
    answer = send(request_to(url, body), timeouts=timeouts, start_by=start_by)
    return answer, time.monotonic() - started


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is sure to come about."""
    end_at = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end_at
        time.sleep(0.01)


def silence(answer: Reply | Silence) -> tuple[str, bool]:
    assert isinstance(answer, Silence), answer
    return answer.kind, answer.maybe_applied
