"""The judge of miles given and taken back: each offer is the programme's, and all goes in turn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.chaos.checker import check
from tests.chaos.evidence import Attempt, Effect, Evidence, Exchange, Gift, Kind, Row
from tests.chaos.test_checker import CARD, GOOD, NOON, SECOND, broken, told

STANDARD = Gift(
    offer_code="STANDARD", offer_id="1", miles=7, status="confirmed", confirmation="C11"
)
COUPON = Gift(offer_code="COUPON", offer_id="5", miles=25, status="confirmed", confirmation="C12")
SALE = Row(
    reference="given",
    key="key-g",
    client_ref="press-g",
    operation="issue",
    state="confirmed",
    miles=32,
    last4="0001",
    opened_at=NOON,
    gifts=(STANDARD, COUPON),
    attempts=[Attempt(sender="web", armed_at=NOON, finished_at=NOON + SECOND)],
    events=told("armed", "confirmed", begin=20),
)
BACK = replace(
    SALE,
    reference="taken",
    key="key-t",
    client_ref="press-t",
    operation="return",
    opened_at=NOON + 3 * SECOND,
    miles=7,
    gifts=(replace(STANDARD, confirmation="C13"),),
    events=told("queued", "claimed", "confirmed", begin=30),
)


def effect(row: Row, gift: Gift, kind: str) -> Effect:
    miles = -gift.miles if row.operation == "return" else gift.miles
    return Effect(
        key=row.key,
        kind=kind,
        collector=CARD,
        miles=miles,
        confirmation=gift.confirmation,
        at=NOON,
        offer_code=gift.offer_code,
        offer_id=gift.offer_id,
    )


def sent(row: Row, *seconds: float) -> list[Exchange]:
    return [
        Exchange(
            key=row.key,
            method="POST",
            path=f"/{row.operation}",
            body_sha256="a",
            arrived_at=NOON + timedelta(seconds=at),
            finished_at=NOON + timedelta(seconds=at + 0.1),
        )
        for at in seconds
    ]


EFFECTS = (
    effect(SALE, STANDARD, "post"),
    effect(SALE, COUPON, "post"),
    effect(BACK, BACK.gifts[0], "issuance-reverse"),
)


def evidence(
    *rows: Row,
    effects: Sequence[Effect] = EFFECTS,
    exchanges: Sequence[Exchange] = (),
    off: int = 0,
) -> Evidence:
    """What a run left behind that gave 32 miles and took 7 back, unless told otherwise."""
    return replace(
        GOOD,
        rows=[*GOOD.rows, *(rows or (SALE, BACK))],
        effects=[*GOOD.effects, *effects],
        exchanges=[*GOOD.exchanges, *(exchanges or (*sent(SALE, 0, 1), *sent(BACK, 4)))],
        miles_now={CARD: 1000 + 25 + off},
    )


def test_two_offers_of_one_key_are_two_effects_and_all_is_well() -> None:
    assert check(evidence()) == []


def test_one_offer_that_was_given_twice_is_doubled() -> None:
    found = broken(evidence(effects=[*EFFECTS, EFFECTS[0]], off=7))
    assert found == {("I1", Kind.DOUBLED), ("I7", Kind.MONEY)}


def test_miles_under_a_key_that_we_do_not_know_are_lost() -> None:
    stray = replace(EFFECTS[0], key="another")
    assert ("I6", Kind.LOST) in broken(evidence(effects=[*EFFECTS, stray], off=7))


def test_miles_of_an_offer_that_we_call_rejected_are_lost() -> None:
    half = replace(SALE, state="partial", gifts=(STANDARD, replace(COUPON, status="rejected")))
    half = replace(half, miles=7, needs_person="rejected", events=told("armed", "partial"))
    assert broken(evidence(half, BACK)) == {("I6", Kind.LOST), ("I7", Kind.MONEY)}
    # Where it was rejected there too, a person puts it right, and nothing is wrong.
    assert check(evidence(half, BACK, effects=[EFFECTS[0], EFFECTS[2]], off=-25)) == []


@pytest.mark.parametrize("state", ["rejected", "not_sent"])
def test_miles_of_what_we_call_undone_are_lost(state: str) -> None:
    undone = replace(SALE, state=state, gifts=(), miles=None, events=told("armed", state))
    assert ("I6", Kind.LOST) in broken(evidence(undone, BACK))


def test_an_offer_that_only_we_have_confirmed_is_invented() -> None:
    assert broken(evidence(effects=EFFECTS[1:], off=-7)) == {
        ("I6", Kind.INVENTED),
        ("I7", Kind.MONEY),
    }


def test_an_offer_of_what_is_over_is_pending_no_more() -> None:
    waiting = replace(SALE, gifts=(STANDARD, replace(COUPON, status="pending")), miles=7)
    # Nothing of it was given: the programme waits to be asked again, and nobody asks.
    found = broken(evidence(waiting, BACK, effects=[EFFECTS[0], EFFECTS[2]], off=-25))
    assert found == {("I6", Kind.INVENTED)}


def test_what_waits_behind_a_person_is_that_persons() -> None:
    behind = replace(BACK, state="queued", attempts=[], events=told("queued", begin=30))
    sale_alone = evidence(SALE, behind, effects=EFFECTS[:2], exchanges=sent(SALE, 0), off=7)
    assert broken(sale_alone) == {("I9", Kind.UNSETTLED)}
    held = replace(behind, is_behind_a_person=True)
    assert check(evidence(SALE, held, effects=EFFECTS[:2], exchanges=sent(SALE, 0), off=7)) == []


def test_other_miles_or_the_other_way_are_noticed() -> None:
    for wrong in (replace(EFFECTS[0], miles=8), replace(EFFECTS[0], kind="issuance-reverse")):
        assert ("I6", Kind.MONEY) in broken(evidence(effects=[wrong, *EFFECTS[1:]]))


def test_a_return_that_is_sent_while_its_sale_is_still_asked_about_is_out_of_turn() -> None:
    early = evidence(exchanges=[*sent(SALE, 0, 5), *sent(BACK, 4)])
    assert broken(early) == {("M9", Kind.DISORDERED)}
    # One late write for each freeze cannot be prevented.
    assert check(replace(early, freezes=1)) == []


def test_the_elder_of_two_goes_first_unless_both_came_at_one_moment() -> None:
    turned = [*sent(BACK, 4), *sent(SALE, 5)]
    assert broken(evidence(exchanges=turned)) == {("M9", Kind.DISORDERED)}
    assert check(replace(evidence(exchanges=turned), has_moved_clock=True)) == []
    # Pressed first, and in the log second: it had to wait for the database.
    late = replace(SALE, events=told("queued", "claimed", "confirmed", begin=40))
    assert check(evidence(late, BACK, exchanges=turned)) == []
    twin = replace(BACK, opened_at=NOON + SECOND)
    assert check(evidence(SALE, twin, exchanges=turned)) == []


def test_other_collectors_need_not_wait() -> None:
    other = replace(BACK, last4="0002")
    found = broken(evidence(SALE, other, exchanges=[*sent(SALE, 0, 5), *sent(BACK, 4)]))
    assert ("M9", Kind.DISORDERED) not in found


def test_only_the_card_that_never_ends_may_stay_open() -> None:
    pending = replace(SALE, state="pending", gifts=(), miles=None, events=told("armed", "pending"))
    waiting = evidence(pending, effects=(), exchanges=sent(SALE, 0), off=-25)
    assert broken(waiting) == {("I9", Kind.UNSETTLED)}
    assert check(replace(waiting, endless=frozenset({"0001"}))) == []
