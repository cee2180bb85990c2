"""The transport against real sockets: what leaves, what counts as an answer, what is kept."""

import gzip
import os
import threading
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backoffice.wire import Reply, Request, Timeouts, forget_connections, send, transport
from tests.wire.calls import HURRIED, LONG_S, PATIENT, request_to, sent, silence
from tests.wire.peers import Conversation, answering, serving


def test_an_answer_comes_back_whole_with_its_clock_and_its_type() -> None:
    headers = (
        "Content-Type: application/json;charset=UTF-8\r\nDate: Fri, 20 Nov 2026 19:00:00 GMT\r\n"
    )
    with serving(answering(b'{"responseCode":"0000"}', headers=headers)) as peer:
        answer, _ = sent(peer.url + "/checkout/amcash/redeem")

    assert isinstance(answer, Reply)
    assert (answer.status, answer.body) == (200, b'{"responseCode":"0000"}')
    assert answer.content_type == "application/json;charset=UTF-8"
    assert answer.date == datetime(2026, 11, 20, 19, tzinfo=UTC)
    assert 0 <= answer.duration_ms < 1000


@pytest.mark.parametrize("date", ["yesterday", "", "Fri, 99 Nov 2026 19:00:00 GMT"])
def test_a_date_that_is_none_does_not_spoil_the_answer(date: str) -> None:
    with serving(answering(headers=f"Date: {date}\r\n")) as peer:
        answer, _ = sent(peer.url)

    assert isinstance(answer, Reply)
    assert answer.date is None


def test_the_stored_bytes_leave_untouched() -> None:
    body = '{ "b" : "16.10",\n "a":"é",  "b":"3.250" }'.encode()
    with serving(answering()) as peer:
        answer, _ = sent(peer.url, body=body)
        heard = peer.heard[0]

    assert isinstance(answer, Reply)
    assert heard.body == body
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["accept-encoding"] == "identity"


def test_a_question_without_a_body_is_a_get() -> None:
    with serving(answering()) as peer:
        answer = send(request_to(peer.url + "/health", b"", "GET"), timeouts=PATIENT)

    assert isinstance(answer, Reply)
    assert peer.heard[0].line == "GET /health HTTP/1.1"


def test_a_chunked_answer_is_put_together() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        conversation.say(b"3\r\n{}\n\r\n1\r\n \r\n0\r\n\r\n")

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert isinstance(answer, Reply)
    assert answer.body == b"{}\n "


def test_an_answer_that_ends_with_the_connection_is_read_to_its_end() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{")
        conversation.wait(0.05)
        conversation.say(b"}")

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert isinstance(answer, Reply)
    assert answer.body == b"{}"


# What is an answer, and what is too much of one.


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 Go"]
)
def test_a_redirect_is_an_answer_and_never_followed(status: str) -> None:
    with (
        serving(answering()) as elsewhere,
        serving(answering(status=status, headers=f"Location: {elsewhere.url}\r\n")) as peer,
    ):
        answer, _ = sent(peer.url)

    assert isinstance(answer, Reply)
    assert answer.status == int(status[:3])
    assert (len(peer.heard), elsewhere.connections) == (1, 0)


def test_the_largest_answer_is_an_answer() -> None:
    with serving(answering(b"x" * transport.ANSWER_LIMIT)) as peer:
        answer, _ = sent(peer.url)

    assert isinstance(answer, Reply)
    assert len(answer.body) == transport.ANSWER_LIMIT


def test_one_byte_more_is_none() -> None:
    with serving(answering(b"x" * (transport.ANSWER_LIMIT + 1))) as peer:
        answer, _ = sent(peer.url)

    assert silence(answer) == ("too_large", True)


