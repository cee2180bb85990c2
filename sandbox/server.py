"""The sandbox's own HTTP/1.1 server: threads, keep-alive, and faults that are real on the socket.

A proxy or a framework's server would tidy a dropped connection up; here the socket is ours.
Decides nothing about money: it asks the application, and may then lose the answer.
"""

import hashlib
import http
import io
import json
import os
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote_to_bytes

from django.db import connections

from sandbox import wire
from sandbox.control import faults
from sandbox.control.exchanges import Arrival, Departure, log
from sandbox.control.faults import Fault, Kind, When

CONTROL_PREFIX = "/_control/"
IDLE_S = 120
# What is read of a body that is too long, so that its sender is still listening to the answer.
DRAINED_BYTES = 8 * 1024 * 1024
LOGGED_HEADERS = ("accept", "content-length", "content-type", "user-agent", "x-request-id")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Lost(Exception):
    """The exchange ends here: nothing more is read from or written to this connection."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer before it is put on the wire."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(kw_only=True)
class Exchange:
    """One imitated request on its way through, and what is known about it so far."""

    number: int
    fault: Fault | None
    notes: wire.Notes = field(default_factory=wire.Notes)


class SandboxServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A thread for each connection. Threads do not outlive the process."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        super().__init__(address, Handler)
        self.application = application
        self.is_stopping = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def stop(self) -> None:
        """End `serve_forever`. Called from another thread than the one that serves."""
        self.is_stopping.set()
        self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is an ordinary event here; anything else deserves its traceback.
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection until somebody closes it."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    server: SandboxServer

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            connections.close_all()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the log of exchanges is the record."""

    def serve(self) -> None:
        """Answer one request, or lose it as a fault demands."""
        try:
            body = self._read_body()
            if self.path.startswith(CONTROL_PREFIX):
                self._send(self._run(body, wire.Notes()))
            else:
                self._serve_imitated(body)
        except Lost:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve

    def _serve_imitated(self, body: bytes) -> None:
        path, key = self.path.partition("?")[0], self.headers.get("Idempotency-Key", "").strip()
        number = log().arrived(
            Arrival(
                method=self.command,
                path=path,
                key=key,
                body_sha256=hashlib.sha256(body).hexdigest(),
                headers=json.dumps(self._logged_headers()),
            )
        )
        fault = None
        if not faults.book.is_empty():
            fault = faults.book.take(path, _collector_of(body), key)
        exchange = Exchange(number=number, fault=fault)
        response = self._before(exchange)
        if response is None:
            response = self._run(body, exchange.notes)
            response = self._after(exchange, response)
        raw = self._raw(response)
        if fault is not None and fault.kind is Kind.DRIP:
            raw = self._dripped(raw, fault.seconds)
        self._finish(exchange, response.status)
        self._write(raw)

    def _before(self, exchange: Exchange) -> Response | None:
        """Do what a fault does instead of, or ahead of, applying the request."""
        fault = exchange.fault
        if fault is None or fault.when is not When.BEFORE:
            return None
        match fault.kind:
            case Kind.DELAY:
                self._wait(fault.seconds)
                return None
            case Kind.DROP_BEFORE:
                self._drop(exchange)
            case Kind.HANG:
                self._wait(fault.seconds)
                self._drop(exchange)
        return _replaced(fault)

    def _after(self, exchange: Exchange, response: Response) -> Response:
        """Do what a fault does to the answer of a request that was applied."""
        fault = exchange.fault
        if fault is None or fault.when is not When.AFTER:
            return response
        match fault.kind:
            case Kind.DRIP:
                return response
            case Kind.DELAY:
                self._wait(fault.seconds)
                return response
            case Kind.DROP_AFTER:
                self._drop(exchange)
            case Kind.HANG:
                self._wait(fault.seconds)
                self._drop(exchange)
            case Kind.CUT:
                raw = self._raw(response)
                self._write(raw[: len(raw) - len(response.body) // 2 - 8])
                self._drop(exchange)
        return _replaced(fault)

    def _dripped(self, raw: bytes, pause_s: float) -> bytes:
        """Send an answer one byte at a time from its first byte on; return the byte still to go."""
        for place in range(len(raw) - 1):
            self._write(raw[place : place + 1])
            self._wait(pause_s)
        return raw[-1:]

    def _drop(self, exchange: Exchange) -> None:
        """Close the connection without another byte; as a reset, if the fault says so."""
        self._finish(exchange, 0)
        if exchange.fault is not None and exchange.fault.is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Only the last reference to a socket resets it, and the request's files hold others.
            os.close(self.connection.detach())
        raise Lost

    def _finish(self, exchange: Exchange, status: int) -> None:
        fault, notes = exchange.fault, exchange.notes
        log().finished(
            exchange.number,
            Departure(
                status=status,
                code=notes.code,
                fault=fault.kind.value if fault else "",
                has_effect=notes.has_effect,
                is_replay=notes.is_replay,
            ),
        )

    def _wait(self, seconds: float) -> None:
        if self.server.is_stopping.wait(seconds):
            raise Lost

    def _run(self, body: bytes, notes: wire.Notes) -> Response:
        """Ask the application."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            started.append((status, headers))

        result = self.server.application(self._environ(body, notes), start_response)
        try:
            answer = b"".join(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        status, headers = started[0]
        return Response(status=int(status[:3]), body=answer, headers=tuple(headers))

    def _environ(self, body: bytes, notes: wire.Notes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": self.request_version,
            "SERVER_NAME": "sandbox",
            "SERVER_PORT": str(self.server.port),
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            wire.NOTES_KEY: notes,
        }
        for name, value in self.headers.items():
            variable = name.upper().replace("-", "_")
            if "_" not in name and variable not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
                environ[f"HTTP_{variable}"] = value
        return environ

    def _read_body(self) -> bytes:
        """Return the request's body, or a little more than the most that is allowed of it."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._read_chunks()
        text = self.headers.get("Content-Length", "0").strip()
        if not text.isascii() or not text.isdigit():
            self._refuse_framing()
        length = int(text)
        wanted = min(length, wire.MAX_BODY_BYTES + 1)
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            # Its sender died in the middle of it: half a request is no request.
            raise Lost
        if length > len(body):
            self._drain(length - len(body))
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(64).partition(b";")[0].strip(), 16)
            except ValueError:
                self._refuse_framing()
            if size < 0 or len(body) + size > DRAINED_BYTES:
                self._refuse_framing()
            body += self.rfile.read(size)
            self.rfile.readline(64)
            if size == 0:
                return bytes(body[: wire.MAX_BODY_BYTES + 1])

    def _drain(self, length: int) -> None:
        self.close_connection = True
        self.rfile.read(min(length, DRAINED_BYTES))

    def _refuse_framing(self) -> None:
        self.close_connection = True
        message = json.dumps({"message": "The request's body has no usable length"}).encode()
        self._send(
            Response(status=400, body=message, headers=(("Content-Type", "application/json"),))
        )
        raise Lost

    def _send(self, response: Response) -> None:
        self._write(self._raw(response))

    def _write(self, raw: bytes) -> None:
        try:
            self.connection.sendall(raw)
        except OSError:
            # The client has gone. What was applied stays applied; that is the point of the place.
            raise Lost from None

    def _raw(self, response: Response) -> bytes:
        """Return an answer's bytes on the wire: chunked, as every sample of the pages shows."""
        reason = http.HTTPStatus(response.status).phrase if response.status in _KNOWN else "Status"
        is_chunked = self.request_version == "HTTP/1.1"
        lines = [f"HTTP/1.1 {response.status} {reason}", f"Date: {formatdate(usegmt=True)}"]
        lines += [
            f"{name}: {value}"
            for name, value in response.headers
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}
        ]
        if is_chunked:
            lines.append("Transfer-Encoding: chunked")
        else:
            self.close_connection = True
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        if self.command == "HEAD":
            return head
        if not is_chunked:
            return head + response.body
        chunk = b"%x\r\n%s\r\n" % (len(response.body), response.body) if response.body else b""
        return head + chunk + b"0\r\n\r\n"

    def _logged_headers(self) -> dict[str, str]:
        kept = {name: self.headers[name] for name in LOGGED_HEADERS if name in self.headers}
        token = self.headers.get("Authorization", "")
        if token:
            # Enough to see whether two requests showed the same token, and useless to anybody.
            kept["authorization"] = f"sha256:{hashlib.sha256(token.encode()).hexdigest()[:12]}"
        return kept


_KNOWN = frozenset(status.value for status in http.HTTPStatus)


def _replaced(fault: Fault) -> Response:
    headers = [("Content-Type", fault.content_type)]
    if fault.location:
        headers.append(("Location", fault.location))
    return Response(status=fault.status, body=fault.body.encode(), headers=tuple(headers))


def _collector_of(body: bytes) -> str:
    try:
        return str(wire.read_object(body).get("collectorNumber", ""))
    except wire.Unreadable:
        return ""
