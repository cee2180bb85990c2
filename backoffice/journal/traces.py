"""Where else than in the log something leads back to a collector. The log knows no product, yet an
erasure and the nightly purge must reach what a product keeps: each registers here as Django starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backoffice.journal.retention import Retention


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What one erasure took the collector out of, by its audit subjects, and how many were left."""

    subjects: tuple[str, ...]
    left: int


class Traces(Protocol):
    """What one product keeps of collectors."""

    def erase(self, collector_mac: str, *, now: datetime) -> Erased:
        """Forget this collector wherever nothing can come of it any more, in the caller's commit.

        The caller has forgotten it in the log in the same commit, and records what was erased.
        """

    def forget(self, *, keep: Retention, sender: str, now: datetime) -> Iterator[int]:
        """Forget the collectors of what is old enough, in small commits of its own.

        Yields after each of them in how many rows it forgot one.
        """


_registered: list[Traces] = []


def register(traces: Traces) -> None:
    """Have erasures and the purge reach these too."""
    if traces not in _registered:
        _registered.append(traces)


def everywhere() -> tuple[Traces, ...]:
    """Return all that is registered."""
    return tuple(_registered)
