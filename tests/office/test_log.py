"""The log's page: what is found, what the address says, and what never appears in either."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from backoffice.audit.models import AuditEntry
from backoffice.journal import selectors
from backoffice.people.models import User
from tests.cast import COLLECTOR, Cast
from tests.office.factories import NOON, declined, redemption, reversal, unsettled

LOG = "/office/log/"
EXPORT = "/office/log/export/"
FULL_CARD = "Type only the last four digits"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, query: str = "", **headers: Any) -> str:
    response = signed_in(user).get(f"{LOG}?{query}", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def shown(text: str) -> set[str]:
    """Return the references of the rows on a page."""
    return set(re.findall(r'href="/office/log/([0-9a-f-]{36})/"', text))


def exported(user: User, query: str = "") -> list[dict[str, str]]:
    response = signed_in(user).get(f"{EXPORT}?{query}")
    assert response.streaming
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rows(cast: Cast) -> dict[str, str]:
    """Add rows of every kind; return name and reference."""
    given_back = redemption(cast.till, at=NOON - timedelta(days=1), reversed_at=NOON)
    added = {
        "plain": redemption(cast.till, cast.cashier, confirmation_number="7KQ420X9B1TM"),
        "other card": redemption(cast.second_till, collector_last4="7777"),
        "given back": given_back,
        "reversal": reversal(given_back),
        "declined": declined(cast.till),
        "doubt": unsettled(cast.till),
        "person": unsettled(cast.till, state="manual", due_at=None, needs_person="replay_over"),
        "south": redemption(cast.south_till),
    }
    return {name: str(row.reference) for name, row in added.items()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "plain,other card,given back,reversal,declined,doubt,person"),
        ("from=2025-11-20T12:00", "plain,other card,declined,doubt,person"),
        ("to=2025-11-20", "given back,reversal"),
        ("from=2025-11-19T12:05&to=2025-11-19T12:15", "reversal"),
        ("store={north}&till={second}", "other card"),
        ("kind=reverse", "reversal"),
        ("state=done", "plain,other card,reversal"),
        ("state=reversed", "given back"),
        ("state=declined", "declined"),
        ("state=doubt", "doubt"),
        ("state=manual", "person"),
        ("code=0051", "declined"),
        ("card=7777", "other card"),
        ("confirmation=7KQ4+20X9+B1TM", "plain"),
        ("person=1", "person"),
        ("kind=reverse&state=declined", ""),
    ],
)
def test_each_filter_and_its_export_show_the_same_rows(
    cast: Cast, query: str, expected: str
) -> None:
    added = rows(cast)
    query = query.format(north=cast.north.pk, second=cast.second_till.pk)
    wanted = {added[name] for name in expected.split(",") if name}
    assert shown(page(cast.manager, query)) == wanted
    assert {line["reference"] for line in exported(cast.manager, query)} == wanted


def test_a_manager_finds_nothing_of_another_store(cast: Cast) -> None:
    added = rows(cast)
    assert shown(page(cast.south_manager)) == {added["south"]}
    assert {line["reference"] for line in exported(cast.south_manager)} == {added["south"]}
    # Another store's number is no choice, so it is named as a fault and nothing is exported.
    response = signed_in(cast.south_manager).get(f"{EXPORT}?store={cast.north.pk}")
    assert response.status_code == 400
    assert shown(response.content.decode()) == set()
    assert signed_in(cast.south_manager).get(f"{LOG}{added['plain']}/").status_code == 404
    assert signed_in(cast.manager).get(f"{LOG}{added['plain']}/").status_code == 200


def test_a_range_is_read_on_the_clock_that_the_page_names(cast: Cast) -> None:
    southern = redemption(cast.south_till)
    # 13:30 in St. John's, and a manager of that store alone reads that clock.
    assert "America/St_Johns" in page(cast.south_manager)
    query = "from=2025-11-20T13:30&to=2025-11-20T13:31"
    assert shown(page(cast.south_manager, query)) == {str(southern.reference)}
    assert "Thu 20 Nov 2025, 13:30 NST" in page(cast.south_manager, query)
    # Stores of two zones: the programme's clock, on which it was 12:00.
    assert "America/Toronto" in page(cast.administrator)
    assert shown(page(cast.administrator, query)) == set()
    assert shown(page(cast.administrator, "from=2025-11-20T12:00&to=2025-11-20T12:01"))


def test_a_search_becomes_an_address_that_can_be_shared(cast: Cast) -> None:
    response = signed_in(cast.manager).post(
        LOG,
        {"state": "declined", "card": " 0001 ", "from": "2025-11-01T00:00", "code": ""},
    )
    assert response.status_code == 302
    assert parse_qs(urlsplit(response["Location"]).query) == {
        "from": ["2025-11-01T00:00"],
        "state": ["declined"],
        "card": ["0001"],
    }


def test_htmx_gets_the_fragment_and_the_address(cast: Cast) -> None:
    redemption(cast.till)
    response = signed_in(cast.manager).post(LOG, {"kind": "redeem"}, headers={"HX-Request": "true"})
    assert response["HX-Push-Url"] == f"{LOG}?kind=redeem"
    assert response.content.decode().lstrip().startswith('<section id="log"')
    assert "HX-Request" in response["Vary"]
    restored = page(cast.manager, **{"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert restored.startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["card", "confirmation"])
@pytest.mark.parametrize("typed", [COLLECTOR, "8000 001 0001", "8000-0010-001"])
def test_a_whole_card_number_is_refused_and_shown_nowhere(
    cast: Cast, name: str, typed: str
) -> None:
    client = signed_in(cast.manager)
    response = client.post(LOG, {name: typed, "state": "done"})
    text = response.content.decode()
    assert response.status_code == 200
    assert FULL_CARD in text
    assert typed not in text and COLLECTOR not in text
    assert 'value="done" selected' in text


@pytest.mark.parametrize("address", [LOG, EXPORT])
@pytest.mark.parametrize("name", ["card", "confirmation", "code", "from", "store"])
def test_a_whole_card_number_in_an_address_is_taken_out_of_it(
    cast: Cast, address: str, name: str
) -> None:
    client = signed_in(cast.manager)
    response = client.get(address, {name: COLLECTOR, "state": "done"})
    assert response.status_code == 302
    assert COLLECTOR not in response["Location"]
    text = client.get(response["Location"]).content.decode()
    assert FULL_CARD in text
    assert COLLECTOR not in text
    assert not AuditEntry.objects.filter(event="export.made").exists()


@pytest.mark.parametrize("name", ["code", "from", "store", "state", "till"])
def test_a_whole_card_number_in_any_field_is_not_echoed(cast: Cast, name: str) -> None:
    response = signed_in(cast.manager).post(LOG, {name: COLLECTOR})
    assert COLLECTOR not in response.content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("card=12", "Type the last four digits of the card."),
        ("code=00+51", "A code has four digits"),
        ("from=soon", "This is not a day and time."),
        ("from=0001-01-01", "This is not a day and time."),
        ("from=2025-11-20&to=2025-11-19", "The end lies before the start."),
    ],
)
def test_a_faulty_filter_is_named_and_what_was_typed_is_kept(
    cast: Cast, query: str, sentence: str
) -> None:
    redemption(cast.till)
    text = page(cast.manager, f"{query}&confirmation=KEPT")
    assert sentence in text
    assert 'value="KEPT"' in text
    assert shown(text) == set()
    assert 'aria-invalid="true"' in text


def test_pages_lead_through_the_whole_log_and_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors.log_page, "__defaults__", (None, 4))
    wanted = {str(redemption(cast.till).reference) for _number in range(11)}
    client = signed_in(cast.manager)

    def follow(address: str, rel: str) -> list[set[str]]:
        found = []
        while True:
            text = client.get(address).content.decode()
            found.append(shown(text))
            link = re.search(rf'href="([^"]+)" rel="{rel}"', text)
            if link is None:
                return found
            address = link[1].replace("&amp;", "&")
            follow.last = address  # type: ignore[attr-defined]

    down = follow(f"{LOG}?state=done", "next")
    assert [len(rows) for rows in down] == [4, 4, 3]
    assert set().union(*down) == wanted
    up = follow(follow.last, "prev")  # type: ignore[attr-defined]
    assert up == down[::-1]


@pytest.mark.parametrize(
    "place", ["older=x", "older=1-", "newer=99999999999999999-1", "older=-1-1"]
)
def test_a_place_that_means_nothing_harms_nothing(cast: Cast, place: str) -> None:
    redemption(cast.till)
    page(cast.manager, place)


def test_the_zone_of_each_row_is_told_in_the_reader_s_language(cast: Cast) -> None:
    redemption(cast.south_till)
    client = signed_in(cast.south_manager)
    assert '13:30:00 <span class="zone">NST' in client.get(LOG).content.decode()
    client.cookies["django_language"] = "fr"
    assert '13:30:00 <span class="zone">HNT' in client.get(LOG).content.decode()


def test_the_export_streams_and_says_what_it_is(cast: Cast) -> None:
    redemption(cast.till)
    client = signed_in(cast.auditor)
    response = client.get(f"{EXPORT}?from=2025-11-01&to=2025-12-01")
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == (
        "attachment; filename="
        '"milepost-transactions_20251101T0000_20251201T0000_America-Toronto.csv"'
    )
    assert "no-store" in response["Cache-Control"]
    entry = AuditEntry.objects.get(event="export.made")
    assert (entry.actor, entry.channel) == ("auditor", "office")


def test_tills_of_many_stores_wait_for_the_store_to_be_chosen(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.office.search._MOST_TILLS", 2)
    assert "Choose a store first" in page(cast.administrator)
    text = page(cast.administrator, f"store={cast.north.pk}")
    assert "Choose a store first" not in text
    assert "0001/002" in text


def test_a_till_of_the_store_chosen_before_is_dropped(cast: Cast) -> None:
    southern = redemption(cast.south_till)
    redemption(cast.till)
    response = signed_in(cast.administrator).post(
        LOG, {"store": cast.south.pk, "till": cast.till.pk}
    )
    assert response["Location"] == f"{LOG}?store={cast.south.pk}"
    assert shown(page(cast.administrator, f"store={cast.south.pk}")) == {str(southern.reference)}
