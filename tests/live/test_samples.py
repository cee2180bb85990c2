"""Every sample of the programme's pages over real sockets: through Milepost's own web server, and
at the sandbox itself. A till hears the same from both.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.contract import printed
from tests.contract.peer import Peer
from tests.servers.stack import Answer, Sandbox, Web, ask, eventually


@pytest.fixture(scope="module")
def tokens(_live_web: Web) -> Iterator[dict[str, str]]:
    """The tokens of the tills of `demo --samples`, by sponsor, while the sweep runs."""
    with _live_web.settling():
        yield printed.tokens_of(_live_web.manage("demo", "--samples"))


@pytest.fixture
def peer(sandbox: Sandbox) -> Peer:
    """A bare client of the sandbox."""
    return Peer.signed_in(
        sandbox.url,
        token_url=f"{sandbox.url}/oauth/token",
        client_id="milepost",
        client_secret="sandbox",
        audience="https://partners.loyalty.com",
    )


def post(
    web: Web, tokens: Mapping[str, str], one: dict[str, Any], key: str, **named: str
) -> Answer:
    """Post a sample as the till of its sponsor."""
    headers = {
        "Authorization": f"Bearer {tokens[one['request']['sponsorCode']]}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    return ask("POST", web.url + one["path"], json.dumps(one["request"] | named).encode(), headers)


def media_type(answer: Answer) -> str:
    """Return the media type of an answer; HTTP does not mind how a header's name is written."""
    return {name.lower(): value for name, value in answer.headers.items()}["content-type"]


@pytest.mark.parametrize("one", printed.SAMPLES, ids=printed.NAMES)
def test_a_sample_is_answered_as_the_sandbox_answers_it(
    web: Web, sandbox: Sandbox, peer: Peer, tokens: dict[str, str], one: dict[str, Any]
) -> None:
    direct = printed.straight(peer, one)
    # The samples' collector has miles for one redemption.
    sandbox.control("reset")
    # The log of this Milepost has seen other samples; under a key of its own each is a new one.
    named = printed.named(one, lambda two: post(web, tokens, two, str(uuid.uuid4())).fields)
    key = str(uuid.uuid4())
    answer = post(web, tokens, one, key, **named)
    assert answer.status == direct.status == one["status"], answer.body
    assert printed.told(answer.body) == printed.told(direct.body)
    assert media_type(answer) == media_type(direct)
    # Its collector's next sample waits for one that is not finished.
    eventually(lambda: b"PENDING" not in post(web, tokens, one, key, **named).body)
