"""The repository's own files, read once, for the tests that hold the house rules."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backoffice", "amcash", "issuance", "cashier", "sandbox")
_NOT_OURS = {".git", ".venv", ".tools", "var", "__pycache__", "screenshots"}


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is or would be committed, relative to the checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        names = [Path(name) for name in listing.stdout.split("\0") if name]
    else:
        # An unpacked archive has no history to ask.
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        names = [name for name in names if not _NOT_OURS.intersection(name.parts)]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def python_files(*folders: str) -> list[Path]:
    """Return our Python files below the folders, generated migrations left out."""
    return [
        name
        for name in files()
        if name.suffix == ".py" and name.parts[0] in folders and "migrations" not in name.parts
    ]


@cache
def text(name: Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: Path) -> ast.Module:
    return ast.parse(text(name), filename=str(name))


def calls(module: ast.Module) -> Iterator[tuple[ast.Call, list[str]]]:
    """Yield each call with the names of its dotted chain, `a.b(1).c()` giving a, b, c."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node, chain(node.func)


def chain(node: ast.AST) -> list[str]:
    match node:
        case ast.Name():
            return [node.id]
        case ast.Attribute():
            return [*chain(node.value), node.attr]
        case ast.Call():
            return chain(node.func)
        case ast.Subscript():
            return chain(node.value)
        case _:
            return [""]
