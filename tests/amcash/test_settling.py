"""What was left open is settled: a crash between the commits, the sweep, keep or cancel."""

from datetime import timedelta

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode
from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.journal.states import Shown, State, Wanted
from backoffice.vault import VaultError
from tests.amcash.stories import Killed, redeem
from tests.cast import Cast
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    approved,
    code,
    not_sent,
    reversed_,
    silence,
)

pytestmark = pytest.mark.django_db


def test_a_crash_between_the_commits_leaves_a_doubt_that_the_sweep_settles(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    def dies(_sent: object) -> object:
        raise Killed

    scripted.will(dies)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        redeem(cast)
    row = Transaction.objects.get()
    now = timezone.now()
    assert row.state == State.ARMED
    assert row.shown(now) is Shown.WAITING
    assert row.shown(now + timedelta(seconds=31)) is Shown.DOUBT
    assert services.settle_due(sender="test") == 0  # The lease still runs.

    Transaction.objects.update(due_at=now)
    scripted.will(approved())
    assert services.settle_due(sender="test") == 1
    row.refresh_from_db()
    assert row.state == State.APPROVED
    first, second = scripted.sent
    assert first == second
    assert [attempt.result for attempt in row.attempts.all()] == ["", "answered"]


def test_a_row_whose_bytes_cannot_be_read_does_not_hold_up_the_others(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(silence(), silence(), silence(), silence())
    lost = redeem(cast)
    other = redeem(cast, card=Card(number="80000010007", entry_mode=EntryMode.SCAN))
    Transaction.objects.filter(pk=lost.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    Transaction.objects.filter(pk=other.pk).update(due_at=timezone.now())
    body_of = payloads.body_of

    def without_the_key(row: Transaction) -> bytes:
        if row.pk == lost.pk:
            raise VaultError("This was sealed with a key that is not on the ring.")
        return body_of(row)

    monkeypatch.setattr(payloads, "body_of", without_the_key)
    scripted.will(approved())
    assert services.settle_due(sender="test") == 1
    lost.refresh_from_db()
    other.refresh_from_db()
    assert (lost.state, other.state) == (State.ARMED, State.APPROVED)
    assert lost.due_at is not None and lost.due_at > timezone.now()


def test_a_decline_after_a_crash_is_after_a_doubt(cast: Cast, scripted: ScriptedPlatform) -> None:
    def dies(_sent: object) -> object:
        raise Killed

    scripted.will(dies)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(code("0051", 202))
    services.settle_due(sender="test")
    assert Transaction.objects.get().after_doubt


def test_a_doubt_is_asked_again_until_it_is_answered(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    services.settle_due(sender="test")
    row.refresh_from_db()
    assert row.state == State.DOUBT and row.due_at is not None
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    services.settle_due(sender="test")
    row.refresh_from_db()
    assert row.state == State.APPROVED
    assert len({sent.body for sent in scripted.sent}) == 1
    assert len({sent.idempotency_key for sent in scripted.sent}) == 1


def test_a_redemption_that_never_left_is_never_sent_by_the_sweep(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    row = redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    sends = len(scripted.sent)
    assert services.settle_due(sender="test") == 1  # Closed, not sent.
    row.refresh_from_db()
    assert row.state == State.NOT_SENT
    assert len(scripted.sent) == sends


def test_the_cashier_may_send_what_never_left_again_with_the_same_key(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    row = redeem(cast)
    scripted.will(approved())
    row = services.send_again(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.APPROVED
    assert len({(sent.body, sent.idempotency_key) for sent in scripted.sent}) == 1


def test_paying_otherwise_closes_what_never_left(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(not_sent())
    row = redeem(cast, sale_ref="one-sale")
    row = services.pay_otherwise(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.NOT_SENT
    with pytest.raises(services.Refused):
        services.send_again(row, actor=cast.actor, now=timezone.now())
    scripted.will(approved())
    assert redeem(cast, sale_ref="one-sale").state == State.APPROVED


def test_a_cancelled_doubt_is_given_back_in_the_commit_that_learns_it_was_approved(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    row = services.cancel(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.shown(timezone.now()) is Shown.CANCELLING
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    services.settle_due(sender="test")
    reversal = Transaction.objects.get(reverses=row)
    assert reversal.state == State.QUEUED and reversal.due_at is not None
    scripted.will(reversed_())
    services.settle_due(sender="test")
    reversal.refresh_from_db()
    row.refresh_from_db()
    assert reversal.state == State.APPROVED
    assert row.reversed_at is not None
    assert scripted.sent[-1].fields["redemptionConfirmationNumber"] == CONFIRMATION


def test_a_cancelled_doubt_that_was_declined_is_not_reversed(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = services.cancel(redeem(cast), actor=cast.actor, now=timezone.now()).transaction
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(code("0025", 401))
    services.settle_due(sender="test")
    row.refresh_from_db()
    assert row.state == State.DECLINED and not row.reversals.exists()


def test_an_approval_that_was_shown_is_not_cancelled(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    row = services.present(redeem(cast), actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.DONE and row.presented_at is not None
    row = services.cancel(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.wanted == Wanted.KEEP and not row.reversals.exists()
