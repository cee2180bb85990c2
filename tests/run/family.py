"""The processes below another one, as /proc has them (Linux)."""

import contextlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Member:
    """One process; its start tells it from a later one with the same number."""

    pid: int
    started: str
    command: str

    @property
    def is_alive(self) -> bool:
        """A process that has ended but was not yet waited for does not count."""
        state, started = _state_and_start(self.pid)
        return started == self.started and state != "Z"


def _state_and_start(pid: int) -> tuple[str, str]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], fields[19]
    return "", ""


def children(pid: int) -> set[int]:
    """Return a process's living children, whichever of its threads started them."""
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found |= {int(child) for child in (thread / "children").read_text().split()}
    return found


def family(pid: int) -> set[Member]:
    """Return a process and all below it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        _state, started = _state_and_start(pid)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        below = (family(child) for child in children(pid))
        return {Member(pid=pid, started=started, command=command)}.union(*below)
    return set()


def living(members: set[Member]) -> list[str]:
    """Return the numbers and commands of those that have not ended."""
    return [f"{member.pid} {member.command}" for member in members if member.is_alive]
