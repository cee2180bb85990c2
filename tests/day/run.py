"""One day on one database: real processes, real HTTP to a sandbox, then both sides' books."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from backoffice.embedded import die_with_parent
from backoffice.processes import ROOT
from tests.chaos import traces
from tests.chaos.processes import Process
from tests.chaos.stage import Stage, place
from tests.day import books, plan
from tests.servers.stack import Sandbox, sandbox_running

PROCESSES = 2
MILES = 10**6
TEST_CARD_MILES = 1200
# After the last sale something must end at least this often: a doubt's retries, and the looks of
# the slowest card, take less. However many wait behind an outage, they end one after the other.
NOTHING_ENDS_FOR_S = 200.0
SWEEPS = 2
# About one call in sixty goes wrong; nobody dies.
_FAULTS = ("drop_after", "drop_before", "malformed", "status")
_ONE_IN = 60
# The times of a shop, not those of a chaos run: here nobody is killed.
_TIMINGS = {
    "PLATFORM_CONNECT_S": "3",
    "PLATFORM_TOTAL_S": "9.5",
    "PLATFORM_MARGIN_S": "5",
    "PLATFORM_LEASE_S": "30",
    "SETTLE_EVERY_S": "0.5",
    "ECHO_EVERY_S": "15",
}
_OFFERS = """SELECT t.collector_last4, t.operation, o.offer_code, o.offer_id, o.miles,
    o.confirmation_number FROM journal_offerresult o
    JOIN journal_transaction t ON t.id = o.transaction_id WHERE o.status = 'confirmed'"""
_TOTALS = """SELECT collector_last4, operation, COALESCE(miles, 0) FROM journal_transaction
    WHERE operation NOT IN ('redeem', 'reverse') AND state IN ('confirmed', 'partial')"""
# A reversal moves what its redemption moved.
_CASH = """SELECT t.collector_last4, t.operation, COALESCE(r.miles, t.miles, 0)
    FROM journal_transaction t LEFT JOIN journal_transaction r ON r.id = t.reverses_id
    WHERE t.operation IN ('redeem', 'reverse') AND t.state IN ('approved', 'done')"""
_WITH_PEOPLE = """SELECT operation, state, needs_person, COUNT(*) FROM journal_transaction
    WHERE needs_person <> '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
_STATES = "SELECT operation, state, COUNT(*) FROM journal_transaction GROUP BY 1, 2 ORDER BY 1, 2"
_OPEN = """SELECT collector_last4, operation, state FROM journal_transaction
    WHERE state IN ('queued', 'armed', 'doubt', 'pending') AND needs_person = ''"""


