"""The till's screens without the platform, and what their first look weighs."""

from bench.figures import Figure, Result, median, percentile
from bench.hands import Hand
from bench.places import Ground


def measure(ground: Ground, database: str, *, is_quick: bool) -> list[Result]:
    """Measure the screens over HTTP at a till whose log has a history."""
    place = ground.filled(database, 100_000)
    turns = 100 if is_quick else 400
    with Hand(place.environment) as hand, place.web() as web:
        took = hand.do("console.screens", url=web.url, turns=turns, per_s=4.0)
        sizes = hand.do("console.first_load", url=web.url)
    figures = [
        Figure(name=f"{screen} p95", value=percentile(values, 95), unit="ms", most=50)
        for screen, values in took.items()
        if screen != "healthz"
    ]
    total_kb = sum(sizes.values()) / 1000
    figures.append(Figure(name="first load", value=total_kb, unit="kB", most=100))
    figures += [
        Figure(name=f"{screen} p50", value=median(values), unit="ms")
        for screen, values in took.items()
    ]
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:4]
    note = f"{turns} turns; heaviest: " + ", ".join(f"{path} {size}" for path, size in heaviest)
    return [Result(name="console", database=database, figures=tuple(figures), note=note)]
