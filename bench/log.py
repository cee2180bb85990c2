"""Any page of the log: how long the whole page takes, and how little the log's length matters."""

from bench.figures import Figure, Result, median, percentile
from bench.hands import Hand
from bench.places import Ground

SMALL = 100_000
# Finds nothing, so that it shows what a page costs before its rows.
_EMPTY = "admin: code nobody had, newest"


def measure(ground: Ground, database: str, *, is_quick: bool) -> list[Result]:
    """Ask for each page of a short and of a long log, in turns."""
    large = 1_000_000 if is_quick else 10_000_000
    rounds = 8 if is_quick else 40
    places = [ground.filled(database, count) for count in (SMALL, large)]
    took: list[dict[str, list[float]]] = [{}, {}]
    with Hand(places[0].environment) as small, Hand(places[1].environment) as long:
        for number in range(rounds + 1):
            for hand, pages in zip((small, long), took, strict=True):
                for page, duration_ms in hand.do("pages.log_round").items():
                    # The first round reads from the disk and compiles templates.
                    if number:
                        pages.setdefault(page, []).append(duration_ms)
    slowest = max(took[1], key=lambda page: percentile(took[1][page], 95))
    ratios = {page: median(took[1][page]) / median(took[0][page]) for page in took[1]}
    steepest = max(ratios, key=lambda page: ratios[page])
    everything = [[value for page in pages.values() for value in page] for pages in took]
    figures = (
        Figure(name="slowest page p95", value=percentile(took[1][slowest], 95), unit="ms", most=50),
        Figure(name="steepest page / short log", value=ratios[steepest], most=1.5),
        Figure(name="all pages p95", value=percentile(everything[1], 95), unit="ms"),
        Figure(name="all pages p50", value=median(everything[1]), unit="ms"),
        Figure(name="short log p95", value=percentile(everything[0], 95), unit="ms"),
        Figure(name="short log p50", value=median(everything[0]), unit="ms"),
        Figure(name="a page without a row p50", value=median(took[1][_EMPTY]), unit="ms"),
    )
    note = (
        f"{len(ratios)} pages x {rounds}, {large:,} rows beside {SMALL:,}; "
        f"slowest {slowest!r}, steepest {steepest!r}"
    )
    return [Result(name="log", database=database, figures=figures, note=note)]
