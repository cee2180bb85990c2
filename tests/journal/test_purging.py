"""What is kept for how long: bytes, collectors, and what is never taken away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, line, payloads, purging, quarantine, retention, safety
from backoffice.journal.choices import NeedsPerson
from backoffice.journal.decisions import Verdict
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.entries import keeping
from backoffice.journal.models import Payload, Transaction
from backoffice.journal.purging import Purge, Purged
from backoffice.journal.states import State
from backoffice.journal.surroundings import RetentionState
from backoffice.office.tasks import purge as purge_task
from issuance import selectors
from issuance.returns import NotReturnable
from tests.cast import COLLECTOR, COLLECTOR_WITHOUT_CASH, Cast
from tests.issuance import stories
from tests.issuance.baskets import basket
from tests.journal.rows import approved, opened, record, refused, reversal_of
from tests.scripted import ScriptedPlatform, silence

pytestmark = pytest.mark.django_db

PROOFS = (
    "state",
    "amount_cents",
    "miles",
    "units",
    "confirmation_number",
    "intent_mac",
    "sale_ref",
)


@pytest.fixture(autouse=True)
def _the_database_shares_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests travel, and PostgreSQL does not."""
    monkeypatch.setattr(safety, "clock_skew", lambda: timedelta(0))


def days_ago(days: float) -> time_machine.travel:
    """Do something so long ago."""
    return time_machine.travel(timezone.now() - timedelta(days=days), tick=False)


def aged(make: Callable[[], Transaction], days: float) -> Transaction:
    """Make a row so long ago."""
    with days_ago(days):
        return make()


def purge() -> Purged:
    """Purge all that may go."""
    done = purging.now_and_whole(sender="a test", now=timezone.now())
    assert done is not None
    return done


def kept(row: Transaction) -> list[bool]:
    """Whether the body and each answer are still there."""
    return [bool(one.ciphertext) for one in row.payloads.order_by("id")]


def proofs(row: Transaction) -> list[object]:
    return [row, *Transaction.objects.filter(pk=row.pk).values_list(*PROOFS)]


def macs(row: Transaction) -> list[str]:
    return list(row.payloads.order_by("id").values_list("mac", flat=True))


def test_bytes_are_emptied_ninety_days_after_they_settled_and_their_proof_is_kept(
    cast: Cast,
) -> None:
    old = aged(lambda: approved(cast), 91)
    young = aged(lambda: approved(cast, card_number="80000010002"), 89)
    before, told = proofs(old), macs(old)

    assert purge() == Purged(emptied=2)

    assert kept(old) == [False, False] and kept(young) == [True, True]
    assert payloads.body_of(old) == b"" and payloads.answer_of(old) is None
    assert set(old.payloads.values_list("key_id", flat=True)) == {""}
    assert proofs(old) == before and macs(old) == told
    assert entries.reread(old).collector_last4 == "0001"
    said = AuditEntry.objects.get(event="log.payloads_emptied")
    assert said.details == {"count": 2, "days": 90} and said.actor == "a test"


def test_how_long_is_a_setting(cast: Cast) -> None:
    row = aged(lambda: approved(cast), 10)
    assert purge().emptied == 0
    with override_settings(MILEPOST_KEEP_PAYLOADS_DAYS=9, MILEPOST_RETURN_WINDOW_DAYS=9):
        assert purge().emptied == 2
    assert kept(row) == [False, False]


def test_a_collector_is_forgotten_after_two_years_and_replaced_by_nothing(cast: Cast) -> None:
    old = aged(lambda: approved(cast), 731)
    young = aged(lambda: approved(cast, card_number="80000010002"), 729)
    before = proofs(old)

    assert purge() == Purged(emptied=4, forgotten=1)

    old, young = entries.reread(old), entries.reread(young)
    assert (old.collector_mac, old.collector_last4) == ("", "")
    assert young.collector_last4 == "0002" and young.collector_mac
    assert proofs(old) == before
    assert purge() == Purged()


def in_doubt(cast: Cast) -> Transaction:
    return record(opened(cast), Verdict.UNKNOWN)


def for_a_person(cast: Cast, **changes: Any) -> Transaction:
    row = approved(cast, **changes)
    Transaction.objects.filter(pk=row.pk).update(needs_person=NeedsPerson.CONFLICT)
    return row


def that_nobody_can_read(cast: Cast, **changes: Any) -> Transaction:
    row = record(opened(cast, **changes), Verdict.INCOMPLETE, answer=b"{}", http_status=200)
    assert row.state == State.MANUAL
    return row


def with_an_open_reversal(cast: Cast) -> Transaction:
    row = approved(cast)
    entries.open_transaction(
        reversal_of(row, timezone.now()),
        actor=cast.actor,
        sender="web",
        now=timezone.now(),
        lease=timedelta(seconds=30),
    )
    return row


def with_a_refused_reversal(cast: Cast) -> Transaction:
    row = with_an_open_reversal(cast)
    reversal = row.reversals.get()
    record(reversal, Verdict.DECLINED, response_code="0057")
    Transaction.objects.filter(pk=reversal.pk).update(needs_person=NeedsPerson.REVERSAL_REFUSED)
    return row


