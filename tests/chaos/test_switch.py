"""The judge of the switch: silent when a till was told what is so, and loud for each word that is
not."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.chaos.checker import check
from tests.chaos.evidence import Effect, Evidence, Gift, Kind
from tests.chaos.test_checker import BACK, CARD, EFFECT, GOOD, NOON, ROW, SECOND, told
from tests.chaos.told import Asked, Word

TRACE, VOIDS = "000000000002", "000000000003"
SALE = replace(ROW, channel="switch", number=TRACE)
UNDONE = replace(BACK, channel="switch", number=VOIDS, reverses="sale")
GRANTED = {
    "responseCode": "0000",
    "txnConfirmationNumber": "C1",
    "unitsRedeemed": "1",
    "unitValueAMCash": "95",
}


def word(second: float, status: int = 0, reference: str = "", **fields: Any) -> Word:
    """What was heard so long after noon, a tenth of a second after it was asked for."""
    at = NOON + timedelta(seconds=second)
    body = json.dumps(fields).encode() if status else b""
    return Word(asked_at=at, got_at=at + SECOND / 10, status=status, body=body, reference=reference)


def code(second: float, status: int, said: str, reference: str = "") -> Word:
    return word(second, status, reference, responseCode=said, message="m", transDateTime=second)


def asked(*words: Word, call: str = "redeem", number: str = TRACE, **fields: Any) -> Asked:
    return Asked(
        till="0", call=call, number=number, card=CARD, body=b"{}", words=list(words), **fields
    )


def void(*words: Word) -> Asked:
    return asked(*words, call="reverse", number=VOIDS, voids=TRACE)


APPROVAL = word(1, 200, "sale", **GRANTED)
# It was redeemed, and given back by a void.
KEPT = replace(GOOD, rows=[SALE, UNDONE], asked=[asked(word(0), APPROVAL)])
# Nothing of it was ever sent.
NEVER = replace(GOOD, rows=[], effects=[], exchanges=[], shown=[], history={}, asked=[])
# It was redeemed and stands.
STANDS = replace(GOOD, rows=[SALE], effects=[EFFECT], miles_now={CARD: 905})


def said(evidence: Evidence, *requests: Asked) -> list[str]:
    found = check(replace(evidence, asked=requests))
    assert {one.kind for one in found} <= {Kind.MISTOLD, Kind.DOUBLED}
    return [one.what for one in found]


def test_tills_that_were_told_what_is_so_hear_nothing_of_it() -> None:
    assert check(KEPT) == []
    again = asked(word(0), code(1, 408, "0008", "sale"), replace(APPROVAL, asked_at=NOON))
    given_back = void(code(2, 408, "0008", "sale"), word(3, 200, "back", responseCode="0000"))
    assert said(KEPT, again, given_back) == []
    nothing = [asked(code(0, 503, "0092")), void(code(1, 400, "0057"), code(2, 400, "0057"))]
    assert said(NEVER, *nothing) == []


def test_a_transaction_that_is_not_in_the_log_or_another_one_is_noticed() -> None:
    (lost,) = said(STANDS, asked(code(1, 408, "0008", "gone")))
    assert "not in the log" in lost
    (other,) = said(STANDS, asked(code(1, 408, "0008", "sale"), number="000000000009"))
    assert "another one" in other


def test_an_approval_that_names_no_transaction_is_noticed() -> None:
    (cash,) = said(STANDS, asked(replace(APPROVAL, reference="")))
    (pending,) = said(EARNED, given(word(0, 202, issuances=[{"offerId": "7"}])))
    assert "of no transaction" in cash and "of no transaction" in pending


def test_one_request_that_became_two_operations_is_doubled() -> None:
    twin = replace(SALE, reference="twin", key="k3", client_ref="p3", state="not_sent", attempts=[])
    both = replace(STANDS, rows=[SALE, replace(twin, events=told("not_sent"))])
    assert [one.kind for one in check(both)] == [Kind.DOUBLED]


@pytest.mark.parametrize(
    "later",
    [
        code(2, 408, "0008", "sale"),
        code(2, 503, "0092", "sale"),
        code(2, 503, "0092"),
        word(2, 200, "sale", **{**GRANTED, "cashBalance": "1"}),
    ],
)
def test_a_last_word_that_does_not_last_is_noticed(later: Word) -> None:
    assert any("and later" in what for what in said(STANDS, asked(APPROVAL, later)))


@pytest.mark.parametrize(
    "later", [word(2), code(2, 408, "0008"), word(2, 500, responseCode="0096"), replace(APPROVAL)]
)
def test_a_milepost_that_cannot_look_contradicts_nothing(later: Word) -> None:
    assert said(STANDS, asked(APPROVAL, later)) == []


def test_an_answer_that_was_longer_on_its_way_contradicts_nothing() -> None:
    slow = replace(code(0.5, 408, "0008", "sale"), got_at=NOON + 9 * SECOND)
    assert said(STANDS, asked(APPROVAL, slow)) == []


@pytest.mark.parametrize("change", [{"unitsRedeemed": "2"}, {"txnConfirmationNumber": "C9"}])
def test_an_approval_of_other_miles_or_of_another_number_is_noticed(change: Any) -> None:
    (what,) = said(STANDS, asked(word(1, 200, "sale", **{**GRANTED, **change})))
    assert "the programme moved -95" in what


def test_an_approval_without_an_effect_is_noticed() -> None:
    bare = replace(STANDS, effects=[], miles_now={CARD: 905})
    found = check(replace(bare, asked=[asked(APPROVAL)]))
    assert any(one.kind is Kind.MISTOLD for one in found)


def test_a_void_that_is_told_that_nothing_was_taken_when_it_was_is_noticed() -> None:
    none = void(code(2, 400, "0057"))
    assert "miles of sale were taken" in " ".join(said(STANDS, none))
    # Also if they came back afterwards: nothing was to be taken at all.
    assert "miles of sale were taken" in " ".join(said(KEPT, none))
    held = replace(SALE, state="manual", needs_person="replay_over", events=told("armed", "manual"))
    apart = replace(STANDS, rows=[held])
    assert said(apart, none) == []


def test_nothing_was_sent_is_a_last_word_only_if_nothing_was() -> None:
    outage = code(0.05, 503, "0092")
    (what,) = said(STANDS, asked(outage))
    assert "0092 at last" in what
    # One that is still on its way may be sent; and what came back is not gone.
    assert said(STANDS, asked(word(0), outage)) == []
    assert said(STANDS, asked(outage, APPROVAL)) == []
    assert said(STANDS, asked(replace(word(0.5), got_at=NOON + 2 * SECOND), outage)) == []
    assert said(KEPT, asked(outage)) == []


def test_nothing_was_sent_is_not_said_of_what_was_done() -> None:
    later = code(0.5, 503, "0092", "sale")
    (what,) = said(STANDS, asked(later, APPROVAL))
    assert "after the miles" in what
    assert said(KEPT, asked(later)) == []


def test_a_key_that_serves_two_requests_is_noticed() -> None:
    other = asked(word(2, 200, "sale", **GRANTED), is_key_reused=True)
    assert "used key" in " ".join(said(STANDS, other))
    assert said(STANDS, asked(code(2, 422, "0035"), is_key_reused=True)) == []
    assert "another request's" in " ".join(said(STANDS, asked(code(2, 422, "0035"))))


def test_a_till_that_is_taken_for_a_stranger_is_noticed() -> None:
    for strange in (word(1, 401, message="m"), code(1, 400, "0035")):
        assert "no till's" in " ".join(said(STANDS, asked(strange)))


MILES = replace(
    ROW,
    reference="gift",
    operation="issue",
    state="confirmed",
    confirmation="T1",
    channel="switch",
    number="lane-1",
    gifts=[Gift(offer_code="BONUS", offer_id="7", miles=5, status="confirmed", confirmation="N1")],
    events=told("armed", "confirmed"),
    miles=5,
)
MOVED = Effect(
    key="key",
    kind="post",
    collector=CARD,
    miles=5,
    confirmation="N1",
    at=NOON,
    offer_code="BONUS",
    offer_id="7",
)
EARNED = replace(GOOD, rows=[MILES], effects=[MOVED], exchanges=[], shown=[], history={})
EARNED = replace(EARNED, miles_now={CARD: 1005})
OFFER = {"offerId": "7", "milesAmount": 5, "confirmationNumber": "N1", "status": "CONFIRMED"}


def given(*words: Word) -> Asked:
    return asked(*words, call="post", number="lane-1")


def test_miles_that_a_till_was_told_of_are_the_programmes() -> None:
    pending = word(0, 202, "gift", issuances=[{"offerId": "7", "status": "PENDING"}])
    confirmed = word(1, 200, "gift", issuances=[OFFER], transactionId="T1")
    assert said(EARNED, given(pending, confirmed)) == []
    (never,) = said(EARNED, given(pending))
    assert "never told how it ended" in never
    for change in ({"milesAmount": 6}, {"confirmationNumber": "N2"}, {"status": "REJECTED"}):
        other = word(1, 200, "gift", issuances=[OFFER | change], transactionId="T1")
        assert "the programme moved" in " ".join(said(EARNED, given(other)))
    strange = word(1, 200, "gift", issuances=[OFFER], transactionId="T2")
    assert "transaction T2" in " ".join(said(EARNED, given(strange)))
