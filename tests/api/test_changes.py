"""A poller that follows docs/poller.py has exactly the log, whatever is written meanwhile."""

import importlib.util
import json
import random
import threading
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.audit import trail
from backoffice.journal import entries, quarantine
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import LogState, Transaction
from backoffice.people.actors import Actor
from tests.api.program import Program
from tests.cast import COLLECTOR_WITHOUT_CASH, Cast
from tests.issuance.stories import confirmed, give
from tests.journal.rows import approved, cancel, claimed, opened, record
from tests.scripted import ScriptedPlatform

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 3
OPERATIONS = 8
# So often the poller has looked before the writers end.
POLLS = 4
PATIENCE_S = 60


@pytest.fixture(scope="module")
def poller() -> ModuleType:
    """The script of the documentation, as it stands there."""
    path = Path(__file__).parents[2] / "docs" / "poller.py"
    spec = importlib.util.spec_from_file_location("poller", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Api:
    """The script's own connection, without the network between."""

    def __init__(self, program: Program) -> None:
        self.program, self.asked = program, 0

    def get(self, path: str) -> Any:
        """Return what is there, or raise what urllib does."""
        self.asked += 1
        heard = self.program.get(path)
        if heard.status != 200:
            raise urllib.error.HTTPError(path, heard.status, "", Message(), None)
        return heard.json


def log_of(program: Program) -> dict[str, Any]:
    """Return the whole log, page by page."""
    found: dict[str, Any] = {}
    path = "/api/v1/transactions?limit=200"
    while path:
        page = program.read(path)
        found |= {one["reference"]: one for one in page["transactions"]}
        path = page["older"]
    return found


def kept(copy: Any) -> dict[str, Any]:
    """Return what a poller has."""
    return {key: json.loads(told) for key, told in copy.rows.execute("SELECT * FROM log")}


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commits come a moment after their entry has its number, each after another moment."""
    straight, chance = trail.record, random.Random(5)

    def slowly(*args: Any, **kwargs: Any) -> Any:
        entry = straight(*args, **kwargs)
        if connection.vendor == "postgresql":
            time.sleep(chance.random() * 0.03)
        return entry

    monkeypatch.setattr(trail, "record", slowly)
    yield


def work(cast: Cast, writer: int, looked_at: threading.Event) -> None:
    """Redeem, show, call off and give back, as a till and the sweep do; the last one waits until
    the poller has looked a few times.
    """
    try:
        for n in range(OPERATIONS):
            if n == OPERATIONS - 1:
                assert looked_at.wait(PATIENCE_S)
            row = opened(cast, card_number=f"8000{writer:03d}{n:04d}")
            if n % 4 == 3:
                record(row, Verdict.UNKNOWN)
                continue
            row = record(row, Verdict.APPROVED)
            if n % 2:
                entries.present(row, actor=cast.actor, now=timezone.now())
                continue
            cancel(cast, row)
            reversal = Transaction.objects.get(reverses=row)
            record(claimed(reversal), Verdict.APPROVED)
    finally:
        connection.close()


def test_a_poller_beside_busy_writers_ends_with_exactly_the_log(
    cast: Cast, program: Program, poller: ModuleType, late: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.api.access.MOST_REQUESTS", 10_000)
    approved(cast, card_number=COLLECTOR_WITHOUT_CASH)
    copy, is_over, polls = poller.Copy(":memory:"), threading.Event(), 0
    api, looked_at = Api(program), threading.Event()
    with ThreadPoolExecutor(WRITERS) as pool:
        working = [pool.submit(work, cast, writer, looked_at) for writer in range(WRITERS)]
        while not is_over.is_set():
            if all(one.done() for one in working):
                is_over.set()
            poller.poll(api, copy)
            polls += 1
            if polls == POLLS:
                looked_at.set()
        for one in working:
            one.result()
    there = log_of(program)
    assert len(there) > WRITERS * OPERATIONS and polls > POLLS
    assert kept(copy) == there
    # With nothing new, one question is all that it takes.
    asked = api.asked
    poller.poll(api, copy)
    assert api.asked == asked + 1 and kept(copy) == there


def test_a_row_opened_long_ago_that_changes_is_told(
    cast: Cast, program: Program, poller: ModuleType
) -> None:
    row = record(opened(cast), Verdict.UNKNOWN)
    copy, api = poller.Copy(":memory:"), Api(program)
    poller.poll(api, copy)
    assert kept(copy)[str(row.reference)]["state"] == "doubt"
    record(claimed(row), Verdict.APPROVED)
    poller.poll(api, copy)
    assert kept(copy)[str(row.reference)]["state"] == "approved"
    assert kept(copy) == log_of(program)


def test_a_poller_of_one_store_has_that_stores_log(
    cast: Cast, of_south: Program, poller: ModuleType
) -> None:
    copy, api = poller.Copy(":memory:"), Api(of_south)
    poller.poll(api, copy)
    approved(cast)
    south = Actor(user=cast.south_manager, device=cast.south_till)
    row = approved(cast, actor=south, card_number=COLLECTOR_WITHOUT_CASH)
    poller.poll(api, copy)
    assert set(kept(copy)) == {str(row.reference)}
    assert kept(copy) == log_of(of_south)


def test_miles_are_told_offer_by_offer(
    cast: Cast, program: Program, poller: ModuleType, scripted: ScriptedPlatform
) -> None:
    copy, api = poller.Copy(":memory:"), Api(program)
    poller.poll(api, copy)
    scripted.will(confirmed())
    row = give(cast)
    poller.poll(api, copy)
    told = kept(copy)[str(row.reference)]
    assert told["operation"] == "issue" and told["offers"]
    assert sum(one["miles"] for one in told["offers"]) == told["miles"]
    assert kept(copy) == log_of(program)


def test_after_a_restore_a_poller_begins_anew(
    cast: Cast, program: Program, poller: ModuleType
) -> None:
    LogState.objects.update_or_create(pk=1, defaults={"lives": ["a" * 32]})
    approved(cast)
    copy, api = poller.Copy(":memory:"), Api(program)
    poller.poll(api, copy)
    # Something that the restored log does not know.
    copy.keep([{"reference": "gone"}])
    quarantine.start(why="restored", actor="a", channel="shell", now=timezone.now())
    quarantine.lift(why="looked", actor="a", channel="shell")
    heard = program.get(f"changes?since={copy.since()}")
    assert heard.status == 410 and heard.problem["kind"] == "log-restored"
    poller.poll(api, copy)
    poller.poll(api, copy)
    assert kept(copy) == log_of(program) and kept(copy)


@pytest.mark.parametrize("since", ["", "x", "LATEST", "Y2hhbmdlOjoz=", "bG9nOm9sZGVyOjE6MQ", "é"])
def test_a_made_up_place_is_refused_by_name(cast: Cast, program: Program, since: str) -> None:
    heard = program.get(f"changes?since={since}")
    assert heard.status == 400 and heard.problem["parameter"] == "since"
