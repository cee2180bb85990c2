"""The log over the API: its filters, its pages, and one transaction of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.utils import timezone

from amcash import services
from backoffice.journal import entries
from backoffice.journal.choices import Credit
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import LogFilters
from backoffice.people.actors import Actor
from tests.amcash.stories import redeem
from tests.api.program import Program
from tests.cast import COLLECTOR, COLLECTOR_WITHOUT_CASH, Cast
from tests.journal.rows import CONFIRMATION, approved, cancel, claimed, opened, record, written
from tests.scripted import ScriptedPlatform
from tests.scripted import approved as approval

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 11, 20, 15, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: int) -> datetime:
    return START + seconds * SECOND


def rows(cast: Cast, count: int, **values: Any) -> list[Transaction]:
    """Return settled rows, a second apart, oldest first."""
    return [
        written(cast, opened_at=at(n), **{"state": "done", "due_at": None, **values})
        for n in range(count)
    ]


def found(program: Program, **filters: Any) -> list[str]:
    told = program.read(f"transactions?{urlencode(filters, doseq=True)}")
    return [one["reference"] for one in told["transactions"]]


def names(*of: Transaction) -> list[str]:
    return [str(row.reference) for row in of]


def test_a_transaction_is_told_in_the_programmes_terms(cast: Cast, program: Program) -> None:
    row = entries.present(approved(cast), actor=cast.actor, now=timezone.now())
    (told,) = program.read("transactions")["transactions"]
    moments = {name: told.pop(name) for name in list(told) if name.endswith("_at")}
    assert told == {
        "reference": str(row.reference),
        "operation": "redeem",
        "state": "done",
        "is_settled": True,
        "wanted": "keep",
        "needs_person": None,
        "store": {"id": cast.north.pk, "sponsor_code": "LOY1", "number": "0001"},
        "device": {"id": cast.till.pk, "number": "001"},
        "person": "cashier",
        "channel": "console",
        "sale_ref": row.sale_ref,
        "trace_id": "000012345678",
        "checkout_transaction_id": None,
        "collector_last4": "0001",
        "card_entry_mode": "SCAN",
        "basket_cents": 4335,
        "asked_cents": 4000,
        "amount_cents": 4000,
        "units": 4,
        "miles": 380,
        "unit_cents": 1000,
        "unit_miles": 95,
        "response_code": "0000",
        "http_status": 200,
        "confirmation_number": CONFIRMATION,
        "is_after_doubt": False,
        "credit_given": None,
        "local_date": row.local_date.isoformat(),
        "zone": "America/Toronto",
        "reverses": None,
        "corrects": None,
        "returns": None,
        "offers": [],
    }
    assert moments["opened_at"] == row.opened_at.isoformat(timespec="microseconds").replace(
        "+00:00", "Z"
    )
    assert moments["presented_at"] and moments["settled_at"] and moments["deadline_at"]
    assert moments["reversed_at"] is None and moments["credit_given_at"] is None


def test_no_number_balance_or_message_is_ever_told(
    cast: Cast, program: Program, scripted: ScriptedPlatform
) -> None:
    scripted.will(approval())
    row = redeem(cast)
    assert row.is_granted and services is not None
    for address in ("transactions", f"transactions/{row.reference}", "changes"):
        body = program.get(address).body.decode()
        assert str(row.reference) in body and COLLECTOR not in body
        for word in ("alance", "payload", "idempotency", "collector_mac", "ciphertext"):
            assert word not in body


def test_pages_lead_from_one_to_the_next_and_back(cast: Cast, program: Program) -> None:
    log = names(*reversed(rows(cast, 5)))
    pages, path = [], "/api/v1/transactions?limit=2"
    while path:
        page = program.read(path)
        pages.append([one["reference"] for one in page["transactions"]])
        path, last = page["older"], page
    assert pages == [log[:2], log[2:4], log[4:]]
    back = program.read(last["newer"])
    assert [one["reference"] for one in back["transactions"]] == log[2:4]
    assert program.read("transactions?limit=2")["newer"] is None


def test_rows_of_one_moment_are_each_told_once(cast: Cast, program: Program) -> None:
    log = {
        str(written(cast, state="done", due_at=None, opened_at=START).reference) for _ in "1234567"
    }
    seen, path = [], "/api/v1/transactions?limit=3"
    while path:
        page = program.read(path)
        seen += [one["reference"] for one in page["transactions"]]
        path = page["older"]
    assert len(seen) == 7 and set(seen) == log


def test_a_page_keeps_its_filters(cast: Cast, program: Program) -> None:
    rows(cast, 3, state="declined")
    mine = rows(cast, 3)
    page = program.read("transactions?state=done&state=approved&limit=2")
    older = program.read(page["older"])
    assert [one["reference"] for one in older["transactions"]] == names(mine[0])


def test_every_filter_of_the_office_is_one_of_the_api(cast: Cast, program: Program) -> None:
    """Whoever adds a filter to the log adds it here."""
    told = program.get("transactions?x=1").problem["detail"]
    at_the_api = {
        "opened_from": "opened_from",
        "opened_before": "opened_before",
        "store_id": "store",
        "device_id": "device",
        "operation": "operation",
        "states": "state",
        "response_code": "response_code",
        "collector_last4": "collector_last4",
        "confirmation_number": "confirmation_number",
        "is_reversed": "is_reversed",
        "is_credited": "is_credited",
        "is_for_a_person": "needs_person",
    }
    # What tills ask for themselves is no filter of the page; what was practised is told nowhere.
    others = {"is_of_a_sale", "is_training"}
    assert set(LogFilters.__dataclass_fields__) - others == set(at_the_api)
    for name in at_the_api.values():
        assert name in told


def test_each_filter_finds_what_it_says_and_nothing_else(cast: Cast, program: Program) -> None:
    first, second, third = rows(cast, 3)
    south = written(
        cast,
        store=cast.south,
        device=cast.south_till,
        state="declined",
        due_at=None,
        response_code="0051",
        collector_last4="9999",
        opened_at=at(10),
    )
    manual = written(cast, state="manual", due_at=None, needs_person="conflict", opened_at=at(11))
    given = written(
        cast,
        operation="issue",
        state="confirmed",
        due_at=None,
        confirmation_number="N-1",
        opened_at=at(12),
        device=cast.second_till,
    )
    reversed_ = written(cast, state="done", due_at=None, opened_at=at(13), reversed_at=at(14))
    credited = written(
        cast,
        state="done",
        due_at=None,
        opened_at=at(15),
        credit_given="gift_card",
        credit_given_at=at(16),
    )
    everything = names(credited, reversed_, given, manual, south, third, second, first)
    assert found(program) == everything
    assert found(program, opened_from=at(1).isoformat(), opened_before=at(2).isoformat()) == names(
        second
    )
    assert found(program, opened_from="2026-11-20T10:00:13.123456-05:00") == names(
        credited, reversed_
    )
    assert found(program, store=cast.south.pk) == names(south)
    assert found(program, device=cast.second_till.pk) == names(given)
    assert found(program, operation="issue") == names(given)
    assert found(program, state=["declined", "manual"]) == names(manual, south)
    assert found(program, response_code="0051") == names(south)
    assert found(program, collector_last4="9999") == names(south)
    assert found(program, confirmation_number="N-1") == names(given)
    assert found(program, is_reversed="true") == names(reversed_)
    assert names(reversed_)[0] not in found(program, is_reversed="false")
    assert found(program, is_credited="true") == names(credited)
    assert found(program, needs_person="true") == names(manual)
    assert found(program, store=cast.south.pk, device=cast.till.pk) == []


CARD = "80000010001"


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("sate=done", "sate", "unknown-parameter"),
        ("format=csv", "format", "unknown-parameter"),
        ("State=done", "State", "unknown-parameter"),
        ("=1", "", "unknown-parameter"),
        (f"{CARD}=1", "?", "unknown-parameter"),
        ("state=finished", "state", "bad-parameter"),
        ("state=", "state", "bad-parameter"),
        ("state=" + "&state=".join(["done"] * 5), "state", "bad-parameter"),
        ("limit=0", "limit", "bad-parameter"),
        ("limit=201", "limit", "bad-parameter"),
        ("limit=1e1", "limit", "bad-parameter"),
        ("limit=1&limit=2", "limit", "bad-parameter"),
        ("store=0", "store", "bad-parameter"),
        ("store=99999", "store", "bad-parameter"),
        ("store=9999999999999999999", "store", "bad-parameter"),
        ("device=x", "device", "bad-parameter"),
        ("device=99999", "device", "bad-parameter"),
        ("opened_from=2026-11-20", "opened_from", "bad-parameter"),
        ("opened_from=2026-11-20T10:00:00", "opened_from", "bad-parameter"),
        ("opened_from=2026-11-20T10:00:00+01:00", "opened_from", "bad-parameter"),
        ("opened_from=2026-02-30T10:00:00Z", "opened_from", "bad-parameter"),
        ("opened_from=2026-11-20T29:00:00Z", "opened_from", "bad-parameter"),
        ("opened_from=9999-12-31T23:59:59-23:59", "opened_from", "bad-parameter"),
        (
            "opened_from=2026-11-20T10:00:00Z&opened_before=2026-11-20T10:00:00Z",
            "opened_before",
            "bad-parameter",
        ),
        ("collector_last4=001", "collector_last4", "bad-parameter"),
        (f"collector_last4={CARD}", "collector_last4", "bad-parameter"),
        (f"confirmation_number={CARD}", "confirmation_number", "bad-parameter"),
        ("confirmation_number=%00", "confirmation_number", "bad-parameter"),
        ("response_code=%27", "response_code", "bad-parameter"),
        ("is_reversed=yes", "is_reversed", "bad-parameter"),
        ("is_credited=false", "is_credited", "bad-parameter"),
        ("needs_person=1", "needs_person", "bad-parameter"),
        ("cursor=abcd", "cursor", "bad-parameter"),
        ("cursor=Y2hhbmdlOjoz", "cursor", "bad-parameter"),
        ("cursor=é", "cursor", "bad-parameter"),
        ("cursor=bG9nOm9sZGVyOjk5OTk5OTk5OTk5OTk5OTk5OjE", "cursor", "bad-parameter"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(
    program: Program, query: str, name: str, kind: str
) -> None:
    heard = program.get(f"transactions?{query}")
    assert heard.status == 400
    assert (heard.problem["parameter"], heard.problem["kind"]) == (name, kind)
    assert CARD not in heard.body.decode()


def test_more_parameters_than_anybody_reads_are_a_problem_too(program: Program) -> None:
    heard = program.get("transactions?" + "&".join(["state=done"] * 600))
    assert heard.status == 400 and heard.problem["kind"] == "bad-request"


def test_one_transaction_has_its_sends_and_what_it_gives_back(cast: Cast, program: Program) -> None:
    row = record(opened(cast), Verdict.UNKNOWN, silence="read_timeout", duration_ms=9500)
    row = record(claimed(row), Verdict.APPROVED, duration_ms=120)
    cancel(cast, row)
    reversal = Transaction.objects.get(reverses=row)
    told = program.read(f"transactions/{row.reference}")
    first, second = told["attempts"]
    assert (first["number"], first["result"], first["silence"]) == (1, "unknown", "read_timeout")
    assert (second["number"], second["result"], second["response_code"]) == (2, "answered", "0000")
    assert first["duration_ms"] == 9500 and first["armed_at"] and first["finished_at"]
    assert told["decisions"] == [] and told["is_after_doubt"] is row.after_doubt
    of_reversal = program.read(f"transactions/{reversal.reference}")
    assert of_reversal["reverses"] == str(row.reference)
    assert of_reversal["operation"] == "reverse"


def test_what_people_decided_is_told_without_their_note(cast: Cast, program: Program) -> None:
    row = written(cast, state="manual", due_at=None, needs_person="replay_over")
    row.decisions.create(
        step="proposed",
        outcome="done",
        needs_person="replay_over",
        note="Mrs. Somebody called.",
        help_desk_ref="HD-1",
        person=cast.manager,
        decided_at=START,
    )
    heard = program.get(f"transactions/{row.reference}")
    (told,) = heard.json["decisions"]
    assert told == {
        "step": "proposed",
        "outcome": "done",
        "needs_person": "replay_over",
        "help_desk_ref": "HD-1",
        "confirmation_number": None,
        "amount_cents": None,
        "miles": None,
        "person": "manager",
        "decided_at": "2026-11-20T15:00:00.123456Z",
    }
    assert "Somebody" not in heard.body.decode()


def test_credit_given_instead_is_told(cast: Cast, program: Program) -> None:
    row = entries.present(approved(cast), actor=cast.actor, now=timezone.now())
    entries.give_credit(row, Credit.GIFT_CARD, is_over=True, actor=cast.actor, now=timezone.now())
    told = program.read(f"transactions/{row.reference}")
    assert told["credit_given"] == "gift_card" and told["credit_given_at"]


def test_another_stores_is_not_there(cast: Cast, program: Program, of_south: Program) -> None:
    row = approved(cast)
    south = Actor(user=cast.south_manager, device=cast.south_till)
    own = approved(cast, actor=south, card_number=COLLECTOR_WITHOUT_CASH)
    assert found(of_south) == names(own)
    others, nobodys = (of_south.get(f"transactions/{one}") for one in (row.reference, uuid4()))
    assert others.status == nobodys.status == 404 and others.body == nobodys.body
    others, nobodys = (of_south.get(f"transactions?store={one}") for one in (cast.north.pk, 99999))
    assert others.status == nobodys.status == 400 and others.body == nobodys.body
    others, nobodys = (of_south.get(f"transactions?device={one}") for one in (cast.till.pk, 99999))
    assert others.status == nobodys.status == 400 and others.body == nobodys.body
    # Nor by a place that somebody else was told.
    log = program.read("transactions?limit=1")
    page = of_south.read(log["older"].replace("limit=1", "limit=5"))
    assert {one["reference"] for one in page["transactions"]} <= set(names(own))
    assert program.get("transactions/not-a-reference").status == 404


def test_a_token_of_no_store_reads_nothing(cast: Cast) -> None:
    approved(cast)
    program = Program.of(cast.administrator, stores=[])
    assert found(program) == []
    assert program.read("changes")["transactions"] == []
    assert program.read("stores")["stores"] == program.read("devices")["devices"] == []
    assert program.read("offers")["offers"] == []


def test_what_was_practised_is_told_nowhere(cast: Cast, program: Program) -> None:
    practised = approved(cast, actor=Actor(user=cast.cashier, device=cast.till, is_training=True))
    assert Transaction.objects.get().is_training
    row = approved(cast, card_number=COLLECTOR_WITHOUT_CASH)
    assert found(program) == names(row)
    told = program.read("changes")["transactions"]
    assert [one["reference"] for one in told] == names(row)
    assert program.get(f"transactions/{practised.reference}").status == 404


def test_the_same_answer_is_not_sent_twice(cast: Cast, program: Program) -> None:
    row = approved(cast)
    for address in ("transactions", f"transactions/{row.reference}", "stores", "changes"):
        first = program.get(address)
        tag = first.headers["ETag"]
        for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = program.get(address, **{"If-None-Match": known})
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert program.get(address, **{"If-None-Match": '"other"'}).body == first.body
    tag = program.get(f"transactions/{row.reference}").headers["ETag"]
    assert not tag.startswith("W/")
    entries.present(row, actor=cast.actor, now=timezone.now())
    heard = program.get(f"transactions/{row.reference}", **{"If-None-Match": tag})
    assert heard.status == 200 and heard.headers["ETag"] != tag
    assert "Authorization" in heard.headers["Vary"]
    assert heard.headers["Cache-Control"] == "private, no-cache"


def test_a_moment_of_an_answer_is_a_moment_of_a_question(cast: Cast, program: Program) -> None:
    row, _later = rows(cast, 2)
    (told,) = [
        one
        for one in program.read("transactions")["transactions"]
        if one["reference"] == str(row.reference)
    ]
    query = f"transactions?opened_before={quote(told['opened_at'])}"
    assert program.read(query)["transactions"] == []
    assert json.dumps(program.read(f"transactions?opened_from={told['opened_at']}"))
