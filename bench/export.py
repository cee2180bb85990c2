"""The export of the log beside PostgreSQL's own COPY: rows a second, and memory."""

from bench.figures import Figure, Result, median
from bench.hands import Hand
from bench.places import Ground


def measure(ground: Ground, database: str, *, is_quick: bool) -> list[Result]:
    """Export every row, in turns with a bare COPY where the database has one."""
    count = 100_000 if is_quick else 1_000_000
    place = ground.filled(database, count)
    made, copied = [], []
    for _ in range(3):
        # A process of its own each time, so that its peak of memory is this export's.
        with Hand(place.environment) as hand:
            made.append(hand.do("export.milepost"))
        if database == "postgres":
            with Hand(place.environment) as hand:
                copied.append(hand.do("export.copy"))
    rate = median([one["rows_per_s"] for one in made])
    grew_mb = max(one["grew_mb"] for one in made)
    figures = [
        Figure(name="memory grew", value=grew_mb, unit="MB", most=150),
        Figure(name="rate", value=rate, unit="rows/s"),
        Figure(name="file", value=made[0]["bytes"] / 1e6, unit="MB"),
    ]
    if copied:
        newest_first = median([one["rows_per_s"] for one in copied])
        unordered = median([one["unordered_rows_per_s"] for one in copied])
        figures.insert(0, Figure(name="rate / COPY", value=rate / newest_first, least=0.5))
        figures.append(Figure(name="COPY, newest first", value=newest_first, unit="rows/s"))
        figures.append(Figure(name="COPY, unordered", value=unordered, unit="rows/s"))
    note = f"{count:,} rows, the middle of three"
    return [Result(name="export", database=database, figures=tuple(figures), note=note)]
