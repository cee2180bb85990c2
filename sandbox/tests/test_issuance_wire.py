"""Issuance on real sockets: two at once for one collector or one key, and faults."""

import http.client
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox.tests.conftest import Process
from sandbox.tests.partner import ask, errors, issuance, message, send, statuses
from sandbox.tests.test_wire import until
from sandbox.tests.till import REGULAR, Answer, Till

POST = "/checkout/issuance/post"
Ask = Callable[[Till], Answer]


def at_once(process: Process, token: str, calls: list[Ask]) -> list[Answer]:
    gate = threading.Barrier(len(calls))

    def call(one: Ask) -> Answer:
        till = process.till()
        till.token = token
        gate.wait()
        return one(till)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def under(key: str, **changes: Any) -> Ask:
    return lambda till: ask(till, "post", key, **changes)


def exchange(till: Till) -> dict[str, Any]:
    listed: list[dict[str, Any]] = till.look(f"exchanges?path={POST}")["exchanges"]
    return listed[-1]


def test_a_collector_being_served_is_refused_to_others(process: Process, wired: Till) -> None:
    wired.control("settings", issuance_takes_s=3)
    till = process.till()
    till.token = wired.token
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, till, "post", "key-1")
        until(lambda: wired.look("transactions")["under_way"] == [REGULAR])
        # A key of its own, and the first one's key with another body.
        for key in ("key-2", "key-1"):
            refused = ask(wired, "post", key)
            assert (refused.status, errors(refused)) == (400, ["TransactionInProgress"])
        wired.control("settings", issuance_takes_s=0)
        assert ask(wired, "post", collectorNumber="80000010007").status == 200
        assert first.result().status == 200
    assert len(wired.effects(REGULAR)) == 1
    assert ask(wired, "post", "key-2").status == 200


def test_of_many_at_once_for_one_collector_the_refused_have_no_effect(
    process: Process, wired: Till
) -> None:
    answers = at_once(process, wired.token, [under(f"key-{number}") for number in range(8)])
    refused = [answer for answer in answers if answer.status == 400]
    assert {code for answer in refused for code in errors(answer)} <= {"TransactionInProgress"}
    assert len(wired.effects()) == 8 - len(refused) > 0
    assert wired.cash() == 1200 + 5 * (8 - len(refused))


def test_two_collectors_at_once_do_not_meet(process: Process, wired: Till) -> None:
    wired.control("settings", issuance_takes_s=0.3)
    cards = [REGULAR, "80000010007", "80000010002"]
    answers = at_once(process, wired.token, [under(card, collectorNumber=card) for card in cards])
    assert [answer.status for answer in answers] == [200, 200, 200]


def test_one_key_at_once_has_one_effect_and_one_answer(process: Process, wired: Till) -> None:
    wired.control("settings", issuance_takes_s=0.1)
    body = message("post")
    answers = at_once(process, wired.token, [lambda till: send(till, "post", body, "key-1")] * 6)
    assert len({answer.raw for answer in answers}) == 1
    assert len(wired.effects()) == 1


def test_two_bodies_under_one_key_at_once_give_once(process: Process, wired: Till) -> None:
    answers = at_once(process, wired.token, [under("key-1"), under("key-1")])
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert len(wired.effects()) == 1


def test_returns_at_once_never_take_more_than_was_given(process: Process, wired: Till) -> None:
    number = ask(wired, "post", issuances=[issuance(7)]).body["transactionId"]

    def bring(till: Till) -> Answer:
        # A till that meets another one's transaction asks again, as it should.
        name = threading.current_thread().name
        body = message("issuance-reverse", originalTransactionId=number, issuances=[issuance(2)])
        answer = send(till, "issuance-reverse", body, name)
        while errors(answer) == ["TransactionInProgress"]:
            answer = send(till, "issuance-reverse", body, name)
        return answer

    answers = at_once(process, wired.token, [bring] * 6)
    assert sorted(answer.status for answer in answers) == [200] * 3 + [400] * 3
    assert wired.look("ledger")["total_miles"] == 1
    assert wired.cash() == 1201


