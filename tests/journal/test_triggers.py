"""What the database refuses to change, and that its refusals outlive migrations."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, models
from django.db.migrations import Migration
from django.db.transaction import atomic
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import triggers
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import Attempt, Payload, Transaction
from backoffice.journal.states import ISSUANCE, TERMINAL, Operation, State
from tests.cast import Cast
from tests.journal.rows import approved, opened, record, refused, sql, written

pytestmark = pytest.mark.django_db

# Every frozen column, and another value than any row of these tests has.
FROZEN = {
    "reference": "'00000000000000000000000000000001'",
    "operation": "'reverse'",
    "client_ref": "'another'",
    "intent_mac": "'another'",
    "sale_ref": "'another'",
    "store_id": "store_id + 1",
    "device_id": "device_id + 1",
    "user_id": "NULL",
    "channel": "'switch'",
    "idempotency_key": "'00000000000000000000000000000001'",
    "method": "'GET'",
    "path": "'/elsewhere'",
    "content_type": "'text/plain'",
    "trace_id": "'000000000000'",
    "opened_at": "'2020-01-01 00:00:00+00'",
    "deadline_at": "'2020-01-01 00:00:00+00'",
    "local_date": "'2020-01-01'",
    "zone": "'UTC'",
    "reverses_id": "id",
    "corrects_id": "id",
    "original_id": "id",
    "checkout_id": "'another'",
    "is_training": "TRUE",
}


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("state", State)
def test_how_long_a_key_is_trusted_is_known_once_it_is_sent(
    cast: Cast, operation: Operation, state: State
) -> None:
    links = {"reverses": approved(cast)} if operation is Operation.REVERSE else {}
    row = written(cast, operation=operation, state=state, **links)
    change = "UPDATE journal_transaction SET replay_until = opened_at WHERE id = %s"
    if operation in ISSUANCE and state is State.QUEUED:
        sql(change, row.pk)
    else:
        refused("window is frozen", change, row.pk)


def test_every_frozen_column_is_tried_below() -> None:
    assert set(triggers._FROZEN) == set(FROZEN)
    columns = {field.column for field in Transaction._meta.local_concrete_fields}
    assert set(FROZEN) < columns


@pytest.mark.parametrize("column", FROZEN)
def test_what_was_asked_is_frozen(cast: Cast, column: str) -> None:
    row = written(cast)
    change = f"UPDATE journal_transaction SET {column} = {FROZEN[column]} WHERE id = %s"  # noqa: S608
    refused("request is frozen", change, row.pk)
    sql(f"UPDATE journal_transaction SET {column} = {column} WHERE id = %s", row.pk)  # noqa: S608


@pytest.mark.parametrize("before", sorted(TERMINAL))
def test_a_terminal_state_is_never_left(cast: Cast, before: State) -> None:
    row = written(cast, state=before)
    for after in set(State) - {before}:
        change = "UPDATE journal_transaction SET state = %s WHERE id = %s"
        refused("terminal state is never left", change, after, row.pk)
    # Its marks may still come: a person's, or that it was given back.
    Transaction.objects.filter(pk=row.pk).update(
        state=before, needs_person="conflict", reversed_at=timezone.now()
    )


def test_an_approval_leads_to_done_and_nowhere_else(cast: Cast) -> None:
    row = written(cast, state="approved")
    change = "UPDATE journal_transaction SET state = %s WHERE id = %s"
    for after in set(State) - {State.APPROVED, State.DONE}:
        refused("terminal state is never left", change, after, row.pk)
    sql(change, "done", row.pk)


def test_nothing_of_the_log_is_ever_deleted(cast: Cast) -> None:
    row = approved(cast)
    assert row.attempts.exists() and row.payloads.count() == 2
    for table in ("journal_payload", "journal_attempt", "journal_transaction", "audit_auditentry"):
        refused("never deleted", f"DELETE FROM {table}")  # noqa: S608


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize(
    "table", ["journal_transaction", "journal_attempt", "journal_payload", "audit_auditentry"]
)
def test_nothing_of_the_log_is_ever_truncated(table: str) -> None:
    refused("never truncated", f"TRUNCATE {table} CASCADE")


def test_an_audit_entry_is_never_changed(cast: Cast) -> None:
    opened(cast)
    assert AuditEntry.objects.exists()
    refused("never changed", "UPDATE audit_auditentry SET actor = 'nobody'")
    refused("never changed", "UPDATE audit_auditentry SET actor = actor")


def test_an_attempt_is_completed_once(cast: Cast) -> None:
    row = opened(cast)
    complete = "UPDATE journal_attempt SET result = 'answered' WHERE transaction_id = %s"
    for column, value in (
        ("fence", "2"),
        ("armed_at", "'2020-01-01 00:00:00+00'"),
        ("transaction_id", "transaction_id + 1"),
    ):
        refused("completed once", f"UPDATE journal_attempt SET {column} = {value}")  # noqa: S608
    sql(complete, row.pk)
    refused("completed once", complete, row.pk)
    refused("completed once", "UPDATE journal_attempt SET result = ''")
    refused("completed once", "UPDATE journal_attempt SET response_code = '0000'")


# --- Payloads -------------------------------------------------------------------------------------


def test_a_payload_may_be_encrypted_anew_and_its_content_may_not_change(cast: Cast) -> None:
    row = opened(cast)
    body = Payload.objects.get(transaction=row)
    Payload.objects.filter(pk=body.pk).update(key_id="new", ciphertext=b"sealed anew")
    body.refresh_from_db()
    assert (body.key_id, bytes(body.ciphertext)) == ("new", b"sealed anew")
    refused("only re-encrypted", "UPDATE journal_payload SET mac = 'another'")


def test_a_payload_stays_with_its_transaction_and_its_attempt(cast: Cast) -> None:
    row, other = approved(cast), written(cast)
    move = "UPDATE journal_payload SET transaction_id = %s WHERE transaction_id = %s"
    refused("only re-encrypted", move, other.pk, row.pk)
    detach = "UPDATE journal_payload SET attempt_id = NULL WHERE attempt_id IS NOT NULL"
    refused("only re-encrypted", detach)


EMPTY = "UPDATE journal_payload SET ciphertext = %s"
PAST, FUTURE = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1)


def _with_body(row: Transaction) -> Transaction:
    Payload.objects.create(transaction=row, key_id="k", ciphertext=b"x", mac="m")
    return row


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL - {State.APPROVED}))
def test_the_payload_of_what_is_open_is_never_emptied(cast: Cast, state: State) -> None:
    _with_body(written(cast, state=state, deadline_at=PAST, replay_until=PAST))
    refused("emptied after its deadlines", EMPTY, b"")


@pytest.mark.parametrize("state", sorted({*TERMINAL, State.APPROVED}))
def test_a_payload_is_emptied_after_both_its_deadlines(cast: Cast, state: State) -> None:
    _with_body(written(cast, state=state, deadline_at=PAST, replay_until=PAST))
    sql(EMPTY, b"")
    assert bytes(Payload.objects.get().ciphertext) == b""


@pytest.mark.parametrize(("deadline", "replay"), [(FUTURE, PAST), (PAST, FUTURE)])
def test_a_payload_is_kept_until_both_its_deadlines(
    cast: Cast, deadline: object, replay: object
) -> None:
    _with_body(written(cast, state="done", deadline_at=deadline, replay_until=replay))
    refused("emptied after its deadlines", EMPTY, b"")


# --- Being there ----------------------------------------------------------------------------------


def test_what_was_given_instead_is_recorded_once(cast: Cast) -> None:
    given = {"credit_given": "gift_card", "credit_given_at": timezone.now()}
    row = written(cast, state="done", due_at=None, **given)
    for change in ("credit_given = 'store_credit'", "credit_given_at = '2020-01-01 00:00:00+00'"):
        statement = f"UPDATE journal_transaction SET {change} WHERE id = %s"  # noqa: S608
        refused("recorded once", statement, row.pk)
    Transaction.objects.filter(pk=row.pk).update(needs_person="conflict", **given)


def _names() -> list[str]:
    return [name for name, _table in triggers._names()]


def _drop(name: str) -> None:
    table = dict(triggers._names())[name]
    on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
    sql(f"DROP TRIGGER {name}{on_table}")


@pytest.mark.parametrize("name", [rule.name for rule in triggers.RULES])
def test_a_trigger_that_is_gone_is_missed_and_made_anew(db: None, name: str) -> None:
    assert triggers.missing() == []
    _drop(name)
    assert triggers.missing() == [name]
    triggers.install()
    assert triggers.missing() == []


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot disable a trigger")
@pytest.mark.parametrize("how", ["DISABLE", "ENABLE REPLICA"])
def test_a_trigger_that_is_disabled_is_missed(how: str) -> None:
    name = "milepost_payload_frozen"
    sql(f"ALTER TABLE journal_payload {how} TRIGGER {name}")
    assert triggers.missing() == [name]
    triggers.install()
    assert triggers.missing() == []


def test_lifted_brings_every_trigger_back_even_after_a_mistake(db: None) -> None:
    with pytest.raises(RuntimeError), triggers.lifted():
        assert triggers.missing() == _names()
        raise RuntimeError
    assert triggers.missing() == []


def test_installing_twice_changes_nothing(db: None) -> None:
    triggers.install()
    triggers.install()
    assert triggers.missing() == []


def test_another_database_is_left_alone(db: None) -> None:
    with atomic():
        triggers.remove()
        triggers.install_after_migrate(using="reporting")
        assert triggers.missing() == _names()
        triggers.install_after_migrate(using="default")
    triggers.lift_before_rebuild(using="reporting", plan=["something"])
    triggers.lift_before_rebuild(using="default", plan=[])
    assert triggers.missing() == []


@pytest.fixture
def _migrated_at_the_end() -> Iterator[None]:
    yield
    call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_migrated_at_the_end")
def test_the_triggers_survive_a_migration_that_rebuilds_the_log(cast: Cast) -> None:
    row = record(opened(cast), Verdict.DECLINED, response_code="0051")
    # What SQLite cannot alter, Django rebuilds: a new table, a copy, a rename.
    added = models.CheckConstraint(condition=models.Q(fence__gte=0), name="added_for_a_moment")
    plan = [(Migration("a_migration", "journal"), False)]
    for alter in ("add_constraint", "remove_constraint"):
        emit_pre_migrate_signal(0, False, "default", plan=plan)
        with connection.schema_editor() as editor:
            getattr(editor, alter)(Transaction, added)
        emit_post_migrate_signal(0, False, "default", plan=[])
        assert triggers.missing() == []
    change = "UPDATE journal_transaction SET state = 'approved' WHERE id = %s"
    refused("terminal state is never left", change, row.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_migrated_at_the_end")
def test_the_triggers_survive_migrating_back_and_forth() -> None:
    call_command("migrate", "journal", "zero", verbosity=0)
    assert "journal_transaction" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)
    assert triggers.missing() == []
    assert Attempt.objects.count() == 0
