"""Search by number, reveals, a person's request: who may, what is shown, what is recorded."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import entries, payloads, safety
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.models import Transaction
from backoffice.people.actors import Actor
from backoffice.people.models import User
from tests.amcash.stories import redeem
from tests.cast import COLLECTOR, COLLECTOR_WITHOUT_CASH, Cast
from tests.issuance import stories
from tests.issuance.baskets import CARD
from tests.journal.rows import approved
from tests.scripted import ScriptedPlatform
from tests.scripted import approved as granted

REASON = "The programme asked for it, case 4711"
HOME, FIND = "/office/privacy/", "/office/privacy/search/"
REQUEST, RECORD, ERASE = (f"/office/privacy/{word}/" for word in ("request", "record", "erase"))


@pytest.fixture(autouse=True)
def _the_database_shares_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of these tests travel, and PostgreSQL does not."""
    monkeypatch.setattr(safety, "clock_skew", lambda: timedelta(0))


def client_of(user: User) -> Client:
    client = Client(headers={"Accept-Language": user.language})
    client.force_login(user)
    return client


def post(user: User, address: str, **fields: str) -> HttpResponse:
    return client_of(user).post(address, fields)  # type: ignore[return-value]


def text(response: Any) -> str:
    return str(response.content.decode())


def number_of(row: Transaction) -> str:
    return f"/office/log/{row.reference}/number/"


def redeemed(cast: Cast, scripted: ScriptedPlatform) -> Transaction:
    scripted.will(granted())
    return redeem(cast)


def sealed_in(page: HttpResponse) -> str:
    """The hidden field of a request's page."""
    return text(page).partition('name="collector" value="')[2].partition('"')[0]


def old(cast: Cast, number: str = COLLECTOR) -> Transaction:
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
        return approved(cast, card_number=number)


# --- Search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [COLLECTOR, f" {COLLECTOR[:4]} {COLLECTOR[4:8]}-{COLLECTOR[8:]}"])
def test_a_number_finds_its_transactions_and_is_nowhere_on_the_page(cast: Cast, typed: str) -> None:
    mine = approved(cast)
    other = approved(cast, card_number=COLLECTOR_WITHOUT_CASH)
    page = post(cast.manager, FIND, number=typed)
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    assert str(mine.reference) in text(page) and str(other.reference) not in text(page)
    assert COLLECTOR not in text(page) and "0001" in text(page)
    said = Disclosure.objects.get()
    assert (said.kind, said.person, said.count) == (DisclosureKind.SEARCH, cast.manager, 1)
    assert said.collector_mac == payloads.vault().blind_index(COLLECTOR)


def test_a_search_finds_only_what_the_reader_may_see(cast: Cast) -> None:
    north = approved(cast)
    elsewhere = Actor(user=cast.south_manager, device=cast.south_till)
    south = approved(cast, actor=elsewhere)
    for person, may_see in (("manager", [True, False]), ("auditor", [True, True])):
        page = text(post(getattr(cast, person), FIND, number=COLLECTOR))
        assert [str(row.reference) in page for row in (north, south)] == may_see


@pytest.mark.parametrize("typed", ["", "1234", "80000010001234567", "hello", "9000001000"])
def test_what_is_no_number_is_refused_and_not_repeated(cast: Cast, typed: str) -> None:
    page = post(cast.manager, FIND, number=typed)
    assert page.status_code == 400
    assert f'value="{typed}"' not in text(page) or not typed
    assert not Disclosure.objects.exists()


def test_a_number_is_never_taken_from_an_address(cast: Cast) -> None:
    approved(cast)
    assert client_of(cast.manager).get(FIND, {"number": COLLECTOR}).status_code == 405


# --- Reveals --------------------------------------------------------------------------------------


