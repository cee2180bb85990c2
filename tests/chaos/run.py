"""One run on one stage: let cashiers work under faults and kills, close the shop, wait until all is
settled, and gather the evidence.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.chaos import givers, lanes, traces
from tests.chaos.checker import check
from tests.chaos.evidence import Evidence, Kill, Violation
from tests.chaos.kills import CLOCK_JUMP_S, Killer, Plan
from tests.chaos.lane import Lane
from tests.chaos.sessions import GONE, Cashier
from tests.chaos.stage import CALL_S, LEASE_S, Stage
from tests.chaos.weather import Weather
from tests.servers.stack import Sandbox

CASHIERS = 14
TILLS = 2
SEEDED_MILES = 10**9
# RELIABILITY I9: everything is settled this long after the platform is well again.
SETTLED_WITHIN_S = 120.0
_OWN_CARDS = 3
# Collectors whose miles are given without a browser; a cashier's shared cards are among them.
_GIFT_CARDS = 30
_SHARED_CARDS = 3


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What came of a run."""

    evidence: Evidence
    violations: list[Violation]
    kills: Counter[str] = field(default_factory=Counter)
    # How many kills met an operation that their victim was sending, by what was killed.
    in_flight: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    cut: int = 0
    problems: Sequence[str] = ()
    loaded_s: float = 0.0
    settled_in_s: float = 0.0


def run_once(on_stage: Stage, plan: Plan, seed: int) -> Ended:
    """Run the plan and return what was found, once everything has settled."""
    count = CASHIERS * _OWN_CARDS + lanes.CARDS + _SHARED_CARDS + _GIFT_CARDS
    cards = seed_cards(on_stage.sandbox, count)
    cashiers = _cashiers(on_stage, sorted(cards), seed)
    tills = _lanes(on_stage, sorted(cards), seed)
    on_stage.givers = givers.givers(on_stage, _given_to(cards), seed)
    for process in on_stage.givers:
        process.start()
    historian = traces.Historian(on_stage.database)
    weather = Weather(on_stage.sandbox, seed)
    killer = Killer(on_stage, plan, seed)
    for thread in (historian, weather, *cashiers, *tills):
        thread.start()
    began = time.monotonic()
    killer.run()
    loaded_s = time.monotonic() - began
    weather.clear_up()
    for cashier in cashiers:
        cashier.go_home()
    for cashier in cashiers:
        cashier.join(timeout=60)
    lanes.close(tills)
    # Until then a till of the switch has answers of its own lost.
    on_stage.sandbox.clear_faults()
    givers.close(on_stage)
    if on_stage.clock is not None:
        # What was put off while the clock was ahead is due by that clock, hours from now.
        on_stage.set_clock(CLOCK_JUMP_S)
    hurrying = givers.hurrying(on_stage)
    hurrying.start()
    settled_in_s = _settle(on_stage, cashiers[0])
    lanes.ask_again(tills)
    hurrying.kill()
    evidence = replace(
        gather(on_stage, cards),
        shown=[one for cashier in cashiers for one in cashier.shown] + givers.shown(on_stage),
        offered=[one for cashier in cashiers for one in cashier.offered],
        asked=lanes.asked(tills),
        history=historian.finish(),
        freezes=killer.freezes,
        has_moved_clock=killer.kills["clock_moved"] > 0,
    )
    return Ended(
        evidence=evidence,
        violations=check(evidence),
        kills=killer.kills,
        in_flight=in_flight(evidence, killer.done),
        faults=weather.faults,
        pages=sum(cashier.pages for cashier in cashiers),
        cut=sum(cashier.cut for cashier in cashiers),
        problems=[one for cashier in cashiers for one in cashier.problems]
        + givers.problems(on_stage)
        + [one for till in tills for one in till.problems],
        loaded_s=loaded_s,
        settled_in_s=settled_in_s,
    )


def seed_cards(sandbox: Sandbox, count: int) -> dict[str, int]:
    """Give the programme so many well filled accounts; return what each holds."""
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
    sandbox.control("seed", members=members)
    return cards


def gather(on_stage: Stage, cards: dict[str, int]) -> Evidence:
    """Return what our log, the programme's ledger and every file say when all is over."""
    seeded = {**cards, **dict.fromkeys(givers.TEST_CARDS, givers.TEST_CARD_MILES)}
    return Evidence(
        rows=traces.rows(on_stage.database),
        effects=traces.effects(on_stage.sandbox),
        exchanges=traces.exchanges(on_stage.sandbox),
        shown=[],
        seeded_miles=seeded,
        miles_now=traces.miles_held(on_stage.folder / "sandbox"),
        leaks=traces.leaks(sorted(seeded), on_stage.data, on_stage.database),
        endless=frozenset({givers.ENDLESS}),
        lease=timedelta(seconds=LEASE_S),
        call=timedelta(seconds=CALL_S),
    )


def in_flight(evidence: Evidence, kills: Sequence[Kill]) -> Counter[str]:
    """Count the kills whose victim held a right to send and had not written its outcome yet."""
    attempts = [attempt for row in evidence.rows for attempt in row.attempts]
    found: Counter[str] = Counter()
    for kill in kills:
        found[kill.name] += any(
            attempt.pid in kill.pids
            and kill.at - evidence.lease < attempt.armed_at <= kill.at
            and (attempt.finished_at is None or attempt.finished_at > kill.at)
            for attempt in attempts
        )
    return +found


def _cashiers(on_stage: Stage, cards: list[str], seed: int) -> list[Cashier]:
    shared, own = cards[:_SHARED_CARDS], cards[_SHARED_CARDS:]
    return [
        Cashier.signed_in(
            on_stage.webs,
            number % TILLS,
            own[number * _OWN_CARDS : (number + 1) * _OWN_CARDS] + shared,
            f"cashier {number} {seed}",
        )
        for number in range(CASHIERS)
    ]


def _lanes(on_stage: Stage, cards: list[str], seed: int) -> list[Lane]:
    shared, own = cards[:_SHARED_CARDS], cards[_SHARED_CARDS + CASHIERS * _OWN_CARDS :]
    return lanes.lanes(on_stage, own[: lanes.CARDS], shared, cards[-_GIFT_CARDS:], seed)


def _given_to(cards: dict[str, int]) -> list[str]:
    numbers = sorted(cards)
    return [*numbers[:_SHARED_CARDS], *numbers[-_GIFT_CARDS:]]


def _settle(on_stage: Stage, cashier: Cashier) -> float:
    """Wait until nothing is open; what never left is decided on as a cashier would."""
    began = time.monotonic()
    while time.monotonic() < began + SETTLED_WITHIN_S:
        is_open = traces.open_rows(on_stage.database, besides={givers.ENDLESS})
        if not is_open and not any(giver.is_alive() for giver in on_stage.givers):
            break
        for reference, state, operation in is_open:
            if (state, operation) == ("queued", "redeem"):
                try:
                    cashier.close(reference)
                except GONE as error:
                    sys.stderr.write(f"chaos: {type(error).__name__} while closing a sale\n")
        time.sleep(0.5)
    return time.monotonic() - began
