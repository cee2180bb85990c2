"""The judge of a chaos run: silent when all is well, and loud once for each promise broken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.chaos.checker import (
    Attempt,
    Effect,
    Evidence,
    Exchange,
    Kind,
    Row,
    Shown,
    check,
)

CARD = "80000090001"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ROW = Row(
    reference="sale",
    key="key",
    client_ref="press",
    operation="redeem",
    state="done",
    confirmation="C1",
    miles=95,
    last4="0001",
    attempts=[Attempt(sender="web", armed_at=NOON, finished_at=NOON + SECOND / 2)],
    events=["redemption.armed", "redemption.approved", "redemption.presented"],
)
BACK = replace(
    ROW,
    reference="back",
    key="key-2",
    client_ref="press-2",
    operation="reverse",
    state="approved",
    confirmation="",
    events=["reversal.armed", "reversal.approved"],
)
EFFECT = Effect(key="key", kind="redeem", collector=CARD, miles=-95, confirmation="C1")
GIVEN = Effect(key="key-2", kind="reverse", collector=CARD, miles=95, confirmation="C2")
SENT = Exchange(
    key="key",
    method="POST",
    path="/redeem",
    body_sha256="a",
    arrived_at=NOON,
    finished_at=NOON + SECOND / 4,
)
GOOD = Evidence(
    rows=[ROW, BACK],
    effects=[EFFECT, GIVEN],
    exchanges=[SENT],
    shown=[Shown(reference="sale", client_ref="press")],
    history={"sale": ["armed", "doubt", "armed", "approved", "done"]},
    seeded_miles={CARD: 1000},
    miles_now={CARD: 1000},
    lease=3 * SECOND,
    call=SECOND,
)


def broken(evidence: Evidence) -> set[tuple[str, Kind]]:
    return {(one.rule, one.kind) for one in check(evidence)}


def test_a_run_in_which_log_and_ledger_agree_has_no_violation() -> None:
    assert check(GOOD) == []


def test_two_effects_of_one_key_are_doubled() -> None:
    doubled = replace(GOOD, effects=[EFFECT, EFFECT, GIVEN], miles_now={CARD: 905})
    assert ("I1", Kind.DOUBLED) in broken(doubled)


def test_one_key_with_other_bytes_is_drift() -> None:
    later = replace(SENT, body_sha256="b", arrived_at=NOON + 2 * SECOND, finished_at=None)
    assert broken(replace(GOOD, exchanges=[SENT, later])) == {("I2", Kind.BYTE_DRIFT)}


def test_a_second_request_while_the_first_is_in_flight_is_an_overlap() -> None:
    second = replace(SENT, arrived_at=NOON + SECOND / 5)
    twice = replace(GOOD, exchanges=[SENT, second])
    assert broken(twice) == {("I3", Kind.OVERLAPPED)}
    # Once for each time that a process was frozen it cannot be prevented.
    assert check(replace(twice, freezes=1)) == []


def test_a_request_after_the_first_was_given_up_is_no_overlap() -> None:
    slow = replace(SENT, finished_at=NOON + 5 * SECOND)
    second = replace(SENT, arrived_at=NOON + SECOND, finished_at=None)
    assert check(replace(GOOD, exchanges=[slow, second])) == []


def test_a_second_right_within_the_lease_is_an_overlap() -> None:
    def rights(gap: timedelta) -> Evidence:
        first = Attempt(sender="web", armed_at=NOON)
        second = Attempt(sender="settle", armed_at=NOON + gap)
        events = [*ROW.events, "redemption.claimed"]
        return replace(GOOD, rows=[replace(ROW, attempts=[first, second], events=events), BACK])

    assert broken(rights(2 * SECOND)) == {("I3", Kind.OVERLAPPED)}
    assert check(rights(3 * SECOND)) == []


def test_a_sale_that_was_shown_and_is_not_in_the_log_is_lost() -> None:
    shown = [*GOOD.shown, Shown(reference="gone", client_ref="press-3")]
    assert broken(replace(GOOD, shown=shown)) == {("I4", Kind.LOST)}


def test_one_press_that_became_two_operations_is_doubled() -> None:
    shown = [*GOOD.shown, Shown(reference="back", client_ref="press")]
    assert broken(replace(GOOD, shown=shown)) == {("I5", Kind.DOUBLED)}


def test_one_key_of_two_operations_is_doubled() -> None:
    other = replace(ROW, reference="other", client_ref="press-3", state="not_sent", attempts=[])
    told = replace(other, events=["redemption.not_sent"])
    assert ("I5", Kind.DOUBLED) in broken(replace(GOOD, rows=[told, ROW, BACK]))


def test_an_effect_of_what_we_call_declined_is_lost() -> None:
    declined = replace(ROW, state="declined", events=["redemption.armed", "redemption.declined"])
    found = broken(replace(GOOD, rows=[declined, BACK]))
    assert ("I6", Kind.LOST) in found
    assert ("I7", Kind.MONEY) in found


def test_an_effect_whose_key_we_do_not_know_is_lost() -> None:
    stray = replace(EFFECT, key="fresh")
    strayed = replace(GOOD, effects=[EFFECT, GIVEN, stray], miles_now={CARD: 905})
    assert broken(strayed) == {("I6", Kind.LOST), ("I7", Kind.MONEY)}


def test_an_approval_without_an_effect_is_invented() -> None:
    assert ("I6", Kind.INVENTED) in broken(replace(GOOD, effects=[GIVEN]))


def test_other_miles_than_the_programme_moved_are_noticed() -> None:
    found = broken(replace(GOOD, rows=[replace(ROW, miles=190), BACK]))
    assert found == {("I6", Kind.MONEY), ("I7", Kind.MONEY)}


def test_a_balance_that_does_not_add_up_is_noticed() -> None:
    assert broken(replace(GOOD, miles_now={CARD: 999})) == {("I7", Kind.MONEY)}


def test_leaving_a_terminal_state_is_noticed() -> None:
    for states in (["armed", "declined", "approved"], ["approved", "declined"]):
        assert broken(replace(GOOD, history={"sale": states})) == {("I8", Kind.REWRITTEN)}


def test_what_is_still_open_is_unsettled_unless_a_person_has_it() -> None:
    doubt = replace(ROW, state="doubt")
    assert broken(replace(GOOD, rows=[doubt, BACK])) == {("I9", Kind.UNSETTLED)}
    events = ["redemption.armed", "redemption.manual"]
    held = replace(ROW, state="manual", needs_person="replay_over", events=events)
    assert check(replace(GOOD, rows=[held, BACK])) == []


def test_a_change_that_no_audit_entry_tells_is_noticed() -> None:
    for events in (["redemption.approved"], ["redemption.armed"]):
        silent = replace(ROW, events=events)
        assert broken(replace(GOOD, rows=[silent, BACK])) == {("I11", Kind.UNTOLD)}


def test_a_whole_collector_number_anywhere_is_a_leak() -> None:
    assert broken(replace(GOOD, leaks=["web.log"])) == {("I12", Kind.LEAKED)}
