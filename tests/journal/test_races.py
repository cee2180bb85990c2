"""Real threads with real connections: two of everything at once, and one effect."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection
from django.db.transaction import atomic
from django.utils import timezone

from amcash import services
from amcash.orders import ReversalOrder
from amcash.rules import Reason
from amcash.services import Refused
from backoffice.journal import entries
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import LIVE_REVERSAL, State, Wanted
from tests.amcash.stories import order, redeem
from tests.cast import Cast
from tests.journal.rows import (
    LEASE,
    approved,
    cancel,
    finding,
    make_due,
    opened,
    record,
    reversal_of,
    unwritten,
    written,
)
from tests.scripted import ScriptedPlatform, Sent, reversed_
from tests.scripted import approved as approval

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
ROUNDS = range(2)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run these at the same moment, each on its own connection; return values or exceptions."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            # The connection stands before the race begins.
            connection.ensure_connection()
            barrier.wait(timeout=120)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def slow(scripted: ScriptedPlatform) -> Iterator[ScriptedPlatform]:
    """A platform that is still answering while the others press."""

    def answer(sent: Sent) -> object:
        threading.Event().wait(0.05)
        return reversed_() if "reverse" in sent.path else approval()

    scripted.will(answer)  # type: ignore[arg-type]
    yield scripted


def reasons(results: list[object]) -> list[Reason]:
    assert not [one for one in results if isinstance(one, Exception) and type(one) is not Refused]
    return [one.reason for one in results if isinstance(one, Refused)]


def test_many_presses_of_one_button_are_one_operation(cast: Cast, slow: ScriptedPlatform) -> None:
    press = order()
    results = at_once(
        *(lambda: services.redeem(press, actor=cast.actor, now=timezone.now()) for _ in range(5))
    )
    assert reasons(results) == []
    outcomes = [one for one in results if isinstance(one, services.Outcome)]
    assert [outcome.is_new for outcome in outcomes].count(True) == 1
    assert len({outcome.transaction.pk for outcome in outcomes}) == 1
    assert len(slow.sent) == 1 and Transaction.objects.get().state == State.APPROVED


def test_one_press_with_two_amounts_is_one_operation_and_one_refusal(
    cast: Cast, slow: ScriptedPlatform
) -> None:
    press = order()
    other = replace(press, asked_cents=press.asked_cents - 1000)  # type: ignore[arg-type]
    results = at_once(
        lambda: services.redeem(press, actor=cast.actor, now=timezone.now()),
        lambda: services.redeem(other, actor=cast.actor, now=timezone.now()),
    )
    assert reasons(results) == [Reason.OTHER_CONTENT]
    assert len(slow.sent) == 1 and Transaction.objects.count() == 1


def test_two_tills_with_one_card_are_one_send_at_a_time(cast: Cast, slow: ScriptedPlatform) -> None:
    results = at_once(*(lambda: redeem(cast) for _ in range(4)))
    # Whoever comes while the first is under way is told to wait; nobody is sent in parallel.
    assert set(reasons(results)) <= {Reason.COLLECTOR_BUSY}
    assert len(slow.sent) == Transaction.objects.count() == 4 - len(reasons(results))
    assert not Transaction.objects.exclude(state=State.APPROVED).exists()


def test_one_sale_on_two_cards_is_redeemed_once(cast: Cast, slow: ScriptedPlatform) -> None:
    orders = [order(sale_ref="sale"), order(sale_ref="sale")]
    orders[1] = replace(orders[1], card=replace(orders[1].card, number="80000010002"))
    results = at_once(
        *(
            lambda one=one: services.redeem(one, actor=cast.actor, now=timezone.now())
            for one in orders
        )
    )
    assert reasons(results) == [Reason.SALE_OPEN]
    assert len(slow.sent) == 1


def test_two_managers_reverse_at_once_and_the_miles_come_back_once(
    cast: Cast, slow: ScriptedPlatform
) -> None:
    redemption = redeem(cast)

    def press(name: str) -> services.Outcome:
        wanted = ReversalOrder(client_ref=name, redemption=redemption.reference, language="en")
        found = Transaction.objects.get(pk=redemption.pk)
        return services.reverse(wanted, found, actor=cast.manager_actor, now=timezone.now())

    results = at_once(lambda: press("one"), lambda: press("two"))
    assert len(reasons(results)) == 1
    assert set(reasons(results)) <= {Reason.ALREADY_REVERSED, Reason.COLLECTOR_BUSY}
    assert redemption.reversals.count() == 1
    assert [sent.path for sent in slow.sent].count("/checkout/amcash/reverse") == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_cancel_against_approval_is_exactly_one_reversal(cast: Cast, round_: int) -> None:
    row = opened(cast)
    results = at_once(
        lambda: cancel(cast, row),
        lambda: record(Transaction.objects.get(pk=row.pk), Verdict.APPROVED),
    )
    assert not [one for one in results if isinstance(one, Exception)], results
    settled = Transaction.objects.get(pk=row.pk)
    assert (settled.state, settled.wanted) == (State.APPROVED, Wanted.CANCEL)
    assert row.reversals.get().state == State.QUEUED


@pytest.mark.parametrize("round_", ROUNDS)
def test_cancel_against_being_shown_is_kept_or_reversed_and_never_both(
    cast: Cast, round_: int
) -> None:
    row = approved(cast)
    results = at_once(
        lambda: cancel(cast, row),
        lambda: entries.present(row, actor=cast.actor, now=timezone.now()),
    )
    assert not [one for one in results if isinstance(one, Exception)], results
    settled = Transaction.objects.get(pk=row.pk)
    is_reversed = row.reversals.filter(state__in=LIVE_REVERSAL).exists()
    assert (settled.presented_at is not None) != is_reversed
    assert is_reversed == (settled.wanted == Wanted.CANCEL)


def test_many_sweeps_share_the_rows_and_never_one_row(cast: Cast) -> None:
    now = timezone.now()
    later = now + 100 * LEASE
    for _ in range(12):
        written(cast, state="doubt", due_at=now, deadline_at=later, replay_until=later)

    def sweep(name: str) -> int:
        found = entries.due(services.OPERATIONS, now=timezone.now(), limit=50)
        return sum(
            entries.claim(row, sender=name, now=timezone.now(), lease=LEASE) for row in found
        )

    results = at_once(*(lambda name=name: sweep(name) for name in ("one", "two", "three")))
    assert sum(int(str(one)) for one in results) == 12
    assert Attempt.objects.count() == 12
    assert set(Transaction.objects.values_list("state", "fence")) == {("armed", 1)}


def sweep_all(name: str) -> list[int]:
    """Claim as a sweep does until nothing is left; return what was this sweep's to send."""
    began, looked_at, ours = timezone.now(), set[int](), list[int]()
    while taken := entries.claim_next(
        services.OPERATIONS,
        sender=name,
        now=timezone.now(),
        lease=100 * LEASE,
        due_by=began,
        besides=looked_at,
    ):
        if taken.is_ours:
            ours.append(taken.row.pk)
        else:
            looked_at.add(taken.row.pk)
    return ours


