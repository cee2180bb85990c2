"""What Celery runs is the same function that runs without it."""

import pytest
from django.utils import timezone

from amcash import tasks
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.states import State
from tests.amcash.stories import redeem
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, approved, code, silence

pytestmark = pytest.mark.django_db


def test_a_worker_settles_all_that_is_due_and_then_stops(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    tasks.settle_due()
    row = Transaction.objects.get()
    assert row.state == State.APPROVED
    assert row.attempts.last().sender.startswith("worker at ")  # type: ignore[union-attr]
    tasks.settle_due()
    assert len(scripted.sent) == 3


def test_beats_echo_feels_the_pulse(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(code("0000", 200))
    tasks.echo()
    assert ProgrammeState.objects.get().is_up


def test_the_tasks_have_the_names_that_beat_calls() -> None:
    assert (tasks.settle_due.name, tasks.echo.name) == ("amcash.settle_due", "amcash.echo")
