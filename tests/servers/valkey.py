"""A broker for tests that need one: the embedded Valkey on its socket, gone after the test."""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from backoffice.embedded import broker_url, die_with_parent, valkey_command


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start a server and give the address Celery finds it under."""
    with tempfile.TemporaryDirectory(prefix="milepost-valkey-", dir="/tmp") as name:
        folder = Path(name)
        address = folder / "valkey.sock"
        server = subprocess.Popen(
            valkey_command(folder, address),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        try:
            _wait(address, server)
            yield broker_url(address)
        finally:
            server.terminate()
            server.wait(timeout=60)


def _wait(address: Path, server: "subprocess.Popen[bytes]") -> None:
    end_at = time.monotonic() + 60
    while time.monotonic() < end_at and server.poll() is None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(address))
            return
        time.sleep(0.02)
    raise RuntimeError("The embedded Valkey did not start.")
