"""A platform that always approves, as fast as Python allows, so that its own time is known.

One thread for each connection, fixed answers, nothing kept. It listens on 127.0.0.1 only and is
no sandbox: it checks nothing. `/mood` has it answer later, or hang up on whatever it is asked.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from backoffice.embedded import die_with_parent
from backoffice.processes import ROOT

_ANSWERS = {
    b"/oauth/token": {"access_token": "bench", "token_type": "Bearer", "expires_in": 86_400},
    b"/checkout/amcash/echo": {"responseCode": "0000", "message": "Approved"},
    b"/checkout/amcash/redeem": {
        "responseCode": "0000",
        "message": "Approved",
        "txnConfirmationNumber": "7KQ420X9B1TM",
        "unitsRedeemed": "4",
        "unitValueDollars": "10.00",
        "unitValueAMCash": "95",
        "cashBalance": "820",
        "dreamBalance": "545",
        "availableCashBalance": "760",
        "availableDollarAmount": "80",
    },
}


def _answer(fields: object) -> bytes:
    body = json.dumps(fields).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class Stub:
    """The server, and how long it took over its answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._answers = {path: _answer(fields) for path, fields in _ANSWERS.items()}
        self._took_us: list[float] = []
        self._delay_s = 0.0
        self._is_down = False
        self._lock = threading.Lock()
        self._inside = self._most_inside = 0

    def serve(self) -> None:
        """Answer for ever."""
        while True:
            connection, _peer = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            kept = b""
            while True:
                while b"\r\n\r\n" not in kept:
                    got = connection.recv(65536)
                    if not got:
                        return
                    kept += got
                started = time.perf_counter()
                head, _, kept = kept.partition(b"\r\n\r\n")
                length = _length(head)
                while len(kept) < length:
                    kept += connection.recv(65536)
                body, kept = kept[:length], kept[length:]
                path = head.split(b" ", 2)[1]
                answer = self._answers.get(path)
                if answer is None:
                    connection.sendall(self._told(body) if path == b"/mood" else self._took())
                    continue
                is_token = path == b"/oauth/token"
                if self._is_down and not is_token:
                    return
                with self._counted():
                    time.sleep(0 if is_token else self._delay_s)
                    connection.sendall(answer)
                self._took_us.append((time.perf_counter() - started) * 1e6)

    def _told(self, body: bytes) -> bytes:
        """Change how it answers from now on; say how many it answered at once before."""
        mood = json.loads(body)
        self._delay_s, self._is_down = mood["delay_ms"] / 1000, mood["is_down"]
        most, self._most_inside = self._most_inside, 0
        return _answer({"at_once": most})

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._inside += 1
            self._most_inside = max(self._most_inside, self._inside)
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1

    def _took(self) -> bytes:
        """Say how long the answers since the last question took, in the middle."""
        took, self._took_us = sorted(self._took_us), []
        return _answer({"p50_us": took[len(took) // 2] if took else 0.0, "answers": len(took)})


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Run the stub in a process of its own and give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.stub"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


if __name__ == "__main__":
    stub = Stub()
    sys.stdout.write(f"http://127.0.0.1:{stub.port}\n")
    sys.stdout.flush()
    stub.serve()
