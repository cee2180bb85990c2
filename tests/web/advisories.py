"""Asks OSV about pinned libraries; the standard library only, so that it needs nothing audited.

`bin/audit` runs it. An answer that is missing, cut or about fewer libraries is no answer.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

URL = "https://api.osv.dev"
TIMEOUT_S = 30
NONE_KNOWN, FOUND, NOT_ASKED = 0, 1, 75
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


class NotAsked(Exception):
    """The source of advisories gave no whole answer."""


def pinned(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and version of each pinned library of a requirements file."""
    for line in text.splitlines():
        found = _PINNED.match(line)
        if found:
            yield found[1], found[2]


def advisories(libraries: Sequence[tuple[str, str]], url: str) -> list[tuple[str, str, list[str]]]:
    """Return the libraries that have advisories, with their ids; NotAsked where nobody answers."""
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


def main(paths: Sequence[str], url: str) -> int:
    """Ask about the libraries of these files, say what was found, and return the exit code."""
    texts = [Path(path).read_text(encoding="utf-8") for path in paths]
    libraries = sorted({library for text in texts for library in pinned(text)})
    if not libraries:
        print("milepost: NOT AUDITED: no pinned library was found.")
        return NOT_ASKED
    try:
        found = advisories(libraries, url)
    except NotAsked as error:
        print(f"milepost: NOT AUDITED: {url} gave no answer ({error}).")
        print("milepost: whether a library has a known weakness is not known.")
        return NOT_ASKED
    for name, version, ids in found:
        print(f"{name} {version}: {', '.join(ids)}")
    if found:
        print(f"milepost: {len(found)} of {len(libraries)} libraries have known weaknesses.")
        return FOUND
    print(f"milepost: asked about {len(libraries)} libraries; no weakness is known.")
    return NONE_KNOWN


def _asked(url: str, fields: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 (the address is ours or the operator's)
        url, json.dumps(fields).encode(), {"Content-Type": "application/json"}
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
    sys.exit(main(sys.argv[1:], os.environ.get("OSV_URL", URL).rstrip("/")))
