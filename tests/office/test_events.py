"""Miles without a sale: who may, what is looked at first, the second person; and it goes once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal.models import Transaction
from backoffice.people.scope import usable_tills
from issuance import approvals, services, sweep
from issuance.proposals import EventProposal, EventReason
from tests.cast import COLLECTOR, Cast
from tests.issuance import stories
from tests.office.desk import NEW, SEND, Desk, draft_in
from tests.scripted import ScriptedPlatform, not_sent


def names() -> list[str]:
    """What the audit log says of proposals, oldest first."""
    found = AuditEntry.objects.filter(event__startswith="event.").order_by("id")
    return [entry.event.removeprefix("event.") for entry in found]


@pytest.mark.parametrize(
    ("person", "reads", "gives"),
    [
        ("cashier", 403, 403),
        ("manager", 200, 200),
        ("administrator", 200, 200),
        ("auditor", 200, 403),
        ("south_manager", 404, 404),
    ],
)
def test_who_reads_and_who_acts(
    cast: Cast,
    reason: EventReason,
    error: EventReason,
    scripted: ScriptedPlatform,
    person: str,
    reads: int,
    gives: int,
) -> None:
    scripted.will(stories.confirmed())
    given = Desk.of(cast.manager).give(reason)
    row = Transaction.objects.get()
    desk = Desk.of(getattr(cast, person))
    assert desk.get(f"/office/events/{given.reference}/")[0] == reads
    assert desk.get(f"/office/events/take-back/{row.reference}/")[0] == gives
    assert desk.decide(given, "send")[0] == gives
    of_nobody = 200 if person == "south_manager" else reads
    assert desk.get("/office/events/")[0] == of_nobody
    assert (COLLECTOR[-4:] in desk.get("/office/events/")[1]) is (reads == 200)
    may_enter = gives in {200, 404}
    assert desk.get(NEW)[0] == (200 if may_enter else 403)
    assert desk.post(SEND, draft="x")[0] == (200 if may_enter else 403)


@pytest.mark.parametrize("path", ["/office/events/", NEW])
def test_a_stranger_is_sent_to_the_sign_in(cast: Cast, path: str) -> None:
    assert Client().get(path).status_code == 302
    assert Client().post(SEND, {"draft": "x"}).status_code == 302


def test_it_is_looked_at_before_anything_is_written(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    page = Desk.of(cast.manager).look(reason, 120)
    assert "Give these miles?" in page and "•••• 0001" in page and "Give now" in page
    assert COLLECTOR not in page and scripted.sent == []
    assert not EventProposal.objects.exists() and not Transaction.objects.exists()


def test_within_the_limit_one_person_gives(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    desk = Desk.of(cast.manager)
    proposal = desk.give(reason, 500)
    (sent,) = scripted.sent
    assert sent.path.endswith("/post/event") and sent.fields["collectorNumber"] == COLLECTOR
    assert sent.fields["deviceId"] == "900"
    assert sent.fields["context"] == {"reason": "GOODWILL"}
    (offer,) = sent.fields["issuances"]
    assert (offer["offerId"], offer["issuanceOfferCode"], offer["milesAmount"]) == (
        "100001",
        "STANDARD",
        500,
    )
    row = Transaction.objects.get()
    assert (row.operation, row.state, row.miles, row.channel) == (
        "post_event",
        "confirmed",
        500,
        "office",
    )
    assert row.user == cast.manager and names() == ["proposed"]
    page = desk.get(f"/office/events/{proposal.reference}/")[1]
    assert "Confirmed by the programme." in page and "0ed100a4" in page and COLLECTOR not in page
    proposal.refresh_from_db()
    assert not proposal.has_card and proposal.needs_second is False


def test_a_second_press_gives_once(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    desk = Desk.of(cast.manager)
    draft = draft_in(desk.look(reason))
    first, second = desk.post(SEND, draft=draft), desk.post(SEND, draft=draft)
    assert first[0] == second[0] == 200 and "Confirmed by the programme." in second[1]
    assert len(scripted.sent) == 1
    assert EventProposal.objects.count() == Transaction.objects.count() == 1


def test_a_draft_is_worthless_in_another_session(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    draft = draft_in(Desk.of(cast.manager).look(reason))
    Desk.of(cast.administrator).post(SEND, draft=draft)
    assert not EventProposal.objects.exists()


def test_above_the_limit_nothing_is_sent_until_somebody_else_agrees(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    desk = Desk.of(cast.manager)
    page = desk.look(reason, 501)
    assert "Propose it" in page and "more than 500 miles" in page
    proposal = desk.give(reason, 501)
    assert scripted.sent == [] and proposal.state == "waiting"
    assert "1 gift of miles waits" in desk.get("/office/")[1]
    status, page = desk.decide(proposal, "agree")
    assert status == 409 and "Whoever proposed it cannot agree to it." in page
    assert scripted.sent == []
    other = Desk.of(cast.administrator)
    assert "Agree and send" in other.get(f"/office/events/{proposal.reference}/")[1]
    status, page = other.decide(proposal, "agree")
    assert status == 200 and "Confirmed by the programme." in page and "Administrator" in page
    assert len(scripted.sent) == 1 and names() == ["proposed", "approved"]
    assert other.decide(proposal, "agree")[0] == 409 and len(scripted.sent) == 1


def test_the_database_lets_nobody_agree_with_themselves(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    proposal = Desk.of(cast.manager).give(reason, 501)
    with pytest.raises(IntegrityError):
        EventProposal.objects.filter(pk=proposal.pk).update(
            state="approved", decided_by=cast.manager
        )


def test_small_ones_of_one_day_count_together(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    assert Desk.of(cast.manager).give(reason, 400).state == "approved"
    assert Desk.of(cast.administrator).give(reason, 101).state == "waiting"
    # Another card is another matter, and so is the day after.
    assert Desk.of(cast.manager).give(reason, 400, card="80000010002").state == "approved"
    EventProposal.objects.update(proposed_at=timezone.now() - timedelta(hours=25))
    assert Desk.of(cast.manager).give(reason, 400).state == "approved"


def test_a_store_may_have_its_own_limit(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    cast.north.event_limit_miles = 0
    cast.north.save()
    assert Desk.of(cast.manager).give(reason, 1).state == "waiting"


@pytest.mark.parametrize(
    ("person", "state"), [("manager", "withdrawn"), ("administrator", "refused")]
)
def test_a_proposal_is_put_aside_and_never_sent(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform, person: str, state: str
) -> None:
    proposal = Desk.of(cast.manager).give(reason, 900)
    Desk.of(getattr(cast, person)).decide(proposal, "put_aside", note="Too much.")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_note, proposal.has_card) == (state, "Too much.", False)
    assert Desk.of(cast.administrator).decide(proposal, "agree")[0] == 409
    assert scripted.sent == [] and names() == ["proposed", state]


def test_a_card_number_in_a_note_is_hidden(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    proposal = Desk.of(cast.manager).give(reason, 900)
    note = f"Not for {COLLECTOR}."
    Desk.of(cast.administrator).decide(proposal, "put_aside", note=note)
    proposal.refresh_from_db()
    assert proposal.decided_note == f"Not for {'•' * 11}."


def test_nobody_agrees_after_a_week_and_the_card_goes(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    proposal = Desk.of(cast.manager).give(reason, 900)
    EventProposal.objects.update(expires_at=timezone.now())
    status, page = Desk.of(cast.administrator).decide(proposal, "agree")
    assert status == 409 and "Too old" in page
    sweep.a_turn(sender="settle in a test")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.has_card) == ("expired", False)
    assert names() == ["proposed", "expired"] and scripted.sent == []


def test_what_was_interrupted_before_it_was_sent_is_sent_once(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services, "event", _die)
        with pytest.raises(KeyboardInterrupt):
            Desk.of(cast.manager).give(reason)
    proposal = EventProposal.objects.get()
    desk = Desk.of(cast.manager)
    page = desk.get(f"/office/events/{proposal.reference}/")[1]
    assert "Agreed to, not sent" in page and "Send it" in page
    scripted.will(stories.confirmed())
    assert desk.decide(proposal, "send")[0] == 200
    assert desk.decide(proposal, "send")[0] == 200
    assert len(scripted.sent) == 1


def _die(*_args: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_what_the_programme_cannot_take_now_follows_by_itself(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent(), stories.confirmed())
    desk = Desk.of(cast.manager)
    proposal = desk.give(reason)
    page = desk.get(f"/office/events/{proposal.reference}/")[1]
    assert "Not finished yet." in page
    assert stories.settle(Transaction.objects.get()).state == "confirmed"


def test_a_rejected_one_is_put_right_with_another_card(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.refused("CollectorNotFound"), stories.confirmed())
    desk = Desk.of(cast.manager)
    desk.give(reason, 40)
    wrong = Transaction.objects.get()
    assert (wrong.state, wrong.needs_person) == ("rejected", "rejected")
    link = f"{NEW}?corrects={wrong.reference}"
    assert link in desk.get(f"/office/log/{wrong.reference}/")[1]
    page = desk.get(link)[1]
    assert "In place of" in page and 'value="40"' in page
    desk.give(reason, 40, card="80000010002", corrects=wrong.reference)
    right = Transaction.objects.get(corrects=wrong)
    wrong.refresh_from_db()
    assert (right.state, wrong.needs_person) == ("confirmed", "")


def test_miles_are_taken_back_of_what_was_given_and_no_more(
    cast: Cast, reason: EventReason, error: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    desk = Desk.of(cast.manager)
    desk.give(reason, 100)
    given = Transaction.objects.get()
    path = f"/office/events/take-back/{given.reference}/"
    assert 'value="100"' in desk.get(path)[1]
    fields = {"reason": error.pk, "note": "Wrong card."}
    status, page = desk.post(path, miles=101, **fields)
    assert status == 200 and "At most 100 miles" in page
    status, page = desk.post(path, miles=60, reason=error.pk)
    assert status == 200 and "This reason needs a note." in page
    page = desk.post(path, miles=60, **fields)[1]
    desk.post(SEND, draft=draft_in(page))
    sent = scripted.sent[-1]
    assert sent.path.endswith("/reverse/event")
    assert sent.fields["originalClientTransactionId"] == given.checkout_id
    assert sent.fields["collectorNumber"] == COLLECTOR
    back = Transaction.objects.get(operation="reverse_event")
    assert (back.original, back.state) == (given, "confirmed")
    assert approvals.may_come_back(given) == 40
    assert "At most 40 miles" in desk.post(path, miles=41, **fields)[1]
    assert COLLECTOR not in page


def test_two_people_do_not_take_the_same_miles_back(
    cast: Cast, reason: EventReason, error: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    desk, other = Desk.of(cast.manager), Desk.of(cast.administrator)
    desk.give(reason, 100)
    path = f"/office/events/take-back/{Transaction.objects.get().reference}/"
    fields = {"miles": 100, "reason": error.pk, "note": "Wrong card."}
    first, second = (draft_in(one.post(path, **fields)[1]) for one in (desk, other))
    desk.post(SEND, draft=first)
    status, page = other.post(SEND, draft=second)
    assert status == 409 and "More would come back than was given." in page
    assert Transaction.objects.filter(operation="reverse_event").count() == 1


def test_the_offices_device_is_no_till(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.confirmed())
    Desk.of(cast.manager).give(reason)
    device = Device.objects.get(number="900")
    assert device not in usable_tills(cast.administrator)
    assert AuditEntry.objects.get(event="device.added").subject == f"device:{device.pk}"


def test_a_till_with_the_offices_number_is_named(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    Device.objects.create(store=cast.north, number="900")
    desk = Desk.of(cast.manager)
    status, page = desk.post(SEND, draft=draft_in(desk.look(reason)))
    assert status == 409 and "A till of this store has the office’s device number." in page
    assert scripted.sent == []
    scripted.will(stories.confirmed())
    cast.sponsor.office_device = "901"
    cast.sponsor.save()
    assert "Confirmed by" in desk.decide(EventProposal.objects.get(), "send")[1]


def test_the_number_is_in_no_row_in_the_clear(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    proposal = Desk.of(cast.manager).give(reason, 900)
    kept = [str(value) for value in EventProposal.objects.filter(pk=proposal.pk).values_list()[0]]
    assert proposal.has_card and not any(COLLECTOR in value for value in kept)
    assert COLLECTOR.encode() not in bytes(proposal.ciphertext)
    entries = [str(entry.details) + entry.subject for entry in AuditEntry.objects.all()]
    assert not any(COLLECTOR in text for text in entries)


def test_a_step_that_does_not_exist_is_refused(
    cast: Cast, reason: EventReason, scripted: ScriptedPlatform
) -> None:
    proposal = Desk.of(cast.manager).give(reason, 900)
    assert Desk.of(cast.administrator).decide(proposal, "decree")[0] == 400


def test_it_is_said_in_french(cast: Cast, reason: EventReason, scripted: ScriptedPlatform) -> None:
    cast.manager.language = "fr"
    page = Desk.of(cast.manager).look(reason, 1200)
    assert "Geste commercial" in page and "Proposer" in page and "1\u00a0200" in page
