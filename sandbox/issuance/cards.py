"""The test cards of issuance: how a transaction of theirs comes to its end (PRODUCT 3)."""

from dataclasses import dataclass

from sandbox.conditions.switches import Switches

AFTER_LOOKS = "80000020202"
NEVER = "80000020203"
PARTIAL = "80000020207"
NOT_FOUND = "80000020400"
STUMBLES = "80000020500"
LOOKS = 3
STUMBLES_TIMES = 2


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an accepted transaction comes to its end: at once, after looks or seconds, or never."""

    mode: str = "at_once"
    looks: int = 0
    seconds: float = 0.0
    is_rejected: bool = False


def ending_of(collector: str, switches: Switches) -> Ending:
    """Return a card's own ending, or the one that the control plane chose."""
    if collector == AFTER_LOOKS:
        return Ending(mode="looks", looks=LOOKS)
    if collector == NEVER:
        return Ending(mode="never")
    if switches.pending_collector not in {"", collector}:
        return Ending()
    return Ending(
        mode=switches.pending_mode,
        looks=switches.pending_looks,
        seconds=switches.pending_seconds,
        is_rejected=switches.pending_ends == "rejected",
    )
