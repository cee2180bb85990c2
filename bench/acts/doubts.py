"""Leaves doubts in the log, says how many there are, and times sweeps over them."""

import random
import time
import uuid
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from amcash import client, messages, services
from backoffice.journal import entries, programme, waiting
from backoffice.journal.decisions import Finding, Verdict
from backoffice.journal.entries import Intent
from backoffice.journal.models import Transaction
from backoffice.journal.states import CLAIMABLE, Operation, Product
from backoffice.people.actors import Actor
from bench.acts.redemption import ASKED_CENTS, BASKET_CENTS, cashier

_LEASE = timedelta(seconds=30)


def leave(*, count: int) -> None:
    """Open so many redemptions of as many collectors and leave each without an answer."""
    actor = cashier()
    for number in range(count):
        now = timezone.now()
        row, _is_new = entries.open_transaction(
            _intent(actor, number), actor=actor, sender="bench", now=now, lease=_LEASE
        )
        entries.record(row, Finding(verdict=Verdict.UNKNOWN, silence="closed"), now=now)


def standing() -> dict[str, int]:
    """Return how many rows are open, and whether the breaker is."""
    programme.forget()
    return {"open": _open().count(), "is_down": int(programme.standing(Product.CASH).is_open)}


def sweeps(*, count: int, times: int) -> list[float]:
    """Time so many sweeps over `count` doubts that are due, each in milliseconds."""
    took = []
    for _ in range(times):
        if count:
            leave(count=count)
            _open().update(due_at=timezone.now())
        began = time.perf_counter()
        sent = services.settle_due(sender="bench", limit=max(1, count))
        took.append((time.perf_counter() - began) * 1000)
        assert sent == count, (sent, count)
    return took


def close_what_is_over() -> None:
    """Have the sweep close the invented rows whose time is over, and put the others off."""
    while _due().exists():
        services.settle_due(sender="bench", limit=1_000)
    _open().update(due_at=timezone.now() + timedelta(days=1))


def reads() -> float:
    """Return how many pages an empty sweep's look at the log touches; 0 where nobody counts."""
    if connection.vendor != "postgresql":
        return 0.0
    lines = _due().order_by("deadline_at", "due_at").explain(analyze=True, buffers=True)
    found = [line for line in lines.splitlines() if "Buffers:" in line]
    words = [word.split("=") for word in found[0].split() if "=" in word] if found else []
    return float(sum(int(number) for _name, number in words))


def plan() -> str:
    """Return how the database finds what is due, in one line."""
    return " ".join(_due().order_by("deadline_at", "due_at").explain().split())


def _intent(actor: Actor, number: int) -> Intent:
    trace_id = client.new_trace_id()
    card = f"8{random.randrange(10**6):06d}{number:04d}"
    body = messages.redeem(
        client.terminal_of(actor.device),
        collector_number=card,
        entry_mode="SCAN",
        basket_cents=BASKET_CENTS,
        original_cents=BASKET_CENTS,
        asked_cents=ASKED_CENTS,
        sent_at=timezone.now(),
        trace_id=trace_id,
        language="en",
    )
    return Intent(
        operation=Operation.REDEEM,
        path=messages.REDEEM_PATH,
        body=body,
        trace_id=trace_id,
        client_ref=str(uuid.uuid4()),
        sale_ref=str(uuid.uuid4()),
        language="en",
        card_number=card,
        card_entry_mode="SCAN",
        basket_cents=BASKET_CENTS,
        asked_cents=ASKED_CENTS,
    )


def _open() -> QuerySet[Transaction]:
    return Transaction.objects.filter(state__in=sorted(CLAIMABLE))


def _due() -> QuerySet[Transaction]:
    return waiting.rows().filter(operation__in=list(Operation), due_at__lte=timezone.now())