def test_a_drop_after_applying_is_found_by_the_retry(wired: Till) -> None:
    body = message("post")
    wired.control("faults", kind="drop_after", match={"path": POST, "collector": REGULAR})
    with pytest.raises(http.client.RemoteDisconnected):
        send(wired, "post", body, "key-1")
    dropped = exchange(wired)
    assert (dropped["status"], dropped["effect"], dropped["code"]) == (0, True, "CONFIRMED")
    assert len(wired.effects()) == 1
    assert send(wired, "post", body, "key-1").status == 200
    found = exchange(wired)
    assert (found["status"], found["effect"], found["replay"]) == (200, False, True)
    assert len(wired.effects()) == 1


def test_a_drop_before_applying_gives_nothing(wired: Till) -> None:
    wired.control("faults", kind="drop_before", match={"path": POST, "key": "key-1"})
    with pytest.raises(http.client.RemoteDisconnected):
        ask(wired, "post", "key-1")
    assert wired.effects() == []


@pytest.mark.parametrize(
    ("fault", "status", "effects"),
    [
        ({"kind": "status", "status": 503}, 503, 0),
        ({"kind": "status", "status": 500, "when": "after"}, 500, 1),
        ({"kind": "malformed"}, 200, 1),
        ({"kind": "drip", "seconds": 0.0005}, 200, 1),
        ({"kind": "delay", "seconds": 0.05}, 200, 1),
    ],
)
def test_faults_meet_issuance_too(
    wired: Till, fault: dict[str, Any], status: int, effects: int
) -> None:
    wired.control("faults", **fault, match={"path": POST})
    assert ask(wired, "post").status == status
    assert exchange(wired)["fault"] == fault["kind"]
    assert len(wired.effects()) == effects


def test_the_log_of_exchanges_tells_looks_from_effects(wired: Till) -> None:
    body = message("post", collectorNumber="80000020202")
    told = []
    for _ in range(5):
        send(wired, "post", body, "key-1")
        one = exchange(wired)
        told.append((one["status"], one["code"], one["effect"], one["replay"]))
    assert told == [
        (202, "PENDING", False, False),
        (202, "PENDING", False, True),
        (202, "PENDING", False, True),
        (200, "CONFIRMED", True, True),
        (200, "CONFIRMED", False, True),
    ]


def test_the_effect_of_an_event_is_told_with_its_first_answer(wired: Till) -> None:
    body = message("post-event")
    for _ in range(2):
        send(wired, "post-event", body, "key-1")
    told = [
        (one["code"], one["effect"], one["replay"])
        for one in wired.look("exchanges?key=key-1")["exchanges"]
    ]
    assert told == [("PENDING", True, False), ("CONFIRMED", False, True)]


def test_a_body_beyond_the_bound_is_refused_and_answered(wired: Till) -> None:
    answer = send(wired, "post", b"x" * 1_000_000)
    assert (answer.status, errors(answer)) == (400, ["InvalidRequest"])


def test_a_kill_loses_nothing_that_was_answered(
    start: Callable[[Path], Process], tmp_path: Path
) -> None:
    first = start(tmp_path)
    till = first.till()
    till.log_in()
    done, waiting = message("post"), message("post", collectorNumber="80000020202")
    answer = send(till, "post", done, "key-1")
    pending = send(till, "post", waiting, "key-2")
    first.popen.kill()
    first.stop()
    second = start(tmp_path)
    till = second.till()
    till.log_in()
    assert send(till, "post", done, "key-1").raw == answer.raw
    looks = [send(till, "post", waiting, "key-2") for _ in range(3)]
    assert [statuses(look) for look in looks] == [["PENDING"], ["PENDING"], ["CONFIRMED"]]
    assert {look.body["transactionId"] for look in looks} == {pending.body["transactionId"]}
    assert len(till.effects()) == 2
