"""A redemption's own time over the platform's answer, and how many a second two cores make."""

from typing import Any

from bench import hands, stub_time
from bench.figures import Figure, Result, median, percentile
from bench.hands import Hand
from bench.places import Ground, Place

PER_S = 20.0
PROCESSES = 2
# What the gate of each process lets through: half its four threads, and one that waits.
THREADS = 3


def measure(ground: Ground, database: str, *, is_quick: bool) -> list[Result]:
    """Measure through the services and through the web server, each beside the bare script."""
    place = ground.place(database)
    turns = 300 if is_quick else 2_000
    with Hand(place.environment) as hand, place.web() as web:
        weight = hand.do("redemption.weigh")
        paced = hand.do("redemption.paced", weight=weight, turns=turns, per_s=PER_S)
        own_ms = stub_time.since_asked(place.platform)
        through_web = hand.do(
            "redemption.paced_web", url=web.url, weight=weight, turns=turns, per_s=PER_S
        )
        flows, turned_away = _flows(hand, place, web.url, weight, 3.0 if is_quick else 10.0)
    note = (
        f"{turns} turns at {PER_S:.0f}/s; commits of {weight['first']} and {weight['second']} B; "
        f"the stub's own {own_ms:.3f} ms taken off both"
    )
    services = Result(
        name="redemption",
        database=database,
        figures=tuple(_ratios(paced, own_ms, flows["services"] / flows["floor"])),
        note=note,
    )
    web_figures = _ratios(through_web, own_ms, flows["web"] / flows["floor"])
    return [
        services,
        Result(name="redemption-web", database=database, figures=tuple(web_figures), note=note),
        Result(
            name="redemption-rate",
            database=database,
            figures=tuple(_rates(flows)),
            note=turned_away,
        ),
    ]


def _ratios(took: dict[str, list[float]], own_ms: float, share: float) -> list[Figure]:
    redeem, floor = ([value - own_ms for value in took[name]] for name in ("redeem", "floor"))
    figures = [
        Figure(name="p50 / floor", value=median(redeem) / median(floor), most=3.0),
        Figure(name="p99 / floor", value=percentile(redeem, 99) / percentile(floor, 99), most=5.0),
        Figure(name="rate / floor", value=share, least=0.4),
        Figure(name="p50", value=median(redeem), unit="ms"),
        Figure(name="p99", value=percentile(redeem, 99), unit="ms"),
        Figure(name="floor p50", value=median(floor), unit="ms"),
        Figure(name="floor p99", value=percentile(floor, 99), unit="ms"),
    ]
    if "plain_floor" in took:
        plain = [value - own_ms for value in took["plain_floor"]]
        ratio = median(redeem) / median(plain)
        figures.append(Figure(name="p50 / floor with http.client", value=ratio))
    return figures


def _flows(
    hand: Hand, place: Place, url: str, weight: dict[str, int], seconds: float
) -> tuple[dict[str, float], str]:
    """Return how often a second each goes flat out: the middle of three rounds, in turns.

    Only what was granted counts: a press that finds its web server's places taken is not.
    """
    rounds: dict[str, list[float]] = {"floor": [], "services": [], "web": []}
    turned_away = {"services": 0, "web": 0}
    values: dict[str, Any] = {"url": url, "weight": weight, "threads": THREADS, "seconds": seconds}
    for _ in range(3):
        for what, rates in rounds.items():
            before = hand.do("redemption.granted")
            pressed = hands.together(
                place.environment, PROCESSES, "redemption.flow", what=what, **values
            )
            after = hand.do("redemption.granted")
            made = after["all"] - before["all"]
            granted = after["granted"] - before["granted"]
            rates.append(sum(pressed) * (granted / made if made else 1))
            if what in turned_away:
                turned_away[what] += made - granted
    said = ", ".join(f"{count} through {what}" for what, count in turned_away.items())
    return {what: median(rates) for what, rates in rounds.items()}, f"turned away: {said}"


def _rates(flows: dict[str, float]) -> list[Figure]:
    return [
        Figure(name=f"{what} ({PROCESSES} x {THREADS})", value=rate, unit="/s")
        for what, rate in flows.items()
    ]
