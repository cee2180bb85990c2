"""The export of the transaction log: exactly the rows of a filter, newest first.

Holds no card number but the last four digits, and no balance. Each row says in which period and
on which clock it was looked for, so that the file explains itself wherever it is opened.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from backoffice.audit import trail
from backoffice.devices.models import Device
from backoffice.exports import base, copying, transactions_sql
from backoffice.exports.base import Column, Value
from backoffice.journal import selectors
from backoffice.journal.selectors import LogFilters, Scope
from backoffice.people.models import User
from backoffice.stores.models import Store

BEGINNING: Final = "beginning"

# What leaves the database, and nothing else does.
_READ: Final = (
    "reference",
    "opened_at",
    "settled_at",
    "presented_at",
    "reversed_at",
    "credit_given",
    "credit_given_at",
    "deadline_at",
    "store_id",
    "device_id",
    "user_id",
    "channel",
    "sale_ref",
    "operation",
    "state",
    "needs_person",
    "response_code",
    "http_status",
    "confirmation_number",
    "basket_cents",
    "asked_cents",
    "amount_cents",
    "units",
    "miles",
    "collector_last4",
    "card_entry_mode",
    "trace_id",
    "reverses_id",
    "is_training",
)
_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True)
class _Place:
    """What a row says of its store."""

    store: Store
    zone: ZoneInfo


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One row of the log with what its numbers stand for."""

    row: dict[str, Any]
    place: _Place
    till: str
    person: str | None
    reverses: UUID | None


@dataclass(frozen=True, kw_only=True)
class Export:
    """The rows of `filters` within `scope`; the period is told on the clock of `zone`."""

    scope: Scope
    filters: LogFilters
    zone: ZoneInfo

    @property
    def period_from(self) -> str:
        """The first moment of the period, included; a word where it has none."""
        return _told_moment(self.filters.opened_from, self.zone) or BEGINNING

    @property
    def period_to(self) -> str:
        """The moment at which the period ends, not included."""
        return _told_moment(self.filters.opened_before, self.zone)

    @property
    def file_name(self) -> str:
        """A name that says the period and its zone."""
        start, end = (
            moment.astimezone(self.zone).strftime("%Y%m%dT%H%M") if moment else BEGINNING
            for moment in (self.filters.opened_from, self.filters.opened_before)
        )
        return f"milepost-transactions_{start}_{end}_{self.zone.key.replace('/', '-')}.csv"


def begin(
    *, scope: Scope, filters: LogFilters, zone: ZoneInfo, actor: str, channel: str, now: datetime
) -> Export:
    """Bound the export by this moment, note in the audit log who made it, and return it.

    Raises ValueError for what was practised: training is in no export.
    """
    if filters.is_training:
        raise ValueError("Training is never exported.")
    # Rows that arrive while the file is written belong to the next one.
    ends = min(filters.opened_before or now, now)
    export = Export(scope=scope, filters=replace(filters, opened_before=ends), zone=zone)
    trail.record(
        "export.made",
        subject="export:transactions",
        actor=actor,
        channel=channel,
        details={
            "from": export.period_from,
            "to": export.period_to,
            "zone": zone.key,
            **_told_filters(filters),
        },
    )
    return export


def csv_bytes(export: Export, *, has_mark: bool = True) -> Iterator[bytes]:
    """Give the file piece by piece; the same bytes whichever way they are made."""
    columns = _columns(export)
    if copying.is_possible():
        return _copied(export, [column.name for column in columns], has_mark=has_mark)
    return base.csv_bytes(_lines(export), columns, has_mark=has_mark)


def _copied(export: Export, names: Sequence[str], *, has_mark: bool) -> Iterator[bytes]:
    stores = list(Store.objects.select_related("sponsor"))
    fill = _Names(
        stores={_key(store.pk): base.csv_line(_names_of(store)) for store in stores},
        tills=_cells(Device.objects.values_list("pk", "number")),
        people=_cells(User.objects.values_list("pk", "username")),
        offsets=copying.offsets_told(store.zone for store in stores),
        period=base.csv_line((export.period_from, export.period_to, export.zone.key)),
    )
    return copying.csv_bytes(
        selectors.log_query(export.scope, export.filters),
        names,
        transactions_sql.columns(),
        zones={store.pk: store.zone for store in stores},
        finish=fill.into,
        has_mark=has_mark,
    )


@dataclass(frozen=True, kw_only=True)
class _Names:
    """What stands in a line for the numbers that the database writes, and what ends every line."""

    offsets: dict[bytes, bytes]
    stores: dict[bytes, bytes]
    tills: dict[bytes, bytes]
    people: dict[bytes, bytes]
    period: bytes

    def into(self, line: bytes) -> bytes:
        """Put the names in place of the numbers; no cell before them ever holds a comma."""
        reference, at, wall, offset, store, till, person, rest = line.split(b",", 7)
        told, place = self.offsets[offset], self.stores[store]
        names = (told, place, self.tills[till], self.people[person])
        return b",".join((reference, at, wall, *names, rest, self.period))


