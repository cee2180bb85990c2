"""The whole of Milepost as `bin/run` starts it: real processes, killed and stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psycopg
import pytest

from backoffice.processes import GRACE_S
from tests.run.family import Member, children, family, living

READY = "Ctrl-C stops all of it."
SERVICES = {"broker", "sandbox", "training", "web", "worker", "beat", "settle"}
# A start takes a second on an idle machine and most of a minute on an overloaded one.
PATIENCE_S = 300.0
# What is promised is the grace time; killing and looking take a while of their own.
ALL_ENDED_S = 4 * GRACE_S


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    end_at = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_at, f"it did not come about in {within_s} s"
        time.sleep(0.1)


def ended(members: set[Member], within_s: float) -> list[str]:
    """Wait for all of them to end; return who has not."""
    end_at = time.monotonic() + within_s
    while (left := living(members)) and time.monotonic() < end_at:
        time.sleep(0.1)
    return left


class Run:
    """One supervisor and what it said."""

    def __init__(self, data: Path, environment: dict[str, str]) -> None:
        self.port = int(environment["PORT"])
        self.said = data.parent / f"said-{time.monotonic_ns()}"
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "backoffice.supervisor"],
                env=dict(os.environ, MILEPOST_DATA=str(data), **environment),
                stdout=out,
                stderr=out,
            )

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as unless_ready:
            unless_ready.push(self.__exit__)
            eventually(lambda: READY in self.text() or self.process.poll() is not None)
            assert READY in self.text(), self.text()
            unless_ready.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)

    def text(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def serves(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        return False


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Ports of its own; on PostgreSQL also a database of its own, made from nothing."""
    # What a killed supervisor cannot clear away lies in a folder that we can.
    with tempfile.TemporaryDirectory(prefix="milepost-run-", dir="/tmp") as leftovers:
        ours = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port()), "TMPDIR": leftovers}
        address = os.environ.get("DATABASE_URL")
        nothing = contextlib.nullcontext(dict[str, str]())
        with own_database(address) if address else nothing as database:
            yield ours | database


@contextlib.contextmanager
def own_database(address: str) -> Iterator[dict[str, str]]:
    name = f"milepost_run_{os.getpid()}"
    with contextlib.closing(psycopg.connect(address, autocommit=True)) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {"DATABASE_URL": urlsplit(address)._replace(path=f"/{name}").geturl()}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and only Linux tells orphans")
def test_all_start_return_after_a_kill_and_stop_together(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    data = tmp_path / "da ta"
    with Run(data, environment) as first:
        eventually(first.serves)
        # The services, and the keeper beside them.
        assert len(children(first.process.pid)) == len(SERVICES) + 1
        for said in ("/office/", "Test cards", "80000010001", "admin"):
            assert said in first.text()

        web = next(
            child
            for child in children(first.process.pid)
            if b"granian" in Path(f"/proc/{child}/cmdline").read_bytes()
        )
        os.kill(web, signal.SIGKILL)
        eventually(lambda: "web was killed by signal 9; starting it again" in first.text())
        eventually(first.serves)

        everyone = family(first.process.pid)
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(timeout=PATIENCE_S) == 0
        assert living(everyone) == []

    with Run(data, environment) as second:
        eventually(second.serves)
        everyone = family(second.process.pid)
        second.process.kill()
        second.process.wait()
        assert ended(everyone, within_s=ALL_ENDED_S) == []
