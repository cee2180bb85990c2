"""What the control plane does to the sandbox: reset, seed, move the clock, and look inside."""

from collections.abc import Mapping, Sequence
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
from sandbox.issuance import catalogue
from sandbox.issuance import engine as issuance
from sandbox.issuance.codes import ERRORS
from sandbox.issuance.models import CatalogueOffer, Transaction
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
        issuance.start_over()
        members.start_over()
        conditions.forget()
    log().clear()


def seed(accounts: Sequence[Member], offers: Sequence[CatalogueOffer]) -> None:
    """Put these accounts and these sponsors' offers in place; what others have stays."""
    with answers.write_lock, transaction.atomic(durable=True):
        members.seed(accounts)
        catalogue.seed(offers)


def set_pending(rule: Mapping[str, str | int | float], *, is_settling: bool) -> int:
    """Choose how issuances come to their end from now on; return how many were ended at once."""
    conditions.store(rule)
    if not is_settling:
        return 0
    with answers.write_lock, transaction.atomic(durable=True):
        return issuance.settle_all(
            _moment(),
            str(rule["pending_collector"]),
            is_rejected=rule["pending_ends"] == "rejected",
        )


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
    _settle_due()
    rows = LedgerEntry.objects.all()
    if collector:
        rows = rows.filter(collector=collector)
    sums = rows.order_by("collector").values_list("collector").annotate(total=Sum("miles"))
    by_offer = rows.exclude(offer_code="").order_by("collector", "offer_code")
    return {
        "entries": list(rows.values()),
        "sum_miles_by_collector": dict(sums),
        "sum_miles_by_collector_and_offer": [
            {"collector": number, "offer_code": offer, "miles": total}
            for number, offer, total in by_offer.values_list("collector", "offer_code").annotate(
                total=Sum("miles")
            )
        ],
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


def transactions(collector: str) -> list[dict[str, Any]]:
    """Return every transaction of issuance with its items, RECORD's included, in order."""
    _settle_due()
    rows = Transaction.objects.prefetch_related("items").defer("mirror", "basket")
    if collector:
        rows = rows.filter(collector=collector)
    return [_shown(row) for row in rows]


def issuance_errors() -> list[dict[str, str]]:
    """Return the errors of issuance; all but the first are ours."""
    return [{"errorCode": code, "errorReason": reason} for code, reason in ERRORS.items()]


def seed_first_time() -> None:
    """Put in place what this folder does not have yet: the test cards, issuance's first morning."""
    if not Member.objects.exists():
        reset()
    elif not CatalogueOffer.objects.exists():
        # A folder of the time before issuance: its accounts and its ledger stay.
        with answers.write_lock, transaction.atomic(durable=True):
            issuance.start_over()


def _settle_due() -> None:
    """End what is due: nobody may have asked since its time came."""
    if Transaction.objects.filter(is_pending=True, ends_at__isnull=False).exists():
        with answers.write_lock, transaction.atomic(durable=True):
            issuance.settle_due(_moment())


def _moment() -> issuance.Moment:
    switches, real_now = conditions.load(), conditions.real_now()
    return issuance.Moment(now=switches.now(real_now), real_now=real_now, switches=switches)


def _shown(row: Transaction) -> dict[str, Any]:
    return {
        "transaction_id": row.transaction_id,
        "own_id": row.own_id,
        "call": row.call,
        "sponsor": row.sponsor,
        "collector": row.collector,
        "original_id": row.original.transaction_id if row.original else "",
        "key": row.key,
        "body_sha256": row.body_sha256,
        "happened_at": row.happened_at.isoformat(),
        "pending": row.is_pending,
        "looks_left": row.looks_left,
        "items": [
            {
                "offer_code": item.offer_code,
                "offer_id": item.offer_id,
                "location_code": item.location,
                "miles": item.miles,
                "status": item.status,
                "error": item.error,
                "confirmation": item.confirmation,
            }
            for item in row.items.all()
        ],
    }
