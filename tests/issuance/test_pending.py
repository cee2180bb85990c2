"""What the programme has not finished: followed to its end, in the order of its collector."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from amcash import services as cash
from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, issuing, triggers
from backoffice.journal.decisions import Finding, Verdict
from backoffice.journal.models import Transaction
from backoffice.journal.states import Shown, State
from issuance import services, tasks
from tests.amcash.stories import order as redemption
from tests.cast import Cast
from tests.issuance import stories
from tests.issuance.baskets import CARD
from tests.issuance.stories import (
    answered,
    confirmed,
    event,
    failed,
    give,
    make_due,
    pending,
    record,
    settle,
    take_back,
)
from tests.scripted import Answer, ScriptedPlatform, approved, not_sent, reply, silence

pytestmark = pytest.mark.django_db


def wait_of(row: Transaction) -> timedelta:
    """How long from its last answer until it is due, to the second."""
    asked = row.attempts.order_by("-fence").first()
    assert asked is not None and asked.finished_at is not None and row.due_at is not None
    return timedelta(seconds=round((row.due_at - asked.finished_at).total_seconds()))


def older(row: Transaction, **age: int) -> None:
    """As if it had been opened, and sent, so long ago; past the database's own refusal."""
    with_triggers_lifted(
        row, opened_at=row.opened_at - timedelta(**age), replay_until=timezone.now()
    )


def with_triggers_lifted(row: Transaction, **values: object) -> None:
    with triggers.lifted():
        Transaction.objects.filter(pk=row.pk).update(**values)


