"""Where a measurement takes place: a fresh database and data folder, gone when it is over."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from backoffice.processes import ROOT
from bench import stub
from bench.hands import Hand
from tests.servers import postgres
from tests.servers.stack import Sandbox, Web

_SETTINGS = ("DATABASE_URL", "CELERY_BROKER_URL", "MILEPOST_PRODUCTION", "PLATFORM_TOTAL_S")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One prepared Milepost: the demo partner, and nothing in its log."""

    database: str
    data: Path
    settings: Mapping[str, str]
    platform: str

    @property
    def environment(self) -> dict[str, str]:
        """What its processes find in their environment."""
        return {
            "MILEPOST_ENV": "development",
            "MILEPOST_DATA": str(self.data),
            "AIRMILES_BASE_URL": self.platform,
            "AIRMILES_TOKEN_URL": f"{self.platform}/oauth/token",
            "BENCH_DATA": str(self.data),
            **self.settings,
        }

    @contextmanager
    def web(self) -> Iterator[Web]:
        """Run its web server as `bin/run` does."""
        web = Web(data=self.data, sandbox=Sandbox(url=self.platform), settings=self.environment)
        web.start()
        try:
            yield web
        finally:
            web.stop()


@dataclass(kw_only=True)
class Ground:
    """The servers of one run, and the places made on them."""

    folder: Path
    platform: str
    server: str = ""
    _made: int = 0
    _filled: dict[tuple[str, int], Place] = field(default_factory=dict)

    def place(self, database: str) -> Place:
        """Make a fresh place on `sqlite` or `postgres`."""
        self._made += 1
        data = self.folder / f"{database}-{self._made}"
        data.mkdir()
        settings = {"DATABASE_URL": f"sqlite:///{data / 'milepost.sqlite3'}"}
        if database == "postgres":
            name = f"bench_{self._made}"
            with psycopg.connect(self.server, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            settings = {"DATABASE_URL": self.server.replace("/milepost?", f"/{name}?")}
        place = Place(database=database, data=data, settings=settings, platform=self.platform)
        self._prepare(place)
        return place

    def filled(self, database: str, count: int) -> Place:
        """Return a place with so many rows in its log; the same one for whoever asks."""
        place = self._filled.get((database, count))
        if place is None:
            place = self._filled[database, count] = self.place(database)
            with Hand(place.environment) as hand:
                hand.do("fill.rows", count=count)
        return place

    def _prepare(self, place: Place) -> None:
        subprocess.run(
            [sys.executable, "-m", "backoffice.prepare"],
            cwd=ROOT,
            env={**_inherited(), **place.environment},
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=300,
        )


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _SETTINGS}


@contextmanager
def ground(*, with_postgres: bool) -> Iterator[Ground]:
    """Start what all measurements stand on; stop and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as name, stub.running() as platform:
        made = Ground(folder=Path(name), platform=platform)
        if with_postgres:
            with postgres.running() as made.server:
                yield made
        else:
            yield made