@dataclass(frozen=True, kw_only=True)
class Day:
    """What became of a day."""

    told: Counter[str]
    differences: Sequence[str]
    states: dict[str, int]
    with_people: dict[str, int]
    entries: int
    pairs: int
    worked_s: float
    settled_in_s: float
    calls: int = 0
    waiting_for_ever: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def day(folder: Path, database: str, *, seed: int, operations: int, mutant: str | None) -> Day:
    """Work through a day, wait until it is settled, and compare."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(sandbox_running(folder / "sandbox"))
        seeded = _seed(sandbox)
        on_stage = stack.enter_context(
            place(folder, database, sandbox, mutant=mutant, timings=_TIMINGS)
        )
        faults = _book_faults(sandbox, operations)
        for number in range(SWEEPS):
            sweep = Process(
                name="settle",
                label=f"settle-{number}",
                environment=on_stage.environment,
                log=on_stage.data / f"settle-{number}.log",
            )
            stack.callback(sweep.kill)
            sweep.start()
        began = time.monotonic()
        told = _work(on_stage, seed=seed, operations=operations)
        worked_s = time.monotonic() - began
        sandbox.clear_faults()
        left = _settle(on_stage)
        settled_in_s = time.monotonic() - began - worked_s
        kept = _books(on_stage, seeded)
        return Day(
            told=told,
            differences=[*books.differences(kept), *_odd(told, left)],
            states=_counts(on_stage, _STATES),
            with_people=_counts(on_stage, _WITH_PEOPLE),
            entries=len(kept.entries),
            pairs=len({(one.last4, one.offer_code, one.offer_id) for one in kept.entries}),
            worked_s=worked_s,
            settled_in_s=settled_in_s,
            calls=traces.last_arrival(on_stage.exchanges),
            waiting_for_ever=sum(_is_for_ever(one) for one in left),
            faults=faults,
        )


def told_of_day(database: str, seed: int, ended: Day) -> dict[str, object]:
    """Return what a day came to, for one line of JSON."""
    done = sum(ended.states.values())
    return {
        "day": database,
        "seed": seed,
        "told": dict(sorted(ended.told.items())),
        "states": ended.states,
        "with_people": ended.with_people,
        "faults": dict(sorted(ended.faults.items())),
        "waiting_for_ever": ended.waiting_for_ever,
        "calls": ended.calls,
        "ledger_entries": ended.entries,
        "sums_compared": ended.pairs,
        "worked_s": round(ended.worked_s, 1),
        "settled_in_s": round(ended.settled_in_s, 1),
        "operations_per_s": round(done / ended.worked_s, 1),
        "differences": len(ended.differences),
    }


def _seed(sandbox: Sandbox) -> dict[str, int]:
    members = [
        {"collector": card, "cash_miles": MILES, "daily_cap_cents": 10**9} for card in plan.cards()
    ]
    sandbox.control("seed", members=members)
    sandbox.control("pending", mode="looks", looks=1, collector=plan.SLOW_CARD)
    return {
        **{card[-4:]: MILES for card in plan.cards()},
        **{card[-4:]: TEST_CARD_MILES for card in plan.TEST_CARDS},
    }


def _book_faults(sandbox: Sandbox, operations: int) -> Counter[str]:
    booked: Counter[str] = Counter()
    for number in range(operations // _ONE_IN):
        kind = _FAULTS[number % len(_FAULTS)]
        # Every booked fault counts the calls that come by, so these meet them far apart.
        sandbox.control("faults", kind=kind, skip=number * _ONE_IN + 30, times=1)
        booked[kind] += 1
    return booked


def _work(on_stage: Stage, *, seed: int, operations: int) -> Counter[str]:
    """Let all tills work at once; return what they say together."""
    groups = [range(number, plan.TILLS, PROCESSES) for number in range(PROCESSES)]
    tills = []
    for number, group in enumerate(groups):
        arguments = [str(seed), str(operations), *map(str, group)]
        with (on_stage.data / f"till-{number}.log").open("ab") as log:
            tills.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.day.till", *arguments],
                    cwd=ROOT,
                    env=dict(on_stage.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    preexec_fn=die_with_parent,
                )
            )
    told: Counter[str] = Counter()
    for number, till in enumerate(tills):
        said, _nothing = till.communicate()
        log_text = (on_stage.data / f"till-{number}.log").read_text(errors="replace")
        assert till.returncode == 0, log_text[-4000:]
        told += Counter(json.loads(said))
        if "Traceback" in log_text:
            sys.stderr.write(log_text[-4000:])
    return told


def _settle(on_stage: Stage) -> list[tuple[str, str, str]]:
    """Wait until only what waits for ever is open; return what is open then."""
    fewest, end_at = -1, 0.0
    while True:
        with traces.reading(on_stage.database) as reader:
            left = [tuple(row) for row in reader.execute(_OPEN).fetchall()]
        if fewest < 0 or len(left) < fewest:
            fewest, end_at = len(left), time.monotonic() + NOTHING_ENDS_FOR_S
        if all(_is_for_ever(one) for one in left) or time.monotonic() > end_at:
            return left
        time.sleep(0.5)


def _is_for_ever(row: tuple[str, str, str]) -> bool:
    last4, _operation, state = row
    return last4 == plan.NEVER[-4:] and state in {"pending", "queued", "armed"}


def _odd(told: Counter[str], left: list[tuple[str, str, str]]) -> list[str]:
    """Return what would make equal sums worth little."""
    open_ones = Counter(one for one in left if not _is_for_ever(one))
    unsettled = [f"still open: {count} x {row}" for row, count in sorted(open_ones.items())]
    named = ("broken", "presses that began another")
    return unsettled + [f"{name}: {told[name]}" for name in named if told[name]]


def _books(on_stage: Stage, seeded: dict[str, int]) -> books.Books:
    names = ("last4", "operation", "offer_code", "offer_id", "miles", "confirmation")
    with traces.reading(on_stage.database) as reader:
        offers = [dict(zip(names, row, strict=True)) for row in reader.execute(_OFFERS).fetchall()]
        rows = [*reader.execute(_TOTALS).fetchall(), *reader.execute(_CASH).fetchall()]
    return books.Books(
        offers=tuple(books.Offer(**fields) for fields in offers),
        totals=tuple(
            books.Total(last4=last4, operation=operation, miles=miles)
            for last4, operation, miles in rows
        ),
        entries=tuple(
            books.Entry(
                last4=entry["collector"][-4:],
                offer_code=entry["offer_code"],
                offer_id=entry["offer_id"],
                miles=entry["miles"],
                confirmation=entry["confirmation"],
            )
            for entry in on_stage.sandbox.effects()
        ),
        held={
            collector[-4:]: miles
            for collector, miles in traces.miles_held(on_stage.folder / "sandbox").items()
            if collector[-4:] in seeded
        },
        seeded=seeded,
    )


def _counts(on_stage: Stage, query: str) -> dict[str, int]:
    with traces.reading(on_stage.database) as reader:
        return {" ".join(names): count for *names, count in reader.execute(query).fetchall()}
