"""Calls with a bearer token: it is fetched once, renewed once, and shown to nobody."""

import json
import logging
import threading
import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from backoffice.wire import BearerSource, Gate, Platform, Reply, Request, Silence, Timeouts
from backoffice.wire import refuses_token as refuses
from tests.wire.peers import Conversation, Heard, Peer, Script, free_port, serving

TIMEOUTS = Timeouts(connect_s=1, total_s=2)
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
        with self.lock:
            self.fetches.append(heard)
            fields = {"access_token": f"t{len(self.fetches)}", **self.token_fields}
        conversation.answer_json(fields, status=self.token_status)

    @property
    def tokens_used(self) -> list[str]:
        return [call.headers["authorization"].removeprefix("Bearer ") for call in self.calls]


APPROVED = {"responseCode": "0000"}
BAD_TOKEN = ("401 Unauthorized", {"message": "Unauthorized"})


def source(peer: Peer, **options: Any) -> BearerSource:
    url = f"{peer.url}/oauth/token"
    options = {"allow_loopback": True, **options}
    return BearerSource(url, "milepost", "s3cret", "https://audience", TIMEOUTS, **options)


def platform(peer: Peer, gate: Gate | None = None, timeouts: Timeouts = TIMEOUTS) -> Platform:
    return Platform(peer.url, source(peer), timeouts, gate or Gate(4, 0.2), allow_loopback=True)


def redeemed(to: Platform, start_by: float | None = None) -> Reply | Silence:
    return to.exchange(PATH, b'{"a": 1}', idempotency_key="key-1", start_by=start_by)


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


def test_the_token_is_asked_for_with_client_credentials_in_json() -> None:
    site = Site()
    with serving(site) as peer:
        assert source(peer).token() == "t1"

    assert site.fetches[0].headers["content-type"] == "application/json"
    assert json.loads(site.fetches[0].body) == {
        "grant_type": "client_credentials",
        "client_id": "milepost",
        "client_secret": "s3cret",
        "audience": "https://audience",
    }


