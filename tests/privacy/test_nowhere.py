"""After a day's work with many cards, no number of theirs is in the database, a log, a file, a page
or an address.

The suite sees some hundreds; `MILEPOST_SEEDED_COLLECTORS=10000` makes it as many as are promised.
"""

import hashlib
import os
import random
import re
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.audit import trail
from backoffice.exports import transactions
from backoffice.journal import entries, payloads, safety
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.models import Payload, Transaction
from backoffice.journal.selectors import EVERY_STORE, LogFilters
from backoffice.journal.states import UNSETTLED
from backoffice.people.models import User
from issuance.proposals import EventProposal
from tests.cast import Cast
from tests.journal.rows import written
from tests.privacy import places
from tests.privacy.finder import Finder
from tests.privacy.places import Reader
from tests.privacy.shop import Day
from tests.scripted import ScriptedPlatform
from tests.web import routes

_HASH = re.compile(r"[0-9a-f]{64}")
# The row of an erasure itself says for whom it was until the purge takes that too.
_EARLIER = ~Q(kind=DisclosureKind.ERASURE)
COLLECTORS = int(os.environ.get("MILEPOST_SEEDED_COLLECTORS", "260"))
# Pages are opened for so many of them; the log lists all.
OPENED = 15


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    """Numbers that no test card has, in the same order whenever the suite runs."""
    drawn = random.Random(2026).sample(range(10**9), COLLECTORS)
    return [f"81{number:09d}" for number in drawn]


@dataclass(frozen=True, kw_only=True)
class Evening:
    """A shop after its day, and what was logged while it worked."""

    cast: Cast
    day: Day
    finder: Finder
    logged: str


@pytest.fixture
def evening(cast: Cast, scripted: ScriptedPlatform, numbers: list[str]) -> Evening:
    """A day's work with all the numbers."""
    return worked(cast, scripted, numbers)


def worked(cast: Cast, scripted: ScriptedPlatform, numbers: list[str]) -> Evening:
    day = Day(cast, scripted)
    with places.logged() as text:
        day.serve(numbers)
    assert len(day.rows) >= COLLECTORS * 9 // 15
    # The search is known to work on what was really there: all of it passed through the wire.
    sent = b"".join(one.body for one in scripted.sent)
    finder = Finder(numbers)
    assert len(finder.found_in(sent)) >= COLLECTORS * 12 // 15
    return Evening(cast=cast, day=day, finder=finder, logged=text.getvalue())


def reader(cast: Cast, user: User) -> Reader:
    client = Client()
    client.force_login(user)
    client.post(reverse("cashier:till"), {"till": cast.till.pk})
    return Reader(client)


def everything_shown(evening: Evening, numbers: list[str]) -> Reader:
    """Open every page for some transactions, the whole log, searches and a person's record."""
    found = reader(evening.cast, evening.cast.administrator)
    for row in evening.day.rows[:OPENED]:
        parts: dict[str, object] = {"uuid": row.reference, "int": 1, "str": "1", "path": "1"}
        parts |= {"app_label": "stores", "url": "nowhere"}
        for written_as in routes.written():
            is_of_a_row = "<uuid" in written_as
            if is_of_a_row or row is evening.day.rows[0]:
                found.get(routes.filled(written_as, parts))
    for number in numbers[:OPENED]:
        found.post("/office/privacy/search/", {"number": number})
        page = found.post("/office/privacy/request/", {"number": number})
        sealed = page.partition('name="collector" value="')[2].partition('"')[0]
        for kind in ("json", "page"):
            fields = {"collector": sealed, "reason": "They asked for it", "as": kind}
            found.post("/office/privacy/record/", fields)
        # Typed where it does not belong.
        for wrong in ({"card": number}, {"confirmation": number}, {"code": number}):
            found.post("/office/log/", wrong)
        found.post("/card/", {"value": number, "entry": "SCAN"})
    return found


def exported() -> bytes:
    """Return the whole log as it leaves the house."""
    made = transactions.begin(
        scope=EVERY_STORE,
        filters=LogFilters(),
        zone=ZoneInfo("America/Toronto"),
        actor="a test",
        channel="shell",
        now=timezone.now(),
    )
    return b"".join(transactions.csv_bytes(made))


