"""What a killed supervisor started ends, whether or not it listens; nobody else is touched."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backoffice.keeper import Keeper
from tests.run.family import family, living

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

GRACE_S = 0.5
# It will not hear, nor will its child, which is not the keeper's own.
DEAF = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork():
    print("deaf", flush=True)
time.sleep(3600)
"""


@contextlib.contextmanager
def deaf(keeper: Keeper) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own that the keeper knows, and that only SIGKILL ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF],
        stdout=subprocess.PIPE,
        process_group=0,
        preexec_fn=keeper.enter,
    )
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline() == b"deaf\n"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield held.fileno()


def is_free(lock: Path) -> bool:
    with lock.open("w") as other, contextlib.suppress(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def test_who_does_not_listen_is_killed_with_all_below(lock: int) -> None:
    keeper = Keeper(held=lock, grace_s=GRACE_S)
    with deaf(keeper) as process:
        everyone = family(process.pid)
        assert len(everyone) == 2
        started = time.monotonic()
        keeper.close()
        assert time.monotonic() - started >= GRACE_S
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert living(everyone) == []


def test_who_was_taken_back_is_left_alone(lock: int) -> None:
    keeper = Keeper(held=lock, grace_s=GRACE_S)
    with deaf(keeper) as stranger, deaf(keeper) as process:
        keeper.forget(stranger.pid)
        keeper.close()
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert stranger.poll() is None


def test_without_anybody_left_it_does_not_wait(lock: int) -> None:
    keeper = Keeper(held=lock, grace_s=3600)
    with deaf(keeper) as process:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        keeper.close()


def test_one_that_died_is_started_again_and_knows_who_lives(lock: int) -> None:
    keeper = Keeper(held=lock, grace_s=GRACE_S)
    with deaf(keeper) as process:
        first = keeper.pid
        keeper.revive([process.pid])
        assert keeper.pid == first
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        # Nobody hears this, and that is no fault of the supervisor's.
        keeper.forget(process.pid)
        keeper.revive([process.pid])
        assert keeper.pid != first
        keeper.close()
        assert process.wait(timeout=60) == -signal.SIGKILL


def test_the_data_folder_is_held_until_all_have_ended(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        keeper = Keeper(held=held.fileno(), grace_s=GRACE_S)
    with deaf(keeper):
        # The supervisor's own hold is gone, as after its death.
        assert not is_free(lock)
        keeper.close()
        assert is_free(lock)
