"""What a run says: lines for the person at the terminal, and one JSON object for machines."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.chaos.evidence import ORDERED, Kind
from tests.chaos.kills import GIVER, SWEEP, WEB
from tests.chaos.run import Ended
from tests.chaos.syscalls import PREFIX

# Of what did not hold; a mistake in the code breaks hundreds of promises alike.
_MOST_TOLD = 60
_STOPS = ("db_stopped", "db_killed")


def lines(name: str, ended: Ended) -> list[str]:
    """Return what one database's run met, and what did not hold."""
    operations = len(ended.evidence.rows)
    said = [
        f"{name}: {operations} operations in {ended.loaded_s:.0f} s, {ended.pages} presses "
        f"answered, {ended.cut} cut off, settled in {ended.settled_in_s:.1f} s",
        f"{name}: faults {dict(sorted(ended.faults.items()))}",
        f"{name}: kills {dict(sorted(ended.kills.items()))}",
        f"{name}: kills of a sender in flight {dict(sorted(ended.in_flight.items()))}",
    ]
    if ended.evidence.asked:
        said.append(f"{name}: the switch {_of_the_switch(ended)}")
    said += [f"{name}: odd page: {count} x {what}" for what, count in _most(ended.problems)]
    said += [
        f"{name}: with a person: {row.operation} {row.reference} ({row.needs_person or 'its sale'})"
        for row in ended.evidence.rows
        if row.is_with_a_person
    ]
    broken = [f"{name}: {one.rule} {one.kind}: {one.what}" for one in ended.violations]
    left_out = [f"{name}: and {len(broken) - _MOST_TOLD} more"] if len(broken) > _MOST_TOLD else []
    return [*said, *broken[:_MOST_TOLD], *left_out]


def summary(seed: int, ended: Sequence[Ended], seconds: float) -> dict[str, object]:
    """Return the last line's fields, for all databases together."""
    violations = Counter(one.kind for each in ended for one in each.violations)
    kills = _total(each.kills for each in ended)
    in_flight = _total(each.in_flight for each in ended)
    loaded_s = sum(each.loaded_s for each in ended)
    operations = sum(len(each.evidence.rows) for each in ended)
    return {
        "seed": seed,
        "runs": len(ended),
        "web_kills": sum(kills[name] for name in WEB),
        "worker_kills": sum(kills[name] for name in SWEEP),
        "giver_kills": kills[GIVER],
        "db_stops": sum(kills[name] for name in _STOPS),
        "syscall_kills": sum(kills[name] for name in kills if name.startswith(PREFIX)),
        "web_kills_in_flight": sum(in_flight[name] for name in WEB),
        "worker_kills_in_flight": sum(in_flight[name] for name in SWEEP),
        "giver_kills_in_flight": in_flight[GIVER],
        "kills": dict(sorted(kills.items())),
        "effects": sum(len(each.evidence.effects) for each in ended),
        "operations": operations,
        "issuances": sum(row.operation in ORDERED for each in ended for row in each.evidence.rows),
        "switch_requests": sum(len(each.evidence.asked) for each in ended),
        "switch_sendings": sum(len(one.words) for each in ended for one in each.evidence.asked),
        "operations_per_s": round(operations / loaded_s, 1) if loaded_s else 0.0,
        **{kind.value: violations[kind] for kind in Kind},
        "with_a_person": sum(row.is_with_a_person for each in ended for row in each.evidence.rows),
        "seconds": round(seconds, 1),
    }


def _of_the_switch(ended: Ended) -> dict[str, int]:
    """Count what tills of the switch asked, and the sendings that had no answer."""
    asked = ended.evidence.asked
    calls = Counter("void" if one.is_void else one.call for one in asked)
    calls["sendings"] = sum(len(one.words) for one in asked)
    calls["without an answer"] = sum(word.is_silence for one in asked for word in one.words)
    return dict(sorted(calls.items()))


def _total(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total += counter
    return total


def _most(problems: Sequence[str]) -> list[tuple[str, int]]:
    return Counter(problems).most_common(5)
