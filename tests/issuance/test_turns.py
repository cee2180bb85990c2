"""However many miles are due, a redemption's doubt is asked in its turn."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from amcash import pulse
from backoffice.journal import programme, safety, sweeping
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Product, State
from backoffice.wire import Reply, Silence
from issuance import services, sweep
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


def test_what_is_only_put_off_or_closed_does_not_end_a_turn(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    cards = [stories.card(number) for number in range(sweeping.ROWS + 1)]
    # Nearest their deadline stand returns of what was rejected, which are only closed ...
    scripted.will(stories.pending())
    sales = [stories.give(cast, card=card) for card in cards]
    closed = [
        stories.take_back(cast, sale, card=card) for sale, card in zip(sales, cards, strict=True)
    ]
    Transaction.objects.filter(pk__in=[sale.pk for sale in sales]).update(
        state=State.REJECTED, due_at=None, settled_at=timezone.now()
    )
    # ... and miles behind a pending sale, which are only put off.
    scripted.will(stories.pending())
    stories.give(cast, card=stories.card(40))
    held = [stories.give(cast, card=stories.card(40)) for _ in range(sweeping.ROWS + 1)]
    programme.outage(Product.ISSUANCE, timezone.now())
    last = stories.give(cast, card=stories.card(50))
    programme.recovered(Product.ISSUANCE)
    Transaction.objects.filter(state=State.QUEUED).update(due_at=timezone.now())
    assert {row.state for row in (*closed, *held)} == {State.QUEUED}
    scripted.will(stories.confirmed())
    sent = len(scripted.sent)
    assert sweep.a_turn(sender="test") == len(closed) + 1
    last.refresh_from_db()
    assert last.state == State.CONFIRMED and len(scripted.sent) == sent + 1
    ended = Transaction.objects.filter(pk__in=[row.pk for row in closed])
    assert set(ended.values_list("state", flat=True)) == {State.NOT_SENT}


def test_a_pass_looks_once_after_what_time_alone_asks_for(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(services, "look_after", lambda sender: looked.append(sender))
    done = iter([3, 2, 0])
    monkeypatch.setattr(services, "settle_due", lambda sender, limit: next(done))
    monkeypatch.setattr(sweep, "_TURN_S", 9)
    assert sweep.a_turn(sender="test") == 5
    assert looked == ["test"] * 3
