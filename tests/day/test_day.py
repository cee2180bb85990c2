"""A short day with real processes on the database of this run: both sides' sums are the same."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tests.day.run import day

OPERATIONS = 150
SEED = 20261120


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """Give the address of a database that nobody has used."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{folder / 'milepost' / 'milepost.sqlite3'}"
        return
    server = os.environ["DATABASE_URL"]
    name = sql.Identifier(f"day_{os.getpid()}")
    with psycopg.connect(server, autocommit=True) as database:
        database.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield urlsplit(server)._replace(path=f"/day_{os.getpid()}").geturl()
        finally:
            database.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def folder() -> Iterator[Path]:
    # Under /tmp because a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="milepost-day-", dir="/tmp") as made:
        yield Path(made)


def test_after_a_short_day_every_sum_is_the_programmes(folder: Path) -> None:
    with empty_database(folder) as address:
        ended = day(folder, address, seed=SEED, operations=OPERATIONS, mutant=None)
    assert list(ended.differences) == []
    # Equal sums of nothing would prove nothing.
    done = sum(ended.told[name] for name in ("sales", "returns", "events"))
    recorded = ended.told["recorded sales"] + ended.told["recorded returns"]
    assert OPERATIONS * 0.9 <= done + recorded <= OPERATIONS
    assert ended.told["returns"] > OPERATIONS / 8 and ended.told["second presses"] > 0
    assert ended.entries > OPERATIONS and ended.pairs > OPERATIONS / 2
    assert ended.waiting_for_ever > 0 and sum(ended.faults.values()) > 0
