"""Store credit or a gift card for miles that cannot come back: when, once, and never twice."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import ReversalOrder
from amcash.rules import Reason
from backoffice.audit.models import AuditEntry
from backoffice.journal.choices import Credit
from backoffice.journal.models import Transaction
from backoffice.journal.states import State
from backoffice.wire import Reply, Silence
from tests.amcash.stories import events, redeem, reverse
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, approved, code, not_sent, reversed_, silence

pytestmark = pytest.mark.django_db


def redeemed(cast: Cast, scripted: ScriptedPlatform) -> Transaction:
    scripted.will(approved())
    return redeem(cast)


def give(
    cast: Cast,
    redemption: Transaction,
    kind: Credit = Credit.STORE_CREDIT,
    *,
    now: datetime | None = None,
) -> services.Outcome:
    moment = now or timezone.now()
    return services.give_credit(redemption, kind, actor=cast.actor, now=moment)


def too_late(redemption: Transaction) -> datetime:
    return redemption.deadline_at - timedelta(minutes=2)


def test_after_the_last_moment_credit_is_recorded_once_with_its_amount(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    redemption = redeemed(cast, scripted)
    now = too_late(redemption)
    assert not services.owes_credit(redemption, now=now - timedelta(seconds=1))
    assert services.owes_credit(redemption, now=now)
    first = give(cast, redemption, Credit.GIFT_CARD, now=now)
    second = give(cast, redemption, Credit.STORE_CREDIT, now=now)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.transaction.credit_given == Credit.GIFT_CARD
    assert second.transaction.credit_given_at == now
    assert events(redemption).count("redemption.credit_given") == 1
    entry = AuditEntry.objects.get(event="redemption.credit_given")
    assert (entry.actor, entry.channel) == ("cashier", "console")
    assert (entry.details["kind"], entry.details["amount_cents"]) == ("gift_card", 4000)
    assert not services.owes_credit(second.transaction, now=now)


def test_a_reversal_that_the_programme_calls_too_late_owes_credit_at_once(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    redemption = redeemed(cast, scripted)
    scripted.will(code("0080", 409))
    assert reverse(cast, redemption).state == State.EXPIRED
    assert give(cast, redemption).is_new


def test_a_reversal_that_we_did_not_send_in_time_owes_credit(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    redemption = redeemed(cast, scripted)
    scripted.will(not_sent())
    reversal = reverse(cast, redemption)
    assert reversal.state == State.QUEUED
    assert not services.owes_credit(redemption, now=too_late(redemption))
    Transaction.objects.filter(pk=reversal.pk).update(
        state="expired", due_at=None, needs_person="late_by_us"
    )
    assert give(cast, redemption).is_new


@pytest.mark.parametrize("answer", [code("0080", 409), code("0057", 400), code("0035", 400)])
def test_no_credit_while_the_first_reversal_may_have_worked(
    cast: Cast, scripted: ScriptedPlatform, answer: Reply
) -> None:
    redemption = redeemed(cast, scripted)
    scripted.will(silence(), answer)
    assert reverse(cast, redemption).needs_person
    for now in (timezone.now(), redemption.deadline_at + timedelta(days=1)):
        assert not services.owes_credit(redemption, now=now)
        with pytest.raises(services.Refused) as refused:
            give(cast, redemption, now=now)
        assert refused.value.reason is Reason.CREDIT_NOT_OWED
    redemption.refresh_from_db()
    assert redemption.credit_given == ""


@pytest.mark.parametrize("answer", [silence(), reversed_(), not_sent()])
def test_no_credit_beside_a_reversal_that_lives(
    cast: Cast, scripted: ScriptedPlatform, answer: Reply | Silence
) -> None:
    redemption = redeemed(cast, scripted)
    scripted.will(answer)
    reverse(cast, redemption)
    redemption.refresh_from_db()
    assert not services.owes_credit(redemption, now=redemption.deadline_at)


@pytest.mark.parametrize("answer", [silence(), code("0051", 202), not_sent()])
def test_no_credit_for_what_was_never_granted(
    cast: Cast, scripted: ScriptedPlatform, answer: Reply | Silence
) -> None:
    scripted.will(answer)
    row = redeem(cast)
    assert not services.owes_credit(row, now=row.deadline_at)


def test_after_credit_nothing_gives_the_miles_back_as_well(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    redemption = redeemed(cast, scripted)
    scripted.will(code("0080", 409))
    reverse(cast, redemption)
    stale = Transaction.objects.get(pk=redemption.pk)
    credited = give(cast, redemption).transaction
    scripted.will(reversed_())
    for row in (credited, stale):
        wanted = ReversalOrder(
            client_ref=f"late {id(row)}", redemption=row.reference, language="en"
        )
        with pytest.raises(services.Refused) as refused:
            services.reverse(wanted, row, actor=cast.actor, now=timezone.now())
        assert refused.value.reason is Reason.CREDIT_GIVEN
    # The customer paid another way after all: what was given stands.
    services.cancel(stale, actor=cast.actor, now=timezone.now())
    assert redemption.reversals.count() == 1
    assert len(scripted.sent) == 2