def test_the_token_is_asked_for_as_a_form_where_that_is_wanted() -> None:
    site = Site()
    with serving(site) as peer:
        assert source(peer, body_format="form").token() == "t1"

    assert site.fetches[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(site.fetches[0].body.decode())["client_secret"] == ["s3cret"]


def test_no_audience_is_asked_for_where_there_is_none() -> None:
    site = Site()
    with serving(site) as peer:
        BearerSource(
            f"{peer.url}/oauth/token", "milepost", "x", "", TIMEOUTS, allow_loopback=True
        ).token()

    assert "audience" not in json.loads(site.fetches[0].body)


def test_the_token_is_kept_between_calls() -> None:
    site = Site()
    with serving(site) as peer:
        to = platform(peer)
        for _ in range(3):
            redeemed(to)

    assert len(site.fetches) == 1
    assert site.tokens_used == ["t1", "t1", "t1"]


def test_concurrent_threads_fetch_one_token() -> None:
    site = Site()
    site.token_takes_s = 0.2
    with serving(site) as peer:
        to = source(peer)
        tokens: list[object] = []
        threads = [threading.Thread(target=lambda: tokens.append(to.token())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert tokens == ["t1"] * 6
    assert len(site.fetches) == 1


def test_threads_that_waited_for_a_token_share_the_failure() -> None:
    site = Site()
    site.token_takes_s = 0.2
    site.token_status = "503 Service Unavailable"
    with serving(site) as peer:
        to = source(peer)
        answers: list[object] = []
        threads = [threading.Thread(target=lambda: answers.append(to.token())) for _ in range(6)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(site.fetches) == 1
    assert all(isinstance(one, Silence) and one.kind == "no_token" for one in answers)
    assert time.monotonic() - started < 1


def test_a_failure_is_not_remembered_for_the_next_call() -> None:
    site = Site()
    site.token_status = "503 Service Unavailable"
    with serving(site) as peer:
        to = source(peer)
        assert isinstance(to.token(), Silence)
        site.token_status = "200 OK"
        assert to.token() == "t2"


@pytest.mark.parametrize(
    ("expires_in", "good_for_s"),
    [(86400, 86340), ("3600", 3540), (100, 90), (None, 270), ("soon", 270), (0, 270), (-5, 270)],
)
def test_a_token_is_renewed_shortly_before_it_expires(
    expires_in: object, good_for_s: float
) -> None:
    now = [1000.0]
    site = Site()
    site.token_fields["expires_in"] = expires_in
    with serving(site) as peer:
        to = source(peer, monotonic=lambda: now[0])
        assert to.token() == "t1"
        now[0] += good_for_s - 0.1
        assert to.token() == "t1"
        now[0] += 0.2
        assert to.token() == "t2"


def test_a_life_that_is_no_number_at_all_is_the_usual_one() -> None:
    now = [0.0]
    site = Site()
    site.token_fields["expires_in"] = float("nan")
    with serving(site) as peer:
        to = source(peer, monotonic=lambda: now[0])
        assert to.token() == "t1"
        now[0] = 299
        assert to.token() == "t2"


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
    site.answers = [("401 Unauthorized", {"responseCode": code, "message": "No"})]
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
    assert refuses(Reply(status=status, body=body, duration_ms=1)) is is_about_the_token


def test_a_token_that_another_thread_renewed_is_not_renewed_again() -> None:
    site = Site()
    with serving(site) as peer:
        to = source(peer)
        assert to.token() == "t1"
        assert to.renew("t1") == "t2"
        assert to.renew("t1") == "t2"

    assert len(site.fetches) == 2


def test_threads_whose_token_was_refused_together_renew_it_once() -> None:
    site = Site()
    with serving(site) as peer:
        to = source(peer)
        to.token()
        site.token_takes_s = 0.2
        tokens: list[object] = []
        threads = [threading.Thread(target=lambda: tokens.append(to.renew("t1"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert tokens == ["t2"] * 4


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


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": "two words"},
        {"access_token": "line\r\nX-Injected: 1"},
        {"access_token": "x" * 9000},
        {"token_type": "mac"},
    ],
)
def test_an_answer_that_is_no_bearer_token_is_none(fields: dict[str, object]) -> None:
    site = Site()
    site.token_fields |= fields
    with serving(site) as peer:
        answer = source(peer).token()

    assert isinstance(answer, Silence)
    assert answer.kind == "no_token"


def test_a_token_endpoint_that_is_down_means_that_nothing_was_sent() -> None:
    url = f"http://127.0.0.1:{free_port()}/oauth/token"
    answer = BearerSource(url, "a", "b", "", TIMEOUTS, allow_loopback=True).token()

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.detail) == ("no_token", "token endpoint: refused")


def test_a_renewal_that_leaves_too_little_time_is_not_followed_by_a_send() -> None:
    site = Site()
    site.answers = [BAD_TOKEN]
    with serving(site) as peer:
        to = platform(peer, timeouts=Timeouts(connect_s=0.4, total_s=0.8))
        to._bearer.token()
        site.token_takes_s = 0.5
        started = time.monotonic()
        answer = redeemed(to)

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("late", False)
    assert len(site.calls) == 1
    assert time.monotonic() - started < 1.1


def test_a_call_and_its_repetition_share_one_total() -> None:
    site = Site()
    site.answers = [BAD_TOKEN]

    def script(conversation: Conversation) -> None:
        site_call = len(site.calls)
        while heard := conversation.listen():
            if "/oauth/token" in heard.line:
                site._give_token(conversation, heard)
                continue
            site.calls.append(heard)
            site_call += 1
            conversation.wait(0.3 if site_call == 1 else 3)
            conversation.answer_json({}, status="401 Unauthorized")

    with serving(script) as peer:
        to = platform(peer, timeouts=Timeouts(connect_s=0.5, total_s=1))
        to._bearer.token()
        started = time.monotonic()
        answer = redeemed(to)
        took_s = time.monotonic() - started

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("read_timeout", True)
    assert len(site.calls) == 2
    assert took_s < 1 + 0.3


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
        site.token_takes_s = 0.3
        answer = redeemed(to, start_by=time.monotonic() + 0.15)

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("late", False)
    assert len(site.calls) == 1


def test_waiting_for_the_lock_ends_with_the_time() -> None:
    site = Site()
    site.token_takes_s = 1
    with serving(site) as peer:
        to = source(peer)
        thread = threading.Thread(target=to.token)
        thread.start()
        time.sleep(0.1)
        started = time.monotonic()
        answer = to.renew("t0", within_s=0.1)
        took_s = time.monotonic() - started
        thread.join()

    assert isinstance(answer, Silence)
    assert answer.kind == "no_token"
    assert took_s < 0.4


@pytest.mark.parametrize("within_s", [0, -1, 1e-9])
def test_no_time_is_no_token(within_s: float) -> None:
    with serving(Site()) as peer:
        answer = source(peer).renew("t0", within_s=within_s)

    assert isinstance(answer, Silence)
    assert answer.kind == "no_token"


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


@pytest.mark.parametrize(
    "url",
    [
        "http://airmilesapis.ca",
        "ftp://127.0.0.1/",
        "https://user:password@airmilesapis.ca",
        "https://airmilesapis.ca/?x=1",
        "https://airmilesapis.ca/a/../b",
        "https:///path",
        "airmilesapis.ca",
        "http://localhost.airmilesapis.ca",
        "http://127.0.0.1.example.ca",
    ],
)
def test_an_unsafe_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The (base|token) URL must"):
        BearerSource(url, "a", "b", "", TIMEOUTS, allow_loopback=True)


def test_plain_http_is_for_this_machine_and_only_where_that_is_allowed() -> None:
    bearer = BearerSource("https://oauth.airmiles.ca/oauth/token", "a", "b", "", TIMEOUTS)
    for host in ("127.0.0.1", "localhost", "[::1]"):
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


def test_a_script_of_a_site_is_a_script() -> None:
    script: Script = Site()
    with serving(script) as peer:
        assert source(peer).token() == "t1"