def many_due(cast: Cast, count: int, **values: object) -> None:
    now = timezone.now()
    later = now + 1000 * LEASE
    moments = {"due_at": now, "deadline_at": later, "replay_until": later}
    Transaction.objects.bulk_create(
        unwritten(cast, state="doubt", has_unknown=True, **moments, **values) for _ in range(count)
    )


def test_eight_sweeps_claim_what_is_due_once_each(cast: Cast) -> None:
    # SQLite has one writer, so there the same race is run with fewer rows.
    count = 600 if connection.vendor == "postgresql" else 200
    many_due(cast, count)
    results = at_once(*(lambda name=str(n): sweep_all(name) for n in range(8)))
    assert not [one for one in results if isinstance(one, Exception)], results
    claimed = [pk for ours in results for pk in ours]  # type: ignore[attr-defined]
    assert len(claimed) == len(set(claimed)) == count
    assert Attempt.objects.count() == count
    assert set(Transaction.objects.values_list("state", "fence")) == {("armed", 1)}


def test_sweeps_arm_one_row_of_a_collector_and_never_wait_for_each_other(cast: Cast) -> None:
    for collector in ("one", "two", "three"):
        many_due(cast, 4, collector_mac=collector)
    results = at_once(*(lambda name=str(n): sweep_all(name) for n in range(4)))
    assert not [one for one in results if isinstance(one, Exception)], results
    armed = Transaction.objects.filter(state=State.ARMED)
    assert sorted(armed.values_list("collector_mac", flat=True)) == ["one", "three", "two"]
    assert Attempt.objects.count() == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no locks of rows")
def test_a_row_that_somebody_holds_is_passed_over_and_not_waited_for(cast: Cast) -> None:
    many_due(cast, 2)
    first = entries.due(services.OPERATIONS, now=timezone.now(), limit=1)[0]
    with atomic():
        Transaction.objects.select_for_update().get(pk=first.pk)
        ours = at_once(lambda: sweep_all("other"))[0]
    assert ours == [pk for pk in Transaction.objects.values_list("pk", flat=True) if pk != first.pk]


@pytest.mark.parametrize("round_", ROUNDS)
def test_the_cashier_and_the_sweep_never_both_have_what_never_left(cast: Cast, round_: int) -> None:
    row = make_due(record(opened(cast), Verdict.NOT_SENT))
    at_once(
        lambda: entries.claim(
            Transaction.objects.get(pk=row.pk), sender="sweep", now=timezone.now(), lease=LEASE
        ),
        lambda: entries.send_again(
            Transaction.objects.get(pk=row.pk),
            actor=cast.actor,
            sender="web",
            now=timezone.now(),
            lease=LEASE,
        ),
    )
    settled = Transaction.objects.get(pk=row.pk)
    assert (settled.state, settled.attempts.count()) in {(State.NOT_SENT, 1), (State.ARMED, 2)}


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_late_answer_against_the_sweeps_guess_is_settled_once(cast: Cast, round_: int) -> None:
    mine = opened(cast)
    theirs = make_due(mine)
    assert entries.claim(theirs, sender="sweep", now=timezone.now(), lease=LEASE)
    results = at_once(
        lambda: record(mine, Verdict.APPROVED),
        lambda: entries.record(theirs, finding(Verdict.UNKNOWN), now=timezone.now()),
    )
    assert not [one for one in results if isinstance(one, Exception)], results
    settled = Transaction.objects.get(pk=mine.pk)
    assert (settled.state, settled.needs_person) == (State.APPROVED, "")
    assert settled.due_at is None


def test_a_managers_reversal_against_an_unwanted_approvals_own_is_one(cast: Cast) -> None:
    redemption = approved(cast)

    def press() -> object:
        intent = replace(reversal_of(redemption, timezone.now()), client_ref="pressed")
        return entries.open_transaction(
            intent, actor=cast.manager_actor, sender="web", now=timezone.now(), lease=LEASE
        )

    results = at_once(press, lambda: cancel(cast, redemption))
    failed = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, entries.Refused) for one in failed), results
    assert redemption.reversals.filter(state__in=LIVE_REVERSAL).count() == 1
