"""Asks the stub platform how long its own answers took, and tells it how to answer."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


def since_asked(url: str) -> float:
    """Return the middle of the stub's own times since it was last asked, in milliseconds."""
    return float(_asked(url, "GET", "/took")["p50_us"]) / 1000


def mood(url: str, *, delay_ms: int = 0, is_down: bool = False) -> int:
    """Have it answer so from now on; return the most it answered at once until now."""
    fields = {"delay_ms": delay_ms, "is_down": is_down}
    return int(_asked(url, "POST", "/mood", json.dumps(fields).encode())["at_once"])


def _asked(url: str, method: str, path: str, body: bytes | None = None) -> Any:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
