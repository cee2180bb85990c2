"""One run on one database: open the shop, let cashiers work under faults and kills, close the shop,
wait until all is settled, and gather the evidence.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.chaos import traces
from tests.chaos.checker import Evidence, Violation, check
from tests.chaos.kills import Killer, Plan
from tests.chaos.sessions import GONE, Cashier
from tests.chaos.stage import CALL_S, LEASE_S, Stage, stage
from tests.chaos.weather import Weather

CASHIERS = 6
TILLS = 2
SEEDED_MILES = 10**9
# RELIABILITY I9: everything is settled this long after the platform is well again.
SETTLED_WITHIN_S = 120.0
_OWN_CARDS = 3
_SHARED_CARDS = 3


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What came of a run."""

    evidence: Evidence
    violations: list[Violation]
    kills: Counter[str]
    faults: Counter[str]
    pages: int
    cut: int
    problems: list[str]
    settled_in_s: float


def run_once(folder: Path, database: str, plan: Plan, seed: int, *, with_celery: bool) -> Ended:
    """Run the plan and return what was found; everything that was started has ended by then."""
    with stage(folder, database, with_celery=with_celery) as on_stage:
        cards = _seed_cards(on_stage)
        cashiers = _cashiers(on_stage, sorted(cards), seed)
        historian = traces.Historian(database)
        weather = Weather(on_stage.sandbox, seed)
        killer = Killer(on_stage, plan, seed)
        for thread in (historian, weather, *cashiers):
            thread.start()
        killer.run()
        weather.clear_up()
        for cashier in cashiers:
            cashier.go_home()
        for cashier in cashiers:
            cashier.join(timeout=60)
        settled_in_s = _settle(on_stage, cashiers[0])
        history = historian.finish()
        evidence = Evidence(
            rows=traces.rows(database),
            effects=traces.effects(on_stage.sandbox),
            exchanges=traces.exchanges(on_stage.sandbox),
            shown=[one for cashier in cashiers for one in cashier.shown],
            history=history,
            seeded_miles=cards,
            miles_now=traces.miles_held(folder / "sandbox"),
            leaks=traces.leaks(sorted(cards), on_stage.data, database),
            lease=timedelta(seconds=LEASE_S),
            call=timedelta(seconds=CALL_S),
            freezes=killer.freezes,
        )
    return Ended(
        evidence=evidence,
        violations=check(evidence),
        kills=killer.kills,
        faults=weather.faults,
        pages=sum(cashier.pages for cashier in cashiers),
        cut=sum(cashier.cut for cashier in cashiers),
        problems=[problem for cashier in cashiers for problem in cashier.problems],
        settled_in_s=settled_in_s,
    )


def _seed_cards(on_stage: Stage) -> dict[str, int]:
    count = CASHIERS * _OWN_CARDS + _SHARED_CARDS
    # Their last four digits differ, so that a balance can be compared with our log.
    cards = {f"8000009{number:04d}": SEEDED_MILES for number in range(1, count + 1)}
    members = [
        {
            "collector": collector,
            "cash_miles": miles,
            "daily_cap_cents": 10**9,
            # One card in seven has a hidden balance: its approvals come as 0001.
            "suppressed": number % 7 == 0,
        }
        for number, (collector, miles) in enumerate(cards.items())
    ]
    on_stage.sandbox.control("seed", members=members)
    return cards


def _cashiers(on_stage: Stage, cards: list[str], seed: int) -> list[Cashier]:
    shared, own = cards[:_SHARED_CARDS], cards[_SHARED_CARDS:]
    return [
        Cashier.signed_in(
            on_stage.url,
            number % TILLS,
            own[number * _OWN_CARDS : (number + 1) * _OWN_CARDS] + shared,
            f"cashier {number} {seed}",
        )
        for number in range(CASHIERS)
    ]


def _settle(on_stage: Stage, cashier: Cashier) -> float:
    """Wait until nothing is open; what never left is decided on as a cashier would."""
    began = time.monotonic()
    while time.monotonic() < began + SETTLED_WITHIN_S:
        is_open = traces.open_rows(on_stage.database)
        if not is_open:
            break
        for reference, state, operation in is_open:
            if (state, operation) == ("queued", "redeem"):
                try:
                    cashier.close(reference)
                except GONE as error:
                    sys.stderr.write(f"chaos: {type(error).__name__} while closing a sale\n")
        time.sleep(0.5)
    return time.monotonic() - began
