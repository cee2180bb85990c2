"""What the control plane does to the sandbox: reset, seed, move the clock, and look inside."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum

from sandbox.answers import engine as answers
from sandbox.clock import trading_day
from sandbox.conditions import switches as conditions
from sandbox.conditions.switches import Switches
from sandbox.control.exchanges import log
from sandbox.control.faults import book
from sandbox.members import engine as members
from sandbox.members.models import LedgerEntry, Member
from sandbox.redemption import engine as redemption
from sandbox.redemption.codes import CODES


def reset() -> None:
    """Put everything back to the first morning: cards, switches, clock. Tokens stay valid."""
    book.clear()
    with answers.write_lock, transaction.atomic(durable=True):
        answers.start_over()
        redemption.start_over()
        members.start_over()
        conditions.forget()
    log().clear()


def seed(accounts: Sequence[Member]) -> None:
    """Put these accounts in place; what others have stays."""
    with answers.write_lock, transaction.atomic(durable=True):
        members.seed(accounts)


def today() -> date:
    """Return the trading day that it is in the sandbox."""
    switches = conditions.load()
    return trading_day(switches.now(conditions.real_now()), switches.tz)


def set_clock(moment: datetime | None, *, is_stopped: bool, offset_s: float) -> Switches:
    """Make it a certain moment, standing or running on; or real time, shifted by an offset."""
    if moment is not None and not is_stopped:
        offset_s = (moment - conditions.real_now()).total_seconds()
    stopped_at = moment.isoformat() if moment is not None and is_stopped else ""
    return conditions.store({"clock_offset_s": offset_s, "clock_stopped_at": stopped_at})


def expire_tokens() -> None:
    """Make every token so far invalid."""
    conditions.store({"token_generation": conditions.load().token_generation + 1})


def ledger(collector: str) -> dict[str, Any]:
    """Return every effect, of one collector if one is named, with sums of miles."""
    rows = LedgerEntry.objects.all()
    if collector:
        rows = rows.filter(collector=collector)
    sums = rows.order_by("collector").values_list("collector").annotate(total=Sum("miles"))
    return {
        "entries": list(rows.values()),
        "sum_miles_by_collector": dict(sums),
        "total_miles": rows.aggregate(total=Sum("miles"))["total"] or 0,
    }


def codes() -> list[dict[str, Any]]:
    """Return the table of response codes, as the sandbox transcribed it."""
    return [
        {
            "code": code.code,
            "http": code.http,
            "message": code.message_en,
            "message_fr": code.message_fr,
            "endpoints": sorted(call.value for call in code.calls),
        }
        for code in CODES.values()
    ]


def seed_first_time() -> None:
    """Put the test cards in place if this folder has no account yet."""
    if not Member.objects.exists():
        reset()
