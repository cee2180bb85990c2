"""Calls through the transport, as its tests make them."""

import time

from backoffice.wire import Reply, Request, Silence, Timeouts, send

PATIENT = Timeouts(connect_s=2, total_s=4)
HURRIED = Timeouts(connect_s=0.4, total_s=0.5)
# What a busy machine may add to a deadline.
SLACK_S = 0.3


def request_to(url: str, body: bytes = b'{"traceId":"1"}', method: str = "POST") -> Request:
    return Request(method=method, url=url, headers={"Content-Type": "application/json"}, body=body)


def sent(
    url: str, timeouts: Timeouts = PATIENT, start_by: float | None = None, body: bytes = b"{}"
) -> tuple[Reply | Silence, float]:
    started = time.monotonic()
    answer = send(request_to(url, body), timeouts=timeouts, start_by=start_by)
    return answer, time.monotonic() - started


def silence(answer: Reply | Silence) -> tuple[str, bool]:
    assert isinstance(answer, Silence), answer
    return answer.kind, answer.maybe_applied
