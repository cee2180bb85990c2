"""The import contracts of pyproject.toml really break, each for the violation it is meant for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, files

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
PACKAGE_ORDER = "Packages import one way"
PRODUCT_ORDER = "Inside a product imports go"
PURITY = "Rules are plain functions"
ONE_DOOR = "One door to the network"
SANDBOX_ALONE = "The sandbox knows nothing"
PARTNER_ALONE = "The partner knows nothing"

VIOLATIONS = [
    ("backoffice/journal/figures.py", "amcash.services", PACKAGE_ORDER),
    ("amcash/services.py", "issuance", PACKAGE_ORDER),
    ("cashier/views.py", "backoffice.urls", PACKAGE_ORDER),
    ("cashier/views.py", "backoffice.office", PACKAGE_ORDER),
    ("amcash/client.py", "amcash.services", PRODUCT_ORDER),
    ("amcash/rules.py", "backoffice.journal.models", PURITY),
    ("amcash/services.py", "requests", ONE_DOOR),
    ("sandbox/clock.py", "amcash.codes", SANDBOX_ALONE),
    ("cashier/views.py", "sandbox.clock", PARTNER_ALONE),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages that a test may spoil."""
    for name in files():
        if name.parts[0] in PACKAGES and name.suffix == ".py" and "tests" not in name.parts:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def broken_contracts(folder: Path) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = result.stdout.splitlines()
    broken = [line.partition(" BROKEN")[0] for line in lines if " BROKEN" in line]
    assert bool(broken) == bool(result.returncode), result.stdout + result.stderr
    return broken


def add_import(folder: Path, name: str, imported: str) -> None:
    with (folder / name).open("a", encoding="utf-8") as module:
        module.write(f"\nimport {imported}\n")


def test_the_repository_keeps_all_six_contracts(copy: Path) -> None:
    assert broken_contracts(copy) == []


@pytest.mark.parametrize(("name", "imported", "contract"), VIOLATIONS)
def test_an_import_the_wrong_way_breaks_its_contract(
    copy: Path, name: str, imported: str, contract: str
) -> None:
    add_import(copy, name, imported)
    broken = broken_contracts(copy)
    assert [title for title in broken if title.startswith(contract)] == broken


def test_a_lawful_import_breaks_nothing(copy: Path) -> None:
    add_import(copy, "cashier/views.py", "amcash.services")
    assert broken_contracts(copy) == []
