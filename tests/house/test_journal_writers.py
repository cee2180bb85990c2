"""Only `journal/entries` changes the journal; this reads every call that could do it elsewhere.

A reading of source, so it knows models, their related names and variables named after them. The
database's own triggers are the second wall.
"""

import ast
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, calls, python_files, tree

MODELS = tuple(
    Path("backoffice/journal", name) for name in ("models.py", "said.py", "disclosures.py")
)
ENTRIES = Path("backoffice/journal/entries")
# Its hand for encrypted rows, which nobody else may move.
PAYLOADS = Path("backoffice/journal/payloads.py")
# Kept beside the journal without being part of it: how the programme and the log itself stand.
NOT_THE_LOG = {"ProgrammeState", "programmestate", "LogState", "logstate"}
WRITES = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create"}
WRITES |= {"update_or_create"} | {f"a{name}" for name in WRITES}
OUTSIDE = [
    name
    for name in python_files(*PACKAGES)
    if name.parts[0] != "sandbox" and not name.with_suffix("").is_relative_to(ENTRIES)
]


def journal_names() -> set[str]:
    """Return what the journal's models are called: classes, related names, usual variables."""
    names: set[str] = set()
    for node in (node for name in MODELS for node in ast.walk(tree(name))):
        if isinstance(node, ast.ClassDef) and any("Model" in ast.dump(b) for b in node.bases):
            names |= {node.name, node.name.lower()}
        elif isinstance(node, ast.keyword) and node.arg == "related_name":
            assert isinstance(node.value, ast.Constant)
            names.add(str(node.value.value))
    return names - NOT_THE_LOG - {"+"}


def writers(module: ast.Module) -> list[str]:
    names = journal_names()
    return [
        f"line {call.lineno}: {'.'.join(parts)}()"
        for call, parts in calls(module)
        if parts[-1] in WRITES and names.intersection(parts[:-1])
    ]


@pytest.mark.parametrize("name", [name for name in OUTSIDE if name != PAYLOADS], ids=str)
def test_nothing_but_entries_writes_to_the_journal(name: Path) -> None:
    assert writers(tree(name)) == []


@pytest.mark.parametrize("name", OUTSIDE, ids=str)
def test_nothing_but_entries_stores_a_payload(name: Path) -> None:
    stored = [call.lineno for call, parts in calls(tree(name)) if parts[-2:] == ["payloads", "add"]]
    assert stored == []


@pytest.mark.parametrize(
    "line",
    [
        "Transaction.objects.filter(pk=1).update(state='x')",
        "models.Transaction.objects.create()",
        "transaction.save(update_fields=['state'])",
        "row.attempts.create(number=2)",
        "Attempt.objects.all().delete()",
    ],
)
def test_a_write_elsewhere_is_noticed(line: str) -> None:
    assert len(writers(ast.parse(line))) == 1


def test_reading_is_lawful() -> None:
    assert writers(ast.parse("Transaction.objects.filter(pk=1).first()")) == []
