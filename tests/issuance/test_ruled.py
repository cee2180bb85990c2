"""What two people decide of miles that no rule can settle, and what that sets free."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.journal import entries, triggers
from backoffice.journal.entries import Conflict, Refused
from backoffice.journal.models import Transaction
from backoffice.journal.rulings import Ruling
from backoffice.journal.states import State
from issuance import rules, services
from tests.cast import Cast
from tests.issuance import stories
from tests.issuance.stories import (
    answered,
    confirmed,
    give,
    make_due,
    pending,
    record,
    settle,
    take_back,
)
from tests.journal.rows import reversal_of
from tests.scripted import ScriptedPlatform, silence

pytestmark = pytest.mark.django_db


def propose(cast: Cast, row: Transaction, outcome: State | None, **fields: object) -> None:
    ruling = Ruling(note="Asked the desk.", outcome=outcome, help_desk_ref="HD-77", **fields)  # type: ignore[arg-type]
    entries.propose(row, ruling, person=cast.manager, now=timezone.now())


def confirm(cast: Cast, row: Transaction) -> Transaction:
    proposal = entries.proposal_of(row)
    assert proposal is not None
    return entries.confirm(
        row,
        proposal.pk,
        note="The same.",
        person=cast.administrator,
        now=timezone.now(),
        make_reversal=reversal_of,
    )


def decide(cast: Cast, row: Transaction, outcome: State, **fields: object) -> Transaction:
    propose(cast, row, outcome, **fields)
    return confirm(cast, row)


def given_up(cast: Cast, scripted: ScriptedPlatform) -> Transaction:
    """A sale whose miles were asked for as long as their key is trusted, in vain."""
    scripted.will(silence())
    row = give(cast)
    with triggers.lifted():
        Transaction.objects.filter(pk=row.pk).update(replay_until=timezone.now())
    row = settle(row)
    assert (row.state, row.needs_person) == (State.MANUAL, "replay_over")
    return row


def never_finished(cast: Cast, scripted: ScriptedPlatform, *statuses: str) -> Transaction:
    """A sale that the programme has had for a day."""
    scripted.will(answered(202, *(statuses or ("PENDING",))))
    row = give(cast)
    with triggers.lifted():
        day_ago = timezone.now() - timedelta(hours=24)
        Transaction.objects.filter(pk=row.pk).update(opened_at=day_ago)
    row.refresh_from_db()
    return row


def conflict_of(call: object, *args: object, **options: object) -> Conflict:
    with pytest.raises(Refused) as error:
        call(*args, **options)  # type: ignore[operator]
    return error.value.conflict


def test_what_went_through_has_the_help_desks_number_and_miles(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = given_up(cast, scripted)
    propose(cast, row, State.CONFIRMED, confirmation_number="c4f6-1", miles=17)
    row = confirm(cast, row)
    assert (row.state, row.needs_person, row.due_at) == (State.CONFIRMED, "", None)
    assert (row.confirmation_number, row.miles) == ("c4f6-1", 17)
    assert row.settled_at is not None and row.presented_at is None


def test_what_did_not_go_through_is_owed_until_it_is_corrected(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = decide(cast, given_up(cast, scripted), State.REJECTED)
    assert (row.state, row.needs_person, row.miles) == (State.REJECTED, "rejected", 0)
    scripted.will(confirmed())
    correction = give(cast, sale_ref=row.sale_ref, corrects=row)
    row.refresh_from_db()
    assert (correction.state, row.needs_person) == (State.CONFIRMED, "")


def test_what_a_person_closed_with_a_note_may_still_be_corrected_once(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.refused("CollectorNotFound"), confirmed())
    row = give(cast)
    row = entries.deal_with(row, "Rang them.", person=cast.manager, now=timezone.now())
    assert row.needs_person == ""
    give(cast, sale_ref=row.sale_ref, corrects=row)
    with pytest.raises(services.Refused) as refused:
        give(cast, sale_ref=row.sale_ref, corrects=row)
    assert refused.value.reason is rules.Reason.STATE_CHANGED


def test_two_different_answers_are_settled_before_anything_is_corrected(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.refused("CollectorNotFound"))
    row = give(cast)
    Transaction.objects.filter(pk=row.pk).update(needs_person="conflict")
    row.refresh_from_db()
    with pytest.raises(services.Refused):
        give(cast, sale_ref=row.sale_ref, corrects=row)
    assert Transaction.objects.count() == 1


def test_a_decision_lets_the_return_that_waits_for_it_go(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    sale = given_up(cast, scripted)
    back = take_back(cast, sale)
    services.settle_due(sender="sweep")
    back.refresh_from_db()
    assert back.state == State.QUEUED and back.due_at is not None and back.due_at > timezone.now()
    decide(cast, sale, State.CONFIRMED)
    back.refresh_from_db()
    assert back.due_at <= timezone.now()
    scripted.will(confirmed())
    assert services.settle_due(sender="sweep") == 1
    back.refresh_from_db()
    assert back.state == State.CONFIRMED


def test_a_return_of_what_was_decided_to_have_failed_is_never_sent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    sale = given_up(cast, scripted)
    back = take_back(cast, sale)
    decide(cast, sale, State.REJECTED)
    sent = len(scripted.sent)
    services.settle_due(sender="sweep")
    back.refresh_from_db()
    assert back.state == State.NOT_SENT and len(scripted.sent) == sent


def test_a_return_that_was_held_because_its_sale_gave_less_is_not_sent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(answered(202, "PENDING", "PENDING"), answered(200, "CONFIRMED", "REJECTED"))
    sale = give(cast)
    back = take_back(cast, sale)
    settle(sale)
    back = settle(back)
    assert (back.state, back.needs_person) == (State.MANUAL, "original_partial")
    told = conflict_of(propose, cast, back, State.CONFIRMED)
    assert told is Conflict.STATE_CHANGED
    assert decide(cast, back, State.NOT_SENT).needs_person == ""


def test_what_never_ends_is_ended_by_two_and_the_next_miles_go(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = never_finished(cast, scripted)
    waiting = give(cast)
    assert waiting.state == State.QUEUED
    propose(cast, row, State.REJECTED)
    # It is asked meanwhile, and answered as ever: that is no news.
    row = settle(row)
    assert row.state == State.PENDING
    row = confirm(cast, row)
    assert (row.state, row.needs_person) == (State.REJECTED, "rejected")
    assert list(row.offers.values_list("status", flat=True)) == ["rejected"]
    assert row.decisions.first().needs_person == "pending_long"  # type: ignore[union-attr]
    scripted.will(confirmed())
    services.settle_due(sender="sweep")
    waiting.refresh_from_db()
    assert waiting.state == State.CONFIRMED


def test_before_a_day_is_over_nobody_ends_it(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(pending())
    row = give(cast)
    assert conflict_of(propose, cast, row, State.REJECTED) is Conflict.STATE_CHANGED


def test_an_end_that_comes_before_the_second_person_outweighs_the_proposal(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = never_finished(cast, scripted)
    propose(cast, row, State.REJECTED)
    scripted.will(confirmed())
    row = settle(row)
    assert row.state == State.CONFIRMED
    assert conflict_of(confirm, cast, row) is Conflict.STATE_CHANGED


def test_what_was_confirmed_stands_and_only_the_rest_is_decided(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = never_finished(cast, scripted, "CONFIRMED", "PENDING")
    assert conflict_of(propose, cast, row, State.REJECTED) is Conflict.STATE_CHANGED
    row = decide(cast, row, State.PARTIAL)
    offers = dict(row.offers.values_list("status", "miles"))
    assert (row.state, row.miles) == (State.PARTIAL, offers["confirmed"])
    assert set(offers) == {"confirmed", "rejected"}


def test_an_answer_that_comes_after_the_end_agrees_or_is_a_conflict(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    def ended_meanwhile(sent: object) -> object:
        decide(cast, row, State.REJECTED)
        return confirmed()(sent)  # type: ignore[operator, arg-type]

    row = never_finished(cast, scripted)
    scripted.will(ended_meanwhile)  # type: ignore[arg-type]
    make_due(row)
    services.settle_due(sender="sweep")
    row.refresh_from_db()
    assert (row.state, row.needs_person) == (State.REJECTED, "conflict")


def test_a_number_that_the_help_desk_did_not_give_contradicts_nothing(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    def ended_meanwhile(sent: object) -> object:
        decide(cast, row, State.CONFIRMED)
        return confirmed()(sent)  # type: ignore[operator, arg-type]

    row = never_finished(cast, scripted)
    scripted.will(ended_meanwhile)  # type: ignore[arg-type]
    make_due(row)
    services.settle_due(sender="sweep")
    row.refresh_from_db()
    assert (row.state, row.needs_person) == (State.CONFIRMED, "")


def test_a_recorded_sale_is_decided_too(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(silence())
    row = record(cast)
    with triggers.lifted():
        Transaction.objects.filter(pk=row.pk).update(replay_until=timezone.now())
    row = decide(cast, settle(row), State.DONE)
    assert (row.state, row.miles, row.presented_at) == (State.DONE, None, None)
