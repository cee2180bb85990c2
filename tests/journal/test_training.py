"""What was practised is in the log and nowhere else: in no total, list or alarm, at no breaker."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from amcash import services as cash
from amcash.orders import RedemptionOrder
from backoffice.exports import transactions
from backoffice.journal import (
    deadlines,
    entries,
    figures,
    health,
    line,
    programme,
    selectors,
    worklists,
)
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import EVERY_STORE, LogFilters
from backoffice.journal.states import Operation, Product, State
from backoffice.people.actors import Actor
from backoffice.wire import Reply, Silence
from issuance import services as issuance
from tests.amcash.stories import order as redemption_order
from tests.cast import Cast
from tests.issuance import stories
from tests.journal.rows import LEASE, opened
from tests.office import factories
from tests.scripted import ScriptedPlatform, Sent, approved, not_sent, silence

pytestmark = pytest.mark.django_db


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> ScriptedPlatform:
    """The training sandbox as this test scripts it."""
    sandbox = ScriptedPlatform()
    monkeypatch.setattr(line, "training", lambda: sandbox)
    return sandbox


def trainee(cast: Cast) -> Actor:
    return replace(cast.actor, is_training=True)


def practise(cast: Cast, **changes: Any) -> Transaction:
    wanted: RedemptionOrder = redemption_order(**changes)
    return cash.redeem(wanted, actor=trainee(cast), now=timezone.now()).transaction


def make_due(row: Transaction, *, minutes: int = 5) -> None:
    long_ago = timezone.now() - timedelta(minutes=minutes)
    Transaction.objects.filter(pk=row.pk).update(due_at=long_ago)


def test_no_reader_meets_it_who_does_not_ask_for_it(cast: Cast) -> None:
    real = factories.redemption(cast.till, confirmation_number="REAL00000001")
    ours = factories.redemption(
        cast.till, is_training=True, confirmation_number="TRAIN0000001", needs_person="conflict"
    )
    for user in (cast.cashier, cast.manager, cast.administrator, cast.auditor):
        assert list(selectors.visible(user)) == [real]
        assert list(selectors.visible(user, is_training=True)) == [ours]
        assert set(selectors.visible(user, is_training=None)) == {real, ours}
        assert [row.pk for row in selectors.log_page(user, LogFilters()).rows] == [real.pk]
        asked = LogFilters(is_training=True)
        assert [row.pk for row in selectors.log_page(user, asked).rows] == [ours.pk]
        assert selectors.latest(user, store=cast.north) == [real]
        assert worklists.waiting_for_a_person(user, limit=9) == []
        for number in ("REAL00000001", "TRAIN0000001"):
            found = selectors.find_redemption(
                user, store=cast.north, confirmation_number=number, is_training=True
            )
            assert (found == ours) is number.startswith("TRAIN")


@pytest.mark.parametrize("of", [LogFilters(), LogFilters(states=("done",)), LogFilters(store_id=1)])
def test_no_export_has_it(cast: Cast, of: LogFilters) -> None:
    factories.redemption(cast.till, is_training=True)
    assert list(selectors.log_rows(EVERY_STORE, of, ["reference"])) == []
    assert not selectors.log_query(EVERY_STORE, of).exists()


def test_an_export_of_training_is_refused(cast: Cast) -> None:
    with pytest.raises(ValueError, match="never exported"):
        transactions.begin(
            scope=EVERY_STORE,
            filters=LogFilters(is_training=True),
            zone=cast.north.tzinfo,
            actor="administrator",
            channel="office",
            now=timezone.now(),
        )


def test_nobody_is_told_that_it_waits(cast: Cast) -> None:
    now = timezone.now()
    old = now - timedelta(days=2)
    redeemed = factories.redemption(cast.till, is_training=True, at=old, presented_at=None)
    factories.redemption(cast.till, is_training=True, at=now, presented_at=None, state="approved")
    factories.redemption(
        cast.till,
        is_training=True,
        operation="reverse",
        reverses=redeemed,
        state="doubt",
        due_at=now + timedelta(hours=1),
        opened_at=now,
        deadline_at=now + timedelta(minutes=20),
        settled_at=None,
    )
    factories.redemption(
        cast.till,
        is_training=True,
        operation="issue",
        state="pending",
        due_at=old,
        opened_at=old,
        settled_at=None,
    )
    factories.redemption(
        cast.till,
        is_training=True,
        state="expired",
        needs_person="late_by_us",
        opened_at=now,
        settled_at=now,
    )
    later = now + timedelta(hours=1)
    assert entries.warn_of_deadlines(sender="sweep", now=now) == 0
    assert entries.warn_of_waiting(sender="sweep", now=now) == 0
    assert deadlines.near(cast.administrator, now=now, limit=9) == []
    assert worklists.overdue(cast.administrator, opened_before=later, limit=9) == []
    assert worklists.not_presented(cast.administrator, opened_before=later, limit=9) == []
    for group in worklists.issuances(cast.administrator, opened_before=later, limit=9):
        assert group.count == 0, group
    seen = health.examine(now=now)
    named = (seen.due_too_long, seen.past_their_time, seen.not_presented)
    for tally in (*named, seen.missed_deadlines, seen.waiting_long, *seen.states.values()):
        assert tally.count == 0
    assert seen.with_a_person == {}
    assert figures.totals(figures.today(cast.administrator, now=now)).redemptions == 0


def test_what_no_till_has_shown_is_not_given_back_by_itself(
    cast: Cast, trainer: ScriptedPlatform
) -> None:
    cast.north.gives_back_unshown = True
    cast.north.save()
    trainer.will(approved())
    row = practise(cast)
    Transaction.objects.filter(pk=row.pk).update(settled_at=timezone.now() - timedelta(hours=1))
    cash.look_after(sender="sweep")
    assert not Transaction.objects.filter(operation="reverse").exists()


def test_the_sweep_asks_the_training_sandbox_and_customers_come_first(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    trainer.will(silence())
    practised = practise(cast)
    scripted.will(silence())
    wanted = redemption_order(card=stories.card(7))
    real = cash.redeem(wanted, actor=cast.actor, now=timezone.now()).transaction
    # The practised one has been due for longer, and its deadline is no later.
    make_due(practised)
    make_due(real, minutes=1)
    assert practised.deadline_at <= real.deadline_at
    asked: list[str] = []

    def answering(name: str) -> Callable[[Sent], Reply | Silence]:
        def answer(_sent: Sent) -> Reply | Silence:
            asked.append(name)
            return approved()

        return answer

    scripted.will(answering("the programme"))
    trainer.will(answering("the training sandbox"))
    assert cash.settle_due(sender="sweep") == 2
    assert asked == ["the programme", "the training sandbox"]


@pytest.mark.parametrize("is_training", [False, True])
def test_a_reversal_that_nobody_presses_for_is_of_the_same_kind(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform, is_training: bool
) -> None:
    actor = replace(cast.actor, is_training=is_training)
    asked = trainer if is_training else scripted
    asked.will(silence())
    row = cash.redeem(redemption_order(), actor=actor, now=timezone.now()).transaction
    cash.cancel(row, actor=actor, now=timezone.now())
    make_due(row)
    asked.will(approved())
    cash.settle_due(sender="sweep")
    reversal = Transaction.objects.get(operation="reverse")
    assert reversal.is_training is is_training
    assert reversal.collector_mac == row.collector_mac


def test_who_practises_touches_nothing_real(cast: Cast) -> None:
    real = opened(cast)
    with pytest.raises(AssertionError):
        opened(cast, actor=trainee(cast), operation=Operation.REVERSE, reverses=real)


def test_an_open_breaker_is_no_matter_of_training_and_training_closes_none(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    for product in Product:
        programme.outage(product, timezone.now())
    trainer.will(approved())
    assert practise(cast).state == State.APPROVED
    trainer.will(stories.pending())
    given = issuance.give(stories.order(), actor=trainee(cast), now=timezone.now()).transaction
    assert given.state == State.PENDING and given.is_training
    make_due(given)
    trainer.will(stories.confirmed())
    issuance.settle_due(sender="sweep")
    given.refresh_from_db()
    assert given.state == State.CONFIRMED
    programme.forget()
    assert all(programme.standing(product).is_open for product in Product)
    assert scripted.sent == []


def test_it_is_never_what_probes_a_breaker(
    cast: Cast, scripted: ScriptedPlatform, trainer: ScriptedPlatform
) -> None:
    trainer.will(stories.pending())
    given = issuance.give(stories.order(), actor=trainee(cast), now=timezone.now()).transaction
    make_due(given)
    taken = entries.claim_next(
        issuance.OPERATIONS,
        sender="sweep",
        now=timezone.now(),
        lease=LEASE,
        due_by=timezone.now(),
        is_probe=True,
    )
    assert taken is None


def test_silences_in_training_are_not_the_programmes(cast: Cast, trainer: ScriptedPlatform) -> None:
    for number in range(8):
        trainer.will(silence())
        practise(cast, card=stories.card(number))
        trainer.will(not_sent())
        issuance.give(
            stories.order(card=stories.card(20 + number)),
            actor=trainee(cast),
            now=timezone.now(),
        )
    programme.forget()
    assert not any(programme.standing(product).is_open for product in Product)


def test_without_a_training_sandbox_nothing_leaves_and_nothing_is_lost(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    line.training.cache_clear()
    row = practise(cast)
    assert row.state == State.QUEUED and scripted.sent == []
    line.training.cache_clear()
