"""A till's line to Milepost: plain HTTP with its token. It makes a request's bytes once, sends them
as often as it likes, and notes every word that comes back.
"""

import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.chaos.stage import WebServer
from tests.chaos.told import Asked, Word
from tests.servers.stack import ask

PATHS = {
    "inquire": "/checkout/amcash/inquire",
    "redeem": "/checkout/amcash/redeem",
    "reverse": "/checkout/amcash/reverse",
    "post": "/checkout/issuance/post",
    "issue": "/checkout/issuance/issue",
    "reverse_post": "/checkout/issuance/reverse",
    "return": "/checkout/issuance/return",
    "post_event": "/checkout/issuance/post/event",
    "reverse_event": "/checkout/issuance/reverse/event",
}
# Two tries of 1 s and the waits for a database; a server that is frozen takes longer than this.
PATIENCE_S = 5.0
_REFERENCE = "milepost-transaction"
# What a till without a server meets; an answer cut in the middle is one of them.
_GONE = (OSError, http.client.HTTPException)


class Pos:
    """One till, known by its token."""

    def __init__(
        self, name: str, token: str, servers: Sequence[WebServer], seeded: random.Random
    ) -> None:
        self.name = name
        self.asked: list[Asked] = []
        self._token = token
        self._servers = servers
        self._random = seeded
        self._keys = 0
        self._lock = threading.Lock()
        self._beside: list[threading.Thread] = []

    def write(
        self,
        call: str,
        fields: Mapping[str, Any],
        *,
        number: str,
        card: str,
        voids: str = "",
        has_key: bool | None = None,
    ) -> Asked:
        """Make a request's bytes; half of them have a key, and a till counts its keys from 1."""
        if has_key is None:
            has_key = self._random.random() < 0.5
        self._keys += has_key
        written = Asked(
            till=self.name,
            call=call,
            number=number,
            card=card,
            body=json.dumps(fields).encode(),
            key=str(self._keys) if has_key else "",
            voids=voids,
        )
        self.asked.append(written)
        return written

    def reuse(self, first: Asked, fields: Mapping[str, Any]) -> Asked:
        """Make other bytes under the key of a request that was answered."""
        other = Asked(
            till=self.name,
            call=first.call,
            number=first.number,
            card=first.card,
            body=json.dumps(fields).encode(),
            key=first.key,
            is_key_reused=True,
        )
        self.asked.append(other)
        return other

    def send(self, asked: Asked) -> Word:
        """Send the very bytes to one of the servers and note what comes back."""
        asked_at = datetime.now(UTC)
        try:
            word = self._heard(asked, asked_at)
        except _GONE:
            word = Word(asked_at=asked_at, got_at=datetime.now(UTC))
        with self._lock:
            asked.words.append(word)
        return word

    def send_beside(self, asked: Asked) -> None:
        """Send it on a connection of its own, without waiting for its answer."""
        beside = threading.Thread(target=self.send, args=(asked,), daemon=True)
        self._beside.append(beside)
        beside.start()

    def wait(self) -> None:
        """Wait until every connection has its answer, or has died."""
        while self._beside:
            self._beside.pop().join()

    def until(
        self, asked: Asked, is_enough: Callable[[Word], bool], *, tries: int, within_s: float = 30.0
    ) -> Word:
        """Send the very same request until it is enough, or patience ends; return the last word."""
        end_at = time.monotonic() + within_s
        while True:
            word = self.send(asked)
            tries -= 1
            if is_enough(word) or tries <= 0 or time.monotonic() > end_at:
                return word
            time.sleep(self._random.uniform(0.05, 0.6))

    def _heard(self, asked: Asked, asked_at: datetime) -> Word:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if asked.key:
            headers["Idempotency-Key"] = asked.key
        # As a balancer would send it: to one that was found well, if there is one.
        well = [server for server in self._servers if server.is_ready] or self._servers
        url = self._random.choice(well).url + PATHS[asked.call]
        answer = ask("POST", url, asked.body, headers, timeout_s=PATIENCE_S)
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Word(
            asked_at=asked_at,
            got_at=datetime.now(UTC),
            status=answer.status,
            body=answer.body if _is_json(answer.body) else b"",
            reference=names.get(_REFERENCE, ""),
        )


def _is_json(body: bytes) -> bool:
    with contextlib.suppress(ValueError):
        json.loads(body)
        return True
    return False
