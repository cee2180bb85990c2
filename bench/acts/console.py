"""A till's screens that need no answer of the programme, over HTTP from the web server."""

import gzip
import http.client
import re
from collections.abc import Callable
from urllib.parse import urlencode, urljoin, urlsplit

from bench.acts import redemption
from bench.acts.pace import in_turns

_FOUND = re.compile(rb"""(?:href|src)="([^"#]+\.(?:css|js|svg|woff2)[^"]*)"|url\("?([^)"]+)"?\)""")


def screens(*, url: str, turns: int, per_s: float) -> dict[str, list[float]]:
    """Look at the resting screen, today's list and an offer, after a morning's sales."""
    for _ in range(40):
        redemption.redeem_once()
    headers, bound_to = redemption.browser()
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def ask(method: str, path: str, form: dict[str, str] | None = None) -> Callable[[], None]:
        def once() -> None:
            line.request(method, path, urlencode(form) if form else None, headers)
            answer = line.getresponse()
            said = answer.read()
            assert answer.status == 200, (path, answer.status, said[:300])

        return once

    sale = {"sale": redemption.sealed(bound_to)}
    things: dict[str, Callable[[], object]] = {
        "home": ask("GET", "/"),
        "today": ask("GET", "/today/"),
        "today of the store": ask("GET", "/today/?of=store"),
        "offer": ask("POST", "/resume/", sale),
        "healthz": ask("GET", "/healthz"),
    }
    in_turns(things, turns=10, per_s=per_s)
    return in_turns(things, turns=turns, per_s=per_s)


def first_load(*, url: str) -> dict[str, int]:
    """Return the bytes on the wire of each file that the first look at the till needs."""
    headers, _bound_to = redemption.browser()
    sizes: dict[str, int] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        if path in sizes:
            continue
        sizes[path], body = _fetch(url, path, headers)
        if path == "/" or path.endswith(".css"):
            for found in _FOUND.finditer(body):
                name = (found[1] or found[2]).decode()
                if not name.startswith(("data:", "http", "#")):
                    waiting.append(urljoin(path, name))
    return sizes


def _fetch(url: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        line.request("GET", path, headers={**headers, "Accept-Encoding": "gzip"})
        answer = line.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status)
        is_packed = answer.getheader("Content-Encoding") == "gzip"
        return len(body), gzip.decompress(body) if is_packed else body
    finally:
        line.close()
