"""The transport against real sockets: what each silence means, and how long it may take."""

import gzip
import os
import socket
import threading
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backoffice.wire import (
    Reply,
    Request,
    Silence,
    Timeouts,
    deadline,
    forget_connections,
    send,
    transport,
)
from tests.wire.peers import Conversation, Script, answering, free_port, serving

PATIENT = Timeouts(connect_s=2, total_s=4)
HURRIED = Timeouts(connect_s=0.4, total_s=0.5)
# What a busy machine may add to a deadline.
SLACK_S = 0.3


def request_to(url: str, body: bytes = b'{"traceId":"1"}', method: str = "POST") -> Request:
    return Request(method=method, url=url, headers={"Content-Type": "application/json"}, body=body)


def sent(
    url: str, timeouts: Timeouts = PATIENT, start_by: float | None = None, body: bytes = b"{}"
) -> tuple[Reply | Silence, float]:
    started = time.monotonic()
    answer = send(request_to(url, body), timeouts=timeouts, start_by=start_by)
    return answer, time.monotonic() - started


def silence(answer: Reply | Silence) -> tuple[str, bool]:
    assert isinstance(answer, Silence), answer
    return answer.kind, answer.maybe_applied


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


# Nothing left: the cashier may try again at once.


def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    answer, _ = sent(f"http://127.0.0.1:{free_port()}")

    assert silence(answer) == ("refused", False)


def test_a_host_without_an_address_proves_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    answer, _ = sent("http://platform.invalid")

    assert silence(answer) == ("unresolved", False)


def test_a_resolver_that_thinks_too_long_does_not_hold_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    woken = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        woken.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    answer, took_s = sent("http://platform.invalid", HURRIED)
    woken.set()

    assert silence(answer) == ("unresolved", False)
    assert took_s < HURRIED.connect_s + SLACK_S


def test_a_name_that_cannot_be_one_proves_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        raise UnicodeError("label too long")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    answer, _ = sent("http://platform.invalid")

    assert silence(answer) == ("unresolved", False)


def test_a_host_that_is_known_but_has_no_address_proves_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    answer, _ = sent("http://platform.invalid")

    assert silence(answer) == ("refused", False)


def test_a_full_queue_of_connections_times_out_and_proves_that_nothing_was_sent() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        # Two connections fill the queue of a listener that accepts nobody; the third hangs.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        answer, took_s = sent(f"http://127.0.0.1:{port}", HURRIED)
        for filler in fillers:
            filler.close()

    assert silence(answer) == ("connect_timeout", False)
    assert took_s < HURRIED.connect_s + SLACK_S


def test_an_address_that_swallows_packets_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(answering()) as peer, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        dead_port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", dead_port))

        def look_up(*_: object, **__: object) -> list[object]:
            ports = (dead_port, peer.port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", p)) for p in ports]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        answer, took_s = sent("http://localhost", Timeouts(connect_s=0.6, total_s=2))
        for filler in fillers:
            filler.close()

    assert isinstance(answer, Reply)
    assert 0.25 < took_s < 1


def test_nothing_leaves_once_the_right_to_send_has_passed() -> None:
    with serving(answering()) as peer:
        answer, _ = sent(peer.url, start_by=time.monotonic())

    assert silence(answer) == ("late", False)
    assert peer.connections == 0


def test_the_right_to_send_is_checked_again_before_the_first_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true_connect = deadline._connect

    def slow_connect(*arguments: object) -> object:
        connected = true_connect(*arguments)  # type: ignore[arg-type]
        time.sleep(0.3)
        return connected

    monkeypatch.setattr(deadline, "_connect", slow_connect)
    with serving(answering()) as peer:
        answer, _ = sent(peer.url, start_by=time.monotonic() + 0.15)
        peer.stop()

    assert silence(answer) == ("late", False)
    assert peer.connections == 1
    assert peer.heard == []


# It may have been applied: doubt.


def never_answers(conversation: Conversation) -> None:
    conversation.listen()
    conversation.wait(3)


def test_no_answer_in_time_may_have_been_applied() -> None:
    with serving(never_answers) as peer:
        answer, took_s = sent(peer.url, HURRIED)

    assert silence(answer) == ("read_timeout", True)
    assert 0.4 < took_s < HURRIED.total_s + SLACK_S
    assert isinstance(answer, Silence)
    assert answer.duration_ms == pytest.approx(took_s * 1000, abs=50)


def test_a_reset_after_accepting_may_have_been_applied() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.reset()

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert silence(answer) == ("reset", True)


def test_closing_without_an_answer_may_have_been_applied() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert silence(answer) == ("closed", True)


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{",
    ],
    ids=["cut in a chunk", "no last chunk", "cut short of its length"],
)
def test_half_an_answer_may_have_been_applied(half: bytes) -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.say(half)

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert silence(answer) == ("cut", True)


