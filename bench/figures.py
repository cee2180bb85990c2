"""What a measurement comes to: numbers with their targets. Values only."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number. `most` and `least` are its target (PRODUCT 6); without one it only explains."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least

    def __str__(self) -> str:
        said = f"{self.name} {tell(self.value)}{' ' + self.unit if self.unit else ''}"
        if self.is_met is None:
            return said
        sign, target = ("<=", self.most) if self.most is not None else (">=", self.least)
        return f"{said} ({'ok' if self.is_met else 'MISSED'}, {sign} {tell(target or 0)})"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one measurement found on one database."""

    name: str
    database: str
    figures: tuple[Figure, ...]
    note: str = ""

    def __str__(self) -> str:
        figures = ", ".join(map(str, self.figures))
        note = f" [{self.note}]" if self.note else ""
        return f"{self.name} on {self.database}: {figures}{note}"

    def fields(self) -> dict[str, Any]:
        """Return it for the closing JSON line."""
        return {**asdict(self), "is_met": all(f.is_met is not False for f in self.figures)}


def tell(value: float) -> str:
    """Write a number with about three digits that count."""
    if value and abs(value) < 100:
        return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
    return f"{value:,.0f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)
