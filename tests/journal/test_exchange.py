"""Arm, send, record: what each send is given, and that it may not begin late."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from amcash import services
from backoffice.journal import exchange, line, payloads
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import State
from backoffice.wire import Reply, Silence
from tests.amcash.stories import redeem
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, approved, silence

pytestmark = pytest.mark.django_db


class Watching(ScriptedPlatform):
    """Notes until when each send may begin, what the log had committed by then, and is slow."""

    def __init__(self) -> None:
        super().__init__()
        self.start_by: list[float] = []
        self.rights: list[tuple[str, int, int]] = []

    def exchange(self, *args: Any, **kwargs: Any) -> Reply | Silence:
        """Stand in for the wire."""
        self.start_by.append(kwargs["start_by"])
        row = Transaction.objects.get()
        attempts = Attempt.objects.filter(transaction=row, fence=row.fence, result="")
        self.rights.append((row.state, row.fence, attempts.count()))
        time.sleep(0.05)
        return super().exchange(*args, **kwargs)


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    platform = Watching()
    monkeypatch.setattr(line, "platform", lambda: platform)
    return platform


def test_every_send_has_a_right_of_its_own_that_is_committed_before_it(
    cast: Cast, watching: Watching
) -> None:
    watching.will(silence(), approved())
    redeem(cast)
    assert watching.rights == [("armed", 1, 1), ("armed", 2, 1)]


@override_settings(PLATFORM_LEASE_S=30.0, PLATFORM_TOTAL_S=10.0, PLATFORM_MARGIN_S=5.0)
def test_a_send_may_begin_only_while_its_whole_call_fits_into_its_own_lease(
    cast: Cast, watching: Watching
) -> None:
    watching.will(silence())
    started = time.monotonic()
    redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    services.settle_due(sender="sweep")
    ended = time.monotonic()
    first, second, third = watching.start_by
    assert started + 15 <= first and third <= ended + 15
    # Each right counts from its own stamp and not from the first.
    assert second - first >= 0.05 and third - second >= 0.05
    assert exchange.lease() == timedelta(seconds=30)


def test_three_sends_are_the_same_bytes_and_the_same_key(cast: Cast, watching: Watching) -> None:
    watching.will(silence())
    row = redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    services.settle_due(sender="sweep")
    assert len(watching.sent) == 3 and watching.sent[0] == watching.sent[1] == watching.sent[2]
    assert watching.sent[0].body == payloads.body_of(row)
    assert watching.sent[0].idempotency_key == str(row.idempotency_key)
    row.refresh_from_db()
    assert row.state == State.DOUBT


def test_a_sweep_tries_once_and_leaves_the_rest_to_the_next(cast: Cast, watching: Watching) -> None:
    watching.will(silence())
    redeem(cast)
    assert len(watching.sent) == 2
    Transaction.objects.update(due_at=timezone.now())
    services.settle_due(sender="sweep")
    assert len(watching.sent) == 3


def test_the_line_to_the_platform_is_one_for_the_whole_process() -> None:
    assert line.platform() is line.platform()
    name = line.sender_name("web")
    assert name.startswith("web at ") and "/" in name and len(name) <= 80
