"""The sweep of system calls: a sender dies at the N-th call of each kind that moves a byte to the
disk or to the wire, for every N, in a redemption and a reversal, by the console's services and by
the doors of the switch, in miles given and taken back, and in the sweep's own tries.

What was left is settled at the end, and judged as after any other run. It needs `strace`.
"""

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.chaos import traces
from tests.chaos.checker import check
from tests.chaos.processes import Process
from tests.chaos.run import SETTLED_WITHIN_S, Ended, gather, seed_cards
from tests.chaos.stage import Stage

OPERATIONS = ("redeem", "reverse", "till", "void", "settle", "give", "take_back", "chase")
# These begin with a doubt to sweep: so many answers to the till are lost (the second one was tried
# at once; miles are not).
_LOST = {"settle": 2, "chase": 1}
# What commits, what sends, what hears; SQLite's locks and file sizes too.
CALLS = (
    *("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "unlink"),
    *("socket", "connect", "sendto", "recvfrom", "sendmsg", "recvmsg", "close"),
)
PREFIX = "syscall_"
# Beyond this many calls of one kind something is wrong with the sweep itself.
_MOST_CALLS = 200
_MOST_CARDS = 2000
_PATIENCE_S = 20.0


class NoTracer(Exception):
    """There is no `strace` here, or it may not trace; the message says which."""


@dataclass(kw_only=True)
class Sender:
    """The process that forks a child for each operation (`tests.chaos.sender`)."""

    process: "subprocess.Popen[str]"

    def begin(self, operation: str, card: str) -> int:
        """Have a child come to a stop just before the operation; return its process id."""
        self._say(f"{operation} {card}")
        pid = int(self._hear())
        end_at = time.monotonic() + _PATIENCE_S
        while _state_of(pid) != "T":
            assert time.monotonic() < end_at, f"the {operation} never began"
            time.sleep(0.002)
        return pid

    def ended(self) -> int:
        """Wait for the child; return 0, or its signal as a negative number."""
        return int(self._hear())

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _hear(self) -> str:
        heard: IO[str] | None = self.process.stdout
        assert heard is not None
        line = heard.readline()
        assert line, "the sender ended"
        return line


def look_for_tracer() -> str:
    """Return where `strace` is; raises NoTracer."""
    found = shutil.which("strace")
    if found is None:
        raise NoTracer("there is no strace here; install it (apt-get install strace)")
    return found


def sweep(on_stage: Stage, *, stride: int, offset: int, within_s: float) -> Ended:
    """Kill at every `stride`-th call of each kind, then settle everything and judge.

    `offset` says where to begin, so that other seeds meet other calls. After `within_s` no further
    kill is begun, and that is said.
    """
    strace = look_for_tracer()
    began = time.monotonic()
    cards = seed_cards(on_stage.sandbox, _MOST_CARDS)
    unused = iter(sorted(cards))
    kills: Counter[str] = Counter()
    with _sender(on_stage) as sender:
        pairs = list(itertools.product(OPERATIONS, CALLS))
        # Where time is short, some of every operation.
        random.Random(offset).shuffle(pairs)
        for operation, call in pairs:
            if time.monotonic() > began + within_s:
                sys.stderr.write(f"chaos: out of time before {operation} and {call}\n")
                break
            for number in _numbers(stride, offset):
                card = next(unused)
                if operation in _LOST:
                    fault = {"kind": "drop_after", "match": {"collector": card}}
                    on_stage.sandbox.control("faults", times=_LOST[operation], **fault)
                if not _dies(sender, strace, operation, card, call, number):
                    break
                kills[f"{PREFIX}{operation}_{call}"] += 1
    loaded_s = time.monotonic() - began
    settled_in_s = _settle(on_stage)
    evidence = gather(on_stage, cards)
    return Ended(
        evidence=evidence,
        violations=check(evidence),
        kills=kills,
        loaded_s=loaded_s,
        settled_in_s=settled_in_s,
    )


def _numbers(stride: int, offset: int) -> Iterator[int]:
    """Yield which calls to die at: the first two of a kind, and then each `stride`-th."""
    for number in range(1, _MOST_CALLS):
        if number <= 2 or (number - offset) % stride == 0:
            yield number


def _dies(sender: Sender, strace: str, operation: str, card: str, call: str, number: int) -> bool:
    """Run one operation that is killed as it enters a call for the N-th time, if it comes to it."""
    pid = sender.begin(operation, card)
    command = [strace, "-qq", "-p", str(pid), "-o", "/dev/null", "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:signal=SIGKILL:when={number}"]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_until_traced(pid, tracer)
        os.kill(pid, signal.SIGCONT)
        status = sender.ended()
        assert status in {0, -signal.SIGKILL}, f"the {operation} ended with {status}"
        return status != 0
    finally:
        tracer.terminate()
        tracer.communicate(timeout=_PATIENCE_S)


def _wait_until_traced(pid: int, tracer: "subprocess.Popen[bytes]") -> None:
    end_at = time.monotonic() + _PATIENCE_S
    while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
        if tracer.poll() is not None:
            os.kill(pid, signal.SIGKILL)
            raise NoTracer(f"strace may not trace here: {tracer.communicate()[1].decode().strip()}")
        assert time.monotonic() < end_at, "strace did not attach"
        time.sleep(0.002)


def _settle(on_stage: Stage) -> float:
    """Settle as a shop does, until nothing is open."""
    began = time.monotonic()
    process = Process(
        name="settle",
        label="settle",
        environment=on_stage.environment,
        log=on_stage.data / "settle.log",
    )
    process.start()
    try:
        while traces.open_rows(on_stage.database):
            if time.monotonic() > began + SETTLED_WITHIN_S:
                break
            time.sleep(0.3)
    finally:
        process.kill()
    return time.monotonic() - began


@contextlib.contextmanager
def _sender(on_stage: Stage) -> Iterator[Sender]:
    log = on_stage.data / "sender.log"
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.sender"],
            env=dict(on_stage.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    try:
        yield Sender(process=process)
    finally:
        process.kill()
        process.communicate(timeout=_PATIENCE_S)


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
