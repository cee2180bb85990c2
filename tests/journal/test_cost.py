"""What a redemption asks of the database. Speed itself is measured by bin/bench, never here."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from amcash import services
from amcash.orders import Card, EntryMode
from tests.amcash.stories import redeem
from tests.cast import COLLECTOR_WITHOUT_CASH, Cast
from tests.journal.rows import written
from tests.scripted import ScriptedPlatform, approved

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_redemption_reads_once_and_writes_only_what_it_must(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    # The first one also asks whether the database is safe.
    redeem(cast, card=Card(number=COLLECTOR_WITHOUT_CASH, entry_mode=EntryMode.SCAN))
    with CaptureQueriesContext(connection) as asked:
        row = redeem(cast)
    assert row.is_granted
    words = [" ".join(query["sql"].split()[:3]).replace('"', "") for query in asked]
    assert [word for word in words if not word.startswith(("BEGIN", "COMMIT"))] == [
        "INSERT INTO journal_transaction",
        "INSERT INTO journal_payload",
        "INSERT INTO journal_attempt",
        # Does an earlier redemption of this collector stand in doubt?
        "SELECT DISTINCT journal_transaction.state",
        "INSERT INTO audit_auditentry",
        # The call is here, with no transaction open.
        "UPDATE journal_attempt SET",
        "UPDATE journal_transaction SET",
        "INSERT INTO audit_auditentry",
        "INSERT INTO journal_payload",
    ]


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return " · ".join(line[3] for line in cursor.fetchall())


@pytest.mark.skipif(connection.vendor == "postgresql", reason="reads SQLite's own plan")
def test_a_sweep_reads_open_rows_however_much_is_settled(cast: Cast) -> None:
    for _ in range(60):
        written(cast, state="done", due_at=None)
    with connection.cursor() as cursor:
        # Now the planner knows that nearly every row has the same state.
        cursor.execute("ANALYZE")
    try:
        with CaptureQueriesContext(connection) as asked:
            services.look_after(sender="test")
            assert services.settle_due(sender="test") == 0
        plans = [plan_of(query["sql"]) for query in asked if "due_at" in query["sql"]]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")
    assert len(plans) == 2
    for plan in plans:
        # Open rows alone are read, by either index.
        assert "transaction_due" in plan or "transaction_state_log (state=?" in plan
        assert "SCAN" not in plan
