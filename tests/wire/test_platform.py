"""Calls to the platform: the same bytes, one renewal, one total; the token goes nowhere else."""

import json
import logging
import time

import pytest

from backoffice.wire import (
    BearerSource,
    Gate,
    Platform,
    Reply,
    Request,
    Silence,
    Timeouts,
    bearer,
    refuses_token,
)
from tests.wire.peers import Conversation, Heard, serving
from tests.wire.site import APPROVED, BAD_TOKEN, PATH, TIMEOUTS, Site, platform, redeemed


def test_a_call_carries_the_token_the_key_and_the_exact_bytes() -> None:
    site = Site()
    with serving(site) as peer:
        answer = redeemed(platform(peer))

    assert isinstance(answer, Reply)
    assert json.loads(answer.body) == APPROVED
    call = site.calls[0]
    assert call.line == f"POST {PATH} HTTP/1.1"
    assert call.headers["authorization"] == "Bearer t1"
    assert call.headers["idempotency-key"] == "key-1"
    assert call.headers["content-type"] == "application/json"
    assert call.body == b'{"a": 1}'


def test_a_call_without_a_key_has_no_header_for_it_and_keeps_its_content_type() -> None:
    site = Site()
    with serving(site) as peer:
        platform(peer).exchange(
            "/checkout/amcash/echo",
            b"{}",
            idempotency_key=None,
            content_type="application/json;charset=UTF-8",
        )

    assert "idempotency-key" not in site.calls[0].headers
    assert site.calls[0].headers["content-type"] == "application/json;charset=UTF-8"


def test_the_token_is_kept_between_calls() -> None:
    site = Site()
    with serving(site) as peer:
        to = platform(peer)
        for _ in range(3):
            redeemed(to)

    assert len(site.fetches) == 1
    assert site.tokens_used == ["t1", "t1", "t1"]


def test_a_401_without_a_code_renews_the_token_once_and_sends_the_same_bytes() -> None:
    site = Site()
    site.answers = [BAD_TOKEN]
    with serving(site) as peer:
        answer = redeemed(platform(peer))

    assert isinstance(answer, Reply)
    assert answer.status == 200
    assert site.tokens_used == ["t1", "t2"]
    first, second = site.calls
    assert first.body == second.body
    unsigned = [{**call.headers, "authorization": ""} for call in site.calls]
    assert unsigned[0] == unsigned[1]


def test_a_second_401_without_a_code_is_the_answer() -> None:
    site = Site()
    site.answers = [BAD_TOKEN, BAD_TOKEN]
    with serving(site) as peer:
        answer = redeemed(platform(peer))

    assert isinstance(answer, Reply)
    assert answer.status == 401
    assert len(site.calls) == 2


@pytest.mark.parametrize("code", ["0002", "0025"])
def test_a_401_with_a_code_is_about_the_collector(code: str) -> None:
    site = Site()
    site.answers = [("401 Refused", {"responseCode": code, "message": "No"})]
    with serving(site) as peer:
        answer = redeemed(platform(peer))

    assert isinstance(answer, Reply)
    assert answer.status == 401
    assert (len(site.calls), len(site.fetches)) == (1, 1)


@pytest.mark.parametrize(
    ("status", "body", "is_about_the_token"),
    [
        (401, b"{}", True),
        (401, b"", True),
        (401, b"<html>", True),
        (401, b'["responseCode"]', True),
        (401, b"[" * 100_000, True),
        (401, b'{"responseCode": ""}', True),
        (401, b'{"responseCode": "0002"}', False),
        (403, b"{}", False),
        (200, b"{}", False),
    ],
)
def test_only_a_401_without_a_code_is_about_the_token(
    status: int, body: bytes, is_about_the_token: bool
) -> None:
    assert refuses_token(Reply(status=status, body=body, duration_ms=1)) is is_about_the_token


def test_without_a_token_nothing_is_sent() -> None:
    site = Site()
    site.token_status = "403 Forbidden"
    with serving(site) as peer:
        answer = redeemed(platform(peer))

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("no_token", False)
    assert answer.detail == "token endpoint: HTTP 403"
    assert site.calls == []


def test_a_token_that_cannot_be_renewed_means_that_nothing_was_done() -> None:
    class Fickle(Site):
        def _give_token(self, conversation: Conversation, heard: Heard) -> None:
            super()._give_token(conversation, heard)
            self.token_status = "500 Oops"

    site = Fickle()
    site.answers = [BAD_TOKEN]
    with serving(site) as peer:
        answer = redeemed(platform(peer))

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("no_token", False)
    assert len(site.calls) == 1


class Slow:
    """A transport with its own clock: takes so long for each answer; knows how long it had."""

    def __init__(self, *answers: tuple[float, int, bytes]) -> None:
        self.now = 1000.0
        self.had_s: list[float] = []
        self._answers = list(answers)

    def monotonic(self) -> float:
        return self.now

    def __call__(
        self, request: Request, *, timeouts: Timeouts, start_by: float | None = None
    ) -> Reply | Silence:
        takes_s, status, body = self._answers.pop(0)
        self.had_s.append(timeouts.total_s)
        self.now += takes_s
        return Reply(status=status, body=body, duration_ms=round(takes_s * 1000))

    def redeemed(self, monkeypatch: pytest.MonkeyPatch) -> Reply | Silence:
        """Redeem with a token at hand, in ten seconds."""
        monkeypatch.setattr(bearer, "time", self)
        url, timeouts = "https://airmilesapis.ca", Timeouts(connect_s=3, total_s=10)
        tokens = BearerSource(f"{url}/oauth/token", "a", "b", "", timeouts, send=self)
        tokens.token()
        return redeemed(Platform(url, tokens, timeouts, Gate(1, 0), send=self))


