"""What the office says of miles given and taken back, in both languages."""

import csv
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.exports import transactions as export
from backoffice.journal import selectors
from backoffice.journal.choices import Operation
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import EVERY_STORE, LogFilters
from backoffice.journal.states import State
from backoffice.people.models import User
from tests.cast import Cast
from tests.issuance import stories
from tests.scripted import ScriptedPlatform, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def day(cast: Cast, scripted: ScriptedPlatform) -> dict[str, Transaction]:
    """One row of each kind of issuance, ended in another way each."""
    scripted.will(stories.confirmed("CONFIRMED", "REJECTED"))
    partial = stories.give(cast)
    scripted.will(stories.confirmed())
    given = stories.give(cast, card=stories.card(2))
    returned = stories.take_back(cast, given, card=stories.card(2))
    event = stories.event(cast, card=stories.card(2))
    taken = stories.event(cast, card=stories.card(2), is_taking_back=True)
    scripted.will(reply(transactionId="c4f6cd00"))
    recorded = stories.record(cast)
    scripted.will(stories.pending())
    waiting = stories.give(cast, card=stories.card(3))
    scripted.will(stories.refused("CollectorNotFound"))
    refused = stories.give(cast, card=stories.card(4))
    return {
        "partial": partial,
        "given": given,
        "returned": returned,
        "event": event,
        "taken": taken,
        "recorded": recorded,
        "waiting": waiting,
        "refused": refused,
    }


def page(user: User, row: Transaction, language: str = "en") -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    response = client.get(f"/office/log/{row.reference}/")
    assert response.status_code == 200
    return response.content.decode()


def found(cast: Cast, **filters: object) -> set[Transaction]:
    return set(selectors.log_page(cast.manager, LogFilters(**filters)).rows)  # type: ignore[arg-type]


def test_a_page_tells_each_offer_and_why_one_was_rejected(
    cast: Cast, day: dict[str, Transaction]
) -> None:
    text = page(cast.manager, day["partial"])
    assert "Miles given" in text and "Partly confirmed" in text
    assert "OFFER0" in text and "OFFER1" in text
    assert "OfferExpired" in text and "The offer has expired." in text
    assert "Last moment to reverse" not in text
    assert day["partial"].checkout_id in text
    assert "The programme rejected miles" in text
    text = page(cast.manager, day["refused"])
    assert "CollectorNotFound" in text and "All of it" in text


def test_pages_lead_from_a_return_to_its_sale_and_back(
    cast: Cast, day: dict[str, Transaction]
) -> None:
    given, returned = day["given"], day["returned"]
    assert f"/office/log/{given.reference}/" in page(cast.manager, returned)
    assert f"/office/log/{returned.reference}/" in page(cast.manager, given)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_kind_has_a_page_in_both_languages(
    cast: Cast, day: dict[str, Transaction], language: str
) -> None:
    french = {"issue": "Milles accordés", "return": "Milles repris", "record": "Vente consignée"}
    for row in day.values():
        text = page(cast.manager, row, language)
        if language == "fr" and row.operation in french:
            assert french[row.operation] in text


def test_the_log_is_filtered_by_kind_and_state(cast: Cast, day: dict[str, Transaction]) -> None:
    for kind in ("issue", "return", "post_event", "reverse_event", "record"):
        wanted = {row for row in day.values() if row.operation == kind}
        assert wanted and found(cast, operation=kind) == wanted
        states = (State.CONFIRMED.value, State.DONE.value)
        assert found(cast, operation=kind, states=states) == {
            row for row in wanted if row.state in states
        }
    assert found(cast, states=("pending",)) == {day["waiting"]}
    assert found(cast, states=("partial", "rejected")) == {day["partial"], day["refused"]}
    assert found(cast, is_for_a_person=True) == {day["partial"], day["refused"]}
    assert found(cast, response_code="0000") == set()
    assert found(cast, confirmation_number=stories.TRANSACTION_ID) >= {day["given"]}


def test_the_log_and_the_overview_show_them(cast: Cast, day: dict[str, Transaction]) -> None:
    client = Client()
    client.force_login(cast.manager)
    for address in ("/office/", "/office/log/", "/office/log/?kind=issue&state=rejected"):
        response = client.get(address)
        assert response.status_code == 200
    assert "Miles given" in response.content.decode()


def test_the_export_has_them_and_no_card_where_there_was_none(
    cast: Cast, day: dict[str, Transaction]
) -> None:
    wanted = export.begin(
        scope=EVERY_STORE,
        filters=LogFilters(),
        zone=cast.north.tzinfo,
        actor="test",
        channel="console",
        now=timezone.now(),
    )
    text = b"".join(export.csv_bytes(wanted, has_mark=False)).decode()
    lines = {line["reference"]: line for line in csv.DictReader(StringIO(text))}
    assert len(lines) == len(day)
    assert lines[str(day["given"].reference)]["operation"] == "issue"
    assert lines[str(day["given"].reference)]["miles"] == "5"
    assert lines[str(day["given"].reference)]["card"] == "*******0002"
    assert lines[str(day["recorded"].reference)]["card"] == ""
    assert {line["operation"] for line in lines.values()} == set(Operation.values) - {
        "redeem",
        "reverse",
    }


def test_the_till_lists_what_it_did_for_a_sale(cast: Cast, day: dict[str, Transaction]) -> None:
    listed = selectors.latest(cast.cashier, device=cast.till)
    assert {row.operation for row in listed} == {"issue", "return"}
    assert day["given"] in listed and day["event"] not in listed
