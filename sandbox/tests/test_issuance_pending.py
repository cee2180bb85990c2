"""Issuances that do not come to their end at once, and the memory of requests."""

import json
from typing import Any

import pytest

from sandbox.tests.partner import ask, errors, issuance, item, message, send, statuses
from sandbox.tests.till import REGULAR, Till

AFTER_LOOKS = "80000020202"
NEVER = "80000020203"
MOVING = ["post", "post-event", "issuance-reverse", "issuance-reverse-event"]


def pending_card(till: Till, call: str, collector: str, looks: int) -> list[tuple[int, list[str]]]:
    body = message(call, collectorNumber=collector)
    answers = [send(till, call, body, "key-1") for _ in range(looks)]
    assert len({answer.body["transactionId"] for answer in answers}) == 1
    return [(answer.status, statuses(answer)) for answer in answers]


@pytest.mark.parametrize("call", MOVING)
def test_the_pending_card_is_confirmed_at_the_third_look(till: Till, call: str) -> None:
    seen = pending_card(till, call, AFTER_LOOKS, 5)
    assert seen == [(202, ["PENDING"])] * 3 + [(200, ["CONFIRMED"])] * 2
    assert len(till.effects()) == 1


def test_the_card_that_never_settles_stays_pending(till: Till) -> None:
    assert pending_card(till, "post", NEVER, 12) == [(202, ["PENDING"])] * 12
    assert till.effects() == []


def test_nothing_moves_and_nothing_is_printed_of_the_end_before_it(till: Till) -> None:
    answer = ask(till, "post", collectorNumber=NEVER)
    (one,) = answer.body["issuances"]
    assert not {"confirmationNumber", "processedDateTime", "errors"} & set(one)
    assert till.cash(NEVER) == 1200


def test_an_end_comes_after_as_many_looks_as_the_control_plane_says(till: Till) -> None:
    till.control("pending", mode="looks", looks=2)
    body = message("post")
    seen = [send(till, "post", body, "key-1").status for _ in range(4)]
    assert seen == [202, 202, 200, 200]


def test_an_end_comes_after_so_many_seconds_of_the_sandboxs_clock(till: Till) -> None:
    till.control("clock", now="2026-11-20T12:00:00-05:00", stopped=True)
    till.control("pending", mode="seconds", seconds=30)
    body = message("post")
    assert send(till, "post", body, "key-1").status == 202
    till.control("clock", now="2026-11-20T12:00:29-05:00", stopped=True)
    assert send(till, "post", body, "key-1").status == 202
    assert till.effects() == []
    till.control("clock", now="2026-11-20T12:00:30-05:00", stopped=True)
    # The ledger knows without anybody having asked for the transaction.
    assert [effect["miles"] for effect in till.effects()] == [5]
    answer = send(till, "post", body, "key-1")
    assert (answer.status, statuses(answer)) == (200, ["CONFIRMED"])


def test_a_rule_can_be_for_one_collector(till: Till) -> None:
    till.control("pending", mode="never", collector="80000010007")
    assert ask(till, "post").status == 200
    assert ask(till, "post", collectorNumber="80000010007").status == 202


def test_what_is_pending_can_end_rejected(till: Till) -> None:
    till.control("pending", mode="looks", looks=1, ends="rejected")
    body = message("post")
    assert send(till, "post", body, "key-1").status == 202
    answer = send(till, "post", body, "key-1")
    assert (answer.status, statuses(answer), errors(answer)) == (
        400,
        ["REJECTED"],
        ["NotProcessed"],
    )
    assert send(till, "post", body, "key-1").raw == answer.raw
    assert till.effects() == []


def test_what_is_pending_can_be_ended_by_hand(till: Till) -> None:
    till.control("pending", mode="never")
    body = message("post", collectorNumber=NEVER)
    other = message("post")
    assert send(till, "post", body, "key-1").status == 202
    assert send(till, "post", other, "key-2").status == 202
    by_hand = {"mode": "never", "collector": NEVER, "settle": True}
    assert till.control("pending", **by_hand)["settled"] == 1
    assert [effect["collector"] for effect in till.effects()] == [NEVER]
    assert send(till, "post", body, "key-1").status == 200
    assert send(till, "post", other, "key-2").status == 202
    assert till.control("pending", mode="at_once", ends="rejected", settle=True)["settled"] == 1
    assert errors(send(till, "post", other, "key-2")) == ["NotProcessed"]


def test_an_event_is_pending_in_its_first_answer_although_it_is_done(till: Till) -> None:
    body = message("post-event")
    first = send(till, "post-event", body, "key-1")
    assert (first.status, statuses(first)) == (200, ["PENDING"])
    assert len(till.effects()) == 1
    again = send(till, "post-event", body, "key-1")
    assert (again.status, statuses(again)) == (200, ["CONFIRMED"])
    # It is done, so the collector is not busy.
    assert ask(till, "post").status == 200
    till.control("settings", event_answers="confirmed")
    assert statuses(ask(till, "post-event")) == ["CONFIRMED"]


