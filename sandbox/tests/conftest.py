"""Two tills: one on the application itself, one on a real process over a real socket."""

import contextlib
import http.client
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from sandbox.conditions import switches
from sandbox.control import exchanges, faults
from sandbox.tests.till import Answer, Till


@pytest.fixture(autouse=True)
def _clean_process(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """What a process keeps in memory starts afresh for each test."""
    settings.DATA = tmp_path
    switches.read_again()
    faults.book.clear()
    yield
    if exchanges.log.cache_info().currsize:
        exchanges.log().close()
        exchanges.log.cache_clear()
    switches.read_again()


@pytest.fixture
def till(db: None) -> Till:
    """A till that calls the application in this process, on fresh test cards."""
    client = Client()

    def transport(method: str, path: str, raw: bytes, headers: dict[str, str]) -> Answer:
        response = client.generic(
            method,
            path,
            raw,
            content_type=headers.get("Content-Type", ""),
            headers={name: value for name, value in headers.items() if name != "Content-Type"},
        )
        return Answer(
            status=response.status_code, headers=dict(response.headers), raw=response.content
        )

    till = Till(transport=transport)
    till.control("reset")
    till.log_in()
    return till


@dataclass(frozen=True, kw_only=True)
class Process:
    """A sandbox that runs."""

    popen: "subprocess.Popen[str]"
    port: int
    connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def till(self, timeout_s: float = 60.0) -> Till:
        """Return a till with a connection of its own, kept alive."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        self.connections.append(connection)

        def transport(method: str, path: str, raw: bytes, headers: dict[str, str]) -> Answer:
            try:
                connection.request(method, path, raw or None, headers)
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                raise
            return Answer(status=response.status, headers=dict(response.getheaders()), raw=body)

        return Till(transport=transport, headers={"User-Agent": "test till"})

    def hang_up(self) -> None:
        """Close every till's connection."""
        while self.connections:
            self.connections.pop().close()

    def stop(self) -> int:
        """Ask it to stop, and return how it ended; one that has ended already is only tidied up."""
        self.hang_up()
        self.popen.terminate()
        code = self.popen.wait(timeout=60)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        return code


def start_process(data: Path) -> Process:
    """Start a sandbox and return it once it says where it serves."""
    popen = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert popen.stdout is not None
    line = popen.stdout.readline()
    assert line.startswith("sandbox serves http://127.0.0.1:"), line
    return Process(popen=popen, port=int(line.rsplit(":", 1)[1]))


@pytest.fixture
def start() -> Iterator[Callable[[Path], Process]]:
    """Start sandboxes that end with the test, however it ends."""
    with contextlib.ExitStack() as started:

        def start_one(data: Path) -> Process:
            process = start_process(data)
            started.callback(process.stop)
            return process

        yield start_one


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = start_process(tmp_path_factory.mktemp("sandbox") / "data")
    yield process
    process.stop()


@pytest.fixture
def process(running: Process) -> Iterator[Process]:
    """The session's process, reset."""
    running.till().control("reset")
    yield running
    running.hang_up()


@pytest.fixture
def wired(process: Process) -> Till:
    """A till at the end of a real connection."""
    till = process.till()
    till.log_in()
    return till
