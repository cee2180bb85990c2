"""Real processes for the tests that need them: the sandbox, and Milepost's web server with a data
folder of its own. Each runs the command that `bin/run` and the containers run.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from backoffice.embedded import die_with_parent
from backoffice.processes import ROOT

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object."""
        parsed = json.loads(self.body)
        assert isinstance(parsed, dict)
        return parsed


def ask(
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    timeout_s: float = 60,
) -> Answer:
    """Send one request on a connection of its own and return the answer, whatever it is."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_s)
    with contextlib.closing(connection):
        path = parts._replace(scheme="", netloc="").geturl() or "/"
        connection.request(method, path, body or None, dict(headers or {}))
        response = connection.getresponse()
        return Answer(
            status=response.status, headers=dict(response.getheaders()), body=response.read()
        )


def eventually(found: Callable[[], T], *, within_s: float = 120) -> T:
    """Return the first true value that `found` gives, or fail when there is none in time."""
    end_at = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < end_at, f"it did not come about in {within_s} s"
        time.sleep(0.05)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A sandbox that runs, and its control plane."""

    url: str

    def control(self, what: str, **fields: Any) -> dict[str, Any]:
        """Turn a knob of the control plane."""
        answer = ask("POST", f"{self.url}/_control/{what}", json.dumps(fields).encode())
        assert answer.status in {200, 201}, answer.body
        return answer.fields

    def fault(self, kind: str, *, path: str = "", times: int | None = 1, **fields: Any) -> None:
        """Have something happen to the next requests, to a path if one is named."""
        match = {"path": path} if path else {}
        self.control("faults", kind=kind, match=match, times=times, **fields)

    def forget_fault(self, number: int) -> None:
        """Strike out one fault, whether it has happened or not."""
        ask("DELETE", f"{self.url}/_control/faults?id={number}")

    def clear_faults(self) -> None:
        """Have nothing happen to any request any more."""
        answer = ask("DELETE", f"{self.url}/_control/faults")
        assert answer.status == 200, answer.body

    def effects(self, collector: str = "") -> list[dict[str, Any]]:
        """Return every movement of miles, of one collector if one is named."""
        return list(self._look(f"ledger?collector={collector}")["entries"])

    def total_miles(self) -> int:
        """Return what all movements come to; nothing is owed either way when it is zero."""
        return int(self._look("ledger")["total_miles"])

    def exchanges(self, path: str = "") -> list[dict[str, Any]]:
        """Return the requests that arrived, in order of arrival."""
        return list(self._look(f"exchanges?path={path}")["exchanges"])

    def codes(self) -> list[dict[str, Any]]:
        """Return the sandbox's own table of response codes."""
        return list(self._look("codes")["codes"])

    def _look(self, what: str) -> dict[str, Any]:
        answer = ask("GET", f"{self.url}/_control/{what}")
        assert answer.status == 200, answer.body
        return answer.fields


@contextlib.contextmanager
def sandbox_running(data: Path) -> Iterator[Sandbox]:
    """Run the sandbox on a port of its choice."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--data", str(data)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("sandbox serves "), said
        yield Sandbox(url=said.split()[-1])
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


@dataclass(kw_only=True)
class Web:
    """Milepost's web server with a data folder of its own; it can be killed and started again."""

    data: Path
    sandbox: Sandbox
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    def prepare(self) -> None:
        """Make the tables, collect the static files and seed the demo partner."""
        self._finish([sys.executable, "-m", "backoffice.processes", "prepare"])

    def start(self) -> None:
        """Start the server in a process group of its own and wait until it answers."""
        assert self._process is None
        with (self.data / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backoffice.processes", "web"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                start_new_session=True,
            )
        eventually(self._serves, within_s=300)

    def kill(self) -> None:
        """End every process of the server at once, without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the server to stop; do nothing if it does not run."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    @contextlib.contextmanager
    def settling(self) -> Iterator[None]:
        """Run the sweep beside the server, as `bin/run` does."""
        with (self.data / "settle.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "backoffice.processes", "settle"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=120)

    def manage(self, *arguments: str) -> str:
        """Run a management command against this server's data and return what it says."""
        return self._finish([sys.executable, str(ROOT / "manage.py"), *arguments])

    def said(self) -> str:
        """Return what the server has logged so far."""
        return (self.data / "web.log").read_text(encoding="utf-8")

    def _serves(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.said()
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask("GET", f"{self.url}/healthz", timeout_s=30).status == 200
        return False

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)
        self._process.wait(timeout=120)
        # Its workers are in its group; none of them may outlive it and answer for it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def _finish(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        ours = {
            "MILEPOST_ENV": "development",
            "MILEPOST_DATA": str(self.data),
            "PORT": str(self.port),
            "AIRMILES_BASE_URL": self.sandbox.url,
            "AIRMILES_TOKEN_URL": f"{self.sandbox.url}/oauth/token",
            **self.settings,
        }
        # The suite may run on a database of its own; these processes bring theirs.
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return {**inherited, **ours}


@contextlib.contextmanager
def web_running(data: Path, sandbox: Sandbox, **settings: str) -> Iterator[Web]:
    """Run Milepost's web server on a free port with the demo partner in it."""
    data.mkdir(parents=True, exist_ok=True)
    web = Web(data=data, sandbox=sandbox, settings=settings)
    web.prepare()
    try:
        web.start()
        yield web
    finally:
        web.stop()
