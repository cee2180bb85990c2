"""A reversal gives the whole redemption back, once, in time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import ReversalOrder
from amcash.rules import Reason
from backoffice.journal import programme
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.states import State
from backoffice.wire import Reply, Silence
from tests.amcash.stories import redeem, reverse
from tests.cast import COLLECTOR, Cast
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


def test_a_reversal_gives_the_whole_redemption_back_once(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(reversed_())
    reversal = reverse(cast, redemption)
    redemption.refresh_from_db()
    assert reversal.state == State.APPROVED
    assert redemption.reversed_at is not None
    assert reversal.deadline_at == redemption.deadline_at
    sent = scripted.sent[-1].fields
    assert sent["redemptionConfirmationNumber"] == CONFIRMATION
    assert sent["collectorNumber"] == COLLECTOR and sent["cardEntryMode"] == "SCAN"
    with pytest.raises(services.Refused) as refused:
        reverse(cast, redemption)
    assert refused.value.reason is Reason.ALREADY_REVERSED


@pytest.mark.parametrize("response_code", ["0080", "0057"])
def test_a_late_refusal_after_a_doubt_is_for_a_person_and_offers_no_credit(
    cast: Cast, scripted: ScriptedPlatform, response_code: str
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(silence(), code(response_code, 409))
    reversal = reverse(cast, redemption)
    assert (reversal.state, reversal.needs_person) == (State.MANUAL, "reversal_unclear")


def test_0080_without_a_doubt_is_expired(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(code("0080", 409))
    assert reverse(cast, redemption).state == State.EXPIRED


@pytest.mark.parametrize("put_off", [code("0092", 503), not_sent()])
def test_a_queued_reversal_that_is_refused_later_goes_to_a_person(
    cast: Cast, scripted: ScriptedPlatform, put_off: Reply | Silence
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(put_off)
    assert reverse(cast, redemption).state == State.QUEUED
    ProgrammeState.objects.all().delete()
    programme.forget()
    Transaction.objects.filter(state=State.QUEUED).update(due_at=timezone.now())
    scripted.will(code("0035", 400))
    assert services.settle_due(sender="sweep") == 1
    reversal = redemption.reversals.get()
    # Whoever stood at the till was told that the miles come back by themselves.
    assert (reversal.state, reversal.needs_person) == (State.DECLINED, "reversal_refused")


def test_a_reversal_that_is_refused_at_the_second_try_of_its_press_is_the_tills(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(not_sent(), code("0035", 400))
    reversal = reverse(cast, redemption)
    assert (reversal.state, reversal.needs_person) == (State.DECLINED, "")


def test_a_refused_reversal_may_be_tried_again(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(code("0035", 400))
    assert reverse(cast, redemption).state == State.DECLINED
    scripted.will(reversed_())
    assert reverse(cast, redemption).state == State.APPROVED


def test_a_reversal_is_refused_two_minutes_before_its_deadline(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    wanted = ReversalOrder(client_ref="late", redemption=redemption.reference, language="en")
    late = redemption.deadline_at - timedelta(minutes=2)
    with pytest.raises(services.Refused) as refused:
        services.reverse(wanted, redemption, actor=cast.actor, now=late)
    assert refused.value.reason is Reason.TOO_LATE
    assert refused.value.deadline_at == redemption.deadline_at
    scripted.will(reversed_())
    in_time = late - timedelta(seconds=1)
    services.reverse(wanted, redemption, actor=cast.actor, now=in_time)
