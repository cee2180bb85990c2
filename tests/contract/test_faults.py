"""What goes wrong on the way, over real sockets: never a decline, never a second effect."""

import time

import pytest
from django.utils import timezone
from pytest_django import Settings

from amcash import services
from backoffice.journal import line
from backoffice.journal.models import Transaction
from backoffice.journal.states import Shown, State, Wanted
from tests.cast import Cast
from tests.contract import acts
from tests.contract.conftest import HASTY_S
from tests.servers.stack import Sandbox

pytestmark = pytest.mark.django_db


def assert_doubt(row: Transaction) -> None:
    """The row waits for its answer and shows as not confirmed."""
    assert row.state == State.DOUBT
    assert row.due_at is not None and row.settled_at is None
    assert row.shown(row.due_at) is Shown.DOUBT


@pytest.mark.usefixtures("hasty")
def test_an_effect_whose_answer_is_too_late_is_asked_for_again_at_once(
    cast: Cast, sandbox: Sandbox
) -> None:
    sandbox.fault("delay", path=acts.REDEEM_PATH, seconds=HASTY_S * 3)
    row = acts.redeem(cast)
    first, second = row.attempts.all()
    assert (first.result, first.silence) == ("unknown", "read_timeout")
    assert (second.result, second.response_code) == ("answered", "0000")
    assert row.state == State.APPROVED
    # The platform had acted on the first; the second got its stored answer.
    assert len(sandbox.effects()) == 1
    assert [one["replay"] for one in sandbox.exchanges(acts.REDEEM_PATH)[1:]] == [True]
    acts.assert_sent_identically(sandbox, row, times=2)
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.usefixtures("hasty")
def test_two_late_answers_are_a_doubt_that_the_sweep_settles_with_the_same_bytes(
    cast: Cast, sandbox: Sandbox
) -> None:
    sandbox.fault("delay", path=acts.REDEEM_PATH, seconds=HASTY_S * 3, times=2)
    row = acts.redeem(cast)
    assert_doubt(row)
    assert len(sandbox.effects()) == 1
    row = acts.settle(row, cast)
    assert row.state == State.APPROVED and row.confirmation_number
    acts.assert_sent_identically(sandbox, row, times=3)
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize(("kind", "is_applied"), [("drop_before", False), ("drop_after", True)])
@pytest.mark.usefixtures("wired")
def test_a_dropped_connection_is_a_doubt_whether_or_not_it_was_applied(
    cast: Cast, sandbox: Sandbox, kind: str, is_applied: bool, is_reset: bool
) -> None:
    sandbox.fault(kind, path=acts.REDEEM_PATH, times=2, reset=is_reset)
    row = acts.redeem(cast)
    assert_doubt(row)
    assert len(sandbox.effects()) == int(is_applied)
    row = acts.settle(row, cast)
    assert row.state == State.APPROVED
    acts.assert_sent_identically(sandbox, row, times=3)
    acts.assert_both_sides_agree(sandbox)


