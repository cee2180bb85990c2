"""`bin/chaos [--minutes N | --web-kills N --worker-kills N] [--database sqlite|postgres|both]
[--seed N] [--celery]`: cashiers work while processes are killed; then log and ledger are compared.
The last line is JSON; the exit status is 1 when a promise did not hold.
"""

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests.chaos.checker import Kind
from tests.chaos.kills import Plan
from tests.chaos.run import Ended, run_once
from tests.servers import postgres


def main(arguments: list[str]) -> int:
    """Run on each database that is asked for and print what came of it."""
    asked = _asked(arguments)
    # Asked to stop, it still takes down and removes what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    databases = ["sqlite", "postgres"] if asked.database == "both" else [asked.database]
    sys.stderr.write(f"chaos: seed {seed}\n")
    plan = _plan(asked, len(databases))
    began = time.monotonic()
    ended = []
    for name in databases:
        with _place(name) as (folder, address):
            ended.append(run_once(folder, address, plan, seed, with_celery=asked.celery))
            _report(name, ended[-1])
    said = _summary(seed, ended, time.monotonic() - began)
    sys.stdout.write(json.dumps(said) + "\n")
    if any(one.violations for one in ended):
        again = " ".join([*arguments, "" if asked.seed is not None else f"--seed {seed}"])
        sys.stderr.write(f"chaos: FAILED; the same schedule again: bin/chaos {again.strip()}\n")
        return 1
    return 0


def _plan(asked: argparse.Namespace, databases: int) -> Plan:
    """Share what is asked for among the databases."""
    is_counted = asked.web_kills or asked.worker_kills
    minutes = asked.minutes if asked.minutes is not None else (0.0 if is_counted else 5.0)
    return Plan(
        minutes=minutes / databases,
        web_kills=-(-asked.web_kills // databases),
        worker_kills=-(-asked.worker_kills // databases),
    )


@contextlib.contextmanager
def _place(name: str) -> Iterator[tuple[Path, str]]:
    """Make a folder and an empty database; remove both afterwards."""
    # Under /tmp because a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="milepost-chaos-", dir="/tmp") as made:
        folder = Path(made)
        if name == "sqlite":
            yield folder, f"sqlite:///{folder / 'milepost' / 'milepost.sqlite3'}"
            return
        with postgres.running() as server:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE chaos"))
            yield folder, server.replace("/milepost?", "/chaos?")


def _report(name: str, ended: Ended) -> None:
    """Say to the terminal what one database's run met, and what did not hold."""
    lines = [
        f"{name}: {ended.pages} presses answered, {ended.cut} cut off, faults "
        f"{dict(ended.faults)}, kills {dict(ended.kills)}, settled in {ended.settled_in_s:.1f} s"
    ]
    lines += [f"{name}: odd page: {count} x {said}" for said, count in _most(ended.problems)]
    lines += [
        f"{name}: with a person: {row.operation} {row.reference} ({row.needs_person})"
        for row in ended.evidence.rows
        if row.is_with_a_person
    ]
    lines += [f"{name}: {one.rule} {one.kind}: {one.what}" for one in ended.violations]
    sys.stderr.write("\n".join(lines) + "\n")


def _most(problems: list[str]) -> list[tuple[str, int]]:
    return Counter(problems).most_common(5)


def _summary(seed: int, ended: list[Ended], seconds: float) -> dict[str, object]:
    counts = Counter(one.kind for each in ended for one in each.violations)
    kills: Counter[str] = Counter()
    for each in ended:
        kills += each.kills
    return {
        "seed": seed,
        "runs": len(ended),
        "kills": dict(sorted(kills.items())),
        "effects": sum(len(each.evidence.effects) for each in ended),
        "operations": sum(len(each.evidence.rows) for each in ended),
        **{kind.value: counts[kind] for kind in Kind},
        "with_a_person": sum(row.is_with_a_person for each in ended for row in each.evidence.rows),
        "seconds": round(seconds, 1),
    }


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/chaos", description="Kills, faults and a verdict.")
    parser.add_argument("--minutes", type=float, help="how long, all databases together (5)")
    parser.add_argument("--web-kills", type=int, default=0, help="go on until so many")
    parser.add_argument("--worker-kills", type=int, default=0, help="go on until so many")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--seed", type=int, help="the same faults and kills in the same order")
    parser.add_argument("--celery", action="store_true", help="sweep by Celery, not by settle")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
