"""What the database itself refuses: changing frozen bytes, leaving a terminal state, deleting.

Constraints cannot compare a row with its own past, so triggers do. SQLite drops them whenever
Django rebuilds a table, so they are made anew after every migrate, and `missing` says whether
one is gone (RELIABILITY, amendments).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from backoffice.audit import places
from backoffice.journal.states import TERMINAL

_FROZEN = (
    "reference",
    "operation",
    "client_ref",
    "intent_mac",
    "sale_ref",
    "store_id",
    "device_id",
    "user_id",
    "channel",
    "idempotency_key",
    "method",
    "path",
    "content_type",
    "trace_id",
    "opened_at",
    "deadline_at",
    "local_date",
    "zone",
    "reverses_id",
    "corrects_id",
    "original_id",
    "checkout_id",
    "is_training",
)
_TERMINAL = ", ".join(f"'{state}'" for state in sorted(TERMINAL))

# What leads back to a collector, and what else a disclosure says.
_COLLECTOR = ("collector_mac", "collector_last4")
_SAID = ("kind", "transaction_id", "person_id", "reason", "count", "at")


def _over(row: str) -> str:
    """Say in SQL that nothing more can come of a transaction: past its deadlines, and settled or,
    where it was practised, with a person, who never decides.
    """
    return (
        f"({row}.state IN ({_TERMINAL}, 'approved') "
        f"OR ({row}.is_training AND {row}.state = 'manual')) "
        f"AND {row}.deadline_at < CURRENT_TIMESTAMP AND {row}.replay_until < CURRENT_TIMESTAMP"
    )


def _rewritten(*names: str) -> str:
    """Say in SQL that one of these was changed into something else than nothing."""
    return " OR ".join(
        f"(NEW.{name} IS DISTINCT FROM OLD.{name} AND NEW.{name} <> '')" for name in names
    )


def _changed(*names: str) -> str:
    """Say in SQL that one of these was changed at all."""
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One refusal: `condition` is SQL over OLD and NEW, true when the change must not happen."""

    name: str
    table: str
    event: str
    condition: str
    message: str


_ITS_TRANSACTION_IS_OVER = (
    f"SELECT 1 FROM journal_transaction t WHERE t.id = OLD.transaction_id AND {_over('t')}"  # noqa: S608
)
# Two people have agreed on this state.
_DECIDED = (
    "SELECT 1 FROM journal_decision d WHERE d.transaction_id = OLD.id "
    "AND d.step = 'confirmed' AND d.outcome = NEW.state"
)

RULES = (
    Rule(
        name="milepost_transaction_frozen",
        table="journal_transaction",
        event="UPDATE",
        condition=" OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _FROZEN),
        message="a transaction's request is frozen",
    ),
    Rule(
        name="milepost_transaction_window",
        table="journal_transaction",
        event="UPDATE",
        # How long a key is trusted counts from its first send, which may be long after the sale.
        condition="(OLD.state <> 'queued' OR OLD.operation IN ('redeem', 'reverse')) "
        "AND NEW.replay_until IS DISTINCT FROM OLD.replay_until",
        message="a transaction's window is frozen once it is sent",
    ),
    Rule(
        name="milepost_transaction_terminal",
        table="journal_transaction",
        event="UPDATE",
        condition=f"(OLD.state IN ({_TERMINAL}) AND NEW.state IS DISTINCT FROM OLD.state) "
        "OR (OLD.state = 'approved' AND NEW.state NOT IN ('approved', 'done'))",
        message="a terminal state is never left",
    ),
    Rule(
        name="milepost_transaction_credit_once",
        table="journal_transaction",
        event="UPDATE",
        condition="OLD.credit_given <> '' AND (NEW.credit_given IS DISTINCT FROM OLD.credit_given "
        "OR NEW.credit_given_at IS DISTINCT FROM OLD.credit_given_at)",
        message="what was given instead is recorded once",
    ),
    Rule(
        name="milepost_transaction_decided",
        table="journal_transaction",
        event="UPDATE",
        condition=f"OLD.state = 'manual' AND NEW.state <> 'manual' AND NOT EXISTS ({_DECIDED})",
        message="only a recorded decision leaves a person",
    ),
    Rule(
        name="milepost_decision_unchanged",
        table="journal_decision",
        event="UPDATE",
        condition="TRUE",
        message="decisions are never changed",
    ),
    Rule(
        name="milepost_decision_kept",
        table="journal_decision",
        event="DELETE",
        condition="TRUE",
        message="decisions are never deleted",
    ),
    Rule(
        name="milepost_transaction_kept",
        table="journal_transaction",
        event="DELETE",
        condition="TRUE",
        message="transactions are never deleted",
    ),
    Rule(
        name="milepost_offer_final",
        table="journal_offerresult",
        event="UPDATE",
        condition="OLD.status <> 'pending' OR NEW.transaction_id IS DISTINCT FROM "
        "OLD.transaction_id OR NEW.offer_id IS DISTINCT FROM OLD.offer_id "
        "OR NEW.nth IS DISTINCT FROM OLD.nth",
        message="what became of an offer's miles is never changed",
    ),
    Rule(
        name="milepost_offer_kept",
        table="journal_offerresult",
        event="DELETE",
        condition="TRUE",
        message="offers of a transaction are never deleted",
    ),
    Rule(
        name="milepost_attempt_once",
        table="journal_attempt",
        event="UPDATE",
        condition="OLD.result <> '' OR NEW.transaction_id IS DISTINCT FROM OLD.transaction_id "
        "OR NEW.fence IS DISTINCT FROM OLD.fence OR NEW.armed_at IS DISTINCT FROM OLD.armed_at",
        message="an attempt is completed once",
    ),
    Rule(
        name="milepost_attempt_kept",
        table="journal_attempt",
        event="DELETE",
        condition="TRUE",
        message="attempts are never deleted",
    ),
    Rule(
        name="milepost_payload_frozen",
        table="journal_payload",
        event="UPDATE",
        # Emptying needs a transaction that is over; re-encryption keeps the mac of the plain bytes.
        condition="NEW.mac IS DISTINCT FROM OLD.mac "
        "OR NEW.transaction_id IS DISTINCT FROM OLD.transaction_id "
        "OR NEW.attempt_id IS DISTINCT FROM OLD.attempt_id "
        "OR (length(OLD.ciphertext) = 0 AND length(NEW.ciphertext) > 0) OR "
        f"(length(NEW.ciphertext) = 0 AND NOT EXISTS ({_ITS_TRANSACTION_IS_OVER}))",
        message="a payload is only re-encrypted, or emptied after its deadlines",
    ),
    Rule(
        name="milepost_transaction_collector",
        table="journal_transaction",
        event="UPDATE",
        # A collector is forgotten once all is over, and never becomes another one.
        condition=f"{_rewritten(*_COLLECTOR)} "
        f"OR (({_changed(*_COLLECTOR)}) AND NOT ({_over('OLD')}))",
        message="a collector is only forgotten, after all deadlines",
    ),
    Rule(
        name="milepost_disclosure_unchanged",
        table="journal_disclosure",
        event="UPDATE",
        condition=_changed(*_SAID) + f" OR {_rewritten(*_COLLECTOR)}",
        message="what was disclosed is never changed",
    ),
    Rule(
        name="milepost_disclosure_kept",
        table="journal_disclosure",
        event="DELETE",
        condition="TRUE",
        message="disclosures are never deleted",
    ),
    Rule(
        name="milepost_payload_kept",
        table="journal_payload",
        event="DELETE",
        condition="TRUE",
        message="payloads are never deleted",
    ),
    Rule(
        name="milepost_audit_unchanged",
        table="audit_auditentry",
        event="UPDATE",
        condition="TRUE",
        message="audit entries are never changed",
    ),
    Rule(
        name="milepost_audit_kept",
        table="audit_auditentry",
        event="DELETE",
        condition="TRUE",
        message="audit entries are never deleted",
    ),
)
_TABLES = tuple(dict.fromkeys(rule.table for rule in RULES))