# Whoever redirects us is not the platform, whatever else it says.
FOREIGN = {"responseCode": "0051", "message": "Insufficient reward miles"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("malformed", {}),
        ("malformed", {"body": {"message": "no code at all"}}),
        ("malformed", {"body": {"responseCode": "7777", "message": "undocumented"}}),
        ("cut", {}),
        ("redirect", {"location": "/checkout/amcash/redeem", "status": 302}),
        ("redirect", {"location": "http://127.0.0.1:9/stolen", "status": 307}),
        ("redirect", {"location": "/elsewhere", "status": 302, "body": FOREIGN}),
        ("status", {"status": 500}),
        ("status", {"status": 502}),
        ("status", {"status": 503}),
        ("status", {"status": 200}),
        ("status", {"status": 200, "when": "after"}),
        ("status", {"status": 500, "when": "after"}),
    ],
)
@pytest.mark.usefixtures("wired")
def test_what_is_no_answer_of_the_platform_is_a_doubt_until_it_gives_one(
    cast: Cast, sandbox: Sandbox, kind: str, fields: dict[str, object]
) -> None:
    sandbox.fault(kind, path=acts.REDEEM_PATH, times=2, **fields)
    row = acts.redeem(cast)
    assert_doubt(row)
    # Exactly one immediate retry; a redirect was neither followed nor posted anywhere else.
    acts.assert_sent_identically(sandbox, row, times=2)
    assert {one["method"] for one in sandbox.exchanges()} == {"POST"}
    row = acts.settle(row, cast)
    assert row.state == State.APPROVED
    acts.assert_sent_identically(sandbox, row, times=3)
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.usefixtures("hasty")
def test_a_dripping_answer_ends_with_the_budget_of_the_whole_call(
    cast: Cast, sandbox: Sandbox
) -> None:
    acts.inquire(cast)
    # Each byte comes in time; the whole answer would take a minute.
    sandbox.fault("drip", path=acts.REDEEM_PATH, seconds=0.1, times=2)
    started = time.monotonic()
    row = acts.redeem(cast)
    took_s = time.monotonic() - started
    assert_doubt(row)
    # Two attempts, each held to its budget but for what a busy machine adds.
    assert took_s < 2 * (HASTY_S + 10)
    assert [one.duration_ms is not None for one in row.attempts.all()] == [True, True]
    row = acts.settle(row, cast)
    assert row.state == State.APPROVED
    acts.assert_both_sides_agree(sandbox)


def test_a_platform_that_is_not_there_leaves_nothing_in_doubt(
    cast: Cast, wired: Settings, sandbox: Sandbox
) -> None:
    acts.inquire(cast)
    # The token is known; only the platform's own port is closed.
    wired.AIRMILES_BASE_URL = "http://127.0.0.1:9"
    line.platform.cache_clear()
    row = acts.redeem(cast)
    assert row.state == State.QUEUED
    assert [attempt.result for attempt in row.attempts.all()] == ["not_sent", "not_sent"]
    assert not sandbox.effects()


@pytest.mark.usefixtures("wired")
def test_a_reversal_in_doubt_is_settled_with_the_same_bytes_and_gives_back_once(
    cast: Cast, sandbox: Sandbox
) -> None:
    taken = acts.redeem(cast)
    sandbox.fault("drop_after", path=acts.REVERSE_PATH, times=2)
    row = acts.reverse(cast, taken)
    assert_doubt(row)
    assert sandbox.total_miles() == 0
    row = acts.settle(row, cast)
    assert row.state == State.APPROVED
    acts.assert_sent_identically(sandbox, row, times=3)
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.usefixtures("wired")
def test_a_doubt_that_the_customer_gave_up_is_given_back_once(cast: Cast, sandbox: Sandbox) -> None:
    sandbox.fault("drop_after", path=acts.REDEEM_PATH, times=2)
    row = acts.redeem(cast)
    assert_doubt(row)
    row = services.cancel(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.wanted == Wanted.CANCEL
    row = acts.settle(row, cast)
    assert row.state == State.APPROVED
    services.settle_due(sender="settle in a test")
    row.refresh_from_db()
    assert row.reversed_at is not None
    assert [one["kind"] for one in sandbox.effects()] == ["redeem", "reverse"]
    assert sandbox.total_miles() == 0
    acts.assert_both_sides_agree(sandbox)


@pytest.mark.usefixtures("wired")
def test_an_inquiry_is_asked_once_more_and_then_says_that_nobody_answered(
    cast: Cast, sandbox: Sandbox
) -> None:
    sandbox.fault("drop_after", path=acts.INQUIRE_PATH)
    assert acts.inquire(cast).kind == "offer"
    sandbox.fault("status", path=acts.INQUIRE_PATH, times=2, status=503)
    assert acts.inquire(cast).kind == "silent"
    assert len(sandbox.exchanges(acts.INQUIRE_PATH)) == 4
