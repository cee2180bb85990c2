"""After a restore nothing is sent and nothing closed until an administrator says so."""

import errno
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from structlog.testing import capture_logs

from amcash import pulse, services, sweep
from amcash.rules import Reason
from backoffice.audit import trail
from backoffice.audit.models import AuditEntry
from backoffice.journal import programme, quarantine, safety, watch
from backoffice.journal.models import LogState, Transaction
from backoffice.journal.states import Product, State
from tests.amcash.stories import inquire, redeem
from tests.cast import Cast
from tests.scripted import ScriptedPlatform, approved, code, offer, silence

pytestmark = pytest.mark.django_db
SENTENCE = "Milepost is in quarantine after a restore: an administrator must lift it."


@pytest.fixture(autouse=True)
def marks(tmp_path: Path) -> Iterator[Path]:
    """A folder for the mark of this test's log alone."""
    with override_settings(MILEPOST_MARKS=str(tmp_path / "marks")):
        yield tmp_path / "marks"


def swept() -> None:
    """What a sweep does for the log, and what every process then finds."""
    watch.forget()
    watch.keep(sender="sweep", now=timezone.now())
    safety.forget()


def start() -> None:
    quarantine.start(why="Restored.", actor="ada", channel="shell", now=timezone.now())
    safety.forget()


def lift() -> None:
    assert quarantine.lift(why="All imported.", actor="ada", channel="shell")
    safety.forget()


def restored(folder: Path) -> None:
    """Make this log one that is older than its mark says."""
    (file,) = folder.iterdir()
    mark = json.loads(file.read_text())
    file.write_text(json.dumps({**mark, "entries": mark["entries"] + 3}))
    safety.forget()


