"""An open breaker is probed with ECHO, by a sweep or at last by a till; a good one closes it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from amcash import services, tasks
from amcash.rules import Reason
from amcash.services import InquiryKind
from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal import programme
from backoffice.journal.models import Transaction
from backoffice.journal.states import Product, State
from tests.amcash.outages import (
    ECHO,
    GOOD,
    card,
    is_open,
    long_ago,
    open_it,
    refusal_of_a_redemption,
)
from tests.amcash.stories import inquire, order, redeem
from tests.cast import Cast
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    approved,
    silence,
)

pytestmark = pytest.mark.django_db


def sweep_by_worker() -> None:
    tasks.settle_due()


def sweep_by_command() -> None:
    call_command("settle")


@pytest.mark.parametrize("sweep", [sweep_by_worker, sweep_by_command])
def test_a_good_echo_closes_it_and_every_doubt_is_asked_at_once(
    cast: Cast, scripted: ScriptedPlatform, sweep: object
) -> None:
    # The regular pulse of `settle` is not due, so that the probe alone is seen.
    programme.heard(is_up=True, answer_ms=5, response_code="0000", now=timezone.now())
    scripted.will(silence())
    # The one whose deadline is nearer is asked first.
    wanted, tomorrow = order(card=card(1)), timezone.now() + timedelta(days=1)
    first = services.redeem(wanted, actor=cast.actor, now=tomorrow).transaction
    second = redeem(cast, card=card(2))
    Transaction.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    programme.outage(Product.CASH, timezone.now())
    scripted.sent.clear()
    scripted.will(GOOD, approved(), approved(txnConfirmationNumber="OTHER"))
    sweep()  # type: ignore[operator]
    assert not is_open()
    asked = [sent.idempotency_key for sent in scripted.sent]
    assert asked == [None, str(second.idempotency_key), str(first.idempotency_key)]
    states = set(Transaction.objects.values_list("state", flat=True))
    assert states == {State.APPROVED}
    assert AuditEntry.objects.filter(event="breaker.closed").count() == 1


def test_a_bad_echo_keeps_it_open_and_the_next_one_waits_five_seconds(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    programme.outage(Product.CASH, timezone.now())
    scripted.will(silence())
    for _round in range(3):
        tasks.settle_due()
    assert [sent.path for sent in scripted.sent] == [ECHO]
    assert is_open()
    probe_at = programme.standing(Product.CASH).probe_at
    assert probe_at is not None
    assert timedelta(0) < probe_at - timezone.now() <= timedelta(seconds=5)
    long_ago(0)
    tasks.settle_due()
    assert len(scripted.sent) == 2


def test_only_one_sweep_is_told_to_probe(cast: Cast) -> None:
    now = timezone.now()
    programme.outage(Product.CASH, now)
    assert [programme.take_probe(Product.CASH, now) for _sweep in range(3)] == [True, False, False]


def test_an_answer_to_a_till_does_not_close_it(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(silence())
    row = redeem(cast)

    def opens_meanwhile(_sent: object) -> object:
        programme.outage(Product.CASH, timezone.now())
        return approved()

    Transaction.objects.update(due_at=timezone.now())
    scripted.will(opens_meanwhile)  # type: ignore[arg-type]
    assert services.settle_due(sender="test") == 1
    row.refresh_from_db()
    assert row.state == State.APPROVED and is_open()


def test_a_till_opens_itself_when_no_sweep_has_probed_for_long(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    open_it()
    scripted.will(GOOD, approved())
    long_ago(14)
    assert refusal_of_a_redemption(cast) is Reason.PROGRAMME_DOWN
    assert not scripted.sent
    long_ago(15)
    row = redeem(cast)
    assert (row.state, row.confirmation_number) == (State.APPROVED, CONFIRMATION)
    assert [sent.path for sent in scripted.sent] == [ECHO, row.path]
    assert not is_open()


def test_a_tills_own_probe_in_vain_is_the_only_one_for_a_while(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    open_it()
    long_ago(60)
    scripted.will(silence())
    assert inquire(cast).kind is InquiryKind.UNAVAILABLE
    assert refusal_of_a_redemption(cast) is Reason.PROGRAMME_DOWN
    assert [sent.path for sent in scripted.sent] == [ECHO]


def test_it_closes_even_when_every_till_was_closed_since(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    programme.outage(Product.CASH, timezone.now())
    Device.objects.update(is_active=False)
    scripted.will(GOOD)
    tasks.settle_due()
    assert not is_open()


def test_a_probe_is_never_a_transaction(cast: Cast, scripted: ScriptedPlatform) -> None:
    programme.outage(Product.CASH, timezone.now())
    scripted.will(GOOD)
    tasks.settle_due()
    assert not Transaction.objects.exists() and scripted.sent[0].idempotency_key is None


def test_a_closed_breaker_is_read_once_for_many_sales(
    cast: Cast, scripted: ScriptedPlatform, django_assert_num_queries: object
) -> None:
    programme.standing(Product.CASH)
    with django_assert_num_queries(0):  # type: ignore[operator]
        for _sale in range(10):
            programme.standing(Product.CASH)
            programme.answered(Product.CASH)
