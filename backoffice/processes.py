"""The processes Milepost consists of, their commands, and where a run of them lives.

`python -m backoffice.processes NAME` becomes that process; compose uses it, so that a container
runs the very command that `bin/run` supervises. Imports no Django, to be able to say what is wrong.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB_WORKERS = 2
WEB_THREADS = 4
# A platform call may take its whole budget, twice; time to record the answer avoids a doubt.
GRACE_S = 25
# Calls that one sweep may have under way. It serves no pages, so only the platform bounds it: with
# an answer in 200 ms that is 30 rows a second at most, 1,000 doubts in 34 s; docs/benchmarks.md
# tells what a busy machine made of that.
SWEEP_CALLS = 6


class CannotStart(Exception):
    """Milepost cannot start here; the message is one sentence for the person who tried."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this run lives: its ports, its data folder and what it must bring along itself."""

    port: int
    sandbox_port: int
    # 0: any that is free.
    training_port: int
    data: Path
    brings_broker: bool
    brings_sandbox: bool
    brings_training: bool

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Place":
        brings_sandbox = not environment.get("AIRMILES_BASE_URL")
        return cls(
            port=_port(environment, "PORT", 8000),
            sandbox_port=_port(environment, "SANDBOX_PORT", 8100),
            training_port=_port(environment, "TRAINING_PORT", 0),
            data=Path(environment.get("MILEPOST_DATA") or ROOT / "var").resolve(),
            brings_broker=not environment.get("CELERY_BROKER_URL"),
            brings_sandbox=brings_sandbox,
            brings_training=brings_sandbox and not environment.get("MILEPOST_TRAINING_URL"),
        )


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name} must be a port number, not {text!r}.")
    return int(text)


def commands(place: Place) -> dict[str, list[str]]:
    """Return the command of every process, by name, in the order of their start."""
    python = [sys.executable, "-m"]
    # Containers and first tries run as root, and ours reads only JSON; the warning fits neither.
    quiet = ["-W", "ignore:You're running the worker with superuser privileges"]
    celery = [sys.executable, *quiet, "-m", "celery", "--quiet", "--app", "backoffice.celery"]
    manage = [sys.executable, str(ROOT / "manage.py")]
    web = [*python, "granian", "--interface", "wsgi", "--port", str(place.port), "--no-ws"]
    web += ["--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)]
    web += ["--log-level", "warning", "--workers-kill-timeout", str(GRACE_S)]
    # One dead worker must not take the calls of the other with it. One that dies again within
    # seconds of its replacement does: granian then ends, and its supervisor starts it anew.
    web += ["--respawn-failed-workers", "--respawn-interval", "0.5"]
    worker = ["worker", "--concurrency", "2", "--without-gossip", "--without-mingle"]
    schedule = str(place.data / "beat-schedule")

    def sandbox(port: int, folder: str) -> list[str]:
        return [*python, "sandbox", "--port", str(port), "--data", str(place.data / folder)]

    return {
        "sandbox": sandbox(place.sandbox_port, "sandbox"),
        "training": sandbox(place.training_port, "training"),
        "prepare": [*python, "backoffice.prepare"],
        "web": [*web, "backoffice.wsgi:application"],
        "worker": [*celery, *worker, "--loglevel", "WARNING"],
        "beat": [*celery, "beat", "--schedule", schedule, "--loglevel", "WARNING"],
        "settle": [*manage, "settle", "--forever"],
    }


def settings_of(name: str) -> dict[str, str]:
    """Return what one process finds in its environment and the others do not."""
    sweeps = name in {"worker", "settle"}
    return {"PLATFORM_CALLS_AT_ONCE": str(SWEEP_CALLS)} if sweeps else {}


def main(arguments: list[str]) -> int:
    """Become the process that is named; further arguments are handed to it."""
    try:
        table = commands(Place.of(os.environ))
        name = arguments[0] if arguments else ""
        if name not in table:
            raise CannotStart(f"Name one process: {', '.join(table)}.")
        # Half of a worker's threads may wait for the platform, so settings must know how many.
        os.environ.setdefault("MILEPOST_WEB_THREADS", str(WEB_THREADS))
        for setting, value in settings_of(name).items():
            os.environ.setdefault(setting, value)
        os.chdir(ROOT)
        command = [*table[name], *arguments[1:]]
        os.execv(command[0], command)  # noqa: S606 - our own table of commands
    except CannotStart as error:
        sys.stderr.write(f"milepost: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
