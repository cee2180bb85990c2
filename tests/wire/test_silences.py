"""The transport against real sockets: what each silence means, and how long it may take."""

import socket
import threading
import time

import pytest

from backoffice.wire import Reply, Silence, Timeouts, deadline, transport
from tests.wire.calls import HURRIED, LONG_S, SLACK_S, sent, silence
from tests.wire.peers import Conversation, Script, answering, free_port, serving

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
        woken.wait(LONG_S)
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


def test_no_time_to_connect_at_all_proves_that_nothing_was_sent() -> None:
    with serving(answering()) as peer:
        answer, _ = sent(peer.url, Timeouts(connect_s=1e-9, total_s=1))

    assert silence(answer) == ("connect_timeout", False)
    assert peer.connections == 0


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
        answer, took_s = sent("http://localhost", Timeouts(connect_s=3, total_s=20))
        for filler in fillers:
            filler.close()

    # The first was given its share of the time to connect, and no more.
    assert isinstance(answer, Reply)
    assert took_s > 1


def test_nothing_leaves_once_the_right_to_send_has_passed() -> None:
    with serving(answering()) as peer:
        answer, _ = sent(peer.url, start_by=time.monotonic())

    assert silence(answer) == ("late", False)
    assert peer.connections == 0


def test_the_right_to_send_is_checked_again_before_the_first_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true_connect = deadline._connect
    start_by = time.monotonic() + 2

    def slow_connect(*arguments: object) -> object:
        connected = true_connect(*arguments)  # type: ignore[arg-type]
        time.sleep(max(start_by - time.monotonic(), 0))
        return connected

    monkeypatch.setattr(deadline, "_connect", slow_connect)
    with serving(answering()) as peer:
        answer, _ = sent(peer.url, start_by=start_by)
        peer.stop()

    assert silence(answer) == ("late", False)
    assert peer.connections == 1
    assert peer.heard == []


# It may have been applied: doubt.


def never_answers(conversation: Conversation) -> None:
    conversation.listen()
    conversation.wait(LONG_S)


def test_no_answer_in_time_may_have_been_applied() -> None:
    with serving(never_answers) as peer:
        answer, took_s = sent(peer.url, HURRIED)

    assert silence(answer) == ("read_timeout", True)
    assert HURRIED.total_s * 0.9 < took_s < HURRIED.total_s + SLACK_S
    assert isinstance(answer, Silence)
    assert HURRIED.total_s * 900 < answer.duration_ms <= took_s * 1000 + 1


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
        for _ in range(int(LONG_S / 0.1)):
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
        for _ in range(int(LONG_S / 0.1)):
            conversation.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            conversation.wait(0.1)

    with serving(script) as peer:
        answer, took_s = sent(peer.url, HURRIED)

    assert silence(answer) == ("read_timeout", True)
    assert took_s < HURRIED.total_s + SLACK_S


def test_a_server_that_reads_slowly_is_held_to_the_total() -> None:
    def script(conversation: Conversation) -> None:
        for _ in range(int(LONG_S / 0.1)):
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
