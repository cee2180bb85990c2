"""Milepost with one thing altered that no setting can alter. The environment says which.

CASES_CLOCK=FILE   so many seconds later than it is, as the file says at every request
CASES_AT=MOMENT    this very moment all the time, for a command
CASES_DIE=FILE     ends once, at the commit in the file: `arm` or `result`, `before` or `after` it
CASES_FREEZE=WHERE stops once: a redemption is `armed`, or at the first byte of `head` or `body`
CASES_BUILD=LETTER another build's JSON: `a` sends more fields, `b` writes them otherwise
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# First of Milepost's, because it sets Django up.
import backoffice.wsgi
from amcash import messages
from backoffice.journal import exchange, safety
from backoffice.wire import deadline

# What no message of today holds, and another build's may.
MORE_FIELDS = {"note": "Épicerie Côté « été » " + "long " * 200, "price": "16.10", "kg": "3.250"}
_STARTS = {"head": b"POST /checkout/amcash/redeem", "body": b'{"'}


class _Clock:
    """The time of this process: the machine's, and so many seconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset_s = 0.0
        self._lock = threading.Lock()
        self._travel: time_machine.travel | None = None

    def follow(self) -> None:
        """Go where the file says."""
        offset_s = float(self._path.read_text())
        with self._lock:
            if offset_s == self._offset_s:
                return
            if self._travel is not None:
                self._travel.stop()
            self._offset_s = offset_s
            there = datetime.now(UTC) + timedelta(seconds=offset_s)
            self._travel = time_machine.travel(there, tick=True)
            self._travel.start()


class _Stop:
    """Stops this process, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has_stopped = False

    def __call__(self) -> None:
        with self._lock:
            if self._has_stopped:
                return
            self._has_stopped = True
        os.kill(os.getpid(), signal.SIGSTOP)
        # Another thread may take the signal; this one must not go on before the stop is there.
        time.sleep(0.2)


def _freeze(where: str) -> None:
    stop = _Stop()
    if where == "armed":
        send = exchange._send

        def late_send(row: Any, body: bytes, stamped: float) -> Any:
            stop()
            return send(row, body, stamped)

        exchange._send = late_send
        return
    # The last look at the clock is where a write gets its time limit; then come the bytes.
    write = deadline.BoundedSocket.sendall
    writing = threading.local()

    def marked_write(self: Any, data: Any, flags: int = 0) -> None:
        said = bytes(data)
        writing.is_ours = said.startswith(_STARTS[where]) and (
            where == "head" or b"dollarRedeemRequest" in said
        )
        write(self, data, flags)

    def limit(self: Any, seconds: float | None) -> None:
        socket.socket.settimeout(self, seconds)
        if getattr(writing, "is_ours", False):
            writing.is_ours = False
            stop()

    deadline.BoundedSocket.sendall = marked_write  # type: ignore[method-assign]
    deadline.BoundedSocket.settimeout = limit  # type: ignore[method-assign]


def _rebuild(letter: str) -> None:
    def build_a(fields: dict[str, Any]) -> bytes:
        return json.dumps(fields | MORE_FIELDS, ensure_ascii=False).encode()

    def build_b(fields: dict[str, Any]) -> bytes:
        turned = dict(sorted(fields.items(), reverse=True))
        return json.dumps(turned, indent=1).encode()

    messages._bytes = {"a": build_a, "b": build_b}[letter]


class _Death:
    """Ends this process at one commit, as a file says, which is then gone."""

    _WRITES = (('INSERT INTO "journal_transaction"', "arm"), ('UPDATE "journal_attempt"', "result"))

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writes = threading.local()
        connection_created.connect(self._watch, weak=False)
        commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

        def watched_commit(connection: Any) -> None:
            what = getattr(self._writes, "what", "")
            self._writes.what = ""
            self._die_if_it_is(f"{what} before")
            commit(connection)
            self._die_if_it_is(f"{what} after")

        BaseDatabaseWrapper._commit = watched_commit  # type: ignore[attr-defined]

    def _watch(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        connection.execute_wrappers.append(self._note)

    def _note(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        for begin, what in self._WRITES:
            if sql.startswith(begin):
                self._writes.what = what
        return execute(sql, params, many, context)

    def _die_if_it_is(self, here: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._path.read_text() == here:
                self._path.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(1)


def _altered() -> "_Clock | None":
    if where := os.environ.get("CASES_FREEZE"):
        _freeze(where)
    if letter := os.environ.get("CASES_BUILD"):
        _rebuild(letter)
    if death := os.environ.get("CASES_DIE"):
        _Death(Path(death))
    path, at = os.environ.get("CASES_CLOCK"), os.environ.get("CASES_AT")
    if path or at:
        # The database's own clock cannot be moved along; that both must agree is tested elsewhere.
        safety.clock_skew = lambda: None
    if at:
        time_machine.travel(datetime.fromisoformat(at), tick=False).start()
        return None
    return _Clock(Path(path)) if path else None


_clock = _altered()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve one request as the web server does."""
    if _clock is not None:
        _clock.follow()
    answer: Iterable[bytes] = backoffice.wsgi.application(environ, start_response)
    return answer


if __name__ == "__main__":
    if _clock is not None:
        _clock.follow()
    call_command(*sys.argv[1:])
