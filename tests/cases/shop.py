"""One shop of these cases: a sandbox, a database of its own, and Milepost's processes, which a case
starts, kills and freezes. `close` is the oracle: everything settles, and I1 to I12 hold.

Start processes from the main thread only: the kernel ends them with the thread that started them.
"""

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from backoffice.processes import ROOT
from tests.cases.scale import CALL_S, LEASE_S, SOON_S, TIMINGS
from tests.chaos import traces
from tests.chaos.checker import check
from tests.chaos.evidence import Evidence, Row, Shown
from tests.chaos.processes import Process
from tests.servers.stack import Sandbox, Web, ask, eventually, free_port, sandbox_running

ALTERED = "tests.cases.launch"
TEST_CARD_MILES = 1200
SALE = re.compile(r"^/sale/([0-9a-f-]{36})/")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A prepared data folder and database that every case gets a copy of."""

    folder: Path
    # A server's address, or nothing: then the database is a file.
    server: str

    @contextlib.contextmanager
    def database(self, name: str, data: Path, *, is_first: bool = False) -> Iterator[str]:
        """Give the address of a database: an empty one first, then copies of what that became."""
        if not self.server:
            if not is_first:
                shutil.copyfile(self.folder / "milepost.sqlite3", data / "milepost.sqlite3")
            yield f"sqlite:///{data / 'milepost.sqlite3'}"
            return
        made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if not is_first:
            made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(self._template))
        self._run(made)
        try:
            yield urlsplit(self.server)._replace(path=f"/{name}").geturl()
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def _template(self) -> str:
        return template_name(self.folder)

    def _run(self, command: sql.Composed) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(command)


def template_name(folder: Path) -> str:
    """Name a run's databases: no other run's."""
    return f"cases_{os.getpid()}_{folder.parent.name.replace('-', '_')}"[:60]


@contextlib.contextmanager
def place_prepared(folder: Path, server: str) -> Iterator[Place]:
    """Make the tables, static files and demo partner once."""
    folder.mkdir(parents=True)
    place = Place(folder=folder, server=server)
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(place.database(template_name(folder), folder, is_first=True))
        nobody = Sandbox(url="http://127.0.0.1:9")
        Web(data=folder, sandbox=nobody, settings={"DATABASE_URL": address}).prepare()
        yield place


@dataclass(frozen=True, kw_only=True)
class Front:
    """A web server and its address."""

    url: str
    web: Process

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.web.start()
        eventually(self._answers, within_s=120)

    def _answers(self) -> bool:
        assert self.web.is_alive(), self.web.log.read_text(errors="replace")[-2000:]
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask("GET", f"{self.url}/healthz", timeout_s=5).status == 200
        return False


@dataclass(kw_only=True)
class Shop:
    """What a case works with, and what it has seen."""

    folder: Path
    database: str
    sandbox: Sandbox
    stack: contextlib.ExitStack
    historian: traces.Historian
    settings: dict[str, str] = field(default_factory=dict)
    cards: dict[str, int] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    # The last four digits of cards of which the programme never finishes an issuance.
    endless: frozenset[str] = frozenset()
    # ... and of cards to which a case itself answered in the programme's name.
    scripted: set[str] = field(default_factory=set)
    freezes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def data(self) -> Path:
        """Milepost's data folder."""
        return self.folder / "milepost"

    # --- Processes ------------------------------------------------------------------------------

    def environment(self, **changes: str) -> dict[str, str]:
        """Return what a process of this shop is started with."""
        return {
            **os.environ,
            "MILEPOST_ENV": "development",
            "MILEPOST_DATA": str(self.data),
            "AIRMILES_BASE_URL": self.sandbox.url,
            "AIRMILES_TOKEN_URL": f"{self.sandbox.url}/oauth/token",
            "DATABASE_URL": self.database,
            # Nobody is there, unless a case brings a broker.
            "CELERY_BROKER_URL": f"redis+socket://{self.folder / 'no-broker'}",
            **TIMINGS,
            **self.settings,
            **changes,
        }

    def process(
        self, name: str, *arguments: str, is_altered: bool = False, log: str = "", **changes: str
    ) -> Process:
        """Return a process that has not been started; it ends with the case at the latest."""
        made = Process(
            name=name,
            label=log or name,
            environment=self.environment(**changes),
            log=self.data / f"{log or name}.log",
            arguments=arguments,
            module=ALTERED if is_altered else "backoffice.processes",
        )
        # Killed, because one that is frozen would not hear a request to stop.
        self.stack.callback(made.kill)
        return made

    def started(self, name: str, *arguments: str, **options: Any) -> Process:
        """Start a process and return it."""
        made = self.process(name, *arguments, **options)
        made.start()
        return made

    def web(self, *arguments: str, is_altered: bool = False, **changes: str) -> Front:
        """Start a web server on a port of its own and return it with its address."""
        port = free_port()
        process = self.process(
            "web", *arguments, is_altered=is_altered, log=f"web-{port}", PORT=str(port), **changes
        )
        front = Front(url=f"http://127.0.0.1:{port}", web=process)
        front.start()
        return front

    def manage(self, *arguments: str, is_altered: bool = False, **changes: str) -> str:
        """Run a management command to its good end and return what it says."""
        done = self.managed(*arguments, is_altered=is_altered, **changes)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def managed(
        self, *arguments: str, is_altered: bool = False, **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a management command to its end, whatever that is."""
        program = ["-m", ALTERED, "manage"] if is_altered else [str(ROOT / "manage.py")]
        return subprocess.run(
            [sys.executable, *program, *arguments],
            cwd=ROOT,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    # --- People and cards -----------------------------------------------------------------------

    def card(self, *, cash_miles: int = 10**6, **fields: Any) -> str:
        """Return a new card with so many miles."""
        # Their last four digits differ, so that a balance can be compared with our log.
        number = f"8000009{len(self.cards) + 1:04d}"
        self.cards[number] = cash_miles
        member = {
            "collector": number,
            "cash_miles": cash_miles,
            "daily_cap_cents": 10**9,
            **fields,
        }
        self.sandbox.control("seed", members=[member])
        return number

    def test_card(self, number: str) -> str:
        """Return one of the programme's own cards, as it is after a reset."""
        self.cards[number] = TEST_CARD_MILES
        return number

    def saw(self, path: str, client_ref: str) -> str:
        """Note that the till was given this sale's address for a press; return the address."""
        found = SALE.match(path)
        assert found is not None, path
        with self._lock:
            self.shown.append(Shown(reference=found[1], client_ref=client_ref))
        return found[0]

    # --- What there is --------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Return every operation, oldest first."""
        return traces.rows(self.database)

    def row(self, card: str, operation: str = "redeem") -> Row:
        """Return the one operation of this kind with a card."""
        (found,) = [
            row for row in self.rows() if (row.last4, row.operation) == (card[-4:], operation)
        ]
        return found

    def state(self, card: str, operation: str = "redeem") -> str:
        """Return how the one operation of this kind with a card stands."""
        return self.row(card, operation).state

    def effects(self, card: str) -> list[str]:
        """Return what the programme did with a card, in order."""
        return [str(entry["kind"]) for entry in self.sandbox.effects(card)]

    def look_up(self, query: str) -> list[tuple[Any, ...]]:
        """Read our log's own tables."""
        with traces.reading(self.database) as reader:
            return list(reader.execute(query).fetchall())

    # --- The oracle -----------------------------------------------------------------------------

    def settled(self) -> None:
        """Wait until nothing is open that no person holds."""
        eventually(
            lambda: not traces.open_rows(self.database, besides=self.endless),
            within_s=SOON_S + 60,
        )

    def close(self) -> Evidence:
        """Wait until everything is settled, and hold I1 to I12 against what is there."""
        self.settled()
        evidence = Evidence(
            rows=[self._as_judged(row) for row in self.rows()],
            effects=traces.effects(self.sandbox),
            exchanges=traces.exchanges(self.sandbox),
            shown=self.shown,
            history=self.historian.finish(),
            seeded_miles=self.cards,
            miles_now=traces.miles_held(self.folder / "sandbox"),
            leaks=traces.leaks(sorted(self.cards), self.data, self.database),
            lease=timedelta(seconds=LEASE_S),
            call=timedelta(seconds=CALL_S),
            endless=self.endless,
            freezes=self.freezes,
        )
        broken = [f"{one.rule} {one.kind}: {one.what}" for one in check(evidence)]
        assert not broken, broken
        return evidence

    def _as_judged(self, row: Row) -> Row:
        # Of miles that only a case told of, the sandbox's ledger knows nothing.
        return replace(row, gifts=(), miles=None) if row.last4 in self.scripted else row


@contextlib.contextmanager
def shop_open(place: Place, folder: Path, settings: Mapping[str, str]) -> Iterator[Shop]:
    """Open a shop with a fresh copy of the prepared database; nothing of Milepost runs yet."""
    data = folder / "milepost"
    shutil.copytree(place.folder, data, ignore=shutil.ignore_patterns("*.sqlite3*"))
    name = f"{template_name(place.folder)}_{folder.name.replace('-', '_')}"[-60:]
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(sandbox_running(folder / "sandbox"))
        database = stack.enter_context(place.database(name, data))
        historian = traces.Historian(database)
        historian.start()
        stack.callback(historian.finish)
        yield Shop(
            folder=folder,
            database=database,
            sandbox=sandbox,
            stack=stack.enter_context(contextlib.ExitStack()),
            historian=historian,
            settings=dict(settings),
        )
