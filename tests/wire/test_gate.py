"""The gate: so many threads inside, and nobody waits for ever."""

import threading
import time

import pytest

from backoffice.wire import Gate
from tests.wire.calls import LONG_S, SLACK_S, until


def is_free(seats: threading.Semaphore) -> bool:
    is_ours = seats.acquire(blocking=False)
    if is_ours:
        seats.release()
    return is_ours


def test_no_more_than_the_limit_are_inside_at_once() -> None:
    gate = Gate(2, LONG_S)
    lock = threading.Lock()
    pair = threading.Barrier(2)
    inside = 0
    most = 0

    def call() -> None:
        nonlocal inside, most
        with gate.entered() as has_place:
            assert has_place
            with lock:
                inside += 1
                most = max(most, inside)
            # Two are inside together, however slowly the machine lets them in.
            pair.wait(LONG_S)
            time.sleep(0.03)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 2


def test_a_place_is_given_back_even_after_an_error() -> None:
    gate = Gate(1, 0)
    with pytest.raises(RuntimeError), gate.entered():
        raise RuntimeError
    with gate.entered() as has_place:
        assert has_place


def test_waiting_ends_and_gives_nothing_back() -> None:
    gate = Gate(1, 0.1)
    with gate.entered():
        started = time.monotonic()
        with gate.entered() as has_place:
            assert not has_place
        assert 0.09 <= time.monotonic() - started < SLACK_S
    with gate.entered() as first, gate.entered() as second:
        assert (first, second) == (True, False)


@pytest.mark.parametrize("start_in_s", [0.05, 0, -1])
def test_nobody_waits_past_the_right_to_send(start_in_s: float) -> None:
    gate = Gate(1, LONG_S)
    with gate.entered():
        started = time.monotonic()
        with gate.entered(start_by=started + start_in_s) as has_place:
            assert not has_place
        assert time.monotonic() - started < SLACK_S


def test_no_more_than_a_few_wait_and_the_next_is_turned_away_at_once() -> None:
    gate = Gate(1, LONG_S, waiting_limit=1)
    results: list[bool] = []

    def call() -> None:
        with gate.entered() as has_place:
            results.append(has_place)

    with gate.entered():
        waiting = threading.Thread(target=call)
        waiting.start()
        until(lambda: not is_free(gate._seats))
        started = time.monotonic()
        call()
        assert time.monotonic() - started < SLACK_S
        assert results == [False]
    waiting.join()
    assert results == [False, True]
    # The seat was given back with the place.
    with gate.entered() as has_place:
        assert has_place


def test_a_gate_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="needs room"):
        Gate(0, 1)