def test_a_pending_sale_is_asked_on_a_growing_schedule_until_it_is_final(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(pending())
    row = give(cast)
    waits = [wait_of(row)]
    for _ in range(6):
        row = settle(row)
        assert row.state == State.PENDING
        waits.append(wait_of(row))
    assert waits == [*issuing.PENDING_WAITS, issuing.PENDING_WAITS[-1], issuing.PENDING_WAITS[-1]]
    assert [offer.status for offer in row.offers.all()] == ["pending"]
    scripted.will(confirmed())
    row = settle(row)
    assert (row.state, row.miles) == (State.CONFIRMED, 5)
    assert [offer.status for offer in row.offers.all()] == ["confirmed"]
    assert len({(sent.body, sent.idempotency_key) for sent in scripted.sent}) == 1
    # A pending answer is no answer to keep; the last one is.
    assert row.payloads.filter(attempt__isnull=False).count() == 1


@pytest.mark.parametrize("answer", [silence(), failed(), not_sent(), reply(503), reply(302)])
def test_no_trouble_takes_back_that_the_programme_has_it(
    cast: Cast, scripted: ScriptedPlatform, answer: Answer
) -> None:
    scripted.will(pending(), answer)
    row = settle(give(cast))
    assert (row.state, row.needs_person) == (State.PENDING, "")
    assert row.shown(timezone.now()) is Shown.PENDING
    # However long: its key was acknowledged.
    older(row, days=3)
    assert settle(row).state == State.PENDING
    scripted.will(confirmed())
    assert settle(row).state == State.CONFIRMED


def test_a_doubt_is_asked_only_while_its_key_is_trusted(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = give(cast)
    older(row, hours=20)
    row = settle(row)
    assert (row.state, row.needs_person, len(scripted.sent)) == (State.MANUAL, "replay_over", 1)


def test_what_waited_for_days_has_a_key_that_is_trusted_from_its_first_send(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    row = give(cast)
    older(row, days=2)
    scripted.will(silence())
    row = settle(row)
    assert row.state == State.DOUBT
    assert row.replay_until > timezone.now() + timedelta(hours=19)


def test_some_offers_may_end_before_others(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(answered(200, "CONFIRMED", "PENDING"))
    row = give(cast)
    assert [offer.status for offer in row.offers.all()] == ["confirmed", "pending"]
    assert (row.state, row.miles) == (State.PENDING, None)
    scripted.will(answered(200, "confirmed", "REJECTED"))
    row = settle(row)
    assert (row.state, row.miles) == (State.PARTIAL, 5)
    assert [offer.status for offer in row.offers.all()] == ["confirmed", "rejected"]


def test_a_pending_issuance_delays_the_collectors_next_one_and_its_returns(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(pending())
    first = give(cast)
    second = give(cast)
    returned = take_back(cast, first)
    assert (second.state, returned.state) == (State.QUEUED, State.QUEUED)
    assert second.due_at == first.due_at
    assert len(scripted.sent) == 1
    # Due as they may be, they are put off and no try is spent on them.
    make_due(second)
    make_due(returned)
    assert services.settle_due(sender="sweep") == 0
    second.refresh_from_db()
    assert second.fence == 0
    assert second.due_at is not None and second.due_at > timezone.now()
    # Another collector's do not wait.
    assert give(cast, card=stories.card(5)).state == State.PENDING
    # The first one's end makes the others due at once, one after the other.
    scripted.will(confirmed())
    assert settle(first).state == State.CONFIRMED
    while services.settle_due(sender="sweep"):
        pass
    states = {row.pk: row.state for row in Transaction.objects.filter(collector_last4="0001")}
    assert states == dict.fromkeys([first.pk, second.pk, returned.pk], State.CONFIRMED)
    order = [sent.fields["checkoutTransactionId"] for sent in scripted.sent[-3:]]
    assert order == [one.checkout_id for one in (first, second, returned)]


def test_a_pending_issuance_never_delays_a_redemption(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(pending())
    assert give(cast).state == State.PENDING
    scripted.will(approved())
    wanted = redemption(card=CARD)
    row = cash.redeem(wanted, actor=cast.actor, now=timezone.now()).transaction
    assert row.is_granted


def test_one_armed_send_of_a_collector_queues_the_issuance(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    with_redemption = cash.redeem(redemption(card=CARD), actor=cast.actor, now=timezone.now())
    Transaction.objects.filter(pk=with_redemption.transaction.pk).update(
        state=State.ARMED, due_at=timezone.now() + timedelta(seconds=30)
    )
    sent = len(scripted.sent)
    row = give(cast)
    assert (row.state, len(scripted.sent)) == (State.QUEUED, sent)
    assert services.settle_due(sender="sweep") == 0  # Still busy; it stays due.
    Transaction.objects.filter(pk=with_redemption.transaction.pk).update(state=State.DOUBT)
    scripted.will(confirmed())
    assert settle(row).state == State.CONFIRMED


def test_a_return_names_its_sale_by_the_number_that_is_known(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed())
    given = give(cast)
    take_back(cast, given)
    assert scripted.sent[-1].path == "/checkout/issuance/return"
    assert scripted.sent[-1].fields["originalTransactionId"] == stories.TRANSACTION_ID
    scripted.will(silence())
    doubted = give(cast)
    waiting = take_back(cast, doubted)
    scripted.will(confirmed())
    settle(doubted)
    settle(waiting)
    assert scripted.sent[-1].fields["originalTransactionId"] == doubted.checkout_id


def test_a_return_of_what_was_rejected_is_never_sent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(pending())
    given = give(cast)
    returned = take_back(cast, given)
    scripted.will(answered(200, "REJECTED"))
    assert settle(given).state == State.REJECTED
    assert settle(returned).state == State.NOT_SENT
    assert len(scripted.sent) == 2
    with pytest.raises(services.Refused):
        take_back(cast, given)


def test_a_return_written_before_its_sale_was_partly_rejected_is_a_persons(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(pending())
    given = give(cast)
    returned = take_back(cast, given)
    scripted.will(answered(200, "CONFIRMED", "REJECTED"))
    assert settle(given).state == State.PARTIAL
    row = settle(returned)
    assert (row.state, row.needs_person) == (State.MANUAL, "original_partial")


def test_a_sale_that_has_just_ended_keeps_its_return_no_more(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.will(pending())
    given = give(cast)
    read = entries.reread

    def ends_meanwhile(row: Transaction) -> Transaction:
        """Between the look at the sale and the insert of its return the sweep confirms it."""
        found = read(row)
        monkeypatch.setattr(entries, "reread", read)
        scripted.will(confirmed())
        settle(row)
        return found

    monkeypatch.setattr(entries, "reread", ends_meanwhile)
    assert take_back(cast, given).state == State.CONFIRMED


def test_an_event_gives_miles_without_a_basket(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(answered(200, "PENDING"), confirmed())
    row = event(cast, reason="goodwill")
    assert (row.state, row.path) == (State.PENDING, "/checkout/issuance/post/event")
    fields = scripted.sent[0].fields
    assert fields["context"] == {"reason": "goodwill"} and "items" not in fields
    assert settle(row).miles == 8
    back = event(cast, is_taking_back=True, original_id=row.checkout_id)
    assert (back.state, back.path) == (State.CONFIRMED, "/checkout/issuance/reverse/event")
    assert scripted.sent[-1].fields["originalClientTransactionId"] == row.checkout_id


def test_a_sale_that_earned_nothing_is_recorded_without_a_collector_or_a_key(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(reply(transactionId="c4f6cd00"))
    rows = [record(cast), record(cast), record(cast, card=CARD)]
    assert [row.state for row in rows] == [State.DONE] * 3
    assert [row.collector_last4 for row in rows] == ["", "", "0001"]
    assert {sent.idempotency_key for sent in scripted.sent} == {None}
    assert [("collectorNumber" in sent.fields) for sent in scripted.sent] == [False, False, True]
    assert scripted.sent[0].fields["transactionType"] == "PURCHASE"


def test_a_record_neither_waits_nor_delays(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(pending())
    give(cast)
    scripted.will(silence())
    assert record(cast, card=CARD).state == State.DOUBT
    scripted.will(confirmed())
    assert give(cast, card=stories.card(9)).state == State.CONFIRMED


def test_what_stays_open_is_made_known_at_one_hour_and_at_a_day(
    cast: Cast, scripted: ScriptedPlatform, settings: Settings
) -> None:
    scripted.will(pending())
    row = give(cast)

    def alarms() -> list[int]:
        tasks.settle_due()
        tasks.settle_due()
        found = AuditEntry.objects.filter(event="issuance.waiting").order_by("id")
        return [entry.details["hours"] for entry in found]

    assert alarms() == []
    older(row, minutes=61)
    assert alarms() == [1]
    older(row, hours=24)
    assert alarms() == [1, 24]


def test_two_final_answers_that_differ_are_a_persons(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence(), confirmed())
    row = give(cast)
    make_due(row)
    stale = Transaction.objects.get(pk=row.pk)
    assert entries.claim(stale, sender="slow", now=timezone.now(), lease=timedelta(seconds=30))
    row = settle(row)
    assert row.state == State.CONFIRMED
    late = Finding(verdict=Verdict.REJECTED, http_status=200)
    after = entries.record(stale, late, now=timezone.now())
    assert (after.state, after.needs_person) == (State.CONFIRMED, "conflict")


def test_a_return_that_waits_for_people_keeps_no_other_sale_waiting(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence(), stories.refused("CollectorNotFound"))
    sale = settle(give(cast))
    assert sale.state == State.MANUAL
    back = take_back(cast, sale)
    scripted.will(confirmed())
    assert give(cast).state == State.CONFIRMED
    # It goes on waiting for what people say of its sale.
    assert settle(back).state == State.QUEUED
