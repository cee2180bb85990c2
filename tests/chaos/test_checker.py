"""The judge of a chaos run: silent when all is well, and loud once for each promise broken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.chaos.checker import check
from tests.chaos.evidence import (
    Attempt,
    Effect,
    Event,
    Evidence,
    Exchange,
    Kind,
    Offered,
    Row,
    Shown,
)


def told(*names: str, begin: int = 1) -> list[Event]:
    return [Event(number=begin + place, name=name) for place, name in enumerate(names)]


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
    events=told("armed", "approved", "presented"),
)
BACK = replace(
    ROW,
    reference="back",
    key="key-2",
    client_ref="press-2",
    operation="reverse",
    state="approved",
    confirmation="",
    events=told("armed", "approved"),
)
EFFECT = Effect(
    key="key", kind="redeem", collector=CARD, miles=-95, confirmation="C1", at=NOON + SECOND / 8
)
GIVEN = Effect(key="key-2", kind="reverse", collector=CARD, miles=95, confirmation="C2", at=NOON)
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
        events = [*ROW.events, *told("claimed", begin=9)]
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
    closed = replace(other, events=told("not_sent"))
    assert ("I5", Kind.DOUBLED) in broken(replace(GOOD, rows=[closed, ROW, BACK]))


def test_an_effect_of_what_we_call_declined_is_lost() -> None:
    declined = replace(ROW, state="declined", events=told("armed", "declined"))
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
    events = told("armed", "manual")
    held = replace(ROW, state="manual", needs_person="replay_over", events=events)
    assert check(replace(GOOD, rows=[held, BACK])) == []


def offered(seconds: float, way: str = "pay otherwise") -> Evidence:
    at = NOON + timedelta(seconds=seconds)
    page = Offered(reference="sale", way=way, asked_at=at, got_at=at + SECOND / 50)
    return replace(GOOD, offered=[page])


def test_a_page_that_offers_to_pay_again_once_the_miles_are_gone_is_noticed() -> None:
    assert broken(offered(0.2)) == {("I10", Kind.OFFERED)}
    # Nothing had been sent when this page was asked for.
    assert check(offered(-1)) == []


def test_a_page_that_offers_to_pay_again_while_the_request_is_in_flight_is_noticed() -> None:
    assert broken(offered(0.05)) == {("I10", Kind.OFFERED)}


def test_a_redemption_that_begins_while_another_of_its_card_is_open_is_noticed() -> None:
    def beside(begin: int) -> Evidence:
        other = replace(
            ROW,
            reference="other",
            key="key-3",
            client_ref="press-3",
            state="declined",
            attempts=[],
            events=told("queued", "declined", begin=begin),
        )
        slow = replace(ROW, events=[*told("armed"), *told("approved", begin=9)])
        return replace(GOOD, rows=[slow, BACK, other])

    assert broken(beside(5)) == {("I10", Kind.OFFERED)}
    assert check(beside(10)) == []


def test_a_change_that_no_audit_entry_tells_is_noticed() -> None:
    for events in (told("approved"), told("armed")):
        silent = replace(ROW, events=events)
        assert broken(replace(GOOD, rows=[silent, BACK])) == {("I11", Kind.UNTOLD)}


def test_a_whole_collector_number_anywhere_is_a_leak() -> None:
    assert broken(replace(GOOD, leaks=["web.log"])) == {("I12", Kind.LEAKED)}
