"""Reads what a run left behind: the log in its database, the programme's ledger, every file. Plain
SQL from outside, because the code under test must not be asked about itself.
"""

import contextlib
import sqlite3
import threading
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql

from tests.chaos.evidence import Attempt, Effect, Event, Exchange, Gift, Row
from tests.servers.stack import Sandbox

# A reversal moves what its redemption moved.
_ROWS = """SELECT t.id, t.reference, t.idempotency_key, t.client_ref, t.operation, t.state,
    t.needs_person, t.confirmation_number, COALESCE(r.miles, t.miles), t.collector_last4,
    t.opened_at, t.channel, t.trace_id, t.checkout_id, r.reference, o.state
    FROM journal_transaction t LEFT JOIN journal_transaction r ON r.id = t.reverses_id
    LEFT JOIN journal_transaction o ON o.id = t.original_id ORDER BY t.id"""
_ATTEMPTS = """SELECT transaction_id, sender, armed_at, finished_at FROM journal_attempt
    ORDER BY transaction_id, fence"""
_GIFTS = """SELECT transaction_id, offer_code, offer_id, miles, status, confirmation_number
    FROM journal_offerresult ORDER BY id"""
_EVENTS = "SELECT id, subject, event FROM audit_auditentry ORDER BY id"
_DOUBTS = """SELECT idempotency_key FROM journal_transaction
    WHERE state IN ('doubt', 'pending') AND needs_person = '' ORDER BY due_at"""
_SENDER = """SELECT a.sender FROM journal_attempt a
    JOIN journal_transaction t ON t.id = a.transaction_id WHERE t.idempotency_key = """
_LATEST = " ORDER BY a.fence DESC LIMIT 1"
_STATES = """SELECT t.reference, t.state, t.needs_person, t.operation, t.collector_last4, o.state
    FROM journal_transaction t LEFT JOIN journal_transaction o ON o.id = t.original_id"""


class _Reader(Protocol):
    def execute(self, query: Any, values: Sequence[Any] = (), /) -> Any: ...


@contextlib.contextmanager
def reading(database: str) -> Iterator[_Reader]:
    """Open the run's database for reading."""
    if database.startswith("sqlite:///"):
        path = database.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as c:
            yield c
    else:
        with psycopg.connect(database, autocommit=True) as connection:
            yield connection


def rows(database: str) -> list[Row]:
    """Return every operation with its attempts and its audit entries."""
    with reading(database) as reader:
        listed = reader.execute(_ROWS).fetchall()
        attempts = defaultdict(list)
        for number, sender, armed_at, finished_at in reader.execute(_ATTEMPTS).fetchall():
            attempts[number].append(
                Attempt(
                    sender=sender,
                    armed_at=_moment(armed_at),
                    finished_at=_moment(finished_at) if finished_at else None,
                )
            )
        events = defaultdict(list)
        for number, subject, event in reader.execute(_EVENTS).fetchall():
            events[subject].append(Event(number=number, name=event.rpartition(".")[2]))
        gifts = defaultdict(list)
        for number, code, offer_id, miles, status, confirmation in reader.execute(
            _GIFTS
        ).fetchall():
            gifts[number].append(
                Gift(
                    offer_code=code,
                    offer_id=offer_id,
                    miles=miles,
                    status=status,
                    confirmation=confirmation,
                )
            )
    return [_row(one, attempts[one[0]], events, gifts[one[0]]) for one in listed]


def _row(
    fields: Sequence[Any],
    attempts: list[Attempt],
    events: dict[str, list[Event]],
    gifts: list[Gift],
) -> Row:
    _id, reference, key, client_ref, operation, state, person, number, miles, last4, at = fields[
        :11
    ]
    channel, trace, checkout, reverses, original = fields[11:]
    name = str(uuid.UUID(str(reference)))
    return Row(
        reference=name,
        key=str(uuid.UUID(str(key))),
        client_ref=client_ref,
        operation=operation,
        state=state,
        needs_person=person,
        confirmation=number,
        miles=miles,
        last4=last4,
        opened_at=_moment(at),
        channel=channel,
        number=checkout or trace,
        reverses=str(uuid.UUID(str(reverses))) if reverses else "",
        is_behind_a_person=(state, original) == ("queued", "manual"),
        gifts=gifts,
        attempts=attempts,
        events=events[f"transaction:{name}"],
    )


def open_rows(database: str, *, besides: Collection[str] = ()) -> list[tuple[str, str, str]]:
    """Return reference, state and kind of what is neither settled nor with a person.

    `besides` are the last four digits of cards whose issuances do not count.
    """
    with reading(database) as reader:
        return [
            (str(uuid.UUID(str(reference))), state, operation)
            for reference, state, person, operation, last4, original in reader.execute(
                _STATES
            ).fetchall()
            if state in {"queued", "armed", "doubt", "pending"}
            and not person
            and (state, original) != ("queued", "manual")
            and not (last4 in besides and operation not in {"redeem", "reverse"})
        ]