@pytest.mark.parametrize(
    "noise", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"]
)
def test_what_is_not_http_may_have_been_applied(noise: bytes) -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.say(noise)

    with serving(script) as peer:
        answer, _ = sent(peer.url)

    assert silence(answer) == ("garbled", True)


def drips_in(part: str) -> Script:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        if part != "head":
            conversation.say(b"HTTP/1.1 200 OK\r\n")
        if part == "body":
            conversation.say(b"Content-Length: 1000\r\n\r\n")
        if part == "chunk":
            conversation.say(b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            conversation.wait(0.1)
            conversation.say(b"0" if part == "chunk" else b"H")

    return script


@pytest.mark.parametrize("part", ["head", "headers", "body", "chunk"])
def test_a_server_that_drips_is_held_to_the_total(part: str) -> None:
    with serving(drips_in(part)) as peer:
        answer, took_s = sent(peer.url, HURRIED)

    kind, maybe_applied = silence(answer)
    assert maybe_applied
    assert kind in {"read_timeout", "garbled"}
    assert took_s < HURRIED.total_s + SLACK_S


def test_a_server_that_says_wait_for_ever_is_held_to_the_total() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        for _ in range(40):
            conversation.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            conversation.wait(0.1)

    with serving(script) as peer:
        answer, took_s = sent(peer.url, HURRIED)

    assert silence(answer) == ("read_timeout", True)
    assert took_s < HURRIED.total_s + SLACK_S


def test_a_server_that_reads_slowly_is_held_to_the_total() -> None:
    def script(conversation: Conversation) -> None:
        for _ in range(40):
            conversation.wait(0.1)
            conversation.connection.recv(1000)

    with serving(script) as peer:
        answer, took_s = sent(peer.url, HURRIED, body=b"x" * 20_000_000)

    assert silence(answer) == ("write_timeout", True)
    assert took_s < HURRIED.total_s + SLACK_S


def test_a_kept_connection_that_the_peer_closes_may_have_been_applied() -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.answer()
        conversation.listen()

    with serving(script) as peer:
        first, _ = sent(peer.url)
        second, _ = sent(peer.url)

    assert isinstance(first, Reply)
    assert silence(second) == ("closed", True)
    assert (peer.connections, len(peer.heard)) == (1, 2)


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
            conversation.wait(0.7 if heard.body == b"slow" else 0)
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


def test_what_nobody_thought_of_may_have_been_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(transport, "_exchange", broken)
    answer, _ = sent("https://127.0.0.1:1")

    assert silence(answer) == ("other", True)
    assert isinstance(answer, Silence)
    assert answer.detail == "MemoryError"


def test_the_details_of_a_silence_name_classes_and_nothing_else() -> None:
    with serving(never_answers) as peer:
        answer, _ = sent(peer.url + "/path", HURRIED)

    assert isinstance(answer, Silence)
    assert answer.detail.startswith("ReadTimeout < ")
    assert "path" not in answer.detail
