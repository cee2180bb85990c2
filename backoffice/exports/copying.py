"""Rows of the log to CSV by PostgreSQL's own COPY: what `base` writes, many times faster.

The server streams and one line after the other passes through here, so memory does not grow.
Zones come from our own pinned rules, never from the server's, which may be older.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from backoffice.exports import base

_READ: Final = (
    *("reference", "opened_at", "settled_at", "presented_at", "reversed_at", "deadline_at"),
    *("credit_given", "credit_given_at"),
    *("store_id", "device_id", "user_id", "channel", "sale_ref", "operation", "state"),
    *("needs_person", "response_code", "http_status", "confirmation_number", "basket_cents"),
    *("asked_cents", "amount_cents", "units", "miles", "collector_last4", "card_entry_mode"),
    *("trace_id", "reverses__reference", "is_training"),
)
_LINES_AT_ONCE: Final = 500
_END: Final = b"\r\n"
# No row is older than the programme's interface, and no deadline lies beyond this century.
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)
_SECOND: Final = timedelta(seconds=1)
# What `base.cell` neutralises, by the number of its first character; no text here holds a zero,
# which is what an empty one would be taken for.
_DANGEROUS: Final = ", ".join(str(ord(sign)) for sign in base.DANGEROUS if sign != "\0")


def is_possible() -> bool:
    """Say whether the database can do it."""
    return connection.vendor == "postgresql"


def csv_bytes(
    rows: QuerySet[Any],
    names: Sequence[str],
    columns: Sequence[str],
    *,
    zones: Mapping[int, str],
    finish: Callable[[bytes], bytes],
    has_mark: bool = True,
) -> Iterator[bytes]:
    """Give the file piece by piece: the mark if wanted, the names, then the rows in their order.

    `columns` are SQL, made by the functions below; `zones` are the stores' by their number.
    `finish` gets each line as the database wrote it, without its end.
    """
    # A moment without a zone is then one in UTC.
    assert connection.timezone_name == "UTC"
    if has_mark:
        yield base.BYTE_ORDER_MARK
    yield ",".join(names).encode() + _END
    try:
        inner, values = rows.values_list(*_READ).query.sql_with_params()
    except EmptyResultSet:
        # Who may see no store needs no query.
        return
    read = ", ".join(f'"{name}"' for name in _READ)
    statement = (
        f"COPY (SELECT {', '.join(columns)} "  # noqa: S608 - our own text
        f"FROM ({inner}) AS t ({read}) {_joined_clocks(zones)}) TO STDOUT (FORMAT csv)"
    )
    with connection.cursor() as cursor, cursor.copy(statement, values) as lines:
        kept: list[bytes] = []
        for line in lines:
            # Each is one whole row and ends with a line feed; one inside a cell is left alone.
            kept.append(finish(bytes(line[:-1])))
            if len(kept) == _LINES_AT_ONCE:
                yield _END.join([*kept, b""])
                kept.clear()
        yield _END.join([*kept, b""])


def number(name: str) -> str:
    """Return SQL for a value that is written as the database writes it."""
    return f't."{name}"'


def text(name: str) -> str:
    """Return SQL for text that a spreadsheet cannot run; an empty one becomes an empty cell."""
    value = number(name)
    return (
        f"CASE WHEN ascii({value}) IN ({_DANGEROUS}) THEN '''' || {value} "
        f"ELSE nullif({value}, '') END"
    )


def word(name: str) -> str:
    """Return SQL for a word out of a list of our own, which needs no such care; empty as above."""
    return f"nullif({number(name)}, '')"


def dollars(name: str) -> str:
    """Return SQL for cents as dollars."""
    return f"{number(name)} * 0.01"


def utc(name: str) -> str:
    """Return SQL for a moment in UTC to the millisecond."""
    return f'to_char({number(name)}, \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')'


def wall(name: str) -> str:
    """Return SQL for a moment on the wall clock of the row's store."""
    return f"date_trunc('second', {number(name)}::timestamp + z.offsets[{_rule_at(name)}])"


def offset(name: str) -> str:
    """Return SQL for a moment's distance from UTC on that clock, in seconds."""
    return f"z.seconds[{_rule_at(name)}]"


def offsets_told(zones: Iterable[str]) -> dict[bytes, bytes]:
    """Return each of those distances as the file tells it: UTC-03:30."""
    found = {offset for name in zones for _moment, offset in _changes(name)}
    told = {}
    for distance in found:
        clock = _FIRST.astimezone(timezone(distance)).isoformat()[-6:]
        told[str(int(distance.total_seconds())).encode()] = f"UTC{clock}".encode()
    return told


def _rule_at(name: str) -> str:
    # A search by halves in a short list: cheap enough to be done for each row.
    return f"width_bucket({number(name)}, z.changes)"


def _joined_clocks(zones: Mapping[int, str]) -> str:
    """Return SQL that puts the rules of its store's zone beside each row, as `z`."""
    # Without a store there is no row, and no rule is ever looked at.
    zones = zones or {1: "UTC"}
    names = sorted(set(zones.values()))
    rules = []
    for place, name in enumerate(names):
        changes = _changes(name)
        since = ", ".join(f"'{moment.isoformat()}'" for moment, _offset in changes)
        seconds = [int(it.total_seconds()) for _moment, it in changes]
        offsets = ", ".join(f"'{one} seconds'" for one in seconds)
        rules.append(
            f"({place}, ARRAY[{since}]::timestamptz[], ARRAY[{offsets}]::interval[], "
            f"ARRAY{seconds}::int[])"
        )
    # By the store's number, as an index into a list: no table is joined for it.
    by_store = [names.index(zones[pk]) if pk in zones else -1 for pk in range(1, max(zones) + 1)]
    return (
        f"JOIN (VALUES {', '.join(rules)}) AS z (place, changes, offsets, seconds) "
        f"ON z.place = (ARRAY{by_store}::int[])[{number('store_id')}]"
    )


@lru_cache(maxsize=64)
def _changes(name: str) -> tuple[tuple[datetime, timedelta], ...]:
    """Return each moment since which another offset holds, with that offset, found by search."""
    zone = ZoneInfo(name)

    def offset_at(moment: datetime) -> timedelta:
        return moment.astimezone(zone).utcoffset() or timedelta()

    moment = _FIRST
    found = [(moment, offset_at(moment))]
    while moment < _LAST:
        before, moment = moment, moment + _WEEK
        if offset_at(moment) == found[-1][1]:
            continue
        after = moment
        while after - before > _SECOND:
            middle = before + (after - before) // 2
            is_over = offset_at(middle) != found[-1][1]
            before, after = (before, middle) if is_over else (middle, after)
        # Changes fall on whole seconds, and what was halved is at most one.
        change = after.replace(microsecond=0)
        found.append((change, offset_at(change)))
    return tuple(found)
