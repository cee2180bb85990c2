"""Sockets and connections that keep to one total deadline. A timeout of an HTTP client counts from
byte to byte, so a server that drips could hold a thread for ever; here every read and every write
gets only what is left of the whole call.
"""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class LateError(Exception):
    """The right to send had passed before the first byte was written."""


class TooLargeError(Exception):
    """More bytes arrived than any answer of the platform can have."""


class Budget:
    """What one call may spend, by the monotonic clock: time to connect, time in all, and bytes."""

    def __init__(
        self, *, connect_by: float, end_by: float, start_by: float | None, byte_limit: int
    ) -> None:
        self._connect_by = min(connect_by, end_by)
        self._end_by = end_by
        self._start_by = end_by if start_by is None else min(start_by, end_by)
        self._bytes_left = byte_limit
        self._has_written = False

    def connect_s(self) -> float:
        """What is left for connecting; a TimeoutError when that is nothing."""
        return _time_until(self._connect_by)

    def remaining_s(self) -> float:
        """What is left of the whole call; a TimeoutError when that is nothing."""
        return _time_until(self._end_by)

    def before_write(self) -> None:
        """Refuse the first byte once the right to send has passed.

        Connecting can take seconds, and by then another process may own this transaction; so the
        check stands here, between the open connection and its first byte.
        """
        if not self._has_written and time.monotonic() >= self._start_by:
            raise LateError
        self._has_written = True

    def after_read(self, count: int) -> None:
        """Count what arrived; a TooLargeError when it is more than an answer can be."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise TooLargeError


_spending = threading.local()


@contextmanager
def spending(budget: Budget) -> Iterator[None]:
    """Let every bounded socket of this thread spend from this budget."""
    _spending.budget = budget
    try:
        yield
    finally:
        _spending.budget = None


class BoundedSocket(socket.socket):
    """A socket whose every read and write gets what is left of the call."""

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        budget = _current()
        self.settimeout(budget.remaining_s())
        size = memoryview(buffer).nbytes if nbytes is None else nbytes
        count = super().recv_into(buffer, size, flags)
        budget.after_read(count)
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        budget = _current()
        budget.before_write()
        self.settimeout(budget.remaining_s())
        # Plain or encrypted, a socket takes its timeout for the whole of sendall.
        super().sendall(data, flags)


class BoundedTLSSocket(BoundedSocket, ssl.SSLSocket):
    """The same, encrypted."""


class _BoundedHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _open(self, self._dns_host)


class _BoundedHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _open(self, self._dns_host)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


BOUNDED_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}


def _current() -> Budget:
    budget: Budget | None = getattr(_spending, "budget", None)
    assert budget is not None, "A bounded socket is only used inside a call."
    return budget


def _time_until(moment: float) -> float:
    left_s = moment - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("timed out")

    return left_s


def _open(connection: HTTPConnection, host: str) -> socket.socket:
    budget = _current()
    port: int = connection.port
    try:
        addresses = _resolve(host, port, budget.connect_s())
    except (socket.gaierror, UnicodeError) as error:
        unresolved = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(connection.host, connection, unresolved) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "No time left to connect.") from error

    failure: OSError = OSError("no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        try:
            # An address that swallows packets must leave time for the next one.
            share_s = budget.connect_s() / (len(addresses) - position)
            return _connect(BoundedSocket(family, kind, protocol), address, share_s, budget)
        except OSError as error:
            failure = error

    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, "No connection in time.") from failure
    raise NewConnectionError(connection, f"No connection: {failure}") from failure


def _connect(
    bounded: BoundedSocket, address: Any, timeout_s: float, budget: Budget
) -> BoundedSocket:
    try:
        # A request is two small writes; without this the second waits for an acknowledgement.
        bounded.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bounded.settimeout(timeout_s)
        bounded.connect(address)
        # What is left of the time to connect is for the TLS handshake.
        bounded.settimeout(budget.connect_s())
    except BaseException:
        bounded.close()
        raise

    return bounded


def _resolve(host: str, port: int, timeout_s: float) -> list[Any]:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return _resolve_name(host, port, timeout_s)

    return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)


def _resolve_name(host: str, port: int, timeout_s: float) -> list[Any]:
    # The system's resolver takes no timeout and may think for half a minute. It does so in a thread
    # of its own, which ends by itself; nothing has been sent meanwhile.
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty as error:
        raise socket.gaierror(socket.EAI_AGAIN, "The resolver did not answer in time.") from error
    if isinstance(answer, Exception):
        raise answer

    return answer
