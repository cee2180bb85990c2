"""Ends what a killed supervisor leaves behind; SIGKILL gives the supervisor itself no chance to.

A process beside the supervisor. On its input it learns of every process group there is; the end of
that input means that the supervisor is gone, however it went. Knows nothing else, and no Django.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

from backoffice.processes import GRACE_S, ROOT


class Keeper:
    """The supervisor's side: starts the keeper's process and tells it which groups there are."""

    def __init__(self, *, held: int, grace_s: float = GRACE_S) -> None:
        """`held` is the open lock on the data folder, not let go before all have ended."""
        self._held = held
        self._grace_s = grace_s
        self._start()

    def _start(self) -> None:
        # Descriptors that a program inherits are named one by one, so the input ends with us.
        read, self._write = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "backoffice.keeper", str(self._grace_s)],
            cwd=ROOT,
            stdin=read,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[self._held],
            # What is sent to our terminal or our group must not reach it.
            start_new_session=True,
        )
        os.close(read)

    @property
    def pid(self) -> int:
        """The keeper's process."""
        return self._process.pid

    def enter(self) -> None:
        """Make the calling process's group known; called in it, between fork and exec.

        It says so itself, because a kill of its parent may come at any moment: until it has, it
        holds the keeper's input open.
        """
        self._tell(f"+{os.getpid()}")

    def forget(self, group: int) -> None:
        """Take back a group that has ended: its number may become a stranger's."""
        self._tell(f"-{group}")

    def revive(self, groups: Iterable[int]) -> None:
        """Start the keeper again if it has died; `groups` are those that live."""
        if self._process.poll() is not None:
            os.close(self._write)
            self._start()
            for group in groups:
                self._tell(f"+{group}")

    def close(self) -> None:
        """Let the keeper end what is left, and wait for it."""
        os.close(self._write)
        self._process.wait()

    def _tell(self, text: str) -> None:
        # A keeper that has just died is revived, and hears it all again.
        with contextlib.suppress(BrokenPipeError):
            # So short a line stays whole, whoever else writes.
            os.write(self._write, f"{text}\n".encode())


def _lives(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def main(arguments: list[str]) -> int:
    """Listen until the supervisor is gone; give its processes the grace time, then kill them."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    end_at = time.monotonic() + float(arguments[0])
    while groups and time.monotonic() < end_at:
        time.sleep(0.1)
        groups = {group for group in groups if _lives(group)}
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
