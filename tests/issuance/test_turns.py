"""However many miles are due, a redemption's doubt is asked in its turn."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from amcash import pulse
from backoffice.journal import safety, sweeping
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from backoffice.wire import Reply, Silence
from issuance import sweep
from tests.amcash.stories import redeem
from tests.cast import Cast
from tests.issuance import stories
from tests.scripted import ScriptedPlatform, Sent, approved, silence

pytestmark = pytest.mark.django_db
_MILES = 3 * sweeping.ROWS


@pytest.fixture(autouse=True)
def _a_turn_is_short_and_nobody_feels_the_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_TURN_S", 0)
    monkeypatch.setattr(pulse, "take", lambda: True)


def test_a_redemption_does_not_wait_for_all_the_miles_that_are_due(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(silence())
    doubt = redeem(cast)
    later = timezone.now() + timedelta(hours=1)
    Transaction.objects.filter(pk=doubt.pk).update(due_at=later)
    with monkeypatch.context() as unsafe:
        unsafe.setattr(safety, "refusal", lambda: "Not now.")
        for number in range(_MILES):
            stories.give(cast, card=stories.card(number))
    before = len(scripted.sent)
    order: list[Operation] = []
    confirmed = stories.confirmed()
    assert callable(confirmed)

    def answer(sent: Sent) -> Reply | Silence:
        if sent.idempotency_key == str(doubt.idempotency_key):
            order.append(Operation.REDEEM)
            return approved()
        order.append(Operation.ISSUE)
        # It falls due while miles are being given.
        Transaction.objects.filter(pk=doubt.pk, state=State.DOUBT).update(due_at=timezone.now())
        return confirmed(sent)

    scripted.will(answer)
    call_command("settle")
    assert len(scripted.sent) - before == len(order) == _MILES + 1
    assert order.index(Operation.REDEEM) == sweeping.ROWS
    assert not Transaction.objects.filter(state__in=[State.QUEUED, State.DOUBT]).exists()


def test_a_turn_that_is_told_to_stop_begins_nothing(cast: Cast, scripted: ScriptedPlatform) -> None:
    stop = threading.Event()
    stop.set()
    assert sweep.a_turn(sender="test", stop=stop) == 0
    assert scripted.sent == []
