"""Has things done at a steady pace, in turns, and says how long each took."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count


def in_turns(
    things: Mapping[str, Callable[[], object]], *, turns: int, per_s: float
) -> dict[str, list[float]]:
    """Do each thing once a turn, evenly spread, `per_s` turns a second; return milliseconds.

    In turns, so that what else the machine is doing falls on all alike. A turn that is late starts
    at once and is not made shorter.
    """
    took: dict[str, list[float]] = {name: [] for name in things}
    start = time.perf_counter()
    for turn in range(turns):
        for place, (name, thing) in enumerate(things.items()):
            due = start + (turn + place / len(things)) / per_s
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            thing()
            took[name].append((time.perf_counter() - began) * 1000)
    return took


def flat_out(make: Callable[[], Callable[[], object]], *, threads: int, seconds: float) -> float:
    """Do a thing in each thread as often as it goes; return how often a second all did it."""
    done = [0] * threads
    errors: list[BaseException] = []
    ready = threading.Barrier(threads + 1)

    def work(place: int) -> None:
        try:
            thing = make()
            thing()
            ready.wait(timeout=60)
            end_at = time.perf_counter() + seconds
            for number in count(1):
                thing()
                done[place] = number
                if time.perf_counter() >= end_at:
                    break
        except BaseException as error:
            errors.append(error)
            ready.abort()

    workers = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    # Whoever broke it has left its error.
    with contextlib.suppress(threading.BrokenBarrierError):
        ready.wait(timeout=60)
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]
    return sum(done) / (time.perf_counter() - began)
