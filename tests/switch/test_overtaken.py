"""What a till is told when another request of its own is a step ahead (PRODUCT 2)."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from amcash import services
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from tests import scripted as platform
from tests.scripted import CONFIRMATION, ScriptedPlatform
from tests.switch.till import REDEEM, REVERSE, Heard, Till, redemption, reversal

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_request_twice_at_once_is_not_told_that_nothing_was_sent(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(platform.not_sent())
    assert till.post(REDEEM, redemption()).code == "0092"
    scripted.will(platform.approved())
    send_again = services.send_again

    def overtaken(row: Transaction, **named: Any) -> services.Outcome:
        # The same request, pressed beside this one, is a step ahead of it.
        send_again(Transaction.objects.get(pk=row.pk), **named)
        return send_again(row, **named)

    monkeypatch.setattr(services, "send_again", overtaken)
    assert till.post(REDEEM, redemption()).code == "0000"
    assert len(scripted.sent) == 3


def test_a_right_to_send_again_counts_from_when_it_is_given(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeem, begun = services.redeem, list[datetime]()

    def slow(*arguments: Any, **named: Any) -> services.Outcome:
        outcome = redeem(*arguments, **named)
        # It waited for the database, where the first press has just ended.
        begun.append(timezone.now())
        return outcome

    monkeypatch.setattr(services, "redeem", slow)
    scripted.will(platform.not_sent())
    till.post(REDEEM, redemption())
    scripted.will(platform.approved())
    row = till.post(REDEEM, redemption()).row
    assert row.attempts.order_by("fence").reverse()[0].armed_at >= begun[1]


def test_what_is_given_back_in_this_moment_is_not_told_as_approved(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(platform.approved())
    present = services.present

    def overtaken(row: Transaction, **named: Any) -> services.Outcome:
        services.cancel(row, **named)
        return present(row, **named)

    monkeypatch.setattr(services, "present", overtaken)
    assert till.post(REDEEM, redemption()).code == "0092"
    assert Transaction.objects.get(operation=Operation.REVERSE).state == State.QUEUED


def test_a_void_beside_another_reversal_is_told_how_that_one_goes(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(platform.approved())
    till.post(REDEEM, redemption())
    scripted.will(platform.silence())
    reverse, begun = services.reverse, list[Heard]()

    def overtaken(*arguments: Any, **named: Any) -> services.Outcome:
        monkeypatch.setattr(services, "reverse", reverse)
        begun.append(till.post(REVERSE, reversal(CONFIRMATION, traceId="000012345999")))
        return reverse(*arguments, **named)

    monkeypatch.setattr(services, "reverse", overtaken)
    heard = till.post(REVERSE, reversal(originalTraceId="000012345678"))
    assert (heard.code, heard.row) == ("0008", begun[0].row)
