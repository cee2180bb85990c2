"""A real process over real sockets: faults as a client meets them, races, stopping, restarting."""

import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.tests.conftest import Process
from sandbox.tests.till import REGULAR, Answer, Till, request_of

REDEEM = "/checkout/amcash/redeem"


def match(**changes: str) -> dict[str, str]:
    return {"path": REDEEM} | changes


def exchanges(till: Till) -> list[object]:
    return list(till.look(f"exchanges?path={REDEEM}")["exchanges"])


def last_exchange(till: Till) -> dict[str, object]:
    exchange = exchanges(till)[-1]
    assert isinstance(exchange, dict)
    return exchange


def assert_last(till: Till, **expected: object) -> None:
    exchange = last_exchange(till)
    assert {name: exchange[name] for name in expected} == expected


def test_a_drop_before_applies_nothing(wired: Till) -> None:
    wired.control("faults", kind="drop_before", match=match())
    with pytest.raises(http.client.RemoteDisconnected):
        wired.ask("redeem")
    assert_last(wired, status=0, fault="drop_before", effect=False)
    assert wired.effects() == []


def test_a_drop_after_applies_and_the_retry_finds_the_stored_answer(wired: Till) -> None:
    body = request_of("redeem")
    wired.control("faults", kind="drop_after", match=match())
    with pytest.raises(http.client.RemoteDisconnected):
        wired.send("redeem", body, "key-1")
    assert_last(wired, status=0, fault="drop_after", effect=True, code="0000")
    assert len(wired.effects()) == 1
    assert wired.send("redeem", body, "key-1").code == "0000"
    assert_last(wired, status=200, fault="", effect=False, replay=True, key="key-1")
    assert len(wired.effects()) == 1


def test_a_drop_can_be_a_reset(wired: Till) -> None:
    wired.control("faults", kind="drop_after", reset=True, match=match())
    with pytest.raises(ConnectionResetError):
        wired.ask("redeem")
    assert len(wired.effects()) == 1
    assert wired.ask("echo").code == "0000"


@pytest.mark.parametrize(("when", "effects"), [("before", 0), ("after", 1)])
def test_a_delay_is_silence_with_or_without_an_effect(
    process: Process, wired: Till, when: str, effects: int
) -> None:
    impatient = process.till(timeout_s=1)
    impatient.token = wired.token
    wired.control("faults", kind="delay", seconds=5, when=when, match=match())
    with pytest.raises(TimeoutError):
        impatient.ask("redeem")
    until(lambda: bool(exchanges(wired)) and len(wired.effects()) == effects)
    assert last_exchange(wired)["finished_at"] is None
    until(lambda: last_exchange(wired)["finished_at"] is not None)
    # The client has gone; what was asked is done all the same.
    assert len(wired.effects()) == 1


def test_a_hang_never_answers(process: Process, wired: Till) -> None:
    impatient = process.till(timeout_s=0.3)
    impatient.token = wired.token
    wired.control("faults", kind="hang", match=match())
    with pytest.raises(TimeoutError):
        impatient.ask("redeem")
    until(lambda: len(wired.effects()) == 1)


def test_a_status_takes_the_answers_place(wired: Till) -> None:
    wired.control("faults", kind="status", match=match())
    answer = wired.ask("redeem")
    assert answer.status == 502
    assert answer.headers["Content-Type"].startswith("text/html")
    assert wired.effects() == []
    body = {"responseCode": "0096", "message": "Server error or no response"}
    wired.control("faults", kind="status", status=500, body=body, when="after", match=match())
    answer = wired.ask("redeem")
    assert (answer.status, answer.code, len(wired.effects())) == (500, "0096", 1)


def test_a_malformed_answer_is_a_200_that_does_not_parse(wired: Till) -> None:
    wired.control("faults", kind="malformed", match=match())
    answer = wired.ask("redeem")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.raw)
    assert len(wired.effects()) == 1


def test_a_cut_answer_ends_in_the_middle(wired: Till) -> None:
    wired.control("faults", kind="cut", match=match())
    with pytest.raises(http.client.IncompleteRead):
        wired.ask("redeem")
    assert len(wired.effects()) == 1


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_points_elsewhere_and_applies_nothing(wired: Till, status: int) -> None:
    elsewhere = "http://127.0.0.1:9/x"
    wired.control("faults", kind="redirect", status=status, location=elsewhere, match=match())
    answer = wired.ask("redeem")
    assert (answer.status, answer.headers["Location"]) == (status, elsewhere)
    assert wired.effects() == []


