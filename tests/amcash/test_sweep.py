"""The sweep as a process runs it: several threads, one send of each row, and an end."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from amcash import sweep
from backoffice.journal import crew
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import State
from tests.amcash.stories import order, redeem
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, approved, silence

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 3


@pytest.fixture
def crewed() -> Iterator[None]:
    """A sweep of three threads, gone with their connections afterwards."""
    crew._pool.cache_clear()
    with override_settings(SETTLE_AT_ONCE=THREADS):
        yield
        everybody = threading.Barrier(THREADS)

        def leave() -> int:
            everybody.wait(timeout=10)
            if threading.current_thread() is not threading.main_thread():
                connection.close()
            return 0

        crew.together(THREADS, leave)
        crew._pool().shutdown()
        crew._pool.cache_clear()


def in_doubt(cast: Cast, scripted: ScriptedPlatform, count: int) -> None:
    scripted.will(silence())
    for number in range(count):
        card = order().card
        redeem(cast, card=type(card)(number=f"8000001{number:04d}", entry_mode=card.entry_mode))
    Transaction.objects.update(due_at=timezone.now())
    scripted.sent.clear()


@pytest.mark.usefixtures("crewed")
def test_a_sweep_asks_for_several_at_once_and_for_each_once(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    in_doubt(cast, scripted, 4)
    inside, most = [0], [0]
    lock, two_are_in = threading.Lock(), threading.Event()

    def answer(_sent: object) -> object:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if inside[0] > 1:
                two_are_in.set()
        # The first waits for a second, which comes only if they are sent side by side.
        two_are_in.wait(timeout=10)
        with lock:
            inside[0] -= 1
        return approved()

    scripted.will(answer)  # type: ignore[arg-type]
    assert sweep.until_done(sender="test") == 4
    assert len(scripted.sent) == len({sent.idempotency_key for sent in scripted.sent}) == 4
    assert set(Transaction.objects.values_list("state", flat=True)) == {State.APPROVED}
    assert 1 < most[0] <= THREADS


@pytest.mark.usefixtures("crewed")
def test_a_sweep_ends_although_its_rows_stay_in_doubt(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    in_doubt(cast, scripted, 3)
    before = Attempt.objects.count()
    assert sweep.until_done(sender="test") == 3
    assert Attempt.objects.count() == before + 3


def test_a_sweep_that_is_told_to_stop_begins_nothing(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    in_doubt(cast, scripted, 2)
    stop = threading.Event()
    stop.set()
    assert sweep.until_done(sender="test", stop=stop) == 0
    assert scripted.sent == []


@pytest.mark.usefixtures("crewed")
def test_what_went_wrong_in_a_thread_is_not_lost() -> None:
    def work() -> int:
        if threading.current_thread() is not threading.main_thread():
            raise LookupError
        return 1

    with pytest.raises(LookupError):
        crew.together(2, work)