def doubts(database: str) -> list[str]:
    """Return the keys of what the sweep will ask about again, the next first."""
    with reading(database) as reader:
        found = reader.execute(_DOUBTS).fetchall()
    return [str(uuid.UUID(str(key))) for (key,) in found]


def sender_of(database: str, key: str) -> int | None:
    """Return the process id of whoever was given the latest right to send a key."""
    is_sqlite = database.startswith("sqlite")
    # SQLite keeps a UUID as its digits.
    value, mark = (key.replace("-", ""), "?") if is_sqlite else (key, "%s")
    with reading(database) as reader:
        found = reader.execute(_SENDER + mark + _LATEST, [value]).fetchone()
    name = found[0].rpartition("/")[2] if found else ""
    return int(name) if name.isdigit() else None


def arrivals(exchanges: Path, after: int) -> list[tuple[int, str, str, datetime]]:
    """Return number, key, path and moment of what arrived at the programme after a number."""
    query = "SELECT id, key, path, arrived_at FROM exchange WHERE id > ? AND key != '' ORDER BY id"
    with reading(f"sqlite:///{exchanges}") as reader:
        found = reader.execute(query, [after]).fetchall()
    return [(number, key, path, _moment(at)) for number, key, path, at in found]


def last_arrival(exchanges: Path) -> int:
    """Return the number of what arrived last."""
    with reading(f"sqlite:///{exchanges}") as reader:
        return int(reader.execute("SELECT COALESCE(MAX(id), 0) FROM exchange").fetchone()[0])


def effects(sandbox: Sandbox) -> list[Effect]:
    """Return the programme's own ledger."""
    names = ("key", "kind", "collector", "miles", "confirmation", "offer_code", "offer_id")
    return [
        Effect(**{name: entry[name] for name in names}, at=_moment(entry["recorded_at"]))
        for entry in sandbox.effects()
    ]


def exchanges(sandbox: Sandbox) -> list[Exchange]:
    """Return every request that arrived with a key."""
    return [
        Exchange(
            key=one["key"],
            method=one["method"],
            path=one["path"],
            body_sha256=one["body_sha256"],
            arrived_at=_moment(one["arrived_at"]),
            finished_at=_moment(one["finished_at"]) if one["finished_at"] else None,
        )
        for one in sandbox.exchanges()
        if one["key"]
    ]


def miles_held(sandbox_data: Path) -> dict[str, int]:
    """Return what each account holds, from the programme's own books."""
    with reading(f"sqlite:///{sandbox_data / 'sandbox.sqlite3'}") as reader:
        return dict(reader.execute("SELECT collector, cash_miles FROM members_member").fetchall())


def leaks(numbers: Sequence[str], data: Path, database: str) -> list[str]:
    """Return the files and tables in which a whole collector number stands."""
    needles = [number.encode() for number in numbers]
    found = []
    for path in sorted(one for one in data.rglob("*") if one.is_file()):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            # A mark is written beside itself and put in place; the half is gone by now.
            continue
        if any(needle in content for needle in needles):
            found.append(str(path.relative_to(data)))
    if not database.startswith("sqlite"):
        found += _leaking_tables(needles, database)
    return found


def _leaking_tables(needles: Sequence[bytes], database: str) -> list[str]:
    found = []
    listing = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    with psycopg.connect(database, autocommit=True) as connection:
        for (table,) in connection.execute(listing).fetchall():
            copy = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
            with connection.cursor().copy(copy) as parts:
                content = b"".join(bytes(part) for part in parts)
            # Binary columns come as hexadecimal digits.
            if any(one in content or one.hex().encode() in content for one in needles):
                found.append(f"table {table}")
    return found


class Historian(threading.Thread):
    """Polls every operation's state, to see one that leaves where it must stay."""

    def __init__(self, database: str) -> None:
        super().__init__(daemon=True)
        self._database = database
        self._over = threading.Event()
        self._last: set[tuple[Any, ...]] = set()
        self.history: dict[str, list[str]] = defaultdict(list)

    def run(self) -> None:
        while not self._over.wait(0.25):
            with contextlib.suppress(sqlite3.OperationalError, psycopg.OperationalError):
                self._look()

    def finish(self) -> dict[str, list[str]]:
        """Look once more and return what was seen."""
        self._over.set()
        self.join(timeout=30)
        self._look()
        return dict(self.history)

    def _look(self) -> None:
        with reading(self._database) as reader:
            seen = {tuple(row) for row in reader.execute(_STATES).fetchall()}
        # Most rows are as they were a moment ago, however many there are.
        for reference, state, *_rest in seen - self._last:
            states = self.history[str(uuid.UUID(str(reference)))]
            if not states or states[-1] != state:
                states.append(state)
        self._last = seen


def _moment(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
