"""Asks the stub platform how long its own answers took."""

import http.client
import json
from urllib.parse import urlsplit


def since_asked(url: str) -> float:
    """Return the middle of the stub's own times since it was last asked, in milliseconds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", "/took")
        return float(json.loads(connection.getresponse().read())["p50_us"]) / 1000
    finally:
        connection.close()