def test_frames_of_chunks_cannot_grow_without_end() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        # One byte in six is content, so the body stays under its own limit.
        conversation.say(b"1\r\nx\r\n" * (transport.WIRE_LIMIT // 6 + 2000))
        conversation.wait(1)

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert silence(answer) == ("too_large", True)


@pytest.mark.parametrize("status", ["200 OK", "302 Found"])
def test_a_gzip_bomb_is_never_unpacked(status: str) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    headers = "Content-Encoding: gzip\r\nLocation: /elsewhere\r\n"
    with serving(answering(bomb, status=status, headers=headers)) as peer:
        tracemalloc.start()
        answer, _ = sent(peer.url)
        _, most_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert silence(answer) == ("encoded", True)
    assert most_bytes < 5_000_000


# The environment has no say.


def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering()) as proxy, serving(answering(b'{"from":"platform"}')) as peer:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        answer, _ = sent(peer.url)

    assert isinstance(answer, Reply)
    assert answer.body == b'{"from":"platform"}'
    assert proxy.connections == 0


def test_a_netrc_file_does_not_replace_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(answering()) as peer:
        request = Request(
            method="POST", url=peer.url, headers={"Authorization": "Bearer ours"}, body=b"{}"
        )
        send(request, timeouts=PATIENT)

    assert peer.heard[0].headers["authorization"] == "Bearer ours"


def test_a_cookie_is_not_sent_back() -> None:
    with serving(answering(headers="Set-Cookie: route=7; Path=/\r\n")) as peer:
        sent(peer.url)
        sent(peer.url)

    assert len(peer.heard) == 2
    assert all("cookie" not in heard.headers for heard in peer.heard)


# Connections.


def test_a_connection_is_kept_between_calls() -> None:
    with serving(answering()) as peer:
        for _ in range(3):
            sent(peer.url)

    assert (peer.connections, len(peer.heard)) == (1, 3)


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "IDLE_LIMIT_S", 0.05)
    with serving(answering()) as peer:
        sent(peer.url)
        time.sleep(0.1)
        sent(peer.url)

    assert peer.connections == 2


def test_every_thread_has_its_own_connection() -> None:
    with serving(answering()) as peer:

        def call() -> None:
            sent(peer.url)
            forget_connections()

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert peer.connections == 3


def test_a_forked_process_does_not_share_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering()) as peer:
        sent(peer.url)
        own = transport._session()
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert transport._session() is not own
        own.close()


def test_a_call_that_was_cut_off_leaves_nothing_for_the_next() -> None:
    def script(conversation: Conversation) -> None:
        while heard := conversation.listen():
            conversation.wait(LONG_S if heard.body == b"slow" else 0)
            conversation.answer(heard.body)

    with serving(script) as peer:
        slow, _ = sent(peer.url, HURRIED, body=b"slow")
        quick, _ = sent(peer.url, body=b"quick")

    assert silence(slow) == ("read_timeout", True)
    assert isinstance(quick, Reply)
    assert quick.body == b"quick"
    assert peer.connections == 2


# What can be sent at all, and what is never shown.


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("PUT", "https://airmilesapis.ca/", {}),
        ("POST", "ftp://airmilesapis.ca/", {}),
        ("POST", "https://airmilesapis.ca/", {"Authorization": "Bearer a\r\nX: y"}),
        ("POST", "https://airmilesapis.ca/", {"Bad Name": "x"}),
        ("POST", "https://airmilesapis.ca/", {"X": "é"}),
    ],
)
def test_a_request_that_cannot_be_sent_is_refused_when_it_is_made(
    method: str, url: str, headers: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"^(A request|The header) .*\.$"):
        Request(method=method, url=url, headers=headers, body=b"")


@pytest.mark.parametrize(("connect_s", "total_s"), [(0, 1), (1, 0), (-1, 1)])
def test_a_call_needs_time(connect_s: float, total_s: float) -> None:
    with pytest.raises(ValueError, match="needs some time"):
        Timeouts(connect_s=connect_s, total_s=total_s)


def test_neither_the_token_nor_the_body_is_ever_shown() -> None:
    request = Request(
        method="POST",
        url="https://airmilesapis.ca/x",
        headers={"Authorization": "Bearer secret"},
        body=b"80000010001",
    )
    reply = Reply(status=200, body=b"80000010001", duration_ms=1)

    assert "secret" not in repr(request)
    assert "80000010001" not in repr(request) + repr(reply)
