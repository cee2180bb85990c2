"""Miles without a sale, once a person asks to be forgotten or it is time: what goes, what stays."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, payloads, purging, safety
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.models import Transaction
from backoffice.journal.purging import Purged
from issuance import forgetting
from issuance.proposals import EventProposal, EventReason
from tests.cast import COLLECTOR, COLLECTOR_WITHOUT_CASH, Cast
from tests.issuance import stories
from tests.office.desk import Desk
from tests.scripted import ScriptedPlatform

LETTER = "Their letter of May"
PRIVACY = "/office/privacy/{}/"
STAYS = (
    "state",
    "reason_id",
    "miles",
    "note",
    "proposed_by_id",
    "decided_by_id",
    "decided_at",
    "needs_second",
)


@pytest.fixture(autouse=True)
def _the_database_shares_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests travel, and PostgreSQL does not."""
    monkeypatch.setattr(safety, "clock_skew", lambda: timedelta(0))


def given(
    cast: Cast, reason: EventReason, days: float, miles: int = 100, card: str = COLLECTOR
) -> EventProposal:
    """Enter and send miles so long ago; above the limit they wait."""
    with time_machine.travel(timezone.now() - timedelta(days=days), tick=False):
        return Desk.of(cast.manager).give(reason, miles, card=card)


def put_aside(cast: Cast, reason: EventReason, days: float) -> EventProposal:
    with time_machine.travel(timezone.now() - timedelta(days=days), tick=False):
        proposal = Desk.of(cast.manager).give(reason, 501)
        Desk.of(cast.administrator).decide(proposal, "put_aside", note="Too much")
    return again(proposal)


def again(proposal: EventProposal) -> EventProposal:
    return EventProposal.objects.get(pk=proposal.pk)


def is_forgotten(proposal: EventProposal) -> bool:
    now = again(proposal)
    told = (now.collector_mac, now.collector_last4, now.key_id, bytes(now.ciphertext))
    assert all(told[:2]) or not any(told)
    return not any(told)


def stays(proposal: EventProposal) -> list[object]:
    return list(EventProposal.objects.filter(pk=proposal.pk).values_list(*STAYS))


def purge() -> Purged:
    done = purging.now_and_whole(sender="a test", now=timezone.now())
    assert done is not None
    return done


def asked(cast: Cast, number: str = COLLECTOR) -> tuple[str, str]:
    """Type the number of who asks; return the page and the hidden field in it."""
    client = Client()
    client.force_login(cast.administrator)
    page = client.post(PRIVACY.format("request"), {"number": number}).content.decode()
    return page, page.partition('name="collector" value="')[2].partition('"')[0]


def erase(cast: Cast) -> str:
    client = Client()
    client.force_login(cast.administrator)
    fields = {"collector": asked(cast)[1], "reason": LETTER}
    return client.post(PRIVACY.format("erase"), fields).content.decode()


@pytest.fixture(autouse=True)
def _confirming(scripted: ScriptedPlatform) -> None:
    scripted.will(*[stories.confirmed()] * 4)


# --- A person asks --------------------------------------------------------------------------------


def test_an_erasure_reaches_a_proposal_and_its_transaction(cast: Cast, reason: EventReason) -> None:
    mine = given(cast, reason, 3)
    others = given(cast, reason, 3, card=COLLECTOR_WITHOUT_CASH)
    before = stays(mine)
    page, _sealed = asked(cast)
    assert "1 proposal of miles without a sale is held too." in page
    assert "Erase 1 transaction and 1 proposal" in page
    page = erase(cast)
    assert "1 transaction was erased." in page
    assert "1 proposal of miles without a sale was erased." in page
    assert is_forgotten(mine) and stays(mine) == before
    assert not Transaction.objects.get(client_ref=mine.client_ref).collector_mac
    assert not is_forgotten(others)
    told = AuditEntry.objects.filter(event="collector.erased", subject=f"event:{mine.reference}")
    assert [entry.actor for entry in told] == ["administrator"]
    desk = Desk.of(cast.manager)
    for path in ("/office/events/", f"/office/events/{mine.reference}/"):
        status, page = desk.get(path)
        assert status == 200 and "•••• <" not in page
    assert "Nothing is held." in asked(cast)[0]


def test_an_erasure_reaches_what_came_to_nothing(cast: Cast, reason: EventReason) -> None:
    refused = put_aside(cast, reason, 0)
    page, _sealed = asked(cast)
    assert "Erase 1 proposal" in page and "cannot be erased" not in page
    assert "1 proposal of miles without a sale was erased." in erase(cast)
    assert is_forgotten(refused)


def test_what_waits_or_may_still_move_is_left_and_counted(cast: Cast, reason: EventReason) -> None:
    waiting = given(cast, reason, 0.1, miles=501)
    sent = given(cast, reason, 0.1)
    page, _sealed = asked(cast)
    assert "2 proposals cannot be erased yet" in page and PRIVACY.format("erase") not in page
    page = erase(cast)
    assert "2 could not be: they wait" in page
    assert not is_forgotten(waiting) and not is_forgotten(sent)