def test_no_number_is_in_the_dump_the_logs_the_files_the_pages_or_an_address(
    evening: Evening, numbers: list[str]
) -> None:
    finder = evening.finder
    assert Payload.objects.count() >= len(evening.day.rows)
    assert "something.failed" in evening.logged and "•" in evening.logged
    with places.logged() as text:
        shown = everything_shown(evening, numbers)
        csv = exported()
    assert csv.count(b"\n") > len(evening.day.rows)
    found = {
        "dump": finder.found_in(places.dump()),
        "log": finder.found_in(evening.logged + text.getvalue()),
        "export": finder.found_in(csv),
        "pages": finder.found_in("\n".join(shown.pages)),
        "addresses": finder.found_in("\n".join(shown.addresses)),
    }
    assert {place: told for place, told in found.items() if told} == {}
    assert len(shown.pages) > 200


def test_after_an_erasure_neither_an_index_nor_last_digits_are_in_the_dump(
    cast: Cast, scripted: ScriptedPlatform, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # This travels, and PostgreSQL does not.
    monkeypatch.setattr(safety, "clock_skew", lambda: timedelta(0))
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
        worked(cast, scripted, numbers)
    index = {number: payloads.vault().blind_index(number) for number in numbers}
    known = set(index.values()) & set(_HASH.findall(places.dump()))
    assert len(known) > COLLECTORS // 2
    assert EventProposal.objects.exclude(collector_mac="").count() >= COLLECTORS // 15 * 2
    erased = {
        number: entries.erase(
            collector_mac=index[number],
            last4=number[-4:],
            person=cast.administrator,
            reason="They asked for it",
            now=timezone.now(),
        )
        for number in numbers
    }
    # Kept is what nobody has found out about yet, and what a person must look at.
    left = {index[number] for number in numbers if erased[number].left}
    is_open = Q(state__in=sorted(UNSETTLED)) | ~Q(needs_person="")
    open_rows = Transaction.objects.filter(is_open)
    assert len(left) <= COLLECTORS // 15 * 2 + 2
    assert left == set(open_rows.values_list("collector_mac", flat=True))
    assert not any(told.left_elsewhere for told in erased.values())
    assert known & set(_HASH.findall(places.dump())) == left
    for model, is_asked in ((Transaction, Q()), (EventProposal, Q()), (Disclosure, _EARLIER)):
        rows = model._default_manager.filter(is_asked).exclude(collector_mac__in=left)
        assert set(rows.values_list("collector_mac", "collector_last4")) <= {("", "")}
    last = "|".join(sorted({number[-4:] for number in numbers}))
    masked = re.compile(rf"(?:•|\*|card:)(?:{last})(?![0-9])")
    assert masked.findall(places.dump()) == []


# --- The search itself ----------------------------------------------------------------------------

NUMBER = "81234567890"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"x{NUMBER}x",
        f"00{NUMBER}00",
        "8123 4567 890",
        "812-345-678-90",
        "8\u00a01234567890",
        NUMBER.encode().hex(),
        "ODEyMzQ1Njc4OTA",
        # What anybody turns back in minutes.
        hashlib.sha256(NUMBER.encode()).hexdigest(),
        hashlib.sha1(NUMBER.encode(), usedforsecurity=False).hexdigest().upper(),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert Finder([NUMBER]).found_in(f"before {text} after") == {NUMBER}


def test_other_numbers_are_no_find() -> None:
    assert Finder([NUMBER]).found_in("81234567891 71234567890 8123456789") == set()


def test_a_number_in_any_place_is_found(cast: Cast, scripted: ScriptedPlatform) -> None:
    finder = Finder([NUMBER])
    row = written(cast, state="done", sale_ref=NUMBER)
    assert finder.found_in(places.dump()) == {NUMBER}
    assert finder.found_in(exported()) == {NUMBER}
    page = reader(cast, cast.manager).get(f"/office/log/{row.reference}/")
    assert finder.found_in(page) == {NUMBER}


def test_a_number_that_is_stored_as_bytes_is_found(cast: Cast) -> None:
    row = written(cast, state="done")
    Payload.objects.create(transaction=row, key_id="k", ciphertext=b"x" + NUMBER.encode(), mac="m")
    assert Finder([NUMBER]).found_in(places.dump()) == {NUMBER}


def test_a_line_that_is_not_scrubbed_is_found() -> None:
    with places.logged() as text:
        text.write(NUMBER)
    assert Finder([NUMBER]).found_in(text.getvalue()) == {NUMBER}


def test_the_audit_log_masks_what_it_is_told_by_mistake(cast: Cast) -> None:
    entry = trail.record(
        "something.happened",
        subject=f"card:{NUMBER}",
        actor=NUMBER,
        channel="console",
        details={"typed": NUMBER, "count": 3, "is_new": True},
    )
    assert Finder([NUMBER]).found_in(places.dump()) == set()
    assert entry.details == {"typed": "•••••••7890", "count": 3, "is_new": True}