def test_a_drip_sends_the_true_answer_a_byte_at_a_time(wired: Till) -> None:
    wired.control("faults", kind="drip", seconds=0.001, match=match())
    started = time.monotonic()
    answer = wired.ask("redeem")
    assert answer.code == "0000"
    assert time.monotonic() - started > 0.3
    assert last_exchange(wired)["status"] == 200


def test_a_drip_outlives_a_timeout_between_bytes(process: Process, wired: Till) -> None:
    wired.control("faults", kind="drip", seconds=0.3, match=match())
    raw = json.dumps(request_of("redeem")).encode()
    head = (
        f"POST {REDEEM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {wired.token}\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", process.port), timeout=2) as raw_socket:
        raw_socket.sendall(head.encode() + raw)
        assert b"".join(raw_socket.recv(1) for _ in range(8)) == b"HTTP/1.1"


def test_a_fault_is_for_those_it_matches_and_as_often_as_asked(wired: Till) -> None:
    wired.control(
        "faults", kind="status", times=2, skip=1, match=match(collector=REGULAR, key="key-1")
    )
    assert wired.ask("inquire").status == 200
    assert wired.ask("redeem", "key-2").status == 200
    assert wired.ask("redeem", "key-1", collectorNumber="80000010003").status == 202
    statuses = [
        wired.ask("reverse", "x").status,
        *(wired.send("redeem", request_of("redeem"), "key-1").status for _ in range(4)),
    ]
    # The first match is let by; the last comes after both are used up, with a key that was used.
    assert statuses == [400, 400, 502, 502, 400]


def test_a_fault_may_strike_the_token_endpoint(wired: Till) -> None:
    wired.control("faults", kind="status", status=503, match={"path": "/oauth/token"})
    assert wired.ask_token().status == 503
    assert wired.ask_token().status == 200


def test_exchanges_tell_what_arrived_without_the_tokens_value(wired: Till) -> None:
    wired.ask("redeem", "key-1")
    exchange = last_exchange(wired)
    assert wired.token not in json.dumps(exchange)
    headers = exchange["headers"]
    assert isinstance(headers, dict)
    assert headers["authorization"].startswith("sha256:")
    assert headers["user-agent"] == "test till"
    assert exchange["body_sha256"] == wired.effects()[0]["body_sha256"]
    assert (exchange["method"], exchange["key"], exchange["code"]) == ("POST", "key-1", "0000")
    arrived, finished = exchange["arrived_at"], exchange["finished_at"]
    assert isinstance(arrived, str)
    assert isinstance(finished, str)
    assert arrived < finished
    later = wired.look(f"exchanges?after={exchange['id']}")["exchanges"]
    assert later == []


def test_control_is_no_exchange(wired: Till) -> None:
    wired.control("reset")
    wired.look("codes")
    assert wired.look("exchanges")["exchanges"] == []


def all_at_once(
    process: Process, token: str, calls: list[Callable[[Till], Answer]]
) -> list[Answer]:
    gate = threading.Barrier(len(calls))

    def call(ask: Callable[[Till], Answer]) -> Answer:
        till = process.till()
        till.token = token
        gate.wait()
        return ask(till)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def test_one_key_at_once_has_one_effect_and_one_answer(process: Process, wired: Till) -> None:
    body = request_of("redeem")
    answers = all_at_once(
        process, wired.token, [lambda till: till.send("redeem", body, "key-1")] * 8
    )
    assert len({answer.raw for answer in answers}) == 1
    assert len(wired.effects()) == 1


def test_many_keys_at_once_never_overdraw(process: Process, wired: Till) -> None:
    wired.control("seed", members=[{"collector": "84444444444", "cash_miles": 3 * 95 + 50}])
    ask: Callable[[Till], Answer] = lambda till: till.ask(  # noqa: E731
        "redeem",
        threading.current_thread().name,
        collectorNumber="84444444444",
        dollarRedeemRequest="10.00",
    )
    answers = all_at_once(process, wired.token, [ask] * 8)
    codes = sorted(answer.code for answer in answers)
    assert codes == ["0000"] * 3 + ["0051"] * 5
    assert wired.cash("84444444444") == 50
    assert wired.look("ledger")["total_miles"] == -3 * 95


