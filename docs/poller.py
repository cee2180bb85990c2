"""A copy of Milepost's transaction log, kept up to date over /api/v1/ (docs/api.md).

    python3 docs/poller.py http://127.0.0.1:8000 "$TOKEN" copy.sqlite3

Run it as often as you like, from cron for example; whatever kills it, the next run goes on.
"""

import json
import sqlite3
import sys
import time
import urllib.error
import urllib.request


class Api:
    """Milepost, as the holder of a token sees it."""

    def __init__(self, base: str, token: str) -> None:
        self.base, self.token = base, token

    def get(self, path: str) -> dict:
        """Return what is there; waits where Milepost asks for patience."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        request = urllib.request.Request(self.base + path, headers=headers)  # noqa: S310
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in {429, 503}:
                    raise
                time.sleep(int(error.headers.get("Retry-After", "30")))


class Copy:
    """The copied transactions, and the place in the log up to which they are right."""

    def __init__(self, path: str) -> None:
        self.rows = sqlite3.connect(path)
        self.rows.execute("CREATE TABLE IF NOT EXISTS log (reference TEXT PRIMARY KEY, told TEXT)")
        self.rows.execute("CREATE TABLE IF NOT EXISTS place (since TEXT)")

    def since(self) -> "str | None":
        """Return the place, or None before there is one."""
        found = self.rows.execute("SELECT since FROM place").fetchone()
        return found[0] if found else None

    def keep(self, transactions: list, since: "str | None" = None) -> None:
        """Keep transactions in place of what was kept of them, and the place along with them."""
        told = [(one["reference"], json.dumps(one)) for one in transactions]
        with self.rows:
            self.rows.executemany("INSERT OR REPLACE INTO log VALUES (?, ?)", told)
            if since is not None:
                self.rows.execute("DELETE FROM place")
                self.rows.execute("INSERT INTO place VALUES (?)", (since,))

    def forget(self) -> None:
        """Begin anew."""
        with self.rows:
            self.rows.execute("DELETE FROM log")
            self.rows.execute("DELETE FROM place")


def begin(api: Api, copy: Copy) -> str:
    """Copy the whole log. The place comes first: what changes meanwhile is told again after it."""
    since = api.get("/api/v1/changes?since=latest")["since"]
    path = "/api/v1/transactions?limit=200"
    while path:
        page = api.get(path)
        copy.keep(page["transactions"])
        path = page["older"]
    copy.keep([], since)
    return since


def poll(api: Api, copy: Copy) -> None:
    """Bring the copy up to date."""
    since = copy.since()
    try:
        since = since or begin(api, copy)
        has_more = True
        while has_more:
            answer = api.get(f"/api/v1/changes?since={since}")
            since, has_more = answer["since"], answer["has_more"]
            copy.keep(answer["transactions"], since)
    except urllib.error.HTTPError as error:
        if error.code != 410:
            raise
        # The log was restored from a backup: what was copied may never have been.
        copy.forget()


if __name__ == "__main__":
    base, token, path = sys.argv[1:]
    poll(Api(base.rstrip("/"), token), Copy(path))
