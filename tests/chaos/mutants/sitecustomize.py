"""Puts one known mistake into the code that a process imports, to show that `bin/chaos` finds it.

Python loads a module of this name by itself when its folder is on PYTHONPATH, and only
`bin/chaos --mutant NAME` puts it there. No file is changed.
"""

import importlib.machinery
import os
import types
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A mistake: in this module these words stand instead of those."""

    module: str
    right: str
    wrong: str


MUTANTS = {
    "timeout-is-a-decline": Mutant(
        module="amcash.answers",
        right="Verdict.UNKNOWN if answer.maybe_applied else Verdict.NOT_SENT",
        wrong="Verdict.DECLINED if answer.maybe_applied else Verdict.NOT_SENT",
    ),
    "rebuilt-body": Mutant(
        module="backoffice.journal.exchange",
        right="        row.path,\n        body,\n",
        wrong='        row.path,\n        body.replace(b",", b", ") if row.fence > 1 else body,\n',
    ),
    "fresh-key": Mutant(
        module="backoffice.journal.exchange",
        right="idempotency_key=str(row.idempotency_key),",
        wrong='idempotency_key=__import__("uuid").uuid4().hex if row.fence > 1 '
        "else str(row.idempotency_key),",
    ),
}
VARIABLE = "MILEPOST_CHAOS_MUTANT"

_get_code = importlib.machinery.SourceFileLoader.get_code


def mutated(mutant: Mutant, source: str) -> str:
    """Return the source with the mistake in it; the right words must stand there once."""
    assert source.count(mutant.right) == 1, f"{mutant.module} reads differently now"
    return source.replace(mutant.right, mutant.wrong)


def _install(mutant: Mutant) -> None:
    def get_code(
        loader: importlib.machinery.SourceFileLoader, fullname: str
    ) -> types.CodeType | None:
        if fullname != mutant.module:
            return _get_code(loader, fullname)
        path = str(loader.get_filename(fullname))
        source = mutated(mutant, loader.get_data(path).decode("utf-8"))
        code = compile(source, path, "exec")
        assert isinstance(code, types.CodeType)
        return code

    setattr(importlib.machinery.SourceFileLoader, "get_code", get_code)  # noqa: B010 - typed so


if os.environ.get(VARIABLE):
    _install(MUTANTS[os.environ[VARIABLE]])
