"""What runs while cashiers work: the sandbox, three web servers on one database, and the sweep, by
`settle` or by Celery's workers and beats on an embedded broker.
"""

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backoffice.processes import ROOT
from tests.chaos.inside import sitecustomize as inside
from tests.chaos.processes import Broker, Process
from tests.servers import postgres
from tests.servers.stack import Sandbox, Web, ask, eventually, free_port, sandbox_running

# A tenth of what a shop has (RELIABILITY 4.3): one call, a right to send, its margin.
CALL_S = 1.0
LEASE_S = 3.0
TIMINGS = {
    "PLATFORM_CONNECT_S": "0.5",
    "PLATFORM_TOTAL_S": str(CALL_S),
    "PLATFORM_MARGIN_S": "0.5",
    "PLATFORM_LEASE_S": str(LEASE_S),
    "SETTLE_EVERY_S": "0.3",
    "ECHO_EVERY_S": "1.5",
}
# So many that cashiers go on at another one while one is started again.
WEB_SERVERS = 3
SWEEPERS = {"settle": 3}
# Three beats at once are the case that must not double anything (RELIABILITY 3).
CELERY_SWEEPERS = {"worker": 2, "beat": 3}


@dataclass(kw_only=True)
class WebServer:
    """One web server at its own port; it is ready once it has answered since its last start."""

    url: str
    process: Process
    is_ready: bool = False
    is_frozen: bool = False
    hurt_at: float = 0.0

    @property
    def hurt_s_ago(self) -> float:
        """How long ago one of its workers was killed."""
        return time.monotonic() - self.hurt_at

    def start(self) -> None:
        """Start it; `look` says later whether it is ready."""
        self.is_ready = self.is_frozen = False
        self.process.start()

    def look(self) -> bool:
        """Whether it answers now, or has since its last start."""
        if not self.is_ready and self.process.is_alive() and not self.is_frozen:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.is_ready = ask("GET", f"{self.url}/healthz", timeout_s=0.2).status == 200
        return self.is_ready


@dataclass(kw_only=True)
class Stage:
    """Everything that runs, and where its traces are."""

    folder: Path
    database: str
    sandbox: Sandbox
    webs: list[WebServer]
    sweepers: list[Process]
    # Tills that give miles without a browser.
    givers: list[Process] = field(default_factory=list)
    broker: Broker | None = None
    # A PostgreSQL server that this run may stop without warning.
    server: postgres.Server | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    # Holds by how much the clock of Milepost's processes is off, where it can be moved.
    clock: Path | None = None

    def set_clock(self, off_s: float) -> None:
        """Put the clock of every process of Milepost ahead, or behind; they follow at once."""
        assert self.clock is not None
        draft = self.clock.with_suffix(".draft")
        draft.write_text(str(off_s))
        draft.replace(self.clock)

    @property
    def data(self) -> Path:
        """Milepost's data folder, with its logs."""
        return self.folder / "milepost"

    @property
    def exchanges(self) -> Path:
        """The sandbox's own list of what arrived, as a file."""
        return self.folder / "sandbox" / "exchanges.sqlite3"

    def processes(self) -> list[Process]:
        """Return every process of Milepost."""
        return [*(web.process for web in self.webs), *self.sweepers, *self.givers]

    def start_all(self) -> None:
        """Start every process and wait until the web answers everywhere."""
        for web in self.webs:
            web.start()
        for process in self.sweepers:
            process.start()
        for web in self.webs:
            eventually(web.look, within_s=120)

    def holder_of(self, pid: int) -> Process | None:
        """Return the process of which a pid is the main one or a child."""
        return next((one for one in self.processes() if pid in one.pids()), None)


@contextlib.contextmanager
def place(
    folder: Path,
    database: str,
    sandbox: Sandbox,
    *,
    mutant: str | None = None,
    moves_clock: bool = False,
    broker_url: str = "",
    timings: Mapping[str, str] = TIMINGS,
) -> Iterator[Stage]:
    """Prepare an empty database for the demo partner; nothing of Milepost runs yet.

    With a mutant, everything of Milepost that is started has that mistake in it. Where the clock
    moves, all of it follows `Stage.set_clock`.
    """
    data = folder / "milepost"
    data.mkdir(parents=True, exist_ok=True)
    chosen = {**timings, "DATABASE_URL": database}
    if broker_url:
        chosen["CELERY_BROKER_URL"] = broker_url
    Web(data=data, sandbox=sandbox, settings=chosen).prepare()
    environment = {
        **os.environ,
        "MILEPOST_ENV": "development",
        "MILEPOST_DATA": str(data),
        "AIRMILES_BASE_URL": sandbox.url,
        "AIRMILES_TOKEN_URL": f"{sandbox.url}/oauth/token",
        **chosen,
    }
    clock = folder / "clock" if moves_clock else None
    if mutant is not None or clock is not None:
        environment["PYTHONPATH"] = str(Path(inside.__file__).parent)
    if mutant is not None:
        environment[inside.VARIABLE] = mutant
    if clock is not None:
        clock.write_text("0")
        environment[inside.CLOCK_VARIABLE] = str(clock)
    # Miles are worked out by the programme in some stores and by our own offers in others.
    opening = [sys.executable, "-m", "tests.day.opening"]
    subprocess.run(opening, cwd=ROOT, env=environment, check=True, timeout=120)
    yield Stage(
        folder=folder,
        database=database,
        sandbox=sandbox,
        webs=[],
        sweepers=[],
        environment=environment,
        clock=clock,
    )


@contextlib.contextmanager
def stage(
    folder: Path,
    database: str,
    server: postgres.Server | None = None,
    *,
    with_celery: bool = False,
    mutant: str | None = None,
    moves_clock: bool = False,
) -> Iterator[Stage]:
    """Run the sandbox, the web and the sweep on a fresh database."""
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(sandbox_running(folder / "sandbox"))
        broker = Broker(folder=folder / "broker") if with_celery else None
        if broker is not None:
            stack.callback(broker.kill)
            broker.start()
        on_stage = stack.enter_context(
            place(
                folder,
                database,
                sandbox,
                mutant=mutant,
                moves_clock=moves_clock,
                broker_url=broker.url if broker is not None else "",
            )
        )
        on_stage.broker, on_stage.server = broker, server
        on_stage.webs = [_web(on_stage, number) for number in range(WEB_SERVERS)]
        kinds = CELERY_SWEEPERS if with_celery else SWEEPERS
        on_stage.sweepers = [
            _sweeper(on_stage, name, number)
            for name, count in kinds.items()
            for number in range(count)
        ]
        for process in on_stage.processes():
            stack.callback(process.kill)
        on_stage.start_all()
        yield on_stage


def _web(on_stage: Stage, number: int) -> WebServer:
    port = free_port()
    process = Process(
        name="web",
        label=f"web-{number}",
        environment={**on_stage.environment, "PORT": str(port)},
        log=on_stage.data / f"web-{number}.log",
    )
    return WebServer(url=f"http://127.0.0.1:{port}", process=process)


def _sweeper(on_stage: Stage, name: str, number: int) -> Process:
    label = f"{name}-{number}"
    # Two beats on one file of theirs would only trip over each other.
    is_beat = name == "beat"
    own = ["--schedule", str(on_stage.data / f"{label}.schedule")] if is_beat else []
    return Process(
        name=name,
        label=label,
        environment=on_stage.environment,
        log=on_stage.data / f"{label}.log",
        arguments=own,
    )
