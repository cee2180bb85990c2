"""The switches: one for each question the programme's pages leave open, and the sandbox's clock.

Everything that decides takes a `Switches` and a `now`; nothing else reads the time.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from sandbox.conditions.models import Condition


@dataclass(frozen=True, kw_only=True)
class Switches:
    """How the platform behaves now. The defaults are the choices that FIDELITY.md explains."""

    token_lifetime_s: float = 86_400.0
    # Tokens of an older generation are refused: how a test ends every token at once.
    token_generation: int = 0
    zone: str = "America/Toronto"
    daily_cap_cents: int = 75_000
    # "0008", "0092" or "0096": what every AM Cash call answers, and does nothing.
    outage: str = ""
    manual_inquire: str = "no_offer"
    inquire_without_miles: str = "no_offer"
    send_suppressed_balances: bool = True
    redeem_beyond: str = "adjust"
    key_memory_s: float = 30 * 86_400.0
    content_duplicates: bool = True
    remember_declines: bool = True
    window_before_key: bool = False
    confirmation_field: str = "txnConfirmationNumber"
    echo_datetime: str = "verbatim"
    # Issuance. What a request whose items are all rejected answers: 400 or 200.
    all_rejected_status: int = 400
    event_answers: str = "pending"
    empty_issuances: str = "sent"
    pending_blocks: bool = True
    earned_into: str = "cash"
    unknown_offers: str = "accept"
    # How long a collector is busy with one issuance before it is applied.
    issuance_takes_s: float = 0.0
    # How accepted issuances come to their end; set through POST /_control/pending.
    pending_mode: str = "at_once"
    pending_looks: int = 0
    pending_seconds: float = 0.0
    pending_ends: str = "confirmed"
    pending_collector: str = ""
    clock_offset_s: float = 0.0
    # An ISO moment at which the clock stands still, or nothing.
    clock_stopped_at: str = ""

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def now(self, real: datetime) -> datetime:
        """Return the sandbox's time at a real moment."""
        if self.clock_stopped_at:
            return datetime.fromisoformat(self.clock_stopped_at)
        return real + timedelta(seconds=self.clock_offset_s)


NAMES = frozenset(field.name for field in fields(Switches))


class _Kept:
    """The switches as last read: every request asks for them, and they hardly ever change."""

    switches: Switches | None = None
    # Counts changes, so that a reader who began before one does not keep what he read.
    changes: int = 0


def load() -> Switches:
    """Return the switches as they stand."""
    kept, changes = _Kept.switches, _Kept.changes
    if kept is None:
        stored = dict(Condition.objects.values_list("name", "value"))
        kept = Switches(**{name: stored[name] for name in NAMES & set(stored)})
        if changes == _Kept.changes:
            _Kept.switches = kept
    return kept


def read_again() -> None:
    """Have the next `load` read the rows."""
    _Kept.changes += 1
    _Kept.switches = None


def store(changes: Mapping[str, str | int | float | bool]) -> Switches:
    """Change some switches and return all of them. Values were validated by the caller."""
    assert NAMES.issuperset(changes)
    with transaction.atomic():
        for name, value in changes.items():
            Condition.objects.update_or_create(name=name, defaults={"value": value})
        # Again after the commit: another thread may read the old rows until then.
        transaction.on_commit(read_again)
    read_again()
    return load()


def forget() -> None:
    """Return every switch to its default, except the generation: reset must not revive tokens."""
    Condition.objects.exclude(name="token_generation").delete()
    transaction.on_commit(read_again)
    read_again()


def shown(switches: Switches) -> dict[str, object]:
    """Return the switches as the control plane prints them."""
    return asdict(switches)


def real_now() -> datetime:
    """Return the machine's time. The one place where the sandbox looks at a clock."""
    return datetime.now(UTC)
