"""Up to which entry the audit log is whole: every entry before it is committed, or never will be.

Numbers are given out before commits, so on PostgreSQL a later number may be seen earlier, and who
reads on from the last one seen would miss what comes behind it. There whoever adds an entry first
holds a place, as a shared advisory lock until its commit ends: no number it gets lies before that.
Nobody waits for anybody. SQLite has one writer at a time and so commits in the order of numbers.
"""

from dataclasses import dataclass
from typing import Final

from django.db import connection

TABLE: Final = "audit_auditentry"
TRIGGER: Final = "milepost_audit_place"
_SEQUENCE: Final = f"{TABLE}_id_seq"
# The last number that was given out: a sequence that gave none yet has its first one as its last.
_LAST: Final = f"CASE WHEN is_called THEN last_value ELSE 0 END FROM {_SEQUENCE}"
# The upper 16 bits of the lock's key say that it is one of these, the lower 48 are the place.
_OURS: Final = 0x4D50
# Before each statement and not each row: by then the row would have its number.
CREATION: Final = (
    f"""CREATE OR REPLACE FUNCTION {TRIGGER}_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE place bigint;
BEGIN
  IF coalesce(current_setting('milepost.audit_place', true), '') = '' THEN
    place := {_LAST};
    PERFORM pg_advisory_xact_lock_shared(({_OURS}::bigint << 48) | place);
    PERFORM set_config('milepost.audit_place', place::text, true);
  END IF;
  RETURN NULL;
END $$""",
    f"DROP TRIGGER IF EXISTS {TRIGGER} ON {TABLE}",
    f"CREATE TRIGGER {TRIGGER} BEFORE INSERT ON {TABLE} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {TRIGGER}_held()",
)
_NEWEST: Final = f"SELECT coalesce(max(id), 0) FROM {TABLE}"  # noqa: S608
_HOLDERS: Final = f"""FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = {_OURS}
AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""  # noqa: S608
_HELD: Final = f"SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) {_HOLDERS}"
# Another role's sessions have no times for us; all of Milepost's processes share one role.
_LONGEST: Final = f"""SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::bigint
FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid IN (SELECT pid {_HOLDERS})
ORDER BY xact_start LIMIT 1"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The last entry that is committed, and the number up to which no entry is still to come.

    The second may lie behind what it was a moment ago: a place is held before its number is known.
    Neither ever passes what is on the disk: a crash may give a number again that a rolled-back
    transaction had, and so none of these may be taken for read.
    """

    last: int
    whole_until: int


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Of the sessions that hold a place, the one with the oldest transaction, and its age."""

    pid: int
    open_s: int


def holder() -> Holder | None:
    """Return who holds up whoever reads the audit log in order; nobody on SQLite."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST)
        found = cursor.fetchone()
    return None if found is None else Holder(pid=found[0], open_s=found[1])


def reach() -> Reach:
    """Return how far the audit log has come.

    Read the entries in a statement after this one: what is committed in between is seen then.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        (newest,) = cursor.fetchone()
        if connection.vendor != "postgresql":
            return Reach(last=newest, whole_until=newest)
        # In this order: who has a number below the newest one's held a place before that was given.
        cursor.execute(_HELD)
        (held,) = cursor.fetchone()
    return Reach(last=newest, whole_until=newest if held is None else min(newest, held))
