"""The CSV of the log as the office sends it, and the database's own COPY of the same columns."""

import os
import resource
import time

import psycopg
from django.utils import timezone

from backoffice import clock
from backoffice.exports import transactions
from backoffice.journal import selectors
from backoffice.journal.selectors import LogFilters

_COLUMNS = (
    "reference, opened_at, settled_at, presented_at, reversed_at, deadline_at, store_id, "
    "device_id, user_id, channel, sale_ref, operation, state, needs_person, response_code, "
    "http_status, confirmation_number, basket_cents, asked_cents, amount_cents, units, miles, "
    "collector_last4, card_entry_mode, trace_id, reverses_id, is_training"
)


def milepost() -> dict[str, float]:
    """Make the whole file; return rows a second, its size and how much memory grew."""
    before_kb = _peak_kb()
    began = time.perf_counter()
    made = transactions.begin(
        scope=selectors.EVERY_STORE,
        filters=LogFilters(),
        zone=clock.zone_named("America/Toronto"),
        actor="bench",
        channel="shell",
        now=timezone.now(),
    )
    size = lines = 0
    for piece in transactions.csv_bytes(made):
        size += len(piece)
        lines += piece.count(b"\n")
    took_s = time.perf_counter() - began
    return {
        "rows_per_s": (lines - 1) / took_s,
        "bytes": size,
        "grew_mb": (_peak_kb() - before_kb) / 1024,
    }


def copy() -> dict[str, float]:
    """Have PostgreSQL write the log's own columns: newest first, and as they lie in the table."""
    table = f"SELECT {_COLUMNS} FROM journal_transaction"  # noqa: S608 - our own text
    ordered = f"{table} ORDER BY opened_at DESC, id DESC"
    return {"rows_per_s": _copied(ordered), "unordered_rows_per_s": _copied(table)}


def _copied(query: str) -> float:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        rows = 0
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as lines:
            for _line in lines:
                rows += 1
        return rows / (time.perf_counter() - began)


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