def test_what_the_limit_of_a_day_counts_is_not_forgotten_within_it(
    cast: Cast, reason: EventReason, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = given(cast, reason, 0)
    # A deadline may have passed a minute after the sale.
    monkeypatch.setattr(entries, "over", lambda now: Transaction.objects.all())
    for hours, may_go in ((23, False), (25, True)):
        now = sent.proposed_at + timedelta(hours=hours)
        assert bool(forgetting.erasable([sent], now=now)) is may_go


def test_a_record_shows_proposals_with_their_notes(cast: Cast, reason: EventReason) -> None:
    mine = given(cast, reason, 3)
    put_aside(cast, reason, 1)
    client = Client()
    client.force_login(cast.administrator)
    fields = {"collector": asked(cast)[1], "reason": LETTER}
    told = client.post(PRIVACY.format("record"), {**fields, "as": "json"})
    newest, oldest = json.loads(told.content)["proposals"]
    assert (newest["state"], newest["miles"], newest["transaction"]) == ("refused", 501, "")
    assert (oldest["reference"], oldest["note"]) == (str(mine.reference), "The freezer broke.")
    assert oldest["transaction"] == str(Transaction.objects.get().reference)
    page = client.post(PRIVACY.format("record"), {**fields, "as": "page"}).content.decode()
    assert "Miles given without a sale" in page and "The freezer broke." in page
    assert COLLECTOR not in page and COLLECTOR not in told.content.decode()
    assert Disclosure.objects.filter(kind=DisclosureKind.ACCESS).values_list("count").first() == (
        3,
    )


def test_earlier_looks_forget_the_last_digits_too(cast: Cast, reason: EventReason) -> None:
    given(cast, reason, 3)
    entries.disclose(
        DisclosureKind.SEARCH,
        person=cast.manager,
        collector_mac=payloads.vault().blind_index(COLLECTOR),
        last4=COLLECTOR[-4:],
        now=timezone.now(),
    )
    erase(cast)
    looks = Disclosure.objects.exclude(kind=DisclosureKind.ERASURE)
    assert set(looks.values_list("collector_mac", "collector_last4")) == {("", "")}
    # Nothing is ever taken out of the audit log, so nothing may come into it.
    told = AuditEntry.objects.filter(event__startswith="collector.")
    assert not [entry for entry in told if COLLECTOR[-4:] in f"{entry.subject} {entry.details}"]


# --- It is time -----------------------------------------------------------------------------------


def test_the_purge_reaches_proposals_as_old_as_what_it_forgets(
    cast: Cast, reason: EventReason
) -> None:
    old, young = given(cast, reason, 731), given(cast, reason, 729)
    came_to_nothing = put_aside(cast, reason, 731)
    before = stays(old)
    assert purge().forgotten == 3
    assert is_forgotten(old) and is_forgotten(came_to_nothing) and not is_forgotten(young)
    assert stays(old) == before
    entry = AuditEntry.objects.get(event="log.proposals_forgotten")
    assert entry.details == {"count": 2, "days": 730} and entry.actor == "a test"
    assert purge() == Purged()


def test_what_was_agreed_to_and_never_sent_is_closed_with_its_card(
    cast: Cast, reason: EventReason
) -> None:
    unsent = given(cast, reason, 731, miles=501)
    EventProposal.objects.filter(pk=unsent.pk).update(
        state="approved", decided_by=cast.administrator, decided_at=timezone.now()
    )
    lately = given(cast, reason, 3, miles=502)
    purge()
    assert is_forgotten(unsent) and again(unsent).state == "expired"
    told = AuditEntry.objects.filter(event="event.expired")
    assert [entry.subject for entry in told] == [f"event:{unsent.reference}"]
    assert again(lately).has_card


def test_a_proposal_whose_miles_are_not_settled_is_kept_however_old(
    cast: Cast, reason: EventReason
) -> None:
    sent = given(cast, reason, 800)
    Transaction.objects.filter(client_ref=sent.client_ref).update(needs_person="conflict")
    assert purge().forgotten == 0
    assert not is_forgotten(sent)


def test_however_many_there_are_all_are_reached(
    cast: Cast, reason: EventReason, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "ROWS", 1)
    kept = given(cast, reason, 801)
    Transaction.objects.filter(client_ref=kept.client_ref).update(needs_person="conflict")
    later = [put_aside(cast, reason, 800 - day) for day in range(3)]
    assert purge().forgotten == 3
    assert all(is_forgotten(one) for one in later) and not is_forgotten(kept)


def test_what_can_no_more_be_taken_back_keeps_no_card(
    cast: Cast, reason: EventReason, error: EventReason
) -> None:
    given(cast, reason, 5, miles=500)
    event = Transaction.objects.get()
    cast.north.sponsor.event_limit_miles = 100
    cast.north.sponsor.save()
    desk = Desk.of(cast.manager)
    page = desk.post(
        f"/office/events/take-back/{event.reference}/",
        reason=error.pk,
        miles=500,
        note="Wrong customer",
    )[1]
    draft = page.partition('name="draft" value="')[2].partition('"')[0]
    desk.post("/office/events/send/", draft=draft)
    waiting = EventProposal.objects.get(original=event)
    assert waiting.state == "waiting" and waiting.has_card
    erase(cast)
    status, page = Desk.of(cast.administrator).decide(waiting, "agree")
    assert status == 409 and "no longer kept" in page
    assert again(waiting).state == "refused" and not again(waiting).has_card
