"""Milepost's processes as a chaos run holds them: each in a group of its own, so that it can be
killed as a whole, and a broker that can lose everything.

Start processes from the main thread only: the kernel ends them with the thread that started them.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backoffice.embedded import broker_url, die_with_parent, valkey_command
from backoffice.processes import ROOT
from tests.servers.stack import eventually


@dataclass(kw_only=True)
class Process:
    """One process of Milepost, by its name in `backoffice.processes` or in a module that alters
    something about these; `label` tells it apart."""

    name: str
    label: str
    environment: Mapping[str, str]
    log: Path
    arguments: Sequence[str] = ()
    module: str = "backoffice.processes"
    started_at: float = 0.0
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def age_s(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started_at

    def start(self) -> None:
        """Start it in a process group of its own."""
        assert self._process is None
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, self.name, *self.arguments],
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End every process of its group at once, without a word; do nothing if none runs."""
        if self._process is not None:
            self._end(signal.SIGKILL)

    def kill_one(self, pid: int) -> None:
        """Kill one process of its group; the others go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process of its group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def children(self) -> list[int]:
        """Return the processes that work for it, oldest first."""
        if self._process is None:
            return []
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with contextlib.suppress(OSError):
            found = sorted(int(one) for one in listed.read_text().split())
            return [one for one in found if not _is_housekeeping(one)]
        return []

    def pids(self) -> list[int]:
        """Return it and the processes it started."""
        return [self._process.pid, *self.children()] if self._process is not None else []

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

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    @property
    def _socket(self) -> Path:
        return self.folder / "valkey.sock"

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self._socket))
            return True
        return False


def _is_housekeeping(pid: int) -> bool:
    # Python's own helper beside spawned workers; no operation ever depends on it.
    with contextlib.suppress(OSError):
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return True
