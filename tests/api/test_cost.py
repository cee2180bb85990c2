"""What a question over the API asks of the database: a few small reads, however long the log is.
Speed itself is measured by bin/bench, never here.
"""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.program import Program
from tests.cast import Cast
from tests.journal.rows import approved, cancel, written

pytestmark = pytest.mark.django_db(transaction=True)
# The token, and the request that it makes this minute.
LET_IN = 3


@pytest.fixture
def log(cast: Cast) -> None:
    """Some rows of each kind, with what they name."""
    for n in range(12):
        row = approved(cast, card_number=f"8000000{n:04d}")
        if n % 3 == 0:
            cancel(cast, row)


def asked(program: Program, address: str) -> list[str]:
    """Return what is read for an address, once the token was noted as seen."""
    program.read(address)
    with CaptureQueriesContext(connection) as queries:
        program.read(address)
    return [query["sql"] for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))]


@pytest.mark.parametrize(
    ("address", "most"),
    [
        # The page, its stores with their sponsors, tills, people, what is named, its offers.
        ("transactions?limit={}", 8),
        ("transactions?limit={}&collector_last4=0003", 8),
        # The log's life and its end, entries, their rows, those whole, what is named, offers.
        ("changes?limit={}", 8),
        ("stores?limit={}", 1),
        ("devices?limit={}", 2),
        ("offers?limit={}", 1),
    ],
)
def test_a_page_takes_as_many_reads_however_many_rows_it_has(
    cast: Cast, program: Program, log: None, address: str, most: int
) -> None:
    counts = [len(asked(program, address.format(limit))) for limit in (3, 200)]
    assert max(counts) <= LET_IN + most
    # On PostgreSQL the end of the log takes one read more; the small page may name nothing.
    assert counts[1] - counts[0] <= 1


def test_a_page_neither_counts_nor_joins_the_log(cast: Cast, program: Program, log: None) -> None:
    for address in ("transactions", "transactions?state=approved&state=done", "changes"):
        for sql in asked(program, address):
            # Numbers of a tally are no count of rows.
            assert not re.search(r"\bCOUNT\(", sql), sql
            assert " OFFSET " not in sql, sql
            if "journal_transaction" in sql and address.startswith("transactions"):
                of_other_tables = re.findall(r'JOIN "(\w+)"', sql)
                assert of_other_tables == [], sql
            # By their keys, or as many as a page has.
            is_by_key = re.search(r'"journal_transaction"\."(id|reference)"\)? (=|IN) ', sql)
            if 'FROM "journal_transaction"' in sql and not is_by_key:
                assert " LIMIT " in sql, sql
            if 'FROM "audit_auditentry"' in sql and "max(" not in sql.lower():
                assert " LIMIT " in sql, sql


def test_one_transaction_is_a_handful_of_reads(cast: Cast, program: Program, log: None) -> None:
    row = written(cast, state="done", due_at=None)
    # The row, its offers, sends and decisions; what it names would be one more.
    assert len(asked(program, f"transactions/{row.reference}")) <= LET_IN + 6


@pytest.mark.skipif(connection.vendor == "postgresql", reason="reads SQLite's own plan")
def test_what_changed_is_read_from_the_end_of_the_log_alone(
    cast: Cast, program: Program, log: None
) -> None:
    since = program.read("changes?since=latest")["since"]
    (sql,) = [
        one for one in asked(program, f"changes?since={since}") if '"audit_auditentry"' in one
    ]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        plan = " · ".join(line[3] for line in cursor.fetchall())
    assert "INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan
