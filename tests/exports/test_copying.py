"""The export that PostgreSQL writes itself: the same bytes as ours, on our own zones' rules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from backoffice.exports import base, copying, transactions
from backoffice.journal.selectors import EVERY_STORE, LogFilters, Scope
from backoffice.stores.models import Store
from tests.cast import Cast
from tests.office.factories import NOON, declined, redemption, reversal, unsettled

ZONES = ("America/Toronto", "America/St_Johns", "America/Regina", "America/Vancouver", "UTC")


@pytest.mark.parametrize("name", ZONES)
def test_the_rules_of_a_zone_are_found_to_the_second(name: str) -> None:
    zone = ZoneInfo(name)
    changes = copying._changes(name)
    for (since, offset), (until, _next) in pairwise(changes):
        for moment in (since, until - timedelta(seconds=1)):
            assert moment.astimezone(zone).utcoffset() == offset
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    while moment.year < 2028:
        [*_, holds] = [offset for since, offset in changes if since <= moment]
        assert moment.astimezone(zone).utcoffset() == holds
        moment += timedelta(hours=7, minutes=13)


def test_distances_from_utc_are_told_as_everywhere_else_in_the_file() -> None:
    told = copying.offsets_told(["America/St_Johns", "UTC"])
    assert told == {b"-12600": b"UTC-03:30", b"-9000": b"UTC-02:30", b"0": b"UTC+00:00"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("a", "b"), b"a,b"),
        (("",), b""),
        (("a,b", 'say "no"', "two\nlines"), b'"a,b","say ""no""","two\nlines"'),
        (("=1+1", None, 7), b"'=1+1,,7"),
    ],
)
def test_a_part_of_a_line_is_written_as_in_a_whole_one(
    values: tuple[base.Value, ...], expected: bytes
) -> None:
    assert base.csv_line(values) == expected


@pytest.fixture
def awkward(cast: Cast) -> Cast:
    """A log that holds what is easily written in two ways."""
    if connection.vendor != "postgresql":
        pytest.skip("COPY is PostgreSQL's own")
    cast.north.name = 'Épicerie "du Coin", 100 %'
    cast.north.save()
    cast.south.name = "=cmd()\nsecond line"
    cast.south.save()
    cast.cashier.username = "-minus, comma"
    cast.cashier.save()
    for sign in ("=", "+", "-", "@", "\t", "\r", "\n", "'", '"', ",", "%", "\\.", " ", "é"):
        redemption(cast.till, cast.cashier, sale_ref=f"{sign}2+3", confirmation_number=f"{sign}")
    # The hour that comes twice, the one that is left out, and parts of a second.
    for at in (datetime(2024, 11, 3, 5, 30, tzinfo=UTC), datetime(2024, 11, 3, 6, tzinfo=UTC)):
        redemption(cast.south_till, at=at)
    redemption(cast.till, at=datetime(2025, 3, 9, 7, 0, 0, 999_999, tzinfo=UTC))
    redemption(cast.till, at=datetime(2025, 3, 9, 6, 59, 59, 1_500, tzinfo=UTC))
    unsettled(cast.till)
    declined(cast.south_till, basket_cents=5, asked_cents=0, needs_person="conflict")
    reversal(redemption(cast.second_till, cast.cashier, basket_cents=123_456_789))
    return cast


def both(monkeypatch: pytest.MonkeyPatch, scope: Scope, **filters: Any) -> Iterator[list[bytes]]:
    export = transactions.begin(
        scope=scope,
        filters=LogFilters(**filters),
        zone=ZoneInfo("America/Toronto"),
        actor="administrator",
        channel="office",
        now=NOON + timedelta(days=1),
    )
    for is_possible in (copying.is_possible(), False):
        monkeypatch.setattr(copying, "is_possible", lambda is_possible=is_possible: is_possible)
        yield b"".join(transactions.csv_bytes(export)).split(b"\r\n")


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"opened_from": datetime(2025, 1, 1, tzinfo=UTC)},
        {"states": ("done", "declined")},
        {"operation": "reverse"},
        {"is_for_a_person": True},
        {"confirmation_number": "%"},
    ],
    ids=str,
)
def test_the_database_writes_the_same_bytes(
    awkward: Cast, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any]
) -> None:
    theirs, ours = both(monkeypatch, EVERY_STORE, **filters)
    assert theirs == ours
    assert len(theirs) > 2


def test_the_database_keeps_to_the_same_stores(
    awkward: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = both(monkeypatch, Scope(store_ids=(awkward.south.pk,)))
    assert theirs == ours
    assert not [line for line in theirs if b"100 %" in line]
    theirs, ours = both(monkeypatch, Scope(store_ids=()))
    assert theirs == ours
    assert len(theirs) == 2


def test_a_log_without_a_store_is_an_empty_file(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = both(monkeypatch, EVERY_STORE)
    assert theirs == ours
    assert len(theirs) == 2


@pytest.mark.django_db(transaction=True)
def test_a_download_that_is_broken_off_leaves_the_connection_in_order(
    awkward: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_LINES_AT_ONCE", 1)
    export = transactions.Export(
        scope=EVERY_STORE, filters=LogFilters(opened_before=NOON), zone=ZoneInfo("UTC")
    )
    pieces = transactions.csv_bytes(export)
    assert len([next(pieces) for _ in range(3)]) == 3
    pieces.close()  # type: ignore[attr-defined]
    assert awkward.north.pk in dict(Store.objects.values_list("pk", "name"))
