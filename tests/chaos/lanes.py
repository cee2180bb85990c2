"""The tills of the switch (`lane`), as a run holds them."""

import json
import random
import subprocess
import sys
import threading

from backoffice.processes import ROOT
from tests.chaos.lane import Lane
from tests.chaos.pos import PATHS, Pos
from tests.chaos.stage import Stage
from tests.chaos.told import Asked

_OWN_CARDS = 2
# Of the two tries that a till waits for, both.
_LOST = 2
CARDS = 4 * _OWN_CARDS


def lanes(
    on_stage: Stage, own: list[str], shared: list[str], gift_cards: list[str], seed: int
) -> list[Lane]:
    """Return the tills, not started yet: each with a token, two cards of its own, and those that
    are everybody's."""

    def lose(card: str) -> None:
        fault = {"kind": "drop_after", "match": {"collector": card, "path": PATHS["redeem"]}}
        on_stage.sandbox.control("faults", times=_LOST, **fault)

    made = []
    for number, token in enumerate(_tokens(on_stage)):
        mine = own[number * _OWN_CARDS : (number + 1) * _OWN_CARDS]
        seeded = random.Random(f"pos {number} {seed}")
        pos = Pos(str(number), token, on_stage.webs, seeded)
        made.append(Lane(pos, mine + shared, gift_cards, f"lane {number} {seed}", lose))
    return made


def close(tills: list[Lane]) -> None:
    """Let every till finish its customer."""
    for till in tills:
        till.go_home()
    for till in tills:
        till.join(timeout=90)


def ask_again(tills: list[Lane]) -> None:
    """Have every till ask once more for all that it asked, now that everything is settled."""
    asking = [threading.Thread(target=till.ask_again, daemon=True) for till in tills]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()


def asked(tills: list[Lane]) -> list[Asked]:
    """Return everything that was asked."""
    return [one for till in tills for one in till.pos.asked]


def _tokens(on_stage: Stage) -> list[str]:
    command = [sys.executable, "-m", "tests.chaos.enrolling"]
    done = subprocess.run(
        command, cwd=ROOT, env=on_stage.environment, check=True, timeout=120, capture_output=True
    )
    tokens: list[str] = json.loads(done.stdout)
    return tokens
