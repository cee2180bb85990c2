"""A platform with its token endpoint, for the tests of whoever calls it."""

import threading
from typing import Any

from backoffice.wire import BearerSource, Gate, Platform, Reply, Silence, Timeouts
from tests.wire.peers import Conversation, Heard, Peer

TIMEOUTS = Timeouts(connect_s=10, total_s=20)
PATH = "/checkout/amcash/redeem"


class Site:
    """A platform and its token endpoint in one peer. Tokens are t1, t2, …"""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fetches: list[Heard] = []
        self.calls: list[Heard] = []
        self.answers: list[tuple[str, object]] = []
        self.token_status = "200 OK"
        self.token_fields: dict[str, object] = {"token_type": "Bearer", "expires_in": 86400}
        self.token_takes_s = 0.0
        # No token is given while this is not set.
        self.gives_tokens = threading.Event()
        self.gives_tokens.set()

    def __call__(self, conversation: Conversation) -> None:
        while heard := conversation.listen():
            if "/oauth/token" in heard.line:
                self._give_token(conversation, heard)
            else:
                self.calls.append(heard)
                status, body = self.answers.pop(0) if self.answers else ("200 OK", APPROVED)
                conversation.answer_json(body, status=status)

    def _give_token(self, conversation: Conversation, heard: Heard) -> None:
        conversation.wait(self.token_takes_s)
        while not self.gives_tokens.is_set() and not conversation.peer.stopping.is_set():
            conversation.wait(0.01)
        with self.lock:
            self.fetches.append(heard)
            fields = {"access_token": f"t{len(self.fetches)}", **self.token_fields}
        conversation.answer_json(fields, status=self.token_status)

    @property
    def tokens_used(self) -> list[str]:
        return [call.headers["authorization"].removeprefix("Bearer ") for call in self.calls]


APPROVED = {"responseCode": "0000"}
BAD_TOKEN = ("401 Refused", {"message": "Refused"})


def source(peer: Peer, **options: Any) -> BearerSource:
    url = f"{peer.url}/oauth/token"
    options = {"allow_loopback": True, **options}
    return BearerSource(url, "milepost", "s3cret", "https://audience", TIMEOUTS, **options)


def platform(peer: Peer, gate: Gate | None = None, timeouts: Timeouts = TIMEOUTS) -> Platform:
    return Platform(peer.url, source(peer), timeouts, gate or Gate(4, 0.2), allow_loopback=True)


def redeemed(to: Platform, start_by: float | None = None) -> Reply | Silence:
    return to.exchange(PATH, b'{"a": 1}', idempotency_key="key-1", start_by=start_by)