def test_a_full_number_is_shown_once_for_a_reason_and_recorded_first(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = redeemed(cast, scripted)
    asked = client_of(cast.manager).get(number_of(row))
    assert asked.status_code == 200 and COLLECTOR not in text(asked)
    shown = post(cast.manager, number_of(row), reason=REASON)
    assert COLLECTOR in text(shown) and "no-store" in shown["Cache-Control"]
    said = Disclosure.objects.get()
    assert (said.kind, said.reason, said.transaction) == (DisclosureKind.REVEAL, REASON, row)
    entry = AuditEntry.objects.get(event="collector.revealed")
    assert (entry.subject, entry.actor) == (f"transaction:{row.reference}", "manager")
    assert entry.details["reason"] == REASON and COLLECTOR not in json.dumps(entry.details)
    listed = text(client_of(cast.manager).get(HOME))
    assert REASON in listed and COLLECTOR not in listed


def test_the_number_of_miles_given_is_shown_too(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(stories.confirmed())
    row = stories.give(cast)
    assert CARD.number in text(post(cast.manager, number_of(row), reason=REASON))


@pytest.mark.parametrize("reason", ["", "why", f"It is {COLLECTOR}"])
def test_without_a_reason_nothing_is_shown(
    cast: Cast, scripted: ScriptedPlatform, reason: str
) -> None:
    row = redeemed(cast, scripted)
    page = post(cast.manager, number_of(row), reason=reason)
    assert page.status_code == 400 and COLLECTOR not in text(page)
    assert not Disclosure.objects.exists()


def test_a_record_that_cannot_be_kept_keeps_the_number_from_being_shown(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = redeemed(cast, scripted)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError

    monkeypatch.setattr(entries, "disclose", full)
    with pytest.raises(OSError):
        post(cast.manager, number_of(row), reason=REASON)


@pytest.mark.parametrize(
    ("person", "status"),
    [("cashier", 403), ("auditor", 403), ("south_manager", 404), ("administrator", 200)],
)
def test_who_may_see_a_full_number(
    cast: Cast, scripted: ScriptedPlatform, person: str, status: int
) -> None:
    row = redeemed(cast, scripted)
    page = post(getattr(cast, person), number_of(row), reason=REASON)
    assert page.status_code == status
    assert (COLLECTOR in text(page)) is (status == 200)
    assert Disclosure.objects.count() == (1 if status == 200 else 0)


def test_who_saw_what_is_told_to_whom_it_concerns(cast: Cast, scripted: ScriptedPlatform) -> None:
    row = redeemed(cast, scripted)
    post(cast.administrator, number_of(row), reason=REASON)
    for person, sees in (("manager", True), ("auditor", True), ("south_manager", False)):
        assert (REASON in text(client_of(getattr(cast, person)).get(HOME))) is sees


def test_what_was_purged_cannot_be_shown(cast: Cast) -> None:
    row = old(cast)
    row.payloads.update(ciphertext=b"", key_id="")
    page = post(cast.manager, number_of(row), reason=REASON)
    assert "no longer kept" in text(page) and not Disclosure.objects.exists()


# --- A person's request ---------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["cashier", "manager", "auditor"])
def test_only_an_administrator_answers_a_request(cast: Cast, person: str) -> None:
    row = old(cast)
    sealed = sealed_in(post(cast.administrator, REQUEST, number=COLLECTOR))
    user = getattr(cast, person)
    assert post(user, REQUEST, number=COLLECTOR).status_code == 403
    for address in (RECORD, ERASE):
        assert post(user, address, collector=sealed, reason=REASON).status_code == 403
    assert entries.reread(row).collector_mac


def test_a_record_holds_everything_and_who_saw_it_but_no_number(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = redeemed(cast, scripted)
    post(cast.manager, number_of(row), reason=REASON)
    asked = post(cast.administrator, REQUEST, number=COLLECTOR)
    assert COLLECTOR not in text(asked)
    sealed = sealed_in(asked)
    told = post(
        cast.administrator, RECORD, collector=sealed, reason="Their letter", **{"as": "json"}
    )
    assert told["Content-Type"] == "application/json" and "no-store" in told["Cache-Control"]
    found = json.loads(told.content)
    assert found["card"] == "*******0001"
    one = found["transactions"][0]
    assert (one["reference"], one["amount_dollars"]) == (str(row.reference), "40.00")
    assert [event["event"] for event in one["events"]][:1] == ["redemption.armed"]
    assert [(seen["what"], seen["reason"]) for seen in found["seen"]] == [("reveal", REASON)]
    page = post(
        cast.administrator, RECORD, collector=sealed, reason="Their letter", **{"as": "page"}
    )
    assert "Approved by the programme" in text(page) and "Number shown" in text(page)
    for answer in (text(told), text(page)):
        assert str(row.reference) in answer and COLLECTOR not in answer
    kinds = Disclosure.objects.filter(kind=DisclosureKind.ACCESS).values_list("reason", flat=True)
    assert list(kinds) == ["Their letter"] * 2


def test_an_erasure_takes_all_that_leads_back_and_leaves_the_books(cast: Cast) -> None:
    row, other = old(cast), old(cast, COLLECTOR_WITHOUT_CASH)
    post(cast.manager, FIND, number=COLLECTOR)
    sealed = sealed_in(post(cast.administrator, REQUEST, number=COLLECTOR))
    page = post(cast.administrator, ERASE, collector=sealed, reason=REASON)
    assert "1 transaction was erased." in text(page)
    row = entries.reread(row)
    assert (row.collector_mac, row.collector_last4, row.amount_cents) == ("", "", 4000)
    assert payloads.body_of(row) == b"" and payloads.answer_of(row) is None
    assert payloads.body_of(other)
    index = payloads.vault().blind_index(COLLECTOR)
    assert not Disclosure.objects.filter(collector_mac=index).exists()
    said = Disclosure.objects.get(kind=DisclosureKind.ERASURE)
    assert (said.person, said.reason, said.count) == (cast.administrator, REASON, 1)
    entry = AuditEntry.objects.get(event="collector.erased")
    assert entry.subject == f"transaction:{row.reference}"


def test_what_may_still_be_given_back_or_is_open_is_not_erased(cast: Cast) -> None:
    erased, kept = old(cast), approved(cast)
    asked = post(cast.administrator, REQUEST, number=COLLECTOR)
    assert "1 transaction cannot be erased yet" in text(asked)
    page = post(cast.administrator, ERASE, collector=sealed_in(asked), reason=REASON)
    assert "1 transaction was erased." in text(page) and "1 could not be" in text(page)
    assert entries.reread(kept).collector_mac and payloads.body_of(kept)
    assert not entries.reread(erased).collector_mac


def test_where_nothing_may_be_erased_no_button_offers_it(cast: Cast) -> None:
    approved(cast)
    asked = text(post(cast.administrator, REQUEST, number=COLLECTOR))
    assert ERASE not in asked and "cannot be erased yet" in asked


def test_a_request_belongs_to_one_person_and_a_short_time(cast: Cast) -> None:
    old(cast)
    sealed = sealed_in(post(cast.administrator, REQUEST, number=COLLECTOR))
    other = User.objects.create_user("second", role="administrator")
    for user, moment in (
        (other, timezone.now()),
        (cast.administrator, timezone.now() + timedelta(minutes=31)),
    ):
        with time_machine.travel(moment, tick=False):
            page = post(user, ERASE, collector=sealed, reason=REASON)
        assert page.status_code == 400 and "open for too long" in text(page)
    assert payloads.body_of(Transaction.objects.get())
