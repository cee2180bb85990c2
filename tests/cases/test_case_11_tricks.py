"""Case 11: the transport plays tricks; what was asked is counted at the hostile server."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from amcash.messages import REDEEM_PATH
from tests.cases.scale import CALL_S
from tests.cases.shop import Shop
from tests.live.counter import Counter, heading
from tests.servers.stack import ask
from tests.wire.peers import Conversation, Heard, Peer, serving

Trick = Callable[[Conversation], None]
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY")
# Everything beside the two calls: pages, commits, and a machine that is busy with other things.
SLACK_S = 5.0
BOMB = gzip.compress(b"0" * 50_000_000)


@dataclass(kw_only=True)
class Hostile:
    """Stands between Milepost and the sandbox; a redemption meets its trick before or after."""

    sandbox: str
    trick: Trick | None = None
    redemptions: list[tuple[Heard, int]] = field(default_factory=list)
    others: list[Heard] = field(default_factory=list)

    def __call__(self, conversation: Conversation) -> None:
        turn = 0
        while heard := conversation.listen():
            turn += 1
            is_redemption = REDEEM_PATH in heard.line
            if is_redemption:
                self.redemptions.append((heard, turn))
            else:
                self.others.append(heard)
            if is_redemption and self.trick is not None:
                self.trick(conversation)
                return
            method, path, _version = heard.line.split()
            names = ("authorization", "content-type", "idempotency-key")
            headers = {name: heard.headers[name] for name in names if name in heard.headers}
            answer = ask(method, self.sandbox + path, heard.body, headers)
            conversation.answer(
                answer.body,
                status=f"{answer.status} Whatever",
                headers="Content-Type: application/json\r\n",
            )


def dripping(conversation: Conversation) -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"responseCode": "0051"}'
    for position in range(len(answer)):
        conversation.wait(0.9 * CALL_S)
        conversation.say(answer[position : position + 1])


def redirecting(status: str, to: str) -> Trick:
    def trick(conversation: Conversation) -> None:
        conversation.answer(status=status, headers=f"Location: {to}\r\n")

    return trick


def resetting(conversation: Conversation) -> None:
    conversation.reset()


def cutting(conversation: Conversation) -> None:
    head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    conversation.say(head.encode() + b'18\r\n{"responseCode": "0000"')


def bombing(conversation: Conversation) -> None:
    conversation.answer(BOMB, headers="Content-Encoding: gzip\r\n")


@contextmanager
def elsewhere() -> Iterator[Peer]:
    """Another host, to which nothing of ours must ever go."""

    def script(conversation: Conversation) -> None:
        while conversation.listen():
            conversation.answer_json({"responseCode": "0000", "unitsRedeemed": "4"})

    with serving(script) as peer:
        yield peer


def test_transport_tricks(shop: Shop) -> None:
    hostile = Hostile(sandbox=shop.sandbox.url)
    home = shop.folder / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\n")
    with serving(hostile) as peer, elsewhere() as other:
        proxied = dict.fromkeys(PROXIES, other.url)
        settings = {"AIRMILES_BASE_URL": peer.url, "HOME": str(home), **proxied}
        # One thread, so that a redemption comes on the connection that its inquiry used.
        shop.settings.update(settings)
        front = shop.web("--workers", "1", "--blocking-threads", "1")
        counter = Counter.opened(front.url)
        tricks: dict[str, Trick] = {
            "drip": dripping,
            "302": redirecting("302 Found", f"{REDEEM_PATH}?again"),
            "307": redirecting("307 Temporary Redirect", f"{other.url}{REDEEM_PATH}"),
            "reset": resetting,
            "cut": cutting,
            "bomb": bombing,
        }
        for name, trick in tricks.items():
            play(shop, hostile, counter, name, trick)
        hostile.trick = None
        shop.started("settle")
        shop.close()
        assert other.heard == [] and other.connections == 0
        for card in shop.cards:
            assert (shop.state(card), shop.effects(card)) == ("approved", ["redeem"])
        everything = [heard for heard, _turn in hostile.redemptions] + hostile.others
        assert {heard.line.split()[0] for heard in everything} == {"POST"}
        tokens = {heard.headers["authorization"] for heard in everything}
        assert all(token.startswith("Bearer ") for token in tokens)
        assert not any("proxy-authorization" in heard.headers for heard in everything)


def play(shop: Shop, hostile: Hostile, counter: Counter, name: str, trick: Trick) -> None:
    """Redeem while a trick is played: two tries, a doubt, and never longer than both may take."""
    card = shop.card()
    # Its inquiry is answered, so that no trick makes an outage of the one before.
    hostile.trick = None
    form = counter.offered(card)
    hostile.trick, hostile.redemptions = trick, []
    began = time.monotonic()
    page = counter.post(form)
    took_s = time.monotonic() - began
    shop.saw(page.path, form.fields["client_ref"])
    assert "Not confirmed" in heading(page), name
    assert took_s < 2 * CALL_S + SLACK_S, (name, took_s)
    assert len(hostile.redemptions) == 2, name
    sent = {(heard.body, heard.headers["idempotency-key"]) for heard, _turn in hostile.redemptions}
    assert len(sent) == 1, name
    # The first came on a connection that had served the inquiry: a reset there is a doubt too.
    assert hostile.redemptions[0][1] > 1, name
    row = shop.row(card)
    assert (row.state, len(row.attempts)) == ("doubt", 2), name
