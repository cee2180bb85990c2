"""Transaction History: what was really posted, page by page."""

from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.tests.partner import ask, issuance, message, send
from sandbox.tests.till import REGULAR, Answer, Till

NEVER = "80000020203"
SAMPLE = "81111111111"


def look(till: Till, *sorts: str, **changes: str) -> Answer:
    query = {
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-12-31T23:59:59.999Z",
        "sponsorList": "LOY1,KELL",
        "collectorNumber": REGULAR,
    }
    query |= {name.rstrip("_"): value for name, value in changes.items()}
    parts = [
        *((name, value) for name, value in query.items() if value),
        *(("sort", s) for s in sorts),
    ]
    return fetch(till, urlencode(parts))


def fetch(till: Till, query: str, **headers: str) -> Answer:
    sent = {"Authorization": f"Bearer {till.token}", "Channel-Code": "BACKOFFICE", **headers}
    sent = {name: value for name, value in sent.items() if value}
    return till.transport("GET", f"/transaction-history/sponsors?{query}", b"", sent)


def found(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.raw
    rows = answer.body.get("_embedded", {"genericActivityDtoList": []})["genericActivityDtoList"]
    assert isinstance(rows, list)
    return rows


def ids(answer: Answer) -> list[str]:
    return [row["transactionId"] for row in found(answer)]


def given(till: Till, day: str = "2026-07-16", **changes: Any) -> str:
    moment = f"{day}T12:00:00.000Z"
    return str(ask(till, "post", checkoutDateTime=moment, **changes).body["transactionId"])


def test_an_activity_has_the_documented_names_and_types(till: Till) -> None:
    number = given(till)
    (row,) = found(look(till))
    assert row == {
        "transactionId": number,
        "memberId": int(REGULAR),
        "cardNumber": REGULAR,
        "activityType": "ISSUANCE",
        "transactionDate": "2026-07-16T12:00:00.000Z",
    }


def test_a_transaction_of_several_items_is_one_activity(till: Till) -> None:
    number = given(till, issuances=[issuance(), issuance(2, "BONUS")])
    answer = look(till)
    assert ids(answer) == [number]
    assert answer.body["page"]["totalElements"] == 1


def test_what_was_taken_back_is_an_activity_too(till: Till) -> None:
    number = given(till)
    ask(till, "issuance-reverse", originalTransactionId=number)
    ask(till, "record")
    types = [row["activityType"] for row in found(look(till, "activityType,desc"))]
    assert types == ["ISSUANCE", "REVERSAL"]


def test_only_what_was_posted_is_told(till: Till) -> None:
    ask(till, "post", collectorNumber="80000020400")
    for card in ("80000020400", NEVER):
        body = message("post", collectorNumber=card)
        send(till, "post", body, card)
        assert found(look(till, collectorNumber=card)) == []
    till.control("pending", mode="at_once", settle=True)
    assert len(found(look(till, collectorNumber=NEVER))) == 1


def test_what_has_come_due_is_posted_when_somebody_looks(till: Till) -> None:
    till.control("clock", now="2026-11-20T12:00:00Z", stopped=True)
    till.control("pending", mode="seconds", seconds=10)
    ask(till, "post")
    assert found(look(till)) == []
    till.control("clock", now="2026-11-20T12:00:10Z", stopped=True)
    assert len(found(look(till))) == 1


def test_sponsor_collector_and_range_are_heeded(till: Till) -> None:
    first, second = given(till), given(till, sponsorCode="KELL")
    given(till, sponsorCode="TEST")
    given(till, collectorNumber="80000010007")
    assert set(ids(look(till))) == {first, second}
    assert ids(look(till, sponsorList="KELL")) == [second]
    noon = "2026-07-16T12:00:00Z"
    assert set(ids(look(till, from_=noon, to=noon))) == {first, second}
    assert ids(look(till, from_="2026-07-16T12:00:00.001Z")) == []
    assert ids(look(till, to="2026-07-16T07:59:59-04:00")) == []


def test_the_samples_originals_are_history(till: Till) -> None:
    rows = found(
        look(
            till,
            from_="2019-01-01T00:00:00Z",
            to="2020-01-01T00:00:00Z",
            collectorNumber=SAMPLE,
        )
    )
    assert [row["transactionId"] for row in rows] == ["d445b671-7a7f-490f-a3f8-adfc443408a5"]


def test_the_last_comes_first_unless_another_order_is_asked_for(till: Till) -> None:
    first = given(till, "2026-03-01", sponsorCode="LOY1")
    second = given(till, "2026-02-01", sponsorCode="KELL")
    third = given(till, "2026-01-15", sponsorCode="LOY1")
    assert ids(look(till)) == [first, second, third]
    assert ids(look(till, "transactionDate")) == [third, second, first]
    assert ids(look(till, "sponsorCode,asc", "transactionDate,asc")) == [second, third, first]
    assert ids(look(till, "sponsorCode,DESC", "transactionDate,desc")) == [first, third, second]


def test_pages_follow_one_another_without_a_gap(till: Till) -> None:
    numbers = [given(till, f"2026-05-{day:02d}") for day in range(1, 6)]
    pages = [look(till, "transactionDate,asc", page=str(page), size="2") for page in range(4)]
    assert [number for page in pages for number in ids(page)] == numbers
    assert [page.body["page"] for page in pages] == [
        {"size": 2, "totalElements": 5, "totalPages": 3, "number": number} for number in range(4)
    ]
    assert "_embedded" not in pages[3].body


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"from_": ""}, "from"),
        ({"from_": "2026-01-01"}, "from"),
        ({"to": "2026-02-30T00:00:00Z"}, "to"),
        ({"to": "2025-12-31T00:00:00Z"}, "to"),
        ({"to": "2028-01-01T00:00:00.001Z"}, "to"),
        ({"sponsorList": ""}, "sponsorList"),
        ({"sponsorList": "LOY1,,KELL"}, "sponsorList"),
        ({"collectorNumber": ""}, "collectorNumber"),
        ({"collectorNumber": "1"}, "collectorNumber"),
        ({"page": "-1"}, "page"),
        ({"page": "9999999"}, "page"),
        ({"size": "0"}, "size"),
        ({"size": "2001"}, "size"),
        ({"size": "٢"}, "size"),
        ({"sort": "miles"}, "sort"),
        ({"sort": "transactionDate,up"}, "sort"),
    ],
)
def test_a_wrong_query_is_named(till: Till, changes: dict[str, str], named: str) -> None:
    answer = look(till, **changes)
    assert answer.status == 400
    assert answer.body["message"].startswith(f"{named}: ")


