"""The export of the transaction log: exactly the rows of a filter, newest first.

Holds no card number but the last four digits, and no balance. Each row says in which period and
on which clock it was looked for, so that the file explains itself wherever it is opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from backoffice.audit import trail
from backoffice.exports import base
from backoffice.exports.base import Column, Value
from backoffice.journal import selectors
from backoffice.journal.selectors import LogFilters, Scope

BEGINNING: Final = "beginning"

# Names of the log's columns and of what stands beside them; nothing else leaves the database.
_READ: Final = (
    "reference",
    "opened_at",
    "settled_at",
    "presented_at",
    "reversed_at",
    "deadline_at",
    "store__sponsor__code",
    "store__number",
    "store__name",
    "store__zone",
    "device__number",
    "user__username",
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
    "reverses__reference",
    "is_training",
)


@dataclass(frozen=True, kw_only=True)
class Export:
    """The rows of `filters` within `scope`; the period is told on the clock of `zone`."""

    scope: Scope
    filters: LogFilters
    zone: ZoneInfo

    @property
    def period_from(self) -> str:
        """The first moment of the period, included; a word where it has none."""
        return _told(self.filters.opened_from, self.zone) or BEGINNING

    @property
    def period_to(self) -> str:
        """The moment at which the period ends, not included."""
        return _told(self.filters.opened_before, self.zone)

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
    """Bound the export by this moment, note in the audit log who made it, and return it."""
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
    """Give the file piece by piece."""
    rows = selectors.log_rows(export.scope, export.filters, _READ)
    return base.csv_bytes(rows, _columns(export), has_mark=has_mark)


def _columns(export: Export) -> tuple[Column[dict[str, Any]], ...]:
    zones: dict[str, ZoneInfo] = {}

    def local(row: dict[str, Any], name: str) -> Value:
        moment, key = row[name], row["store__zone"]
        zone = zones.get(key) or zones.setdefault(key, ZoneInfo(key))
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else None

    def told(name: str) -> Column[dict[str, Any]]:
        return Column(name=name.replace("__", "_"), value=lambda row: row[name])

    def named(name: str, source: str) -> Column[dict[str, Any]]:
        return Column(name=name, value=lambda row: row[source])

    def amount(name: str) -> Column[dict[str, Any]]:
        return Column(
            name=name.replace("_cents", "_dollars"), value=lambda row: _dollars(row[name])
        )

    def utc(name: str) -> Column[dict[str, Any]]:
        return Column(name=f"{name}_utc", value=lambda row: _utc(row[name]))

    def wall(name: str) -> Column[dict[str, Any]]:
        return Column(name=f"{name}_local", value=lambda row: local(row, name))

    return (
        told("reference"),
        utc("opened_at"),
        wall("opened_at"),
        Column(name="opened_at_offset", value=lambda row: _offset(row, zones)),
        named("zone", "store__zone"),
        named("sponsor", "store__sponsor__code"),
        named("store", "store__number"),
        named("store_name", "store__name"),
        named("till", "device__number"),
        named("person", "user__username"),
        named("door", "channel"),
        told("sale_ref"),
        told("operation"),
        told("state"),
        told("needs_person"),
        told("response_code"),
        told("http_status"),
        told("confirmation_number"),
        amount("basket_cents"),
        amount("asked_cents"),
        amount("amount_cents"),
        told("units"),
        told("miles"),
        Column(name="card", value=lambda row: f"*******{row['collector_last4']}"),
        told("card_entry_mode"),
        utc("settled_at"),
        utc("presented_at"),
        utc("reversed_at"),
        utc("deadline_at"),
        wall("deadline_at"),
        told("trace_id"),
        named("reverses", "reverses__reference"),
        told("is_training"),
        Column(name="period_from", value=lambda _row: export.period_from),
        Column(name="period_to_not_included", value=lambda _row: export.period_to),
        Column(name="period_zone", value=lambda _row: export.zone.key),
    )


def _dollars(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents).scaleb(-2)


def _utc(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _offset(row: dict[str, Any], zones: dict[str, ZoneInfo]) -> str:
    """Return the distance from UTC; one local hour of the year comes twice."""
    local = row["opened_at"].astimezone(zones.get(row["store__zone"], UTC))
    return f"UTC{local.strftime('%z')[:3]}:{local.strftime('%z')[3:]}"


def _told(moment: datetime | None, zone: ZoneInfo) -> str:
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
        "needs_person": "yes" if filters.is_for_a_person else "",
    }
    return {name: value for name, value in told.items() if value != ""}