def _names_of(store: Store) -> tuple[str, ...]:
    return store.zone, store.sponsor.code, store.number, store.name


def _cells(pairs: Iterable[tuple[int, str]]) -> dict[bytes, bytes]:
    return {b"": b"", **{_key(pk): base.csv_line([text]) for pk, text in pairs}}


def _key(pk: int) -> bytes:
    return str(pk).encode()


def _lines(export: Export) -> Iterator[_Line]:
    """Give the rows with their names, which are looked up here and not joined.

    A join would make the database plan every chunk over whole tables.
    """
    stores = Store.objects.select_related("sponsor")
    places = {store.pk: _Place(store=store, zone=store.tzinfo) for store in stores}
    tills = dict(Device.objects.values_list("pk", "number"))
    people = dict(User.objects.values_list("pk", "username"))
    rows = selectors.log_rows(export.scope, export.filters, _READ)
    while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        originals = selectors.references_of(row["reverses_id"] for row in batch)
        for row in batch:
            yield _Line(
                row=row,
                place=places[row["store_id"]],
                till=tills[row["device_id"]],
                person=people.get(row["user_id"]),
                reverses=originals.get(row["reverses_id"]),
            )


def _columns(export: Export) -> tuple[Column[_Line], ...]:
    start, end, zone = export.period_from, export.period_to, export.zone.key
    return (
        _told("reference"),
        _utc("opened_at"),
        _wall("opened_at"),
        Column(name="opened_at_offset", value=_offset),
        Column(name="zone", value=lambda line: line.place.store.zone),
        Column(name="sponsor", value=lambda line: line.place.store.sponsor.code),
        Column(name="store", value=lambda line: line.place.store.number),
        Column(name="store_name", value=lambda line: line.place.store.name),
        Column(name="till", value=lambda line: line.till),
        Column(name="person", value=lambda line: line.person),
        Column(name="door", value=lambda line: line.row["channel"]),
        _told("sale_ref"),
        _told("operation"),
        _told("state"),
        _told("needs_person"),
        _told("response_code"),
        _told("http_status"),
        _told("confirmation_number"),
        _dollars("basket"),
        _dollars("asked"),
        _dollars("amount"),
        _told("units"),
        _told("miles"),
        Column(name="card", value=_card),
        _told("card_entry_mode"),
        _utc("settled_at"),
        _utc("presented_at"),
        _utc("reversed_at"),
        _told("credit_given"),
        _utc("credit_given_at"),
        _utc("deadline_at"),
        _wall("deadline_at"),
        _told("trace_id"),
        Column(name="reverses", value=lambda line: line.reverses),
        _told("is_training"),
        Column(name="period_from", value=lambda _line: start),
        Column(name="period_to_not_included", value=lambda _line: end),
        Column(name="period_zone", value=lambda _line: zone),
    )


def _card(line: _Line) -> str | None:
    last4: str = line.row["collector_last4"]
    # A sale may be recorded without a collector.
    return f"*******{last4}" if last4 else None


def _told(name: str) -> Column[_Line]:
    return Column(name=name, value=lambda line: line.row[name])


def _dollars(name: str) -> Column[_Line]:
    def value(line: _Line) -> Value:
        cents: int | None = line.row[f"{name}_cents"]
        return None if cents is None else Decimal(cents).scaleb(-2)

    return Column(name=f"{name}_dollars", value=value)


def _utc(name: str) -> Column[_Line]:
    def value(line: _Line) -> Value:
        moment: datetime | None = line.row[name]
        if moment is None:
            return None
        return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"

    return Column(name=f"{name}_utc", value=value)


def _wall(name: str) -> Column[_Line]:
    def value(line: _Line) -> Value:
        moment: datetime | None = line.row[name]
        if moment is None:
            return None
        local = moment.astimezone(line.place.zone).replace(tzinfo=None)
        return local.isoformat(sep=" ", timespec="seconds")

    return Column(name=f"{name}_local", value=value)


def _offset(line: _Line) -> str:
    """Return the distance from UTC; one local hour of the year comes twice."""
    return f"UTC{line.row['opened_at'].astimezone(line.place.zone).isoformat()[-6:]}"


def _told_moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds") if moment else ""


def _told_filters(filters: LogFilters) -> dict[str, str | int]:
    told: dict[str, str | int] = {
        "store_id": filters.store_id or "",
        "device_id": filters.device_id or "",
        "operation": filters.operation,
        "states": " ".join(filters.states),
        "response_code": filters.response_code,
        "last4": filters.collector_last4,
        "confirmation_number": filters.confirmation_number,
        "is_reversed": "" if filters.is_reversed is None else str(filters.is_reversed),
        "is_credited": "yes" if filters.is_credited else "",
        "needs_person": "yes" if filters.is_for_a_person else "",
    }
    return {name: value for name, value in told.items() if value != ""}
