"""Fills the log with rows as a chain of shops would leave them, by plain SQL, for measuring only.

It writes past `journal.entries`, which no part of Milepost may do: the rows are invented, in a
database that is thrown away. Every constraint and trigger stays; indexes are rebuilt afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from backoffice.devices.models import Device
from backoffice.stores.models import Sponsor, Store

STORES = 40
_SPAN = timedelta(days=730)
_AT_ONCE = 1_000_000
_ZONES = ("America/Toronto", "America/St_Johns", "America/Regina", "America/Vancouver")

# Every twentieth row reverses the one before it; the other marks fall on rows that stand alone.
_IS_REVERSAL = "(i % 20 = 0)"
_IS_REVERSED = "(i % 20 = 19)"
_DECLINED = "(i % 20 = 7 OR i % 200 = 9)"
_EXPIRED = "i % 20000 = 11"
_DOUBT = "i % 50000 = 13"
_MANUAL = "i % 100000 = 15"
# A reversal is at the same store as its redemption; else no mark goes with a store.
_PAIR = "((i + 1) / 2)"
_STORE = f"(({_PAIR} + {_PAIR} / 10 + {_PAIR} / 100) % {STORES} + 1)"
_STATE = (
    f"CASE WHEN {_DECLINED} THEN 'declined' WHEN {_EXPIRED} THEN 'expired' "
    f"WHEN {_DOUBT} THEN 'doubt' WHEN {_MANUAL} THEN 'manual' ELSE 'done' END"
)
_IS_GRANTED = f"NOT ({_DECLINED} OR {_EXPIRED} OR {_DOUBT} OR {_MANUAL})"


def rows(*, count: int) -> int:
    """Add `count` rows over two years up to now, and the stores they belong to."""
    _stores()
    now = datetime.now(UTC).replace(microsecond=0)
    step_s = max(1, int(_SPAN.total_seconds()) // count)
    start = now - timedelta(seconds=step_s * count)
    with _without_indexes():
        for first in range(1, count + 1, _AT_ONCE):
            _insert(first, min(first + _AT_ONCE - 1, count), start, step_s)
    with connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        if is_postgres:
            name = "pg_get_serial_sequence('journal_transaction', 'id')"
            cursor.execute(f"SELECT setval({name}, %s)", [count])
        cursor.execute("VACUUM ANALYZE journal_transaction" if is_postgres else "ANALYZE")
    return count


def _stores() -> None:
    sponsor = Sponsor.objects.get()
    for number in range(Store.objects.count() + 1, STORES + 1):
        zone = _ZONES[number % len(_ZONES)]
        store = Store.objects.create(
            sponsor=sponsor, number=f"{number:04d}", name=f"Store {number}", zone=zone
        )
        for till in ("001", "002"):
            Device.objects.create(store=store, number=till)
    # The SQL below counts on these numbers, so a change of the demo partner must be noticed.
    pairs = Device.objects.order_by("pk").values_list("pk", "store_id")
    assert list(pairs) == [(2 * s + t, s + 1) for s in range(STORES) for t in (1, 2)]


def _insert(first: int, last: int, start: datetime, step_s: int) -> None:
    values = _values(start, step_s)
    names, expressions = ", ".join(values), ", ".join(values.values())
    if connection.vendor == "postgresql":
        numbers, before = f"generate_series({first}, {last}) AS g(i)", ""
    else:
        numbers = "g"
        before = (
            f"WITH RECURSIVE g(i) AS (SELECT {first} UNION ALL "  # noqa: S608 - our own text
            f"SELECT i + 1 FROM g WHERE i < {last}) "
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO journal_transaction ({names}) "  # noqa: S608 - our own text
            f"{before}SELECT {expressions} FROM {numbers}"
        )


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """How one database writes a value of row `i`."""

    is_postgres: bool
    start: datetime
    step_s: int

    def unique(self, place: int) -> str:
        number = f"(i * 10 + {place})"
        if self.is_postgres:
            return f"lpad(to_hex({number}::bigint), 32, '0')::uuid"
        return f"printf('%032x', {number})"

    def after(self, seconds: int) -> str:
        if self.is_postgres:
            moment = f"timestamptz '{self.start.isoformat()}'"
            return f"{moment} + (i::bigint * {self.step_s} + {seconds}) * interval '1 second'"
        whole = int(self.start.timestamp()) + seconds
        return f"strftime('%Y-%m-%d %H:%M:%S', {whole} + i * {self.step_s}, 'unixepoch')"

    def digits(self, width: int, number: str) -> str:
        if self.is_postgres:
            return f"lpad(({number})::text, {width}, '0')"
        return f"printf('%0{width}d', {number})"

    @property
    def day(self) -> str:
        return f"({self.after(0)})::date" if self.is_postgres else f"date({self.after(0)})"

    @property
    def yes(self) -> str:
        return "true" if self.is_postgres else "1"

    @property
    def no(self) -> str:
        return "false" if self.is_postgres else "0"


def _when(condition: str, value: str, otherwise: str = "NULL") -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE {otherwise} END"


def _values(start: datetime, step_s: int) -> dict[str, str]:
    is_postgres = connection.vendor == "postgresql"
    write = _Dialect(is_postgres=is_postgres, start=start, step_s=step_s)
    return {**_asked(write), **_answered(write)}


def _asked(write: _Dialect) -> dict[str, str]:
    return {
        "id": "i",
        "reference": write.unique(1),
        "idempotency_key": write.unique(2),
        "operation": _when(_IS_REVERSAL, "'reverse'", "'redeem'"),
        "reverses_id": _when(_IS_REVERSAL, "i - 1"),
        "wanted": "'keep'",
        "store_id": _STORE,
        "device_id": f"(2 * ({_STORE} - 1) + 1 + (i / 80) % 2)",
        "user_id": "4",
        "channel": "'console'",
        "client_ref": f"'ref-' || {write.digits(12, 'i')}",
        "intent_mac": write.digits(64, "i"),
        "sale_ref": f"'sale-' || {write.digits(12, 'i')}",
        "language": "'en'",
        "is_training": write.no,
        "method": "'POST'",
        "path": "'/checkout/amcash/redeem'",
        "content_type": "'application/json'",
        "trace_id": write.digits(12, "i"),
        "checkout_id": "''",
        "collector_mac": write.digits(64, "i % 100003"),
        "collector_last4": write.digits(4, "(i / 2) % 10000"),
        "card_entry_mode": "'SCAN'",
        "basket_cents": "2000 + i % 9000",
        "asked_cents": "1000 * (1 + i % 2)",
        "replay_until": write.after(86_400),
        "opened_at": write.after(0),
        "first_sent_at": write.after(0),
        "deadline_at": write.after(50_000),
        "local_date": write.day,
        "zone": "'America/Toronto'",
        "tzdata_version": "'2026.6'",
    }


def _answered(write: _Dialect) -> dict[str, str]:
    return {
        "state": _STATE,
        "amount_cents": _when(_IS_GRANTED, "1000 * (1 + i % 2)"),
        "units": _when(_IS_GRANTED, "1 + i % 2"),
        "miles": _when(_IS_GRANTED, "95 * (1 + i % 2)"),
        "unit_cents": "1000",
        "unit_miles": "95",
        "fence": "1",
        "owner": "'web at a till server/1'",
        "due_at": _when(_DOUBT, write.after(86_400)),
        "has_unknown": _when(_DOUBT, write.yes, write.no),
        "after_doubt": write.no,
        "response_code": "CASE WHEN i % 200 = 9 THEN '0051' WHEN i % 20 = 7 THEN '0025' "
        f"WHEN {_EXPIRED} THEN '0034' WHEN {_DOUBT} OR {_MANUAL} THEN '' "
        "WHEN i % 20 = 5 THEN '0001' ELSE '0000' END",
        "http_status": "200",
        "confirmation_number": _when(_IS_GRANTED, f"'CNF' || {write.digits(9, 'i')}", "''"),
        "credit_given": "''",
        "needs_person": _when(_MANUAL, "'replay_over'", "''"),
        "settled_at": _when(f"NOT ({_DOUBT} OR {_MANUAL})", write.after(1)),
        "presented_at": _when(_IS_GRANTED, write.after(5)),
        "reversed_at": _when(_IS_REVERSED, write.after(3_600)),
    }


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Drop what only speeds reading, and make it again: ten times faster for millions of rows."""
    if connection.vendor == "postgresql":
        query = (
            "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index x JOIN pg_class c "
            "ON c.oid = x.indexrelid WHERE x.indrelid = 'journal_transaction'::regclass "
            "AND NOT x.indisunique"
        )
    else:
        query = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = "
            "'journal_transaction' AND sql NOT LIKE 'CREATE UNIQUE%%' AND sql IS NOT NULL"
        )
    with connection.cursor() as cursor:
        cursor.execute(query.replace("%%", "%"))
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
        if connection.vendor == "postgresql":
            # Each row names a store, a till and a person that exist; asking three times a row
            # would be most of the time.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET maintenance_work_mem = '512MB'")
        yield
        if connection.vendor == "postgresql":
            cursor.execute("RESET session_replication_role")
        for _name, definition in found:
            cursor.execute(definition)
