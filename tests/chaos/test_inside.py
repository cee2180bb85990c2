"""What a chaos run puts inside processes: mistakes that still fit the code, and a moved clock."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backoffice.processes import ROOT
from tests.chaos.inside import sitecustomize as inside
from tests.servers.stack import eventually


@pytest.mark.parametrize("name", sorted(inside.MUTANTS))
def test_a_mistake_can_be_put_into_the_code_as_it_reads_today(name: str) -> None:
    mutant = inside.MUTANTS[name]
    found = importlib.util.find_spec(mutant.module)
    assert found is not None and found.origin is not None
    source = Path(found.origin).read_text(encoding="utf-8")
    wrong = inside.mutated(mutant, source)
    assert wrong != source
    compile(wrong, found.origin, "exec")


def test_a_process_imports_the_mistake_and_no_file_changes() -> None:
    def said(**environment: str) -> str:
        code = "import amcash.answers as a; print('DECLINED if' in open(a.__file__).read(), "
        code += "'DECLINED' in a.finding_of.__code__.co_names)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    folder = str(Path(inside.__file__).parent)
    mistaken = {"PYTHONPATH": folder, inside.VARIABLE: "timeout-is-a-decline"}
    assert said(**mistaken) == "False True"
    assert said() == "False False"


def test_a_process_follows_a_clock_that_is_moved_while_it_runs(tmp_path: Path) -> None:
    off = tmp_path / "clock"
    off.write_text("7200")
    code = "import datetime as d, sys, time\nfor _ in sys.stdin: print(d.datetime.now(d.UTC)"
    code += ".timestamp(), time.time(), time.monotonic(), flush=True)"
    folder = str(Path(inside.__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": folder, inside.CLOCK_VARIABLE: str(off)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None

        def off_by() -> list[float]:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            said = [float(one) for one in process.stdout.readline().split()]
            real = [time.time(), time.time(), time.monotonic()]
            return [round((one - now) / 600) for one, now in zip(said, real, strict=True)]

        assert off_by() == [12, 12, 0]
        draft = tmp_path / "draft"
        draft.write_text("-7200")
        draft.replace(off)
        eventually(lambda: off_by() == [-12, -12, 0])
        process.stdin.close()
