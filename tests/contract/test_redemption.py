"""A whole redemption over real sockets, and both sides' books afterwards."""

import uuid
from datetime import datetime

import pytest

from backoffice.journal.states import State
from tests.cast import Cast
from tests.contract import acts
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


def test_forty_dollars_are_redeemed_and_given_back(cast: Cast) -> None:
    offer = acts.inquire(cast).offer
    assert offer is not None
    assert (offer.default_units, offer.step(offer.default_units).off_cents) == (4, 4000)
    taken = acts.redeem(cast)
    assert taken.state == State.APPROVED and taken.confirmation_number
    assert (taken.units, taken.miles, taken.amount_cents) == (4, acts.MILES, 4000)
    given = acts.reverse(cast, taken)
    assert given.state == State.APPROVED and given.confirmation_number
    taken.refresh_from_db()
    assert taken.reversed_at is not None


def test_after_a_reversal_the_platforms_ledger_sums_to_zero(cast: Cast, sandbox: Sandbox) -> None:
    taken = acts.redeem(cast)
    assert sandbox.total_miles() == -acts.MILES
    acts.assert_both_sides_agree(sandbox)
    acts.reverse(cast, taken)
    assert sandbox.total_miles() == 0
    assert [one["kind"] for one in sandbox.effects()] == ["redeem", "reverse"]
    acts.assert_both_sides_agree(sandbox)


def test_the_platform_saw_the_key_of_the_row_and_its_frozen_bytes(
    cast: Cast, sandbox: Sandbox
) -> None:
    taken = acts.redeem(cast)
    (effect,) = sandbox.effects()
    assert uuid.UUID(effect["key"]) == taken.idempotency_key
    assert effect["body_sha256"] == acts.body_hash(taken)
    acts.assert_sent_identically(sandbox, taken, times=1)


def test_more_than_the_basket_bears_is_granted_down_to_whole_units(
    cast: Cast, sandbox: Sandbox
) -> None:
    row = acts.redeem(cast, basket_cents=1612, original_cents=1612, asked_cents=1612)
    assert (row.asked_cents, row.amount_cents, row.units) == (1612, 1000, 1)
    acts.assert_both_sides_agree(sandbox)


def test_a_reversal_after_the_platforms_deadline_is_expired_and_moves_nothing(
    cast: Cast, sandbox: Sandbox
) -> None:
    taken = acts.redeem(cast)
    # Only the platform's clock has passed 03:00; ours still believes that there is time.
    late = datetime.fromisoformat(str(taken.deadline_at))
    sandbox.control("clock", now=late.isoformat(), stopped=True)
    row = acts.reverse(cast, taken)
    assert (row.state, row.response_code) == (State.EXPIRED, "0080")
    assert len(sandbox.effects()) == 1
    acts.assert_both_sides_agree(sandbox)


def test_an_expired_token_is_renewed_once_and_the_same_bytes_go_out_again(
    cast: Cast, sandbox: Sandbox
) -> None:
    acts.inquire(cast)
    sandbox.control("tokens/expire")
    row = acts.redeem(cast)
    assert row.state == State.APPROVED
    refused, answered = sandbox.exchanges(acts.REDEEM_PATH)
    assert (refused["status"], answered["status"]) == (401, 200)
    assert refused["headers"]["authorization"] != answered["headers"]["authorization"]
    # A refused token executed nothing, so it was no attempt of the money move.
    assert row.attempts.count() == 1
    acts.assert_sent_identically(sandbox, row, times=2)
    acts.assert_both_sides_agree(sandbox)
