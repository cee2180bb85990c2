"""Runs the whole suite, for `bin/test`: Milepost's on SQLite, and beside it the sandbox's own and
Milepost's on PostgreSQL, whose output waits until the first has ended.

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
ON_SQLITE = Part(title="Milepost on SQLite")
# The house rules read files, and the tests in front of real web processes bring a database along
# with them; for those once is enough.
ONCE = ("tests/house", "tests/live", "tests/browser")
ON_POSTGRES = Part(
    title="Milepost on PostgreSQL",
    arguments=["tests", *(f"--ignore={folder}" for folder in ONCE)],
    database="postgres",
)


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


def run_on_postgres(spool: BinaryIO) -> Result | str:
    """Run the part that needs PostgreSQL, on a server of its own, or tell what is in the way."""
    with contextlib.ExitStack() as stack:
        address = os.environ.get("DATABASE_URL", "")
        if not address.startswith("postgres"):
            try:
                address = stack.enter_context(postgres.running())
            except postgres.NoServer as error:
                return str(error)
        return run(ON_POSTGRES, spool=spool, DATABASE_URL=address)


def main() -> int:
    with tempfile.TemporaryFile() as spool, ThreadPoolExecutor(max_workers=1) as beside:
        # Most tests wait more than they compute, so two processes share two cores well.
        others = beside.submit(lambda: [run(SANDBOX, spool=spool), run_on_postgres(spool)])
        ended = [run(ON_SQLITE), *others.result()]
        spool.seek(0)
        shutil.copyfileobj(spool, sys.stdout.buffer)
    results = [result for result in ended if isinstance(result, Result)]
    obstacle = next((told for told in ended if isinstance(told, str)), "")
    sys.stdout.write("\n".join(summary(results, obstacle)) + "\n")
    return 0 if all(result.is_good for result in results) else 1


def summary(results: list[Result], obstacle: str) -> list[str]:
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
    if obstacle:
        left_out.append(f"  {ON_POSTGRES.title}: everything, because {obstacle}")
    return [*lines, *(["Not run, and why:", *left_out] if left_out else ["Nothing was skipped."])]


if __name__ == "__main__":
    sys.exit(main())
