"""The processes that give miles (`giver`), as a run holds them, and what their tills were shown."""

import contextlib
import json
import threading
from pathlib import Path

from tests.chaos.evidence import Shown
from tests.chaos.processes import Process
from tests.chaos.stage import Stage

PROCESSES = 2
# How many tills each of them has.
TILLS = 3
CLOSED = "closed"
HURRY = "hurry"
# The programme's own cards of issuance: three looks, never, half, not found, two failures.
AFTER_LOOKS, ENDLESS_CARD = "80000020202", "80000020203"
STUMBLING_CARD = "80000020500"
TEST_CARDS = (AFTER_LOOKS, ENDLESS_CARD, "80000020207", "80000020400", STUMBLING_CARD)
TEST_CARD_MILES = 1200
ENDLESS, STUMBLES = ENDLESS_CARD[-4:], STUMBLING_CARD[-4:]
_MODULE = "tests.chaos.giver"
_lock = threading.Lock()


def givers(on_stage: Stage, cards: list[str], seed: int) -> list[Process]:
    """Return the processes, not started yet; the odd cards are drawn seldom."""
    tills = on_stage.folder / "tills"
    tills.mkdir()
    return [
        Process(
            name=str(number),
            label=f"giver-{number}",
            environment=on_stage.environment,
            log=on_stage.data / f"giver-{number}.log",
            arguments=[str(tills), str(seed), *cards * 4, *TEST_CARDS],
            module=_MODULE,
        )
        for number in range(PROCESSES)
    ]


def close(on_stage: Stage) -> None:
    """Let every till finish what it is pressing; afterwards somebody asks what is pending again."""
    (on_stage.folder / "tills" / CLOSED).touch()


def hurrying(on_stage: Stage) -> Process:
    """Return the process that asks again what is pending, not started yet."""
    log = on_stage.data / "hurry.log"
    return Process(
        name=HURRY, label=HURRY, environment=on_stage.environment, log=log, module=_MODULE
    )


def note(shown: Path, *, reference: str, client_ref: str) -> None:
    """Write down what a till was shown for a press."""
    line = json.dumps({"reference": reference, "client_ref": client_ref})
    with _lock, shown.open("a") as file:
        file.write(f"{line}\n")


def problems(on_stage: Stage) -> list[str]:
    """Return what broke a till: the last line of each traceback."""
    found = []
    for process in on_stage.givers:
        for part in process.log.read_text(errors="replace").split("Traceback (most")[1:]:
            lines = [line for line in part.splitlines() if line and not line.startswith(" ")]
            found.append(lines[1] if len(lines) > 1 else "a till broke")
    return found


def shown(on_stage: Stage) -> list[Shown]:
    """Return what tills were shown."""
    found = []
    for path in sorted((on_stage.folder / "tills").glob("shown-*")):
        for line in path.read_text().splitlines():
            # Its writer may have died over a line.
            with contextlib.suppress(ValueError, TypeError):
                found.append(Shown(**json.loads(line)))
    return found