@pytest.mark.parametrize("call", MOVING)
def test_a_collector_with_something_pending_is_busy(till: Till, call: str) -> None:
    body = message("post", collectorNumber=AFTER_LOOKS)
    send(till, "post", body, "key-1")
    refused = ask(till, call, "key-2", collectorNumber=AFTER_LOOKS)
    assert (refused.status, errors(refused)) == (400, ["TransactionInProgress"])
    assert "issuances" not in refused.body
    for _ in range(3):
        send(till, "post", body, "key-1")
    # The refusal was not remembered; and another collector was never busy.
    assert ask(till, call, "key-2", collectorNumber=AFTER_LOOKS).status == 202


def test_a_busy_collector_is_a_matter_of_a_switch(till: Till) -> None:
    ask(till, "post", collectorNumber=NEVER)
    assert ask(till, "post").status == 200
    till.control("settings", pending_blocks=False)
    assert ask(till, "post", collectorNumber=NEVER).status == 202


def test_pending_miles_being_taken_back_are_not_taken_twice(till: Till) -> None:
    number = ask(till, "post").body["transactionId"]
    till.control("settings", pending_blocks=False)
    till.control("pending", mode="never")
    link = {"originalTransactionId": number, "issuances": [issuance(3)]}
    assert ask(till, "issuance-reverse", "1", **link).status == 202
    assert errors(ask(till, "issuance-reverse", "2", **link)) == ["MoreThanIssued"]


def test_goods_on_their_way_back_do_not_come_back_twice(till: Till) -> None:
    number = ask(till, "post", items=[item("A", 2)]).body["transactionId"]
    till.control("settings", pending_blocks=False)
    till.control("pending", mode="never")
    link = {"originalTransactionId": number, "issuances": [issuance(1)], "items": [item("A", 2)]}
    assert ask(till, "issuance-reverse", "1", **link).status == 202
    assert errors(ask(till, "issuance-reverse", "2", **link)) == ["MoreThanBought"]


@pytest.mark.parametrize("call", MOVING)
def test_a_repeat_has_no_second_effect(till: Till, call: str) -> None:
    body = message(call)
    first = send(till, call, body, "key-1")
    second = send(till, call, body, "key-1")
    third = send(till, call, body, "key-1")
    assert third.raw == second.raw
    assert first.body["transactionId"] == second.body["transactionId"]
    assert len(till.effects()) == 1


def test_a_final_answer_is_repeated_byte_for_byte(till: Till) -> None:
    body = message("post")
    first = send(till, "post", body, "key-1")
    till.control("clock", offset_s=3600)
    assert send(till, "post", body, "key-1").raw == first.raw


@pytest.mark.parametrize("call", MOVING)
def test_without_a_key_the_exact_body_is_the_key(till: Till, call: str) -> None:
    body = message(call)
    send(till, call, body)
    send(till, call, body)
    assert len(till.effects()) == 1
    send(till, call, body | {"deviceId": "POS2"})
    assert len(till.effects()) == 2
    till.control("settings", content_duplicates=False)
    send(till, call, body)
    assert len(till.effects()) == 3


def test_a_key_with_another_body_is_refused_and_changes_nothing(till: Till) -> None:
    body = message("post")
    first = send(till, "post", body, "key-1")
    for other in (
        json.dumps(body | {"issuances": [issuance(6)]}).encode(),
        json.dumps(body, separators=(",", ":")).encode(),
    ):
        answer = send(till, "post", other, "key-1")
        assert (answer.status, errors(answer)) == (400, ["IdempotencyKeyReused"])
    assert send(till, "post", body, "key-1").raw == first.raw
    assert len(till.effects()) == 1


def test_a_platform_that_forgets_keys_gives_twice(till: Till) -> None:
    till.control("settings", key_memory_s=0)
    body = message("post")
    assert send(till, "post", body, "key-1").raw != send(till, "post", body, "key-1").raw
    assert len(till.effects()) == 2


def test_a_rejection_is_remembered_unless_the_switch_says_otherwise(till: Till) -> None:
    member: dict[str, Any] = {"collector": "84444444444"}
    body = message("post", collectorNumber="84444444444")
    assert errors(send(till, "post", body, "a")) == ["CollectorNotFound"]
    till.control("seed", members=[member])
    assert errors(send(till, "post", body, "a")) == ["CollectorNotFound"]
    till.control("reset")
    till.control("settings", remember_declines=False)
    assert errors(send(till, "post", body, "a")) == ["CollectorNotFound"]
    till.control("seed", members=[member])
    assert send(till, "post", body, "a").status == 200


def test_a_reset_forgets_rules_transactions_and_answers(till: Till) -> None:
    till.control("pending", mode="never")
    body = message("post")
    send(till, "post", body, "key-1")
    before = till.look("transactions")["transactions"]
    till.control("reset")
    after = till.look("transactions")["transactions"]
    assert (len(before), len(after)) == (4, 3)
    assert {one["sponsor"] for one in after} == {"KELL", "TEST", "KENY"}
    assert send(till, "post", body, "key-1").status == 200
    assert till.cash(REGULAR) == 1205
