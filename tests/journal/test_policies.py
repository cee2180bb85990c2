"""Giving back by itself what no till has shown: where the store wants it, never beside a till."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from amcash.sweep import until_done
from backoffice.audit.models import AuditEntry
from backoffice.journal import entries
from backoffice.journal.entries.policies import unshown
from backoffice.journal.models import Transaction
from backoffice.journal.states import State, Wanted
from backoffice.people.actors import Actor, Channel
from backoffice.stores.models import Store
from tests.amcash.stories import redeem
from tests.cast import Cast
from tests.journal.rows import approved, cancel, reversal_of
from tests.journal.test_races import at_once
from tests.scripted import ScriptedPlatform
from tests.scripted import approved as approval

pytestmark = pytest.mark.django_db

MARGIN = timedelta(minutes=2)
KEPT = timedelta(minutes=5)


def switch_on(cast: Cast) -> None:
    Store.objects.filter(pk=cast.north.pk).update(gives_back_unshown=True)


def sweep(now: datetime, limit: int = 20) -> int:
    return entries.give_back_unshown(
        make_reversal=reversal_of, margin=MARGIN, sender="sweep", now=now, limit=limit
    )


def waited(row: Transaction) -> datetime:
    """The moment at which it has waited long enough."""
    assert row.settled_at is not None
    return row.settled_at + KEPT


def test_it_is_off_by_default_and_asks_next_to_nothing(cast: Cast) -> None:
    row = approved(cast)
    with CaptureQueriesContext(connection) as asked:
        assert sweep(waited(row)) == 0
    assert len(asked) == 1


def test_after_five_minutes_it_is_given_back_in_one_commit_that_says_why(cast: Cast) -> None:
    switch_on(cast)
    row = approved(cast)
    assert sweep(waited(row) - timedelta(seconds=1)) == 0
    assert sweep(waited(row)) == 1
    row.refresh_from_db()
    assert (row.state, row.wanted) == (State.APPROVED, Wanted.CANCEL)
    assert row.reversals.get().state == State.QUEUED
    entry = AuditEntry.objects.get(event="redemption.given_back_unshown")
    assert (entry.actor, entry.channel, entry.details["why"]) == ("sweep", "settle", "store_policy")
    assert sweep(waited(row)) == 0
    # The till that comes back now must not show a discount.
    shown = entries.present(row, actor=cast.actor, now=timezone.now())
    assert (shown.state, shown.presented_at) == (State.APPROVED, None)


def by_the_switch(cast: Cast) -> Transaction:
    actor = Actor(user=None, device=cast.till, channel=Channel.SWITCH)
    return approved(cast, actor=actor)


def shown(cast: Cast) -> Transaction:
    return entries.present(approved(cast), actor=cast.actor, now=timezone.now())


def unwanted(cast: Cast) -> Transaction:
    return cancel(cast, approved(cast))


def for_two_people(cast: Cast) -> Transaction:
    row = approved(cast)
    Transaction.objects.filter(pk=row.pk).update(needs_person="conflict")
    return entries.reread(row)


def of_another_store(cast: Cast) -> Transaction:
    return approved(cast, actor=Actor(user=cast.south_manager, device=cast.south_till))


def credited(cast: Cast) -> Transaction:
    row = approved(cast)
    Transaction.objects.filter(pk=row.pk).update(
        credit_given="gift_card", credit_given_at=timezone.now()
    )
    return entries.reread(row)


@pytest.mark.parametrize(
    "make", [by_the_switch, shown, unwanted, for_two_people, of_another_store, credited]
)
def test_what_is_somebody_elses_is_left_alone(
    cast: Cast, make: Callable[[Cast], Transaction]
) -> None:
    switch_on(cast)
    row = make(cast)
    assert sweep(waited(row)) == 0
    assert sweep(row.deadline_at - timedelta(hours=1)) == 0


def test_it_ends_two_minutes_before_the_deadline(cast: Cast) -> None:
    switch_on(cast)
    row = approved(cast)
    assert sweep(row.deadline_at - MARGIN) == 0
    assert sweep(row.deadline_at) == 0
    assert sweep(row.deadline_at - MARGIN - timedelta(seconds=1)) == 1


def test_a_batch_is_bounded_and_takes_the_longest_waiting_first(cast: Cast) -> None:
    switch_on(cast)
    first, second, third = [approved(cast, card_number=f"8000001111{n}") for n in range(3)]
    assert sweep(waited(third), limit=2) == 2
    left = Transaction.objects.get(wanted=Wanted.KEEP, operation="redeem")
    assert left == third and first.reversals.exists() and second.reversals.exists()


def test_the_sweep_of_a_product_does_it(cast: Cast, scripted: ScriptedPlatform) -> None:
    switch_on(cast)
    scripted.will(approval())
    row = redeem(cast)
    Transaction.objects.filter(pk=row.pk).update(settled_at=timezone.now() - KEPT)
    until_done(sender="sweep")
    assert row.reversals.get().sale_ref == row.sale_ref


def test_what_it_reads_is_what_waits_and_not_what_is_settled(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by the table's contents; this is SQLite's plan.")
    plan = unshown(settled_by=timezone.now()).order_by("settled_at").explain()
    assert "transaction_unshown" in plan and "SCAN" not in plan


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_of_the_policy_and_the_tills_own_word_one_wins(cast: Cast, round_: int) -> None:
    switch_on(cast)
    row = approved(cast)
    now = waited(row)
    given, _shown = at_once(
        partial(sweep, now), partial(entries.present, row, actor=cast.actor, now=now)
    )
    row.refresh_from_db()
    assert bool(given) is row.reversals.exists() is (row.presented_at is None)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_give_it_back_once(cast: Cast) -> None:
    switch_on(cast)
    row = approved(cast)
    assert sorted(at_once(*[partial(sweep, waited(row))] * 2)) == [0, 1]  # type: ignore[type-var]
    assert row.reversals.count() == 1
