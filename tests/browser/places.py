"""Milepost and its sandbox as processes of a browser test: free ports, a folder of their own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 60


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a console and its sandbox answer."""

    web: str
    sandbox: str


@contextmanager
def running_place(data: Path, **settings: str) -> Iterator[Place]:
    """Start the sandbox and the web, give their addresses, and stop them."""
    web_port, sandbox_port = _free_port(), _free_port()
    environment = {
        **os.environ,
        "MILEPOST_ENV": "development",
        "MILEPOST_DATA": str(data),
        "PORT": str(web_port),
        "SANDBOX_PORT": str(sandbox_port),
        # A silence is told from an answer in two seconds instead of ten.
        "PLATFORM_TOTAL_S": "2",
        "PLATFORM_CONNECT_S": "1",
        **settings,
    }
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    place = Place(web=f"http://127.0.0.1:{web_port}", sandbox=f"http://127.0.0.1:{sandbox_port}")
    _run(environment, "backoffice.prepare").wait()
    processes = [
        _run(environment, "backoffice.processes", "sandbox"),
        _run(environment, "backoffice.processes", "web"),
    ]
    try:
        _wait_for(f"{place.sandbox}/_control/codes")
        _wait_for(f"{place.web}/sign-in/")
        yield place
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=40)


def _run(environment: dict[str, str], *module: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *module], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(url: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            requests.get(url, timeout=2).raise_for_status()
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
