"""What the people at the till want of an operation, and what becomes of it."""

from dataclasses import replace
from datetime import datetime

import pytest
from django.db import IntegrityError
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import credit, entries, payloads, triggers
from backoffice.journal.decisions import Verdict
from backoffice.journal.entries import Intent
from backoffice.journal.models import Transaction
from backoffice.journal.states import State, Wanted
from backoffice.people.actors import Actor, Channel
from tests.cast import Cast
from tests.journal.rows import (
    CONFIRMATION,
    LEASE,
    approved,
    cancel,
    claimed,
    opened,
    record,
    reversal_of,
    written,
)

pytestmark = pytest.mark.django_db


def events(row: Transaction) -> list[str]:
    found = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    return [entry.event for entry in found]


def test_cancelling_what_is_under_way_reverses_it_in_the_commit_of_its_approval(
    cast: Cast,
) -> None:
    row = opened(cast)
    assert cancel(cast, row).wanted == Wanted.CANCEL
    assert not row.reversals.exists()
    record(row, Verdict.APPROVED)
    owed = row.reversals.get()
    assert (owed.state, owed.channel) == (State.QUEUED, "settle")
    assert owed.due_at is not None and owed.deadline_at == row.deadline_at
    assert events(owed) == ["reversal.queued"]


def test_cancelling_an_approval_that_no_till_has_shown_reverses_it_now(cast: Cast) -> None:
    row = approved(cast)
    cancel(cast, row)
    cancel(cast, row)
    assert row.reversals.count() == 1
    # It is being given back, so no till shows it as done.
    shown = entries.present(row, actor=cast.actor, now=timezone.now())
    assert (shown.state, shown.presented_at) == (State.APPROVED, None)


def test_cancelling_does_nothing_once_it_was_shown_given_back_or_never_left(cast: Cast) -> None:
    shown = entries.present(approved(cast), actor=cast.actor, now=timezone.now())
    assert shown.state == State.DONE
    assert cancel(cast, shown).wanted == Wanted.KEEP
    unsent = record(opened(cast), Verdict.NOT_SENT)
    assert cancel(cast, unsent).wanted == Wanted.KEEP
    given_back = written(cast, state="approved", reversed_at=timezone.now())
    assert cancel(cast, given_back).wanted == Wanted.KEEP
    assert not Transaction.objects.filter(operation="reverse").exists()


def test_cancelling_an_approval_after_its_deadline_queues_nothing(cast: Cast) -> None:
    row = approved(cast)
    with triggers.lifted():
        Transaction.objects.filter(pk=row.pk).update(deadline_at=timezone.now())
    row = cancel(cast, row)
    assert (row.wanted, row.reversals.count()) == (Wanted.KEEP, 0)
    assert credit.is_owed(row, is_over=True)


def test_a_reversal_is_never_reversed(cast: Cast) -> None:
    redemption = approved(cast)
    cancel(cast, redemption)
    reversal = record(claimed(redemption.reversals.get()), Verdict.APPROVED)
    assert reversal.state == State.APPROVED
    assert cancel(cast, reversal).wanted == Wanted.KEEP
    assert not reversal.reversals.exists()


def test_cancelling_yields_to_a_reversal_that_is_pressed_in_the_same_moment(cast: Cast) -> None:
    redemption = approved(cast)

    def pressed_meanwhile(row: Transaction, now: datetime) -> Intent:
        written(cast, operation="reverse", reverses=row, client_ref="pressed")
        return reversal_of(row, now)

    row = entries.cancel(
        redemption, actor=cast.actor, now=timezone.now(), make_reversal=pressed_meanwhile
    )
    assert row.wanted == Wanted.CANCEL
    assert redemption.reversals.get().client_ref == "pressed"


def test_a_reversal_that_cannot_be_queued_undoes_the_wish(cast: Cast) -> None:
    redemption = approved(cast)
    written(cast, client_ref=f"unwanted:{redemption.reference}")
    with pytest.raises(IntegrityError):
        cancel(cast, redemption)
    assert Transaction.objects.get(pk=redemption.pk).wanted == Wanted.KEEP


def test_cancelling_leaves_a_reversal_that_a_manager_began(cast: Cast) -> None:
    redemption = approved(cast)
    pressed = entries.open_transaction(
        replace(reversal_of(redemption, timezone.now()), client_ref="pressed"),
        actor=cast.manager_actor,
        sender="web",
        now=timezone.now(),
        lease=LEASE,
    )[0]
    cancel(cast, redemption)
    assert redemption.reversals.get() == pressed


def test_hurrying_makes_a_doubt_due_now_and_touches_nothing_else(cast: Cast) -> None:
    now = timezone.now()
    doubt = record(opened(cast), Verdict.UNKNOWN)
    hurried = entries.hurry(doubt, actor=cast.actor, now=now)
    assert (hurried.due_at, hurried.fence, hurried.state) == (now, 1, State.DOUBT)
    assert events(doubt)[-1] == "redemption.hurried"
    armed = opened(cast, card_number="80000010002")
    assert entries.hurry(armed, actor=cast.actor, now=now).due_at == armed.due_at


def test_showing_an_approval_is_noted_once(cast: Cast) -> None:
    row = approved(cast)
    now = timezone.now()
    first = entries.present(row, actor=cast.actor, now=now)
    second = entries.present(row, actor=cast.actor, now=now + LEASE)
    assert first.presented_at == second.presented_at == now
    assert events(row).count("redemption.presented") == 1


def test_the_till_that_no_person_serves_is_named_in_the_audit_log(cast: Cast) -> None:
    row = opened(cast, actor=Actor(user=None, device=cast.till, channel=Channel.SWITCH))
    assert AuditEntry.objects.get(subject=f"transaction:{row.reference}").actor == "till 001"


def test_an_approval_is_kept_with_its_answer_and_its_grant(cast: Cast) -> None:
    row = approved(cast)
    assert (row.units, row.amount_cents, row.miles) == (4, 4000, 380)
    assert (row.confirmation_number, row.due_at) == (CONFIRMATION, None)
    assert payloads.answer_of(row) == b'{"responseCode":"0000"}'
