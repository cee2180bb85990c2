"""The arm, send, record loop, which exists once. A product brings its bytes and its `classify`."""

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from backoffice.journal import entries, line, payloads, programme
from backoffice.journal.decisions import DEFINITIVE, Finding, Verdict
from backoffice.journal.entries import MakeReversal
from backoffice.journal.models import Transaction
from backoffice.journal.states import KEYLESS, Operation, product_of
from backoffice.wire import Reply, Silence

# Reads one answer, knowing whether an earlier send of the same operation has no known outcome.
Classify = Callable[[Transaction, Reply | Silence, bool], Finding]

_WORTH_A_SECOND_TRY = frozenset({Verdict.UNKNOWN, Verdict.NOT_SENT})
# The programme is well, whatever it says of this one.
_ANSWERS = DEFINITIVE | {Verdict.PENDING, Verdict.BUSY}


def is_worth_a_second_try(finding: Finding) -> bool:
    """Say whether a silence or an unknown answer is worth one try more, at once."""
    # Our own gate is no fresher a moment later; whoever stands at the till decides.
    return finding.verdict in _WORTH_A_SECOND_TRY and finding.silence != "busy"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How one product has its operations delivered."""

    classify: Classify
    make_reversal: MakeReversal | None
    sender: str
    # Sends in this call, the first included; each is identical and has a committed right (S1).
    tries: int
    # Which finding is worth another try at once, and how long after the first send one may begin.
    is_worth_another: Callable[[Finding], bool] = is_worth_a_second_try
    tries_begin_within_s: float = math.inf
    # Whether an answer to it closes the product's open breaker.
    is_probe: bool = False


def lease() -> timedelta:
    """Return how long a right to send lasts; nobody else may send meanwhile."""
    return timedelta(seconds=settings.PLATFORM_LEASE_S)


def stamp() -> float:
    """Return the monotonic moment to hand to `deliver`; take it before the arming commit (S3)."""
    return time.monotonic()


def deliver(
    row: Transaction, delivery: Delivery, *, stamped: float, body: bytes | None = None
) -> Transaction:
    """Send an armed row's frozen bytes, record what comes back, and return the row as it is then.

    `stamped` is the `stamp()` taken before the row was armed. `body` spares whoever has just
    committed the frozen bytes reading them back.
    """
    body = payloads.body_of(row) if body is None else body
    assert body  # Only what is settled and past its deadlines is ever emptied.
    has_unknown = row.has_unknown
    ends = time.monotonic() + delivery.tries_begin_within_s
    for sends_left in reversed(range(delivery.tries)):
        answer = _send(row, body, stamped)
        finding = delivery.classify(row, answer, has_unknown)
        has_time = time.monotonic() <= ends
        if not (sends_left and has_time and delivery.is_worth_another(finding)):
            row = entries.record(
                row,
                finding,
                now=_now(),
                make_reversal=delivery.make_reversal,
                if_doubted=functools.partial(delivery.classify, row, answer, True),
            )
            _tell_the_breaker(row, finding, is_probe=delivery.is_probe)
            return row
        has_unknown = has_unknown or finding.verdict is Verdict.UNKNOWN
        stamped = stamp()
        armed = entries.rearm(
            row, finding=finding, sender=delivery.sender, now=_now(), lease=lease()
        )
        if armed is None:
            break
        row = armed
    return entries.reread(row)


def _tell_the_breaker(row: Transaction, finding: Finding, *, is_probe: bool) -> None:
    if row.is_training:
        return
    # After the outcome's own commit, which must wait for nothing. A till's two tries count once.
    product = product_of(Operation(row.operation))
    if finding.is_outage:
        programme.outage(product, _now())
    elif finding.verdict is Verdict.UNKNOWN:
        programme.unknown(product, row.collector_mac, _now())
    elif finding.verdict not in _ANSWERS:
        return
    elif is_probe:
        # First: whoever is killed between the two leaves an open breaker, which is probed again.
        entries.hurry_all(product, now=_now())
        programme.recovered(product)
    else:
        programme.answered(product)


def _send(row: Transaction, body: bytes, stamped: float) -> Reply | Silence:
    # A send must end before the lease does, even one that was frozen before its first byte.
    last_start = settings.PLATFORM_LEASE_S - settings.PLATFORM_TOTAL_S - settings.PLATFORM_MARGIN_S
    return line.to(is_training=row.is_training).exchange(
        row.path,
        body,
        content_type=row.content_type,
        idempotency_key=None if row.operation in KEYLESS else str(row.idempotency_key),
        start_by=stamped + last_start,
    )


def _now() -> datetime:
    return timezone.now()
