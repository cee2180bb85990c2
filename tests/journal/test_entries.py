"""The log's only writer, function by function: what it commits, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.transaction import atomic
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, payloads
from backoffice.journal.decisions import Verdict
from backoffice.journal.entries import Conflict
from backoffice.journal.models import Attempt, Payload, Transaction
from backoffice.journal.states import Operation, State
from backoffice.people.actors import Actor, Channel
from tests.cast import Cast
from tests.journal.rows import (
    LEASE,
    approved,
    claimed,
    finding,
    intent,
    make_due,
    opened,
    record,
    reversal_of,
    written,
)

pytestmark = pytest.mark.django_db


def events(row: Transaction) -> list[str]:
    found = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    return [entry.event for entry in found]


# --- Opening --------------------------------------------------------------------------------------


def test_opening_commits_the_intent_the_right_to_send_and_its_audit_entry(cast: Cast) -> None:
    now = timezone.now()
    row = opened(cast, now=now)
    assert (row.state, row.fence, row.owner) == (State.ARMED, 1, "web")
    assert (row.due_at, row.first_sent_at, row.opened_at) == (now + LEASE, now, now)
    assert (row.collector_last4, len(row.collector_mac)) == ("0001", 64)
    assert payloads.body_of(row) == intent().body
    assert payloads.answer_of(row) is None
    (attempt,) = row.attempts.all()
    assert (attempt.fence, attempt.result, attempt.finished_at) == (1, "", None)
    assert events(row) == ["redemption.armed"]
    assert str(row) == f"redeem {row.reference}" and str(attempt) == "attempt 1: under way"
    assert str(row.payloads.get()) == f"payload of {row.pk}"


def test_the_same_reference_returns_the_same_row_and_writes_nothing(cast: Cast) -> None:
    row = opened(cast, client_ref="press")
    again, is_new = entries.open_transaction(
        intent(client_ref="press", body=b"other bytes", trace_id="999999999999"),
        actor=cast.actor,
        sender="web",
        now=timezone.now(),
        lease=LEASE,
    )
    assert (again, is_new) == (row, False)
    assert (Attempt.objects.count(), Payload.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "changes", [{"asked": "twenty dollars"}, {"operation": Operation.REVERSE, "path": "/other"}]
)
def test_the_same_reference_with_other_content_is_refused(
    cast: Cast, changes: dict[str, Any]
) -> None:
    opened(cast, client_ref="press")
    with pytest.raises(entries.Refused) as refused:
        opened(cast, client_ref="press", **changes)
    assert refused.value.conflict is Conflict.OTHER_CONTENT


def refusal(cast: Cast, *, actor: Actor | None = None, **changes: object) -> Conflict:
    """Say why the log refuses, and that it wrote nothing."""
    before = (Transaction.objects.count(), Payload.objects.count(), AuditEntry.objects.count())
    with pytest.raises(entries.Refused) as refused:
        opened(cast, actor=actor, **changes)
    after = (Transaction.objects.count(), Payload.objects.count(), AuditEntry.objects.count())
    assert before == after
    return refused.value.conflict


def test_a_collector_whose_send_is_under_way_is_busy(cast: Cast) -> None:
    opened(cast)
    assert refusal(cast) is Conflict.COLLECTOR_BUSY


def test_a_collector_whose_sender_died_is_in_doubt(cast: Cast) -> None:
    make_due(opened(cast))
    assert refusal(cast) is Conflict.COLLECTOR_IN_DOUBT


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.INCOMPLETE])
def test_a_collector_with_an_open_question_is_in_doubt(cast: Cast, verdict: Verdict) -> None:
    record(opened(cast), verdict)
    assert refusal(cast) is Conflict.COLLECTOR_IN_DOUBT
    other = opened(cast, card_number="80000010002")
    assert other.state == State.ARMED


def test_a_sale_that_is_open_or_redeemed_is_not_redeemed_again(cast: Cast) -> None:
    row = opened(cast, sale_ref="sale")
    other_card: dict[str, Any] = {"sale_ref": "sale", "card_number": "80000010002"}
    assert refusal(cast, **other_card) is Conflict.SALE_OPEN
    record(row, Verdict.APPROVED)
    assert refusal(cast, **other_card) is Conflict.SALE_OPEN


def test_a_decline_after_a_doubt_asks_for_a_supervisor_until_its_deadline(cast: Cast) -> None:
    row = record(opened(cast), Verdict.DECLINED_AFTER_DOUBT)
    assert (row.state, row.after_doubt) == (State.DECLINED, True)
    assert refusal(cast) is Conflict.SUPERVISOR_NEEDED
    no_one = Actor(user=None, device=cast.till, channel=Channel.SWITCH)
    assert refusal(cast, actor=no_one) is Conflict.SUPERVISOR_NEEDED
    later = opened(cast, now=row.deadline_at)
    assert later.state == State.ARMED


def test_a_supervisor_may_redeem_after_it(cast: Cast) -> None:
    record(opened(cast), Verdict.DECLINED_AFTER_DOUBT)
    assert opened(cast, actor=cast.manager_actor).state == State.ARMED


def test_a_redemption_has_one_live_reversal_whoever_asks(cast: Cast) -> None:
    redemption = approved(cast)
    first = entries.open_transaction(
        replace(reversal_of(redemption, timezone.now()), client_ref="first"),
        actor=cast.actor,
        sender="web",
        now=timezone.now(),
        lease=LEASE,
    )[0]
    record(first, Verdict.UNKNOWN)
    with pytest.raises(entries.Refused) as refused:
        entries.open_transaction(
            replace(reversal_of(redemption, timezone.now()), client_ref="second"),
            actor=cast.actor,
            sender="web",
            now=timezone.now(),
            lease=LEASE,
        )
    assert refused.value.conflict is Conflict.REVERSAL_LIVE
    assert redemption.reversals.get() == first


def test_a_doubtful_redemption_does_not_stop_the_reversal_of_another(cast: Cast) -> None:
    redemption = approved(cast)
    record(opened(cast), Verdict.UNKNOWN)
    row, is_new = entries.open_transaction(
        reversal_of(redemption, timezone.now()),
        actor=cast.actor,
        sender="web",
        now=timezone.now(),
        lease=LEASE,
    )
    assert is_new and row.deadline_at == redemption.deadline_at


@pytest.mark.django_db(transaction=True)
def test_no_commit_of_the_log_hides_in_somebody_elses(cast: Cast) -> None:
    row = opened(cast)
    now = timezone.now()
    calls: dict[str, Callable[[], object]] = {
        "open": lambda: opened(cast),
        "send_again": lambda: entries.send_again(
            written(cast, deadline_at=now + LEASE, replay_until=now + LEASE),
            actor=cast.actor,
            sender="web",
            now=now,
            lease=LEASE,
        ),
        "rearm": lambda: entries.rearm(
            row, finding=finding(Verdict.UNKNOWN), sender="web", now=now, lease=LEASE
        ),
        "record": lambda: record(row, Verdict.APPROVED),
        "claim": lambda: entries.claim(
            Transaction.objects.get(pk=row.pk), sender="sweep", now=now, lease=LEASE
        ),
        "close": lambda: entries.claim(
            Transaction.objects.get(pk=row.pk),
            sender="sweep",
            now=row.replay_until,
            lease=LEASE,
        ),
        "give_up": lambda: entries.give_up_unsent(row, actor=cast.actor, now=now),
        "cancel": lambda: entries.cancel(row, actor=cast.actor, now=now, make_reversal=reversal_of),
        "present": lambda: entries.present(row, actor=cast.actor, now=now),
        "hurry": lambda: entries.hurry(row, actor=cast.actor, now=now),
    }
    for name, call in calls.items():
        with pytest.raises(RuntimeError, match="durable"), atomic():
            call()
        assert Transaction.objects.get(pk=row.pk).state == State.ARMED, name
    # And on its own each of them may: the log is not merely refusing everything.
    assert record(row, Verdict.APPROVED).state == State.APPROVED


# --- Sending again, and giving up -----------------------------------------------------------------


def again(cast: Cast, row: Transaction, **changes: object) -> Transaction:
    fields: dict[str, object] = {
        "actor": cast.actor,
        "sender": "web",
        "now": timezone.now(),
        "lease": LEASE,
    }
    return entries.send_again(row, **{**fields, **changes})  # type: ignore[arg-type]


def test_what_never_left_is_armed_again_with_the_same_key_and_body(cast: Cast) -> None:
    row = opened(cast)
    key, body = row.idempotency_key, payloads.body_of(row)
    row = record(row, Verdict.NOT_SENT)
    assert row.state == State.QUEUED and row.due_at is not None
    sent = again(cast, row)
    assert (sent.state, sent.fence, sent.has_unknown) == (State.ARMED, 2, False)
    assert (sent.idempotency_key, payloads.body_of(sent)) == (key, body)
    assert [attempt.result for attempt in sent.attempts.all()] == ["not_sent", ""]


def test_only_what_is_queued_is_sent_again(cast: Cast) -> None:
    for row in (opened(cast), approved(cast, card_number="80000010002")):
        with pytest.raises(entries.Refused) as refused:
            again(cast, row)
        assert refused.value.conflict is Conflict.STATE_CHANGED


def test_two_presses_of_send_again_send_once(cast: Cast) -> None:
    row = record(opened(cast), Verdict.NOT_SENT)
    again(cast, row)
    with pytest.raises(entries.Refused) as refused:
        again(cast, row)
    assert refused.value.conflict is Conflict.STATE_CHANGED
    assert Transaction.objects.get(pk=row.pk).fence == 2


def test_what_could_not_be_undone_any_more_is_not_sent_again(cast: Cast) -> None:
    row = record(opened(cast), Verdict.NOT_SENT)
    with pytest.raises(entries.Refused) as refused:
        again(cast, row, now=row.replay_until)
    assert refused.value.conflict is Conflict.STATE_CHANGED
    assert again(cast, row, now=row.replay_until - timedelta(seconds=1)).state == State.ARMED


def test_sending_again_waits_for_the_same_collectors_other_send(cast: Cast) -> None:
    queued = record(opened(cast), Verdict.NOT_SENT)
    other = opened(cast)
    with pytest.raises(entries.Refused) as refused:
        again(cast, queued)
    assert refused.value.conflict is Conflict.COLLECTOR_BUSY
    record(other, Verdict.UNKNOWN)
    with pytest.raises(entries.Refused) as refused:
        again(cast, queued)
    assert refused.value.conflict is Conflict.COLLECTOR_IN_DOUBT
    assert Transaction.objects.get(pk=queued.pk).state == State.QUEUED


def test_giving_up_closes_only_what_never_left(cast: Cast) -> None:
    now = timezone.now()
    doubt = record(opened(cast), Verdict.UNKNOWN)
    assert entries.give_up_unsent(doubt, actor=cast.actor, now=now).state == State.DOUBT
    queued = record(opened(cast, card_number="80000010002"), Verdict.NOT_SENT)
    closed = entries.give_up_unsent(queued, actor=cast.actor, now=now)
    assert (closed.state, closed.due_at, closed.settled_at) == (State.NOT_SENT, None, now)
    assert events(closed)[-1] == "redemption.not_sent"


def test_a_reversal_that_is_owed_is_neither_dropped_nor_sent_by_a_till(cast: Cast) -> None:
    redemption = approved(cast)
    entries.cancel(redemption, actor=cast.actor, now=timezone.now(), make_reversal=reversal_of)
    owed = redemption.reversals.get()
    kept = entries.give_up_unsent(owed, actor=cast.actor, now=timezone.now())
    assert kept.state == State.QUEUED
    with pytest.raises(entries.Refused):
        again(cast, owed)


# --- Rearming -------------------------------------------------------------------------------------


def test_the_second_try_is_a_second_right_with_the_first_attempt_completed(cast: Cast) -> None:
    row = opened(cast)
    armed = entries.rearm(
        row, finding=finding(Verdict.UNKNOWN), sender="web", now=timezone.now(), lease=LEASE
    )
    assert armed is not None and (armed.fence, armed.has_unknown) == (2, True)
    assert [attempt.result for attempt in armed.attempts.all()] == ["unknown", ""]
    assert armed.doubted_at is None  # The till still waits for its own second try.


def test_a_second_try_after_nothing_left_is_no_doubt(cast: Cast) -> None:
    armed = entries.rearm(
        opened(cast),
        finding=finding(Verdict.NOT_SENT),
        sender="web",
        now=timezone.now(),
        lease=LEASE,
    )
    assert armed is not None and not armed.has_unknown


def test_a_sender_that_lost_its_right_does_not_get_another(cast: Cast) -> None:
    mine = opened(cast)
    theirs = claimed(mine)
    lost = entries.rearm(
        mine, finding=finding(Verdict.UNKNOWN), sender="web", now=timezone.now(), lease=LEASE
    )
    assert lost is None
    now_there = Transaction.objects.get(pk=mine.pk)
    assert (now_there.fence, now_there.owner) == (theirs.fence, "sweep") == (2, "sweep")
    assert [attempt.result for attempt in mine.attempts.all()] == ["unknown", ""]
