"""The floor of a redemption: what its promises cost in a bare script, and nothing more.

Two durable commits of as many bytes as Milepost inserts, and between them one POST of as many
bytes on a connection that stays open. No framework, no encryption, no audit, no rules.
"""

import http.client
import os
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import requests

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer bench"}
_TABLE = "CREATE TABLE IF NOT EXISTS bench_floor (id {key}, row_text text, row_bytes {bytes})"


@dataclass(frozen=True, kw_only=True)
class Weight:
    """How many bytes one redemption inserts in each commit, and how many it posts."""

    first: int
    second: int
    body: int


class Floor:
    """One bare script with its own database connection and its own connection to the platform."""

    def __init__(self, weight: Weight, *, with_requests: bool = True) -> None:
        base = os.environ["AIRMILES_BASE_URL"]
        self._weight = weight
        self._commit = _commits()
        self._post = _requests_post(base) if with_requests else _plain_post(base)
        self._path = "/checkout/amcash/redeem"
        self._body = b"{" + b" " * (weight.body - 2) + b"}"

    def once(self) -> None:
        """Commit, post, commit."""
        self._commit(b"x" * self._weight.first)
        self._post(self._path, self._body)
        self._commit(b"x" * self._weight.second)


def _commits() -> Callable[[bytes], None]:
    url = os.environ["DATABASE_URL"]
    if url.startswith("sqlite"):
        file = sqlite3.connect(Path(os.environ["BENCH_DATA"]) / "floor.sqlite3", timeout=20)
        file.isolation_level = None
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=FULL")
        file.execute(_TABLE.format(key="INTEGER PRIMARY KEY", bytes="blob"))

        def commit(data: bytes) -> None:
            file.execute("BEGIN IMMEDIATE")
            file.execute("INSERT INTO bench_floor (row_bytes) VALUES (?)", [data])
            file.execute("COMMIT")

        return commit
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("SELECT pg_advisory_lock(1)")
    key = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    connection.execute(_TABLE.format(key=key, bytes="bytea"))
    connection.execute("SELECT pg_advisory_unlock(1)")

    def commit_there(data: bytes) -> None:
        # One statement with autocommit is one durable commit.
        connection.execute("INSERT INTO bench_floor (row_bytes) VALUES (%s)", [data])

    return commit_there


def _requests_post(base: str) -> Callable[[str, bytes], None]:
    session = requests.Session()
    session.trust_env = False

    def post(path: str, body: bytes) -> None:
        headers = {**HEADERS, "Idempotency-Key": str(uuid.uuid4())}
        session.post(f"{base}{path}", data=body, headers=headers, timeout=10).raise_for_status()

    return post


def _plain_post(base: str) -> Callable[[str, bytes], None]:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)

    def post(path: str, body: bytes) -> None:
        connection.request("POST", path, body, {**HEADERS, "Idempotency-Key": str(uuid.uuid4())})
        answer: Any = connection.getresponse()
        answer.read()
        assert answer.status == 200

    return post
