"""Puts one known mistake into the code that a process imports, to show that `bin/chaos` finds it,
or moves the process's clock (never its monotonic one) while it runs. No file is changed.

Python loads a module of this name by itself when its folder is on PYTHONPATH, and only
`bin/chaos --mutant NAME` and `bin/chaos --clock` put it there.
"""

import contextlib
import importlib.machinery
import os
import threading
import time
import types
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


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
        right="else str(row.idempotency_key),",
        wrong='else __import__("uuid").uuid4().hex if row.fence > 1 else str(row.idempotency_key),',
    ),
    "new-key-while-pending": Mutant(
        module="backoffice.journal.exchange",
        right="else str(row.idempotency_key),",
        wrong="else str(row.idempotency_key) if row.acknowledged_fence is None"
        ' else __import__("uuid").uuid4().hex,',
    ),
    "return-overtakes-its-sale": Mutant(
        module="backoffice.journal.entries.issuing",
        right="    if row.operation not in ORDERED:\n        return None\n",
        wrong="    if row.operation not in ORDERED or row.original_id is not None:\n"
        "        return None\n",
    ),
    "pending-is-confirmed": Mutant(
        module="issuance.codes",
        right="    if Status.PENDING in known:\n        return Reading.PENDING\n",
        wrong="    if Status.PENDING in known:\n        return Reading.CONFIRMED\n",
    ),
    "key-of-any-till": Mutant(
        module="backoffice.switch.doors",
        right='f"{device.pk}\\n{request.path}',
        wrong='f"{request.path}',
    ),
    "void-says-none-of-a-doubt": Mutant(
        module="amcash.relay",
        right="said(_IN_DOUBT, request=request, device=actor.device, now=now, ref",
        wrong="said(_NO_SUCH_REDEMPTION, request=request, device=actor.device, now=now, ref",
    ),
    "doubt-is-nothing-sent": Mutant(
        module="amcash.relay",
        right=" if is_reversal else _NOTHING_SENT\n    return _IN_DOUBT\n",
        wrong=" if is_reversal else _NOTHING_SENT\n    return _NOTHING_SENT\n",
    ),
    "void-holds-nothing-back": Mutant(
        module="backoffice.journal.entries.opening",
        right="            if is_voided(row, now):\n",
        wrong="            if is_voided(row, now) and not row.pk:\n",
    ),
}
VARIABLE = "MILEPOST_CHAOS_MUTANT"
# Names a file that holds by how many seconds every process's clock is off.
CLOCK_VARIABLE = "MILEPOST_CHAOS_CLOCK"
_LOOKS_EVERY_S = 0.05

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


def _follow(path: Path) -> None:
    """Keep this process's clock off by what the file says, from now on."""
    clock = time_machine.travel(datetime.now(UTC), tick=True).start()
    real = time_machine.escape_hatch.datetime.datetime
    off_s: float | None = None

    def look() -> None:
        nonlocal off_s
        # The file is replaced as a whole, so what is read is what was written.
        said = float(path.read_text())
        if said != off_s:
            off_s = said
            clock.move_to(real.now(UTC) + timedelta(seconds=off_s))

    def keep_looking() -> None:
        while True:
            with contextlib.suppress(OSError):
                look()
            time.sleep(_LOOKS_EVERY_S)

    look()
    threading.Thread(target=keep_looking, daemon=True, name="clock").start()


if os.environ.get(VARIABLE):
    _install(MUTANTS[os.environ[VARIABLE]])
if os.environ.get(CLOCK_VARIABLE):
    _follow(Path(os.environ[CLOCK_VARIABLE]))
