"""The last line of a run names what the release asks for, and adds up over the databases."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from tests.chaos.evidence import Attempt, Evidence, Kill, Kind, Row, Violation
from tests.chaos.report import summary
from tests.chaos.run import Ended, in_flight
from tests.chaos.test_checker import GOOD, NOON, ROW, SECOND

ENDED = Ended(
    evidence=GOOD,
    violations=[],
    kills=Counter(web=2, web_worker=3, settle=4, beat=1, db_killed=1, db_stopped=2),
    in_flight=Counter(web=1, settle=2),
    loaded_s=1.0,
)


def evidence(*attempts: Attempt) -> Evidence:
    row: Row = replace(ROW, attempts=attempts)
    return replace(GOOD, rows=[row])


def test_kills_are_counted_by_kind_and_over_both_databases() -> None:
    said = summary(7, [ENDED, ENDED], 2.5)
    assert (said["seed"], said["runs"], said["seconds"]) == (7, 2, 2.5)
    assert (said["web_kills"], said["worker_kills"], said["db_stops"]) == (10, 8, 6)
    assert (said["web_kills_in_flight"], said["worker_kills_in_flight"]) == (2, 4)
    assert (said["operations"], said["effects"], said["operations_per_s"]) == (4, 4, 2.0)
    assert said["with_a_person"] == 0
    assert all(said[kind.value] == 0 for kind in Kind)


def test_a_violation_and_a_row_with_a_person_are_counted_apart() -> None:
    lost = Violation(rule="I6", kind=Kind.LOST, what="it is gone")
    held = replace(ROW, state="manual", needs_person="replay_over")
    said = summary(7, [replace(ENDED, evidence=replace(GOOD, rows=[held]), violations=[lost])], 1)
    assert (said["lost"], said["unsettled"], said["with_a_person"]) == (1, 0, 1)


def test_a_kill_is_in_flight_when_its_victim_had_not_written_the_outcome() -> None:
    def met(pid: int, after_s: float, finished_s: float | None) -> bool:
        finished_at = NOON + timedelta(seconds=finished_s) if finished_s is not None else None
        attempt = Attempt(sender="web at till/42", armed_at=NOON, finished_at=finished_at)
        kill = Kill(at=NOON + after_s * SECOND, name="web", pids=frozenset({pid}))
        return bool(in_flight(evidence(attempt), [kill]))

    assert met(42, 0.5, None)
    assert met(42, 0.5, 0.6)
    assert not met(43, 0.5, None)
    assert not met(42, 0.5, 0.4)
    assert not met(42, -0.1, None)
    # What lay there long before belongs to another kill.
    assert not met(42, 60, None)