@pytest.mark.parametrize(
    "make",
    [
        in_doubt,
        for_a_person,
        that_nobody_can_read,
        with_an_open_reversal,
        with_a_refused_reversal,
    ],
)
def test_what_is_open_or_in_dispute_is_kept_however_old(
    cast: Cast, make: Callable[[Cast], Transaction]
) -> None:
    row = aged(lambda: make(cast), 800)
    before = kept(row)
    assert purge() == Purged()
    assert kept(row) == before and all(before)
    assert entries.reread(row).collector_mac == payloads.vault().blind_index(COLLECTOR)


@pytest.mark.parametrize("make", [for_a_person, that_nobody_can_read])
def test_what_was_practised_waits_for_nobodys_decision(
    cast: Cast, make: Callable[..., Transaction]
) -> None:
    """Nobody is asked about it, so it would be kept for ever."""
    row = aged(lambda: make(cast, actor=replace(cast.actor, is_training=True)), 800)
    before = proofs(row)
    assert row.is_training and all(kept(row))
    assert purge() == Purged(emptied=2, forgotten=1)
    assert not any(kept(row)) and entries.reread(row).collector_mac == ""
    assert proofs(row) == before


@pytest.mark.parametrize("is_training", [False, True])
def test_a_practised_sale_does_not_wait_for_its_return_that_nobody_decides(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch, is_training: bool
) -> None:
    actor = replace(cast.actor, is_training=is_training)
    monkeypatch.setattr(Cast, "actor", actor)
    monkeypatch.setattr(line, "training", line.platform)
    scripted.will(stories.confirmed())
    sale = aged(lambda: stories.give(cast), 800)
    scripted.will(silence())
    back = aged(lambda: stories.take_back(cast, sale), 800)
    Transaction.objects.filter(pk=back.pk).update(
        state=State.MANUAL, needs_person=NeedsPerson.REPLAY_OVER
    )
    # A return keeps its own as long as its sale does: until the night after.
    nights = [purge(), purge()]
    assert [done.forgotten for done in nights] == ([1, 1] if is_training else [0, 0])
    assert any(kept(sale)) is not is_training
    assert any(kept(back)) is not is_training


def test_a_practised_return_does_not_wait_behind_a_sale_that_nobody_rules_on(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cast, "actor", replace(cast.actor, is_training=True))
    monkeypatch.setattr(line, "training", line.platform)
    scripted.will(silence())
    sale = aged(lambda: stories.give(cast), 800)
    Transaction.objects.filter(pk=sale.pk).update(
        state=State.MANUAL, needs_person=NeedsPerson.REPLAY_OVER, due_at=None
    )
    back = aged(lambda: stories.take_back(cast, sale), 790)
    assert back.state == State.QUEUED
    with override_settings(MILEPOST_TRAINING_URL="http://127.0.0.1:9"):
        assert stories.settle(back).state == State.NOT_SENT
    with days_ago(-91):
        nights = [purge(), purge()]
    assert [done.forgotten for done in nights] == [1, 1]
    assert not any(kept(sale)) and not any(kept(back))


def test_nothing_is_emptied_before_it_can_no_more_be_given_back(cast: Cast) -> None:
    row = approved(cast)
    assert row.deadline_at > timezone.now()
    with override_settings(MILEPOST_KEEP_PAYLOADS_DAYS=0, MILEPOST_KEEP_NUMBERS_DAYS=0):
        assert purge() == Purged()
    assert kept(row) == [True, True]


# --- Returns --------------------------------------------------------------------------------------


