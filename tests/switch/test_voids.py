"""A void by a till's own trace number: of what has not come yet, and of what comes just then."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from amcash import client
from backoffice import clock
from backoffice.audit import trail
from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, quarantine, safety
from backoffice.journal.entries import rows
from backoffice.journal.models import Transaction, VoidedTrace
from backoffice.journal.quarantine import Quarantine
from backoffice.journal.states import Wanted
from tests import scripted as platform
from tests.amcash import stories
from tests.cast import COLLECTOR, Cast
from tests.scripted import CONFIRMATION, ScriptedPlatform
from tests.switch.till import REDEEM, REVERSE, Heard, Till, redemption, reversal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
TRACE = redemption()["traceId"]


def void(**changes: Any) -> dict[str, Any]:
    return reversal(originalTraceId=TRACE, **changes)


def test_a_redemption_that_comes_after_its_void_is_not_sent(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.approved())
    first = till.post(REVERSE, void())
    assert (first.status, first.code) == (400, "0057")
    late = till.post(REDEEM, redemption())
    assert (late.status, late.code) == (503, "0092")
    assert till.post(REDEEM, redemption(), key="of its own").code == "0092"
    assert not scripted.sent and not Transaction.objects.exists()
    assert till.post(REVERSE, void()).code == "0057"
    entry = AuditEntry.objects.get(event="redemption.voided_unread")
    assert (entry.subject, entry.actor, entry.channel) == (f"trace:{TRACE}", "till 001", "switch")
    # Another request has another number, and nothing stands in its way.
    assert till.post(REDEEM, redemption(traceId="000012345999")).code == "0000"


def test_such_a_void_is_one_tills_own(cast: Cast, till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(platform.approved())
    Till.of(cast.second_till).post(REVERSE, void(deviceId="002"))
    assert till.post(REDEEM, redemption()).code == "0000"


def test_such_a_void_is_over_with_the_day_on_which_it_could_be_reversed(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "clock_skew", lambda: None)
    scripted.will(platform.approved())
    till.post(REVERSE, void())
    kept = VoidedTrace.objects.get()
    zone = clock.zone_named("America/Toronto")
    assert kept.until == clock.reversal_deadline(kept.voided_at, zone)
    with time_machine.travel(kept.until, tick=False):
        # Trace numbers may begin anew each day.
        assert till.post(REDEEM, redemption()).code == "0000"
        till.post(REVERSE, reversal(originalTraceId="7", traceId="8"))
    assert [one.trace_id for one in VoidedTrace.objects.all()] == ["7"]


def test_a_void_names_the_redemption_of_its_card(
    cast: Cast, till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(platform.silence())
    row = till.post(REDEEM, redemption()).row
    assert till.post(REVERSE, void(collectorNumber="80000010002")).code == "0057"
    row.refresh_from_db()
    assert row.wanted == Wanted.KEEP
    # What was in the log before goes on as it does.
    assert till.post(REDEEM, redemption()).code == "0008"
    assert till.post(REVERSE, void(collectorNumber=COLLECTOR)).code == "0008"
    row.refresh_from_db()
    assert row.wanted == Wanted.CANCEL


def test_the_console_is_held_back_by_no_void(
    cast: Cast, till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(platform.approved())
    till.post(REVERSE, void())
    monkeypatch.setattr(client, "new_trace_id", lambda: TRACE)
    assert stories.redeem(cast).is_granted


def test_a_log_that_was_put_back_does_not_say_that_nothing_was_taken(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = Quarantine(since=timezone.now(), why="The log is behind its mark.")
    monkeypatch.setattr(quarantine, "standing", lambda: restored)
    for asked in (void(), reversal(CONFIRMATION)):
        heard = till.post(REVERSE, asked)
        assert (heard.status, heard.code) == (408, "0008")


# --- The two commits at once ---------------------------------------------------------------------


def beside(first: Callable[[], Heard], second: Callable[[], Heard]) -> tuple[Heard, Heard]:
    """Run both, each with a connection of its own; return what they were told."""

    def run(call: Callable[[], Heard]) -> Heard:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(run, first), pool.submit(run, second)
        return one.result(), other.result()


def held_up(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> tuple[threading.Event, threading.Event]:
    """Hold a commit up, once, where it does this; return what tells that it is there, and what
    tells that the other one is under way."""
    there, other_begins = threading.Event(), threading.Event()
    real = getattr(module, name)

    def slow(*arguments: Any, **named: Any) -> Any:
        if not there.is_set():
            there.set()
            other_begins.wait(20)
            # Long enough to come to an end, for whoever does not wait for this commit.
            threading.Event().wait(0.4)
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, slow)
    return there, other_begins


def after(there: threading.Event, begins: threading.Event, call: Callable[[], Heard]) -> Heard:
    assert there.wait(20)
    begins.set()
    return call()


def test_a_void_waits_for_the_redemption_that_is_being_opened(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(platform.silence())
    # It has looked for a void and found none.
    there, begins = held_up(monkeypatch, rows, "log")
    sale, voided = beside(
        lambda: till.post(REDEEM, redemption()),
        lambda: after(there, begins, lambda: till.post(REVERSE, void())),
    )
    assert (sale.code, voided.code) == ("0008", "0008")
    row = Transaction.objects.get()
    assert row.wanted == Wanted.CANCEL and not VoidedTrace.objects.exists()


def test_a_redemption_waits_for_the_void_that_is_being_written(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(platform.approved())
    # It has looked for a redemption and found none.
    there, begins = held_up(monkeypatch, trail, "record")
    voided, sale = beside(
        lambda: till.post(REVERSE, void()),
        lambda: after(there, begins, lambda: till.post(REDEEM, redemption())),
    )
    assert (voided.code, sale.code) == ("0057", "0092")
    assert not scripted.sent and not Transaction.objects.exists()


@pytest.mark.parametrize("round_", range(4))
def test_a_redemption_and_its_void_at_once_never_both_win(
    till: Till, scripted: ScriptedPlatform, round_: int
) -> None:
    scripted.will(platform.silence())
    sale, voided = beside(
        lambda: till.post(REDEEM, redemption()), lambda: till.post(REVERSE, void())
    )
    if voided.code == "0057":
        assert sale.code == "0092" and not scripted.sent
    else:
        assert (sale.code, voided.code) == ("0008", "0008")
        assert entries.reread(sale.row).wanted == Wanted.CANCEL
