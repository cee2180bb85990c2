"""How soon 1,000 doubts are settled when the platform is back, and what a sweep costs."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import hands, stub_time
from bench.figures import Figure, Result, median
from bench.hands import Hand
from bench.places import Ground, Place
from tests.chaos.processes import Broker, Process

DOUBTS = 1_000
# What the platform takes over an answer here: longer than its pages let one expect.
ANSWER_MS = 200
WITHIN_S = 60.0
# Long enough for the breaker to open and for most rows to wait their longest.
DOWN_S = 10.0
ALL = ("settle", "worker", "beat")


def measure(ground: Ground, database: str, *, is_quick: bool) -> list[Result]:
    """Measure the return with every process that sweeps and with one, then single sweeps."""
    place = ground.place(database)
    with Hand(place.environment) as hand:
        together = _settled(hand, place, ALL)
        alone = _settled(hand, place, ALL[:1])
    figures = (
        Figure(name="all settled after", value=together["all_s"], unit="s", most=WITHIN_S),
        Figure(name="by one sweep alone", value=alone["all_s"], unit="s", most=WITHIN_S),
        Figure(name="rate / floor", value=together["rate"] / together["floor"]),
        Figure(name="rate / floor, alone", value=alone["rate"] / alone["floor"]),
        Figure(name="first settled after", value=together["first_s"], unit="s"),
        Figure(name="rate", value=together["rate"], unit="/s"),
        Figure(name="asked at once", value=together["at_once"]),
        Figure(name="asked at once, alone", value=alone["at_once"]),
    )
    note = f"{DOUBTS:,} doubts, the platform answers in {ANSWER_MS} ms"
    back = Result(name="doubts", database=database, figures=figures, note=note)
    return [back, _cost(ground, database, is_quick=is_quick)]


def _settled(hand: Hand, place: Place, names: tuple[str, ...]) -> dict[str, float]:
    """Leave the doubts, let the platform come back, and say how long it took."""
    stub_time.mood(place.platform, is_down=False)
    weight = hand.do("redemption.weigh")
    before = hand.do("doubts.standing")["open"]
    stub_time.mood(place.platform, is_down=True)
    hand.do("doubts.leave", count=DOUBTS)
    with _sweeping(place, names):
        time.sleep(DOWN_S)
        down = hand.do("doubts.standing")
        assert down["is_down"] and down["open"] == before + DOUBTS, down
        stub_time.mood(place.platform, delay_ms=ANSWER_MS)
        began = time.monotonic()
        first_s, all_s = _times(hand, began, down["open"], before)
    at_once = stub_time.mood(place.platform, delay_ms=ANSWER_MS)
    flow = hands.together(
        place.environment,
        1,
        "redemption.flow",
        what="floor",
        url="",
        weight=weight,
        threads=at_once,
        seconds=3.0,
    )
    stub_time.mood(place.platform)
    rate = DOUBTS / max(all_s - first_s, 0.1)
    return {
        "first_s": first_s,
        "all_s": all_s,
        "at_once": at_once,
        "rate": rate,
        "floor": sum(flow),
    }


def _times(hand: Hand, began: float, at_first: int, at_last: int) -> tuple[float, float]:
    first_s = 0.0
    while True:
        left = hand.do("doubts.standing")["open"]
        took_s = time.monotonic() - began
        if left < at_first and not first_s:
            first_s = took_s
        if left <= at_last:
            return first_s, took_s
        assert took_s < 10 * WITHIN_S, f"{left} doubts are left after {took_s:.0f} s"
        time.sleep(0.2)


@contextmanager
def _sweeping(place: Place, names: tuple[str, ...]) -> Iterator[None]:
    """Run the processes that sweep, as `bin/run` does."""
    with ExitStack() as stack:
        broker = Broker(folder=place.data / "broker")
        broker.start()
        stack.callback(broker.kill)
        environment = hands.inherited({**place.environment, "CELERY_BROKER_URL": broker.url})
        for name in names:
            process = Process(
                name=name, label=name, environment=environment, log=place.data / f"{name}.log"
            )
            process.start()
            stack.callback(process.kill)
        yield


def _cost(ground: Ground, database: str, *, is_quick: bool) -> Result:
    """Time sweeps over a short and a long log, in turns."""
    sizes = (1_000, 100_000 if is_quick else 1_000_000)
    places = [ground.filled(database, count) for count in sizes]
    took: list[dict[int, list[float]]] = [{0: [], 100: []}, {0: [], 100: []}]
    with Hand(places[0].environment) as short, Hand(places[1].environment) as long:
        for hand in (short, long):
            hand.do("doubts.close_what_is_over")
            hand.do("doubts.sweeps", count=100, times=1)
        for _ in range(5):
            for hand, times in zip((short, long), took, strict=True):
                times[0] += hand.do("doubts.sweeps", count=0, times=40)
                times[100] += hand.do("doubts.sweeps", count=100, times=1)
        pages = [hand.do("doubts.reads") for hand in (short, long)]
        plan = long.do("doubts.plan")
    empty, full = ([median(times[count]) for times in took] for count in (0, 100))
    figures = [
        Figure(name="empty sweep / short log", value=empty[1] / empty[0], most=1.5),
        Figure(name="100 due / short log", value=full[1] / full[0], most=1.5),
        Figure(name="empty sweep", value=empty[1], unit="ms"),
        Figure(name="100 due", value=full[1], unit="ms"),
    ]
    if database == "postgres":
        figures.append(Figure(name="pages read", value=pages[1]))
        figures.append(Figure(name="pages read, short log", value=pages[0]))
    note = f"{sizes[1]:,} settled rows beside {sizes[0]:,}; {plan}"
    return Result(name="sweep", database=database, figures=tuple(figures), note=note[:300])