TOKEN = b'{"access_token": "t", "expires_in": 86400}'


def test_a_renewal_that_leaves_too_little_time_is_not_followed_by_a_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow((0, 200, TOKEN), (0, 401, b"{}"), (6, 200, TOKEN))
    answer = slow.redeemed(monkeypatch)

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("late", False)
    # Two tokens and one call.
    assert len(slow.had_s) == 3


def test_a_call_and_its_repetition_share_one_total(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow((0, 200, TOKEN), (3, 401, b"{}"), (1, 200, TOKEN), (0, 200, b"{}"))
    answer = slow.redeemed(monkeypatch)

    assert isinstance(answer, Reply)
    assert slow.had_s[1:] == [10, 7, 6]


def test_nothing_leaves_after_the_right_to_send_has_passed() -> None:
    site = Site()
    with serving(site) as peer:
        to = platform(peer)
        to._bearer.token()
        answer = redeemed(to, start_by=time.monotonic() - 1)

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("late", False)
    assert site.calls == []


def test_a_renewal_after_the_right_to_send_has_passed_is_not_followed_by_a_send() -> None:
    site = Site()
    site.answers = [BAD_TOKEN]
    with serving(site) as peer:
        to = platform(peer)
        to._bearer.token()
        site.token_takes_s = 2.5
        answer = redeemed(to, start_by=time.monotonic() + 2)

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("late", False)
    assert len(site.calls) == 1


def test_a_call_that_finds_no_place_is_not_sent() -> None:
    site = Site()
    gate = Gate(1, 0.1)
    with serving(site) as peer, gate.entered() as has_place:
        assert has_place
        answer = redeemed(platform(peer, gate))

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("busy", False)
    assert answer.duration_ms >= 90
    assert peer.connections == 0


def test_plain_http_is_for_close_by_and_only_where_that_is_allowed() -> None:
    bearer = BearerSource("https://oauth.airmiles.ca/oauth/token", "a", "b", "", TIMEOUTS)
    for host in ("127.0.0.1", "localhost", "[::1]", "sandbox"):
        url = f"http://{host}:8100"
        Platform(url, bearer, TIMEOUTS, Gate(1, 0), allow_loopback=True)
        with pytest.raises(ValueError, match="must begin with https"):
            Platform(url, bearer, TIMEOUTS, Gate(1, 0))


@pytest.mark.parametrize("path", ["", "x", "//evil.example", "/a?b", "/a/../b", "/@evil", "/a b"])
def test_a_path_cannot_lead_elsewhere(path: str) -> None:
    bearer = BearerSource("https://oauth.airmiles.ca/oauth/token", "a", "b", "", TIMEOUTS)
    to = Platform("https://airmilesapis.ca", bearer, TIMEOUTS, Gate(1, 0))
    with pytest.raises(ValueError, match="path"):
        to.exchange(path, b"", idempotency_key=None)


def test_the_token_and_the_secret_are_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    site.token_fields["access_token"] = "t0ken"
    site.answers = [BAD_TOKEN]
    with caplog.at_level(logging.DEBUG), serving(site) as peer:
        to = platform(peer)
        redeemed(to)
        shown = f"{to!r} {to._bearer!r} {vars(to)} {vars(to)['_bearer']} {caplog.text}"

    assert "t0ken" not in shown
    assert "s3cret" not in shown


def test_a_redirect_never_carries_the_token_elsewhere() -> None:
    elsewhere_heard: list[Heard] = []

    def elsewhere_script(conversation: Conversation) -> None:
        if heard := conversation.listen():
            elsewhere_heard.append(heard)

    with serving(elsewhere_script) as elsewhere:

        def script(conversation: Conversation) -> None:
            while heard := conversation.listen():
                if "/oauth/token" in heard.line:
                    conversation.answer_json({"access_token": "t1"})
                else:
                    headers = f"Location: {elsewhere.url}/x\r\n"
                    conversation.answer(status="307 Temporary Redirect", headers=headers)

        with serving(script) as peer:
            answer = redeemed(platform(peer))

    assert isinstance(answer, Reply)
    assert answer.status == 307
    assert elsewhere_heard == []


def test_a_scripted_transport_can_stand_in_for_the_network() -> None:
    seen: list[Request] = []

    def script(
        request: Request, *, timeouts: Timeouts, start_by: float | None = None
    ) -> Reply | Silence:
        seen.append(request)
        body = b'{"access_token": "t1"}' if "token" in request.url else b"{}"
        return Reply(status=200, body=body, duration_ms=1)

    url = "https://airmilesapis.ca"
    bearer = BearerSource(f"{url}/oauth/token", "a", "b", "", TIMEOUTS, send=script)
    answer = redeemed(Platform(f"{url}/", bearer, TIMEOUTS, Gate(1, 0), send=script))

    assert isinstance(answer, Reply)
    assert [request.url for request in seen] == [f"{url}/oauth/token", url + PATH]