def test_in_quarantine_nothing_new_is_sent_and_the_screen_says_why(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    start()
    with pytest.raises(services.Refused) as refused:
        redeem(cast)
    assert (refused.value.reason, refused.value.why) == (Reason.UNSAFE, SENTENCE)
    assert scripted.sent == [] and not Transaction.objects.exists()
    lift()
    scripted.will(approved())
    assert redeem(cast).state == State.APPROVED


def test_in_quarantine_no_doubt_is_replayed_and_none_is_closed(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    sends = len(scripted.sent)
    over = timezone.now() - timedelta(seconds=1)
    Transaction.objects.update(due_at=over)
    start()
    assert sweep.until_done(sender="test") == 0
    # Nor when its time to be asked is over: it may have been settled after the backup.
    Transaction.objects.update(due_at=over, state=State.QUEUED)
    assert sweep.until_done(sender="test") == 0
    row.refresh_from_db()
    assert (row.state, len(scripted.sent)) == (State.QUEUED, sends)
    Transaction.objects.update(state=State.DOUBT)
    lift()
    scripted.will(approved())
    assert sweep.until_done(sender="test") == 1
    assert scripted.sent[-1].idempotency_key == str(row.idempotency_key)
    row.refresh_from_db()
    assert row.state == State.APPROVED


def test_in_quarantine_questions_that_move_nothing_are_asked(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    start()
    scripted.will(offer())
    assert inquire(cast).kind is services.InquiryKind.OFFER
    scripted.will(code("0000", 200))
    assert pulse.take() and not programme.standing(Product.CASH).is_open


def test_a_log_that_is_older_than_its_mark_is_in_quarantine_by_itself(
    cast: Cast, scripted: ScriptedPlatform, marks: Path
) -> None:
    scripted.will(approved())
    redeem(cast)
    swept()
    assert quarantine.standing() is None
    restored(marks)
    # Every process refuses at its next look, before any sweep has recorded it.
    assert safety.refusal() == SENTENCE
    swept()
    state = LogState.objects.get()
    assert (
        state.quarantined_at is not None and state.quarantine_why == "The log is older than it was."
    )
    assert AuditEntry.objects.filter(event="quarantine.started", actor="sweep").count() == 1
    swept()
    assert AuditEntry.objects.filter(event="quarantine.started").count() == 1
    lift()
    swept()
    assert quarantine.standing() is None and safety.refusal() == ""


def test_a_log_that_grew_past_its_mark_without_the_marked_entry_is_in_quarantine(
    cast: Cast, scripted: ScriptedPlatform, marks: Path
) -> None:
    scripted.will(approved())
    redeem(cast)
    swept()
    (file,) = marks.iterdir()
    mark = json.loads(file.read_text())
    # The same number, written at another moment: a standby that took over has used it anew.
    file.write_text(json.dumps({**mark, "at": "2026-11-20T21:00:00+00:00"}))
    trail.record("person.signed_in", subject="user:1", actor="ada", channel="office")
    swept()
    standing = quarantine.standing()
    assert standing is not None and standing.why == "The log is older than it was."
    lift()
    swept()
    assert quarantine.standing() is None
    # A mark of a release that kept no time tells by the number alone.
    mark = json.loads(file.read_text())
    file.write_text(json.dumps({"life": mark["life"], "entries": mark["entries"]}))
    assert quarantine.standing() is None
    swept()
    assert json.loads(file.read_text()) == mark


def test_a_sweep_that_finds_a_restored_log_sends_and_closes_nothing_from_then_on(
    cast: Cast, scripted: ScriptedPlatform, marks: Path
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    sends = len(scripted.sent)
    swept()
    over = timezone.now() - timedelta(seconds=1)
    # All was well a moment ago, and that is remembered.
    assert safety.refusal() == ""
    (file,) = marks.iterdir()
    mark = json.loads(file.read_text())
    file.write_text(json.dumps({**mark, "entries": mark["entries"] + 3}))
    for state in (State.DOUBT, State.QUEUED):
        Transaction.objects.update(due_at=over, state=state)
        watch.forget()
        assert sweep.until_done(sender="test") == 0
        row.refresh_from_db()
        assert (row.state, len(scripted.sent)) == (state, sends)


def test_a_backup_from_before_a_quarantine_was_lifted_is_in_quarantine(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redeem(cast)
    swept()
    before = LogState.objects.get()
    start()
    lift()
    swept()
    assert quarantine.standing() is None
    # The backup knows its first life alone, however many entries it has.
    LogState.objects.filter(pk=before.pk).update(lives=before.lives)
    safety.forget()
    assert safety.refusal() == SENTENCE
    lift()
    swept()
    assert safety.refusal() == ""


def test_a_new_database_beside_an_old_mark_is_no_restore(
    cast: Cast, scripted: ScriptedPlatform, marks: Path
) -> None:
    swept()
    LogState.objects.all().delete()
    assert quarantine.standing() is None
    swept()
    assert quarantine.standing() is None
    scripted.will(approved())
    assert redeem(cast).state == State.APPROVED


def test_a_mark_that_nobody_can_read_stops_nobody(cast: Cast, marks: Path) -> None:
    swept()
    (file,) = marks.iterdir()
    for text in ("", "{", "[]", '{"life": "x"}', '{"life": "x", "entries": "many"}'):
        file.write_text(text)
        assert quarantine.standing() is None
    swept()
    assert json.loads(file.read_text())["life"] == LogState.objects.get().lives[-1]


def test_who_began_and_who_lifted_it_is_in_the_audit_log(cast: Cast) -> None:
    start()
    assert not quarantine.start(why="Again", actor="bob", channel="shell", now=timezone.now())
    lift()
    assert not quarantine.lift(why="Again", actor="bob", channel="shell")
    said = AuditEntry.objects.filter(event__startswith="quarantine.").order_by("id")
    assert [(one.event, one.actor, one.details["why"]) for one in said] == [
        ("quarantine.started", "ada", "Restored."),
        ("quarantine.lifted", "ada", "All imported."),
    ]


def test_threads_of_a_sweep_write_the_mark_at_once(marks: Path) -> None:
    def write(number: int) -> None:
        quarantine._write(quarantine._Mark(life="one", entries=number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(200)))
    (file,) = marks.iterdir()
    assert json.loads(file.read_text())["life"] == "one"


def test_a_sweep_settles_although_its_mark_cannot_be_written(
    cast: Cast, scripted: ScriptedPlatform, marks: Path
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    # A file where the folder should be refuses even root.
    marks.write_text("")
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    watch.forget()
    with capture_logs() as said:
        call_command("settle")
        watch._kept.clear()
        call_command("settle")
    row.refresh_from_db()
    assert row.state == State.APPROVED
    assert LogState.objects.get().swept_by.startswith("settle")
    told = [one for one in said if one["event"] == "sweep.mark_not_written"]
    assert [one["why"] for one in told] == [quarantine.UNMARKED] and "marks" in told[0]["error"]
    # Written again, and told again when it fails again.
    marks.unlink()
    watch._kept.clear()
    call_command("settle")
    assert marks.is_dir()
    assert watch._is_unmarked == {str(connection.settings_dict["NAME"]): False}


def test_halves_that_killed_processes_left_are_taken_away(cast: Cast, marks: Path) -> None:
    swept()
    (file,) = marks.iterdir()
    old, fresh, other = (marks / name for name in (f"{file.name}.a1", f"{file.name}.b2", "note"))
    for left in (old, fresh, other):
        left.write_text("{")
    marked_at = file.stat().st_mtime
    os.utime(old, (marked_at - 61, marked_at - 61))
    os.utime(other, (marked_at - 61, marked_at - 61))
    trail.record("till.opened", subject="till:001", actor="ada", channel="console")
    swept()
    assert set(marks.iterdir()) == {file, fresh, other}


def test_it_may_be_lifted_from_a_machine_that_has_no_mark(
    cast: Cast, marks: Path, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    redeem(cast)
    swept()
    # A restored database that does not know the life of the mark beside the sweep.
    LogState.objects.update(lives=["another life"])
    swept()
    assert quarantine.standing() is not None
    with override_settings(MILEPOST_MARKS=""):
        lift()
    swept()
    assert quarantine.standing() is None


def test_a_full_disk_is_not_filled_with_halves_of_marks(
    cast: Cast, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept()
    before = [file.read_bytes() for file in marks.iterdir()]

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    start()
    lift()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        swept()
    assert [file.read_bytes() for file in marks.iterdir()] == before
    swept()
    assert [file.read_bytes() for file in marks.iterdir()] != before


# --- The command ----------------------------------------------------------------------------------


def test_the_command_begins_tells_and_lifts(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    who = {"by": cast.administrator.username, "why": "Restored from last night."}
    call_command("quarantine")
    call_command("quarantine", start=True, **who)
    with pytest.raises(SystemExit) as left:
        call_command("quarantine")
    assert left.value.code == 1
    call_command("quarantine", lift=True, **who)
    call_command("quarantine")
    said = capsys.readouterr().out
    assert said.count("There is no quarantine.") == 2
    assert "Restored from last night." in said and "The quarantine is lifted." in said


def test_only_an_administrator_lifts_it_and_says_why(cast: Cast) -> None:
    start()
    for options in (
        {"by": cast.administrator.username},
        {"why": "Because."},
        {"by": cast.cashier.username, "why": "Because."},
        {"by": "nobody", "why": "Because."},
    ):
        with pytest.raises(CommandError):
            call_command("quarantine", lift=True, **options)
    assert quarantine.standing() is not None
