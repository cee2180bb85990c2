"""Runs the whole suite, for `bin/test`: Milepost's on SQLite, and beside it its tests in front of
real processes, both on PostgreSQL, and the sandbox's own, whose output waits until the first has
ended.

What could not be run, and why, is the last thing it says.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tests.servers import postgres


@dataclass(frozen=True, kw_only=True)
class Part:
    """One pytest process and what it is called."""

    title: str
    arguments: list[str] = field(default_factory=list)
    database: str = "sqlite"


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a part ended: pytest's closing line and what it skipped, by reason."""

    part: Part
    is_good: bool
    closing: str
    skipped: dict[str, int]


SANDBOX = Part(title="The sandbox", arguments=["sandbox", "--ds=sandbox.settings"])
# These start processes, and wait for them more than they compute.
_PROCESSES = ("tests/cases", "tests/day", "tests/run")
# These bring a database of their own along with them; for those once is enough.
_IN_FRONT = ("tests/browser", "tests/live")
ON_SQLITE = Part(
    title="Milepost on SQLite",
    arguments=["tests", *(f"--ignore={folder}" for folder in (*_PROCESSES, *_IN_FRONT))],
)
PROCESSES_ON_SQLITE = Part(
    title="Milepost's processes on SQLite", arguments=[*_PROCESSES, *_IN_FRONT]
)
# Once is enough for the house rules too, which read files, and for what reaches no database.
ON_POSTGRES = Part(
    title="Milepost on PostgreSQL",
    arguments=[
        "tests",
        "--only-with-a-database",
        *(f"--ignore={folder}" for folder in ("tests/house", *_PROCESSES, *_IN_FRONT)),
    ],
    database="postgres",
)
PROCESSES_ON_POSTGRES = Part(
    title="Milepost's processes on PostgreSQL", arguments=[*_PROCESSES], database="postgres"
)
# The longest first: where one of them waits, the cores have the others to do.
BESIDE = (ON_POSTGRES, PROCESSES_ON_SQLITE, PROCESSES_ON_POSTGRES, SANDBOX)
AT_ONCE = 3


def run(part: Part, *, spool: BinaryIO | None = None, **settings: str) -> Result:
    """Run one part, its output going straight to the terminal, or to `spool` to be shown later."""
    heading = f"\n{part.title}: pytest {' '.join(part.arguments)}\n"
    if spool is None:
        sys.stdout.write(heading)
        sys.stdout.flush()
    else:
        spool.write(heading.encode())
        spool.flush()
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = dict(os.environ, MILEPOST_TEST_REPORT=str(report), **settings)
        environment["MILEPOST_TEST_DB"] = part.database
        command = [sys.executable, "-m", "pytest", *part.arguments]
        status = subprocess.run(
            command, env=environment, stdout=spool, stderr=spool, check=False
        ).returncode
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    duration_s = time.monotonic() - started_at
    counts = told.get("counts") or f"pytest ended with status {status}"
    return Result(
        part=part,
        # A suite without tests proves nothing, so finding none is a failure.
        is_good=status == 0,
        closing=f"===== {counts} in {duration_s:.2f}s =====",
        skipped=told.get("skipped", {}),
    )


def run_beside(part: Part, spool: BinaryIO) -> Result | str:
    """Run a part, one for PostgreSQL on a server of its own, or tell what is in the way."""
    with contextlib.ExitStack() as stack:
        settings = {}
        if part.database == "postgres":
            address = os.environ.get("DATABASE_URL", "")
            if not address.startswith("postgres"):
                try:
                    address = stack.enter_context(postgres.running(in_memory=True))
                except postgres.NoServer as error:
                    return f"{part.title}: everything, because {error}"
            settings["DATABASE_URL"] = address
        return run(part, spool=spool, **settings)


def main() -> int:
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=AT_ONCE))
        spools = [stack.enter_context(tempfile.TemporaryFile()) for _ in BESIDE]
        others = [pool.submit(run_beside, *both) for both in zip(BESIDE, spools, strict=True)]
        ended = [run(ON_SQLITE), *(other.result() for other in others)]
        for spool in spools:
            spool.seek(0)
            shutil.copyfileobj(spool, sys.stdout.buffer)
    results = [result for result in ended if isinstance(result, Result)]
    obstacles = [told for told in ended if isinstance(told, str)]
    sys.stdout.write("\n".join(summary(results, obstacles)) + "\n")
    return 0 if all(result.is_good for result in results) else 1


def summary(results: list[Result], obstacles: list[str]) -> list[str]:
    """Return the closing lines: every part's count, then what was not run."""
    lines = ["", "Summary"]
    for result in results:
        verdict = "passed" if result.is_good else "FAILED"
        lines += [f"{result.part.title}: {verdict}", result.closing]
    left_out = [
        f"  {result.part.title}: {count} x {reason}"
        for result in results
        for reason, count in result.skipped.items()
    ]
    left_out += [f"  {obstacle}" for obstacle in obstacles]
    return [*lines, *(["Not run, and why:", *left_out] if left_out else ["Nothing was skipped."])]


if __name__ == "__main__":
    sys.exit(main())
