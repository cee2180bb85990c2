"""`bin/chaos`: cashiers work while processes are killed; then log and ledger are compared. The last
line is JSON; the exit status is 1 when a promise did not hold.
"""

import argparse
import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests.chaos import report, syscalls
from tests.chaos.inside.sitecustomize import MUTANTS
from tests.chaos.kills import Plan
from tests.chaos.run import Ended, run_once
from tests.chaos.stage import place, stage
from tests.day.run import day, told_of_day
from tests.servers import postgres
from tests.servers.stack import sandbox_running

# What continuous integration takes: with starting and settling, five minutes for both databases.
_SLICE_MINUTES = 0.75
_SLICE_STRIDE = 16
_SLICE_SWEEP_S = 23.0
_SLICE_SEED = 20261120
_UNFINISHED = 143


def main(arguments: list[str]) -> int:
    """Run on each database that is asked for and print what came of it."""
    asked = _asked(arguments)
    # Asked to stop, it still takes down and removes what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_UNFINISHED))
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    if asked.cases:
        return max(_cases(name) for name in _databases(asked))
    sys.stderr.write(f"chaos: seed {seed}\n")
    if asked.day:
        return _days(asked, seed)
    began = time.monotonic()
    ended = list(_runs(asked, seed))
    said = report.summary(seed, ended, time.monotonic() - began)
    sys.stdout.write(json.dumps(said) + "\n")
    if any(one.violations for one in ended):
        again = " ".join([*arguments, "" if asked.seed is not None else f"--seed {seed}"])
        sys.stderr.write(f"chaos: FAILED; the same schedule again: bin/chaos {again.strip()}\n")
        return 1
    return 0


def _databases(asked: argparse.Namespace) -> list[str]:
    return ["sqlite", "postgres"] if asked.database == "both" else [asked.database]


def _cases(database: str) -> int:
    """Run the twelve cases in their full time, which `bin/test` does in a tenth of it."""
    chosen = {"MILEPOST_TEST_DB": database, "MILEPOST_TEST_CASES_SCALE": "1"}
    command = [sys.executable, "-m", "pytest", "-v", "--durations=0", "tests/cases"]
    return subprocess.run(command, env={**os.environ, **chosen}, check=False).returncode


def _days(asked: argparse.Namespace, seed: int) -> int:
    """Work through a day without kills on each database; say where the sums differ."""
    differences = 0
    for name in _databases(asked):
        with _place(name) as (folder, address, _server):
            ended = day(folder, address, seed=seed, operations=asked.sales, mutant=asked.mutant)
        sys.stdout.write(json.dumps(told_of_day(name, seed, ended)) + "\n")
        sys.stdout.flush()
        for difference in ended.differences:
            sys.stderr.write(f"{name}: DIFFERENCE: {difference}\n")
        differences += len(ended.differences)
    return int(differences > 0)


def _runs(asked: argparse.Namespace, seed: int) -> Iterator[Ended]:
    names = _databases(asked)
    plan = _plan(asked, len(names))
    for name in names:
        try:
            for title, run in _parts(asked, plan, seed).items():
                with _place(name) as (folder, address, server):
                    ended = run(folder, address, server)
                sys.stderr.write("\n".join(report.lines(f"{name}, {title}", ended)) + "\n")
                yield ended
        except postgres.NoServer as error:
            if asked.database != "both":
                raise
            sys.stderr.write(f"chaos: NO POSTGRESQL, so SQLite alone was tried: {error}\n")


Run = Callable[[Path, str, postgres.Server | None], Ended]


def _parts(asked: argparse.Namespace, plan: Plan, seed: int) -> dict[str, Run]:
    """Return what is to be done on each database, by its title."""

    def kill(folder: Path, address: str, server: postgres.Server | None) -> Ended:
        with stage(
            folder,
            address,
            server,
            with_celery=asked.celery,
            mutant=asked.mutant,
            moves_clock=asked.clock,
        ) as on_stage:
            return run_once(on_stage, plan, seed)

    def sweep(folder: Path, address: str, _server: postgres.Server | None) -> Ended:
        with (
            sandbox_running(folder / "sandbox") as sandbox,
            place(folder, address, sandbox, mutant=asked.mutant) as on_stage,
        ):
            within_s = _SLICE_SWEEP_S if asked.slice else math.inf
            return syscalls.sweep(on_stage, stride=asked.every, offset=seed, within_s=within_s)

    if asked.slice:
        try:
            syscalls.look_for_tracer()
        except syscalls.NoTracer as error:
            sys.stderr.write(f"chaos: NO SWEEP OF SYSTEM CALLS: {error}\n")
            return {"kills": kill}
        return {"kills": kill, "system calls": sweep}
    return {"system calls": sweep} if asked.syscalls else {"kills": kill}


def _plan(asked: argparse.Namespace, databases: int) -> Plan:
    """Share what is asked for among the databases."""
    is_counted = asked.web_kills or asked.worker_kills or asked.db_stops
    minutes = asked.minutes if asked.minutes is not None else (0.0 if is_counted else 5.0)
    return Plan(
        minutes=minutes / databases,
        web_kills=-(-asked.web_kills // databases),
        worker_kills=-(-asked.worker_kills // databases),
        db_stops=asked.db_stops,
    )


@contextlib.contextmanager
def _place(name: str) -> Iterator[tuple[Path, str, postgres.Server | None]]:
    """Make a folder and an empty database; remove both afterwards."""
    # Under /tmp because a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="milepost-chaos-", dir="/tmp") as made:
        folder = Path(made)
        if name == "sqlite":
            yield folder, f"sqlite:///{folder / 'milepost' / 'milepost.sqlite3'}", None
            return
        with postgres.serving() as server:
            with psycopg.connect(server.address, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE chaos"))
            yield folder, server.address.replace("/milepost?", "/chaos?"), server


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/chaos", description="Kills, faults and a verdict.")
    parser.add_argument("--minutes", type=float, help="how long, all databases together (5)")
    parser.add_argument("--web-kills", type=int, default=0, help="go on until so many")
    parser.add_argument("--worker-kills", type=int, default=0, help="go on until so many")
    parser.add_argument("--db-stops", type=int, default=0, help="go on until so many (PostgreSQL)")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--seed", type=int, help="the same faults and kills in the same order")
    parser.add_argument("--celery", action="store_true", help="sweep by Celery, not by settle")
    parser.add_argument("--cases", action="store_true", help="the twelve cases in full, no more")
    parser.add_argument("--syscalls", action="store_true", help="kill at every system call")
    parser.add_argument("--every", type=int, default=1, help="of those, only each so many-th")
    parser.add_argument("--slice", action="store_true", help="five minutes of everything, seeded")
    parser.add_argument("--day", action="store_true", help="no kills: a day's sums, compared")
    parser.add_argument("--sales", type=int, default=10_000, help="its sales and returns (10,000)")
    parser.add_argument("--clock", action="store_true", help="move Milepost's clock by two hours")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="with a known mistake")
    asked = parser.parse_args(arguments)
    if asked.clock and asked.celery:
        # A worker forks, and the thread that follows the clock does not come along.
        parser.error("--clock moves the clock of `settle`, not of Celery")
    if asked.slice:
        parser.set_defaults(minutes=_SLICE_MINUTES, every=_SLICE_STRIDE, seed=_SLICE_SEED)
        asked = parser.parse_args(arguments)
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