def test_two_reversals_at_once_give_back_once(process: Process, wired: Till) -> None:
    confirmation = wired.redeemed()
    ask: Callable[[Till], Answer] = lambda till: till.ask(  # noqa: E731
        "reverse", threading.current_thread().name, redemptionConfirmationNumber=confirmation
    )
    answers = all_at_once(process, wired.token, [ask] * 6)
    assert sorted(answer.code for answer in answers) == ["0000"] + ["0057"] * 5
    assert wired.look("ledger")["total_miles"] == 0


def test_one_connection_serves_many_requests(process: Process, wired: Till) -> None:
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
    ) as connection:
        used = set()
        for _ in range(3):
            connection.request("GET", "/_control/clock")
            response = connection.getresponse()
            response.read()
            assert response.version == 11
            assert response.getheader("Transfer-Encoding") == "chunked"
            assert connection.sock is not None
            used.add(connection.sock.getsockname())
        assert len(used) == 1


def test_a_body_beyond_the_bound_is_refused_and_answered(wired: Till) -> None:
    answer = wired.send("redeem", b"x" * 1_000_000)
    assert (answer.status, answer.code) == (400, "0035")
    assert wired.ask("echo").code == "0000"


def test_a_chunked_request_is_read(process: Process, wired: Till) -> None:
    raw = json.dumps(request_of("echo")).encode()
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
    ) as connection:
        headers = {"Authorization": f"Bearer {wired.token}"}
        connection.request(
            "POST",
            "/checkout/amcash/echo",
            iter([raw[:10], raw[10:]]),
            headers,
            encode_chunked=True,
        )
        assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    "framing", ["Content-Length: x", "Content-Length: -1", "Transfer-Encoding: chunked"]
)
def test_a_body_without_usable_length_is_refused(process: Process, framing: str) -> None:
    with socket.create_connection(("127.0.0.1", process.port), timeout=60) as raw_socket:
        raw_socket.sendall(f"POST {REDEEM} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\nzz\r\n".encode())
        assert raw_socket.recv(64).startswith(b"HTTP/1.1 400")


def test_half_a_request_is_no_request(process: Process, wired: Till) -> None:
    before = wired.look("exchanges")
    raw = json.dumps(request_of("redeem")).encode()
    head = f"POST {REDEEM} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", process.port), timeout=60) as raw_socket:
        raw_socket.sendall(head.encode() + raw[:-1])
        raw_socket.shutdown(socket.SHUT_WR)
        assert raw_socket.recv(64) == b""
    assert wired.look("exchanges") == before


def test_a_second_start_finds_its_accounts(
    start: Callable[[Path], Process], tmp_path: Path
) -> None:
    first = start(tmp_path)
    till = first.till()
    till.log_in()
    confirmation = till.redeemed()
    assert first.stop() == 0
    second = start(tmp_path)
    till = second.till()
    till.log_in()
    assert [effect["confirmation"] for effect in till.effects()] == [confirmation]
    assert till.cash() == 820
    assert second.stop() == 0


def test_a_kill_loses_no_effect_that_was_answered(
    start: Callable[[Path], Process], tmp_path: Path
) -> None:
    first = start(tmp_path)
    till = first.till()
    till.log_in()
    body = request_of("redeem")
    answer = till.send("redeem", body, "key-1")
    first.popen.kill()
    first.stop()
    second = start(tmp_path)
    till = second.till()
    till.log_in()
    assert till.send("redeem", body, "key-1").raw == answer.raw
    assert len(till.effects()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_quickly_even_while_it_hangs(
    start: Callable[[Path], Process], tmp_path: Path, number: int
) -> None:
    process = start(tmp_path)
    till = process.till()
    till.log_in()
    till.control("faults", kind="hang", match=match())
    impatient = process.till(timeout_s=0.2)
    impatient.token = till.token
    with pytest.raises(TimeoutError):
        impatient.ask("redeem")
    started = time.monotonic()
    process.popen.send_signal(number)
    assert process.popen.wait(timeout=60) == 0
    assert time.monotonic() - started < 20


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)
