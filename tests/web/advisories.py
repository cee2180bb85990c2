"""Asks about pinned libraries: OSV and, where that gives no answer, the index that they are
installed from, whose page of a release may list what is known. The standard library only, so that
it needs nothing audited.

`bin/audit` runs it. An answer that is missing, cut or about fewer libraries is no answer.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

URL = "https://api.osv.dev"
TIMEOUT_S = 30
NONE_KNOWN, FOUND, NOT_ASKED = 0, 1, 75
_AT_ONCE = 4
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


Library = tuple[str, str]
# A library, its version, and the ids of what is known about it.
Known = tuple[str, str, list[str]]


class NotAsked(Exception):
    """The source of advisories gave no whole answer."""


def pinned(text: str) -> Iterator[Library]:
    """Yield the name and version of each pinned library of a requirements file."""
    for line in text.splitlines():
        found = _PINNED.match(line)
        if found:
            yield found[1], found[2]


def advisories(libraries: Sequence[Library], url: str) -> list[Known]:
    """Return the libraries that OSV has advisories of, with their ids; NotAsked without answer."""
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in libraries
    ]
    results = _asked(f"{url}/v1/querybatch", {"queries": queries}).get("results")
    if not isinstance(results, list) or len(results) != len(libraries):
        raise NotAsked("the answer is not about all that was asked")
    return [
        (name, version, sorted(one["id"] for one in result["vulns"]))
        for (name, version), result in zip(libraries, results, strict=True)
        if result.get("vulns")
    ]


def told_by_index(libraries: Sequence[Library], index: str) -> list[Known]:
    """Ask a package index about each release; NotAsked unless it tells of every one of them.

    `index` is the address that pip installs from; beside it stands the release's page as JSON.
    """
    if not index.startswith(("https://", "http://")):
        raise NotAsked("no index is set up")
    # The first one alone: an index without such pages is not asked a hundred times.
    found = [_of_release(libraries[0], index)]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found += threads.map(lambda library: _of_release(library, index), libraries[1:])
    return [known for known in found if known[2]]


def main(paths: Sequence[str], url: str, index: str = "") -> int:
    """Ask about the libraries of these files, say what was found, and return the exit code."""
    texts = [Path(path).read_text(encoding="utf-8") for path in paths]
    libraries = sorted({library for text in texts for library in pinned(text)})
    if not libraries:
        print("milepost: NOT AUDITED: no pinned library was found.")
        return NOT_ASKED
    source = url
    try:
        found = advisories(libraries, url)
    except NotAsked as error:
        source = f"{_shown(index)} (where libraries are installed from)"
        try:
            found = told_by_index(libraries, index)
        except NotAsked as other:
            print(f"milepost: NOT AUDITED: {url} gave no answer ({error}),")
            print(f"milepost: nor did {source}: {other}.")
            print("milepost: whether a library has a known weakness is not known.")
            return NOT_ASKED
        print(f"milepost: {url} gave no answer ({error}), so the index was asked.")
    for name, version, ids in found:
        print(f"{name} {version}: {', '.join(ids)}")
    if found:
        print(f"milepost: {len(found)} of {len(libraries)} libraries have known weaknesses.")
        print(f"milepost: told by {source}.")
        return FOUND
    print(f"milepost: asked about {len(libraries)} libraries; no weakness is known.")
    print(f"milepost: told by {source}.")
    return NONE_KNOWN


def _asked(url: str, fields: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    return _answer(url, json.dumps(fields).encode(), headers)


def _of_release(library: Library, index: str) -> Known:
    name, version = library
    parts = urlsplit(index)
    path = parts.path.rstrip("/").removesuffix("/simple")
    host = parts.netloc.rpartition("@")[2]
    page = f"{parts.scheme}://{host}{path}/pypi/{quote(name)}/{quote(version)}/json"
    told = _answer(page, None, _credentials(parts.username, parts.password))
    info, known = told.get("info"), told.get("vulnerabilities")
    is_of_it = isinstance(info, dict) and (
        _plain(info.get("name")) == _plain(name) and info.get("version") == version
    )
    if not is_of_it or not isinstance(known, list):
        raise NotAsked(f"its page of {name} {version} does not tell what is known")
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in known):
        raise NotAsked(f"its page of {name} {version} cannot be read")
    return name, version, sorted(one["id"] for one in known if not one.get("withdrawn"))


def _credentials(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _plain(name: object) -> str:
    return re.sub(r"[-_.]+", "-", str(name)).lower()


def _shown(index: str) -> str:
    parts = urlsplit(index)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() or "any index"


def _answer(url: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 (the address is ours or the operator's)
        url, body, headers
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            told = json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise NotAsked(str(error)) from error
    if not isinstance(told, dict):
        raise NotAsked("the answer is no object")
    return told


if __name__ == "__main__":
    osv = os.environ.get("OSV_URL", URL).rstrip("/")
    sys.exit(main(sys.argv[1:], osv, os.environ.get("AUDIT_INDEX_URL", "").strip()))
