"""What no committed file may hold: leftovers, a machine's folders, a registry's address."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, files, text

# Put together from pieces, so that this file does not find itself.
MARKERS = re.compile(rf"\b({'TO'}DO|{'FIX'}ME|{'XX'}X|{'HA'}CK|NotImplemented{'Error'})\b")
LEFTOVERS = re.compile(rf"^(<{{7}} |>{{7}} |={{7}}$)|\b{'break'}point\(\)|pdb\.{'set'}_trace", re.M)
FOLDERS = re.compile(r"(?<![\w.}/])/(work|root|Users|home/\w+)(?=/)")
CODE = {".py", ".html", ".js", ".css", ".toml", ".yml", ".yaml", ".sh", ".txt", ".po"}
VENDORED = (Path("static/vendor"), Path("tests/vendor"))
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*==[^\s;]+( ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def is_text(name: Path) -> bool:
    return b"\0" not in (ROOT / name).read_bytes()[:8192]


def is_vendored(name: Path) -> bool:
    return any(name.is_relative_to(folder) for folder in VENDORED)


OURS = [name for name in files() if is_text(name) and not is_vendored(name)]
SOURCES = [name for name in OURS if name.suffix in CODE or name.parts[0] in {"bin", ".ci"}]


@pytest.mark.parametrize("name", SOURCES, ids=str)
def test_no_leftover_marker_stays_in_the_code(name: Path) -> None:
    assert MARKERS.findall(text(name)) == []
    assert LEFTOVERS.search(text(name)) is None


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert [str(name) for name in OURS if FOLDERS.search(text(name))] == []


@pytest.mark.parametrize("folder", ["work", "root", "Users", "home/sam"])
def test_a_machines_folder_is_noticed(folder: str) -> None:
    assert FOLDERS.search(f"see '/{folder}/main'")


@pytest.mark.parametrize("marker", ["todo", "fixme", "xxx"])
def test_a_leftover_marker_is_noticed(marker: str) -> None:
    assert MARKERS.search(f"# {marker.upper()} later")


@pytest.mark.parametrize("folder", VENDORED, ids=str)
def test_vendored_files_are_byte_for_byte_what_was_published(folder: Path) -> None:
    table = text(folder / "VENDOR.md")
    listed = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", table, re.M))
    found = {
        str(name.relative_to(folder)): hashlib.sha256((ROOT / name).read_bytes()).hexdigest()
        for name in files()
        if name.is_relative_to(folder) and name.name != "VENDOR.md"
    }
    assert found == listed


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_with_hashes_and_name_no_registry(name: str) -> None:
    lines = text(Path(name)).splitlines()
    assert lines
    assert [line for line in lines if not PINNED.match(line) and not HASH.match(line)] == []


def test_the_development_set_contains_the_products() -> None:
    product, development = (
        set(re.findall(r"^\S+==\S+", text(Path(name)), re.M))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert product <= development


def test_scripts_need_only_a_posix_shell() -> None:
    scripts = [
        name for name in files() if name.parts[0] in {"bin", ".ci"} and name.name != "_setup"
    ]
    assert {text(name).splitlines()[0] for name in scripts} == {"#!/bin/sh"}
    assert [str(name) for name in scripts if not (ROOT / name).stat().st_mode & 0o100] == []
