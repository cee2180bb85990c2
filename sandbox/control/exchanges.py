"""The log of exchanges: what arrived at the socket, and what left it.

Kept beside the accounts in a file of its own, so that writing it down never waits for a redemption
and never becomes part of one.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

KEPT = 200_000
_TRIMMED_EVERY = 1_000
_TABLE = """
CREATE TABLE IF NOT EXISTS exchange (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    arrived_at TEXT NOT NULL,
    finished_at TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    headers TEXT NOT NULL,
    status INTEGER,
    code TEXT,
    fault TEXT,
    effect INTEGER,
    replay INTEGER
)
"""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request as it came in. Headers are a chosen few, without the token's value."""

    method: str
    path: str
    key: str
    body_sha256: str
    headers: str


@dataclass(frozen=True, kw_only=True)
class Departure:
    """What became of it. Status 0: no whole answer was sent."""

    status: int
    code: str = ""
    fault: str = ""
    has_effect: bool = False
    is_replay: bool = False


class ExchangeLog:
    """One connection and one lock: a few microseconds a row."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(_TABLE)

    def arrived(self, arrival: Arrival) -> int:
        """Write down an arrival before anything is done about it; return its number."""
        with self._lock:
            cursor = self._db.execute(
                "INSERT INTO exchange (arrived_at, method, path, key, body_sha256, headers)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    _stamp(),
                    arrival.method,
                    arrival.path,
                    arrival.key,
                    arrival.body_sha256,
                    arrival.headers,
                ),
            )
            number = cursor.lastrowid
            assert number is not None
            if number % _TRIMMED_EVERY == 0:
                self._db.execute("DELETE FROM exchange WHERE id <= ?", (number - KEPT,))
            return number

    def finished(self, number: int, departure: Departure) -> None:
        """Complete an exchange. Called just before the last byte leaves, so that a client that
        has its answer also finds it here."""
        with self._lock:
            self._db.execute(
                "UPDATE exchange SET finished_at = ?, status = ?, code = ?, fault = ?, effect = ?,"
                " replay = ? WHERE id = ?",
                (
                    _stamp(),
                    departure.status,
                    departure.code,
                    departure.fault,
                    departure.has_effect,
                    departure.is_replay,
                    number,
                ),
            )

    def listed(self, filters: Mapping[str, str], *, after: int, limit: int) -> list[dict[str, Any]]:
        """Return exchanges in order of arrival, those matching path and key if these are given."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM exchange WHERE id > ? AND (? = '' OR path = ?)"
                " AND (? = '' OR key = ?) ORDER BY id LIMIT ?",
                (
                    after,
                    filters.get("path", ""),
                    filters.get("path", ""),
                    filters.get("key", ""),
                    filters.get("key", ""),
                    limit,
                ),
            ).fetchall()
        return [_shown(row) for row in rows]

    def clear(self) -> None:
        """Forget every exchange; numbers go on."""
        with self._lock:
            self._db.execute("DELETE FROM exchange")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


@cache
def log() -> ExchangeLog:
    """Return the process's log."""
    return ExchangeLog(settings.DATA / "exchanges.sqlite3")


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    exchange = dict(row)
    exchange["headers"] = json.loads(row["headers"])
    if row["finished_at"] is not None:
        exchange |= {name: bool(row[name]) for name in ("effect", "replay")}
    return exchange


def _stamp() -> str:
    # Machine time on purpose: it is compared with what other processes logged.
    return datetime.now(UTC).isoformat(timespec="microseconds")
