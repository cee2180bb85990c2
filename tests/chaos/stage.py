"""The processes of a run, each in a group of its own so that it can be killed as a whole: the web,
the sweep without a broker, and Celery's worker and beat on an embedded broker.

Start processes from the main thread only: the kernel ends them with the thread that started them.
"""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backoffice.embedded import broker_url, die_with_parent, valkey_command
from backoffice.processes import ROOT
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


@dataclass(kw_only=True)
class Process:
    """One process of Milepost, by its name in `backoffice.processes`."""

    name: str
    environment: Mapping[str, str]
    log: Path
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it in a process group of its own."""
        assert self._process is None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backoffice.processes", self.name],
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End every process of its group at once, without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop; do nothing if it does not run."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process of its group."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def children(self) -> list[int]:
        """Return the processes it started, oldest first."""
        assert self._process is not None
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with contextlib.suppress(OSError):
            return sorted(int(one) for one in listed.read_text().split())
        return []

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def has_ended_itself(self) -> bool:
        """Whether it was started, not ended by us, and runs no more."""
        return self._process is not None and self._process.poll() is not None

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        try:
            self._process.wait(timeout=30)
        finally:
            # Nothing of its group may outlive it and answer for it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)
            self._process = None


@dataclass(kw_only=True)
class Broker:
    """An embedded Valkey at one address, which can lose everything it holds."""

    folder: Path
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The address Celery finds it under, the same after every restart."""
        return broker_url(self._socket)

    def start(self) -> None:
        """Start it empty and wait until it takes connections."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self._process = subprocess.Popen(
            valkey_command(self.folder, self._socket),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        eventually(self._answers)

    def kill(self) -> None:
        """End it at once; what it held is gone with its folder at the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    @property
    def _socket(self) -> Path:
        return self.folder / "valkey.sock"

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self._socket))
            return True
        return False


@dataclass(kw_only=True)
class Stage:
    """Everything that runs, and where its traces are."""

    folder: Path
    database: str
    sandbox: Sandbox
    url: str
    web: Process
    sweepers: dict[str, Process] = field(default_factory=dict)
    broker: Broker | None = None

    @property
    def data(self) -> Path:
        """Milepost's data folder, with its logs."""
        return self.folder / "milepost"

    def start_web(self) -> None:
        """Start the web server and wait until it answers."""
        self.web.start()
        eventually(self.web_answers, within_s=60)

    def web_answers(self) -> bool:
        """Whether the console is there."""
        assert self.web.is_alive(), self.web.log.read_text(errors="replace")[-2000:]
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask("GET", f"{self.url}/healthz", timeout_s=5).status == 200
        return False

    def freeze_web(self, seconds: float) -> None:
        """Stop every web process for a while, wherever it is, and let it go on."""
        self.web.send(signal.SIGSTOP)
        time.sleep(seconds)
        self.web.send(signal.SIGCONT)

    def kill_web_worker(self, turn: int) -> bool:
        """Kill one of the server's workers; the server replaces it. Say whether there was one."""
        workers = self.web.children()
        if not workers:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(workers[turn % len(workers)], signal.SIGKILL)
            return True
        return False


@contextlib.contextmanager
def stage(folder: Path, database: str, *, with_celery: bool) -> Iterator[Stage]:
    """Run the sandbox, the web and the sweep on a fresh database."""
    data = folder / "milepost"
    data.mkdir(parents=True)
    broker = Broker(folder=folder / "broker") if with_celery else None
    with sandbox_running(folder / "sandbox") as sandbox, contextlib.ExitStack() as stack:
        port = free_port()
        settings = {**TIMINGS, "DATABASE_URL": database}
        if broker is not None:
            settings["CELERY_BROKER_URL"] = broker.url
            stack.callback(broker.kill)
            broker.start()
        Web(data=data, sandbox=sandbox, settings=settings, port=port).prepare()
        environment = {
            **os.environ,
            "MILEPOST_ENV": "development",
            "MILEPOST_DATA": str(data),
            "PORT": str(port),
            "AIRMILES_BASE_URL": sandbox.url,
            "AIRMILES_TOKEN_URL": f"{sandbox.url}/oauth/token",
            **settings,
        }
        names = ("settle", "worker", "beat") if with_celery else ("settle",)
        made = {
            name: Process(name=name, environment=environment, log=data / f"{name}.log")
            for name in ("web", *names)
        }
        on_stage = Stage(
            folder=folder,
            database=database,
            sandbox=sandbox,
            url=f"http://127.0.0.1:{port}",
            web=made["web"],
            sweepers={name: made[name] for name in names},
            broker=broker,
        )
        for process in made.values():
            stack.callback(process.stop)
        on_stage.start_web()
        for process in on_stage.sweepers.values():
            process.start()
        yield on_stage
