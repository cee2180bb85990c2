"""`bin/bench [NAME ...] [--quick] [--database sqlite|postgres|both]`: one line a result, then all
of them as one line of JSON. A missed target is said, and is the exit status only with --strict:
on a busy machine a number is a reading, not a verdict.
"""

import argparse
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime

from bench import console, doubts, export, log, redemption
from bench.figures import Result
from bench.places import Ground, ground
from tests.servers.postgres import NoServer

MEASUREMENTS = {
    "redemption": redemption.measure,
    "log": log.measure,
    "export": export.measure,
    "console": console.measure,
    "doubts": doubts.measure,
}


def main(arguments: list[str]) -> int:
    """Measure what is asked for."""
    asked = _asked(arguments)
    # Asked to stop, it still takes down and removes what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    databases = ["sqlite", "postgres"] if asked.database == "both" else [asked.database]
    try:
        with ground(with_postgres="postgres" in databases) as place:
            results = _measure(place, asked.names or list(MEASUREMENTS), databases, asked.quick)
    except NoServer as error:
        sys.stderr.write(f"bench: no PostgreSQL can be started here: {error}\n")
        return 1
    said = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "is_quick": asked.quick,
        "load_1m": round(os.getloadavg()[0], 2),
        "results": [result.fields() for result in results],
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return int(asked.strict and not all(result.fields()["is_met"] for result in results))


def _measure(place: Ground, names: list[str], databases: list[str], quick: bool) -> list[Result]:
    results = []
    for name in names:
        for database in databases:
            began = time.monotonic()
            for result in MEASUREMENTS[name](place, database, is_quick=quick):
                results.append(result)
                sys.stdout.write(f"{result}\n")
            sys.stderr.write(f"bench: {name} took {time.monotonic() - began:.0f} s\n")
            sys.stdout.flush()
    return results


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Milepost beside its floors.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="fewer turns and fewer rows")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(MEASUREMENTS):
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