def install_after_migrate(**kwargs: Any) -> None:
    """Make the triggers anew; connected to post_migrate."""
    if kwargs.get("using", "default") == "default":
        install()


def lift_before_rebuild(**kwargs: Any) -> None:
    """Drop the triggers before a migration that may rebuild a table; connected to pre_migrate.

    SQLite refuses to rename a table while a trigger of another one names it, so every migration
    that rebuilds the log would stop half-way. Until they are back, `missing` keeps all from arming.
    """
    is_ours = kwargs.get("using", "default") == "default"
    if connection.vendor == "sqlite" and is_ours and kwargs.get("plan"):
        remove()


def install() -> None:
    """Make every trigger anew, idempotently. Tables that do not exist yet are left for later."""
    present = set(connection.introspection.table_names())
    with transaction.atomic(), connection.cursor() as cursor:
        for rule in RULES:
            if rule.table in present:
                for statement in _creation(rule):
                    cursor.execute(statement)
        if connection.vendor == "postgresql":
            for table in _TABLES:
                if table in present:
                    for statement in _truncation(table):
                        cursor.execute(statement)
            if places.TABLE in present:
                for statement in places.CREATION:
                    cursor.execute(statement)


def remove() -> None:
    """Drop every trigger. For `lifted` and `lift_before_rebuild` alone."""
    present = set(connection.introspection.table_names())
    on_table = connection.vendor == "postgresql"
    with transaction.atomic(), connection.cursor() as cursor:
        for name, table in _names():
            if table in present:
                cursor.execute(
                    f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if on_table else "")
                )


def missing() -> list[str]:
    """Return the names of triggers that are not in the database."""
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {row[0] for row in cursor.fetchall()}
    return [name for name, _table in _names() if name not in present]


@contextmanager
def lifted() -> Iterator[None]:
    """Lift the triggers for a moment. For emptying a test database, and for nothing else."""
    remove()
    try:
        yield
    finally:
        install()


def _names() -> list[tuple[str, str]]:
    names = [(rule.name, rule.table) for rule in RULES]
    if connection.vendor == "postgresql":
        names += [(f"milepost_{table}_truncated", table) for table in _TABLES]
        names.append((places.TRIGGER, places.TABLE))
    return names


def _creation(rule: Rule) -> list[str]:
    if connection.vendor == "postgresql":
        function = f"{rule.name}_refusal"
        row = "OLD" if rule.event == "DELETE" else "NEW"
        return [
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF {rule.condition} THEN RAISE EXCEPTION '{_quoted(rule.message)}' "
            f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN {row}; END $$",
            f"DROP TRIGGER IF EXISTS {rule.name} ON {rule.table}",
            f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()",
        ]
    # SQLite's `IS NOT` compares as `IS DISTINCT FROM` does.
    condition = rule.condition.replace("IS DISTINCT FROM", "IS NOT")
    return [
        f"DROP TRIGGER IF EXISTS {rule.name}",
        f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} FOR EACH ROW "
        f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{_quoted(rule.message)}'); END",
    ]


def _truncation(table: str) -> list[str]:
    # A row trigger does not fire on TRUNCATE.
    name = f"milepost_{table}_truncated"
    return [
        f"CREATE OR REPLACE FUNCTION {name}_refusal() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} is never truncated' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"DROP TRIGGER IF EXISTS {name} ON {table}",
        f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_refusal()",
    ]


def _quoted(text: str) -> str:
    return text.replace("'", "''")
