"""A link to PostgreSQL that breaks at one commit: before the server gets it, or before its reply.

It stands between two Unix sockets and looks at the bytes for what is being committed.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"
_COMMIT = b"COMMIT\x00"
_WRITES = ((b'INSERT INTO "journal_transaction"', "arm"), (b'UPDATE "journal_attempt"', "result"))


@dataclass(kw_only=True)
class Cutter:
    """Every connection through it, and the one that is to be cut."""

    server: Path
    folder: Path
    has_cut: bool = False
    links: "list[_Link]" = field(default_factory=list)
    _wanted: tuple[str, str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut_next(self, what: str, side: str) -> None:
        """Cut the next connection that commits this, on that side of the commit."""
        with self._lock:
            self.has_cut, self._wanted = False, (what, side)

    def is_wanted(self, what: str) -> str:
        """Return on which side to cut a connection that commits this, once."""
        with self._lock:
            if self._wanted is None or self._wanted[0] != what:
                return ""
            side, self._wanted, self.has_cut = self._wanted[1], None, True
            return side

    def listen(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self.server / _SOCKET))
                except OSError:
                    client.close()
                    server.close()
                    continue
                link = _Link(self, client, server)
                self.links.append(link)
                link.start()


class _Link:
    """One connection and its two directions."""

    def __init__(self, cutter: Cutter, client: socket.socket, server: socket.socket) -> None:
        self._cutter = cutter
        self._client = client
        self._server = server
        self._is_mute = False
        self._pumps = [
            threading.Thread(target=pump, daemon=True) for pump in (self.forth, self.back)
        ]

    def start(self) -> None:
        """Carry both ways."""
        for pump in self._pumps:
            pump.start()

    def end(self) -> None:
        """Carry no more."""
        self._cut()
        for pump in self._pumps:
            pump.join(timeout=10)
        self._client.close()
        self._server.close()

    def forth(self) -> None:
        """Carry what the client says, and look at it."""
        what = ""
        with contextlib.suppress(OSError):
            while data := self._client.recv(1 << 16):
                for write, name in _WRITES:
                    what = name if write in data else what
                if _COMMIT in data:
                    side = self._cutter.is_wanted(what)
                    what = ""
                    if side == "before":
                        break
                    self._is_mute = self._is_mute or side == "after"
                self._server.sendall(data)
        self._cut()

    def back(self) -> None:
        """Carry what the server says, unless it is the reply that nobody gets."""
        with contextlib.suppress(OSError):
            while (data := self._server.recv(1 << 16)) and not self._is_mute:
                self._client.sendall(data)
        self._cut()

    def _cut(self) -> None:
        for one in (self._client, self._server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(server: Path, folder: Path) -> Iterator[Cutter]:
    """Listen in a folder as the server in another folder does."""
    folder.mkdir()
    cutter = Cutter(server=server, folder=folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / _SOCKET))
        listener.listen(64)
        listening = threading.Thread(target=cutter.listen, args=[listener], daemon=True)
        listening.start()
        try:
            yield cutter
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listening.join(timeout=10)
            for link in cutter.links:
                link.end()