@override_settings(MILEPOST_RETURN_WINDOW_DAYS=365)
def test_a_sale_that_may_be_returned_keeps_what_its_return_is_made_of(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    returnable = aged(lambda: stories.give(cast), 300)
    over = aged(lambda: stories.give(cast), 366)
    purge()
    assert all(kept(returnable)) and not any(kept(over))
    assert selectors.awards_back(returnable, basket())
    with pytest.raises(NotReturnable, match="no longer kept"):
        selectors.awards_back(over, basket())


@override_settings(MILEPOST_RETURN_WINDOW_DAYS=365)
def test_a_return_is_kept_as_long_as_its_sale_so_that_nothing_comes_back_twice(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    sale = aged(lambda: stories.give(cast), 200)
    back = aged(lambda: stories.take_back(cast, sale), 150)
    purge()
    assert all(kept(back))
    with override_settings(MILEPOST_RETURN_WINDOW_DAYS=199):
        purge()
        assert not any(kept(sale))
        purge()
        assert not any(kept(back))


# --- When, and by whom ----------------------------------------------------------------------------

TORONTO = ZoneInfo("America/Toronto")


def test_a_purge_is_due_in_the_night_also_when_a_clock_is_changed() -> None:
    for now, due_at in (
        (datetime(2026, 11, 20, 9, 29, tzinfo=UTC), datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        (datetime(2026, 11, 20, 9, 30, tzinfo=UTC), datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        (datetime(2027, 3, 13, 12, tzinfo=UTC), datetime(2027, 3, 14, 8, 30, tzinfo=UTC)),
    ):
        assert retention.next_purge(now, TORONTO) == due_at


def test_a_purge_is_done_once_a_night_whoever_asks(cast: Cast) -> None:
    aged(lambda: approved(cast), 91)
    now = timezone.now()
    assert Purge(sender="settle").turn(now=now) == Purged(emptied=2)
    assert Purge(sender="worker").turn(now=now) is None
    assert Purge(sender="worker").turn(now=now + timedelta(days=1)) == Purged()


def test_celery_does_what_settle_does(cast: Cast) -> None:
    row = aged(lambda: approved(cast), 91)
    purge_task()
    assert kept(row) == [False, False]


def test_settle_goes_on_where_it_was_and_nobody_else_begins(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROWS", 2)
    rows = [
        aged(lambda n=n: approved(cast, card_number=f"8000001000{n}"), 91 - n / 10)  # type: ignore[misc]
        for n in range(1, 5)
    ]
    mine, now = Purge(sender="settle"), timezone.now()
    assert mine.turn(now=now, for_s=0) is None
    assert [any(kept(row)) for row in rows] == [False, True, True, True]
    assert Purge(sender="worker").turn(now=now) is None
    turns = 0
    while (done := mine.turn(now=now, for_s=0)) is None:
        turns += 1
        assert turns < 20
    assert done == Purged(emptied=8)
    # Whoever died in the middle is replaced.
    RetentionState.objects.update(due_at=None, taken_by="dead", taken_until=now)
    assert Purge(sender="worker").turn(now=now + timedelta(seconds=1)) == Purged()


def test_in_quarantine_nothing_is_purged(cast: Cast) -> None:
    row = aged(lambda: approved(cast), 91)
    quarantine.start(why="restored", actor="ada", channel="shell", now=timezone.now())
    safety.forget()
    assert Purge(sender="settle").turn(now=timezone.now()) is None
    with pytest.raises(CommandError, match="quarantine"):
        call_command("purge")
    assert kept(row) == [True, True]


def test_the_command_says_what_it_did(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    aged(lambda: approved(cast), 91)
    call_command("purge")
    assert "Emptied 2 payloads" in capsys.readouterr().out
    assert purging.standing().emptied == 2


# --- What the database refuses --------------------------------------------------------------------


def test_a_collector_is_never_changed_and_never_forgotten_too_early(cast: Cast) -> None:
    row = approved(cast)
    change = "UPDATE journal_transaction SET collector_mac = %s WHERE id = %s"
    refused("only forgotten", change, "", row.pk)
    old = aged(lambda: approved(cast, card_number="80000010002"), 3)
    refused("only forgotten", change, "another", old.pk)
    open_one = aged(lambda: opened(cast, card_number="80000010003"), 3)
    refused("only forgotten", change, "", open_one.pk)
    last4 = "UPDATE journal_transaction SET collector_last4 = %s WHERE id = %s"
    refused("only forgotten", last4, "1234", old.pk)
    assert Transaction.objects.filter(pk=old.pk).update(collector_mac="", collector_last4="") == 1
    refused("only forgotten", change, "another", old.pk)


def test_what_people_decide_about_is_kept_by_the_database_unless_it_was_practised(
    cast: Cast,
) -> None:
    practising = replace(cast.actor, is_training=True)
    real = aged(lambda: that_nobody_can_read(cast), 3)
    practised = aged(lambda: that_nobody_can_read(cast, actor=practising), 3)
    young = that_nobody_can_read(cast, actor=practising, card_number=COLLECTOR_WITHOUT_CASH)
    change = "UPDATE journal_transaction SET collector_mac = %s WHERE id = %s"
    empty = "UPDATE journal_payload SET ciphertext = %s WHERE transaction_id = %s"
    for row in (real, young):
        refused("only forgotten", change, "", row.pk)
        refused("only re-encrypted", empty, b"", row.pk)
    for statement, nothing in ((change, ""), (empty, b"")):
        with connection.cursor() as cursor:
            cursor.execute(statement, [nothing, practised.pk])
    assert not any(kept(practised)) and entries.reread(practised).collector_mac == ""


def test_what_was_emptied_stays_empty(cast: Cast) -> None:
    row = aged(lambda: approved(cast), 91)
    purge()
    back = "UPDATE journal_payload SET ciphertext = %s WHERE transaction_id = %s"
    refused("only re-encrypted", back, b"x", row.pk)


def test_a_disclosure_is_only_made_to_forget_whom_it_was_about(cast: Cast) -> None:
    entries.disclose(
        DisclosureKind.SEARCH,
        person=cast.manager,
        collector_mac="mac",
        last4="0001",
        now=timezone.now() - timedelta(days=731),
    )
    for column, value in (("reason", "x"), ("collector_last4", "0002"), ("kind", "access")):
        statement = f"UPDATE journal_disclosure SET {column} = %s"  # noqa: S608
        refused("never changed", statement, value)
    refused("never deleted", "DELETE FROM journal_disclosure")
    purge()
    one = Disclosure.objects.get()
    assert (one.collector_mac, one.collector_last4, one.person) == ("", "", cast.manager)
    assert Payload.objects.count() == 0
