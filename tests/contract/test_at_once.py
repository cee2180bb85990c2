"""Two presses at the same moment, over real sockets: one effect, and never two sends of one
collector in parallel.
"""

import itertools
import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection

from amcash import services
from amcash.rules import Reason
from backoffice.journal.models import Transaction
from backoffice.wire import forget_connections
from tests.cast import Cast
from tests.contract import acts
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("wired")]

# So long that people who begin together do meet, on a busy machine too.
SLOW_S = 2.0


def at_once(*acts_of_people: Callable[[], Transaction]) -> list[Transaction | services.Refused]:
    """Do these things in threads of their own that begin together, and return what came out."""
    gate = threading.Barrier(len(acts_of_people))
    results: list[Transaction | services.Refused] = []

    def person(act: Callable[[], Transaction]) -> None:
        gate.wait()
        try:
            results.append(act())
        except services.Refused as refusal:
            results.append(refusal)
        finally:
            forget_connections()
            connection.close()

    people = [threading.Thread(target=person, args=[act]) for act in acts_of_people]
    for one in people:
        one.start()
    for one in people:
        one.join(timeout=60)
    assert len(results) == len(acts_of_people)
    return results


def assert_never_in_parallel(sandbox: Sandbox) -> None:
    """No request for the collector arrived while another was being answered."""
    spans = [
        (datetime.fromisoformat(one["arrived_at"]), datetime.fromisoformat(one["finished_at"]))
        for path in (acts.REDEEM_PATH, acts.REVERSE_PATH)
        for one in sandbox.exchanges(path)
    ]
    spans.sort()
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_one_press_sent_by_two_threads_is_one_redemption(cast: Cast, sandbox: Sandbox) -> None:
    sandbox.fault("delay", path=acts.REDEEM_PATH, seconds=SLOW_S, times=None)
    wanted = acts.order()
    results = at_once(*[lambda: acts.press(wanted, cast.actor)] * 2)
    assert {type(one) for one in results} == {Transaction}
    row = Transaction.objects.get()
    assert row.is_granted
    acts.assert_sent_identically(sandbox, row, times=1)
    assert len(sandbox.effects()) == 1
    # A later reload shows the same and sends nothing.
    assert acts.press(wanted, cast.actor) == row
    assert len(sandbox.exchanges(acts.REDEEM_PATH)) == 1
    acts.assert_both_sides_agree(sandbox)


def test_two_presses_for_one_collector_are_never_sent_in_parallel(
    cast: Cast, sandbox: Sandbox
) -> None:
    sandbox.fault("delay", path=acts.REDEEM_PATH, seconds=SLOW_S, times=None)
    results = at_once(*[lambda: acts.redeem(cast)] * 2)
    refused = [one for one in results if isinstance(one, services.Refused)]
    assert [one.reason for one in refused] == [Reason.COLLECTOR_BUSY]
    assert len(sandbox.effects()) == 1
    # The second customer's cashier waits a moment and presses again.
    acts.redeem(cast)
    assert len(sandbox.effects()) == 2
    assert_never_in_parallel(sandbox)
    acts.assert_both_sides_agree(sandbox)


def test_two_people_who_reverse_at_once_give_back_once(cast: Cast, sandbox: Sandbox) -> None:
    taken = acts.redeem(cast)
    sandbox.fault("delay", path=acts.REVERSE_PATH, seconds=SLOW_S, times=None)
    results = at_once(*[lambda: acts.reverse(cast, taken)] * 2)
    refused = [one for one in results if isinstance(one, services.Refused)]
    assert len(refused) == 1
    assert refused[0].reason in {Reason.ALREADY_REVERSED, Reason.COLLECTOR_BUSY}
    assert [one["kind"] for one in sandbox.effects()] == ["redeem", "reverse"]
    assert sandbox.total_miles() == 0
    assert_never_in_parallel(sandbox)
    acts.assert_both_sides_agree(sandbox)


def test_two_sweeps_at_once_ask_about_a_doubt_one_at_a_time(cast: Cast, sandbox: Sandbox) -> None:
    sandbox.fault("drop_after", path=acts.REDEEM_PATH, times=2)
    row = acts.redeem(cast)
    results = at_once(*[lambda: acts.settle(row, cast)] * 4)
    assert len(results) == 4
    row.refresh_from_db()
    assert row.is_granted
    acts.assert_sent_identically(sandbox, row, times=3)
    assert_never_in_parallel(sandbox)
    acts.assert_both_sides_agree(sandbox)
