"""Each known mistake still fits the code, so that `bin/chaos --mutant` shows what it says."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backoffice.processes import ROOT
from tests.chaos.mutants import sitecustomize as mutants


@pytest.mark.parametrize("name", sorted(mutants.MUTANTS))
def test_a_mistake_can_be_put_into_the_code_as_it_reads_today(name: str) -> None:
    mutant = mutants.MUTANTS[name]
    found = importlib.util.find_spec(mutant.module)
    assert found is not None and found.origin is not None
    source = Path(found.origin).read_text(encoding="utf-8")
    wrong = mutants.mutated(mutant, source)
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

    folder = str(Path(mutants.__file__).parent)
    mistaken = {"PYTHONPATH": folder, mutants.VARIABLE: "timeout-is-a-decline"}
    assert said(**mistaken) == "False True"
    assert said() == "False False"
