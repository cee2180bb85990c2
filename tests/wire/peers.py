"""Real peers for the transport: small servers on 127.0.0.1 whose every byte a test decides."""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


class Conversation:
    """One connection, seen from the server."""

    def __init__(self, peer: "Peer", connection: socket.socket) -> None:
        self.peer = peer
        self.connection = connection
        self._reader = connection.makefile("rb")

    def listen(self) -> Heard | None:
        """Read one whole request; None when the client hangs up instead."""
        line = self._reader.readline().decode().strip()
        if not line:
            return None

        headers = {}
        while text := self._reader.readline().decode().strip():
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = self._reader.read(int(headers.get("content-length", "0")))
        heard = Heard(line=line, headers=headers, body=body)
        self.peer.heard.append(heard)
        return heard

    def say(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.connection.sendall(data)

    def answer(self, body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> None:
        """Write a whole answer with a length."""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.say(head.encode() + body)

    def answer_json(self, value: object, *, status: str = "200 OK") -> None:
        """Write a whole answer in JSON."""
        headers = "Content-Type: application/json;charset=UTF-8\r\n"
        self.answer(json.dumps(value).encode(), status=status, headers=headers)

    def wait(self, seconds: float) -> None:
        """Do nothing for a while, or until the peer stops."""
        self.peer.stopping.wait(seconds)

    def reset(self) -> None:
        """Close with a reset instead of a goodbye."""
        self._reader.close()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def close(self) -> None:
        """Close with a goodbye."""
        self._reader.close()
        self.connection.close()


Script = Callable[[Conversation], None]


class Peer:
    """A server that gives every connection to a script, each in its own thread."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[Heard] = []
        self.stopping = threading.Event()
        self.connections = 0
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Accept wakes up by itself now and then, because closing a listener does not wake it.
        self._listener.settimeout(0.05)
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        # The client of a test hangs up in the middle of many of these scripts.
        with contextlib.suppress(OSError, ValueError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            conversation = Conversation(self, connection)
            with contextlib.closing(conversation):
                self._script(conversation)
        connection.close()

    def stop(self) -> None:
        self.stopping.set()
        for connection in self._open:
            # Wakes a script that waits for the next request on a kept connection.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=6)
        self._listener.close()


@contextlib.contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A peer for the length of a block."""
    peer = Peer(script, tls)
    try:
        yield peer
    finally:
        peer.stop()


def answering(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> Script:
    """A script that answers every request on a connection the same way."""

    def script(conversation: Conversation) -> None:
        while conversation.listen():
            conversation.answer(body, status=status, headers=headers)

    return script


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