def test_at_most_three_orders_and_two_years_are_let_in(till: Till) -> None:
    assert look(till, *["transactionDate"] * 3).status == 200
    assert look(till, *["transactionDate"] * 4).status == 400
    assert look(till, to="2028-01-01T00:00:00Z").status == 200
    leap = {"from_": "2024-02-29T00:00:00Z"}
    assert look(till, **leap, to="2026-02-28T00:00:00Z").status == 200
    assert look(till, **leap, to="2026-02-28T00:00:01Z").status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Accept-Language": "FR"}, 200),
        ({"Accept-Language": "de"}, 400),
        ({"Channel-Code": ""}, 400),
        ({"Authorization": ""}, 401),
    ],
)
def test_the_headers_are_looked_at(till: Till, headers: dict[str, str], status: int) -> None:
    query = f"sponsorList=LOY1&collectorNumber={REGULAR}&from=2026-01-01T00:00:00Z"
    query += "&to=2026-01-02T00:00:00Z"
    assert fetch(till, query, **headers).status == status


def test_a_collector_without_an_account_or_with_a_closed_one_is_a_401(till: Till) -> None:
    till.control("seed", members=[{"collector": "84444444445", "active": False}])
    unknown, closed = (look(till, collectorNumber=f"8444444444{last}") for last in "45")
    assert (unknown.status, unknown.body["message"]) == (401, "The Collector number is invalid.")
    assert (closed.status, closed.body["message"]) == (401, "The Collector account is not active.")
