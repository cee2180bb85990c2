"""Counts and sums of one day's log, per store. Reads only; training is never in totals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from backoffice import clock
from backoffice.journal.models import Transaction
from backoffice.journal.selectors import Reader
from backoffice.journal.states import GRANTED, UNSETTLED, Operation, State
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Store


@dataclass(frozen=True, kw_only=True)
class StoreDay:
    """One store's day so far, by the clock on its own wall."""

    store: Store
    day: date
    redemptions: int = 0
    redeemed_cents: int = 0
    redeemed_miles: int = 0
    reversals: int = 0
    reversed_cents: int = 0
    reversed_miles: int = 0
    declined: int = 0
    unsettled: int = 0

    @property
    def net_cents(self) -> int:
        """What was taken off sales and not given back."""
        return self.redeemed_cents - self.reversed_cents


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The sums of several stores' days."""

    redemptions: int
    redeemed_cents: int
    redeemed_miles: int
    reversals: int
    reversed_cents: int
    declined: int
    unsettled: int
    net_cents: int


def today(user: Reader, *, now: datetime) -> list[StoreDay]:
    """Return each visible store's day so far; a store's day starts at its own midnight."""
    stores = {
        store.pk: store
        for store in visible_stores(user).filter(is_active=True).select_related("sponsor")
    }
    if not stores:
        return []
    starts: dict[datetime, list[int]] = {}
    for pk, store in stores.items():
        starts.setdefault(_midnight(store, now), []).append(pk)
    is_today = Q(pk__in=())
    for start, store_ids in starts.items():
        is_today |= Q(store_id__in=store_ids, opened_at__gte=start)
    rows: Iterable[Mapping[str, Any]] = (
        # The earliest midnight bounds the index range; the rest is decided row by row.
        Transaction.objects.filter(is_today, opened_at__gte=min(starts), is_training=False)
        .order_by()
        .values("store_id")
        .annotate(**_SUMS)
    )
    found = {row["store_id"]: {name: int(row[name]) for name in _SUMS} for row in rows}
    return [
        StoreDay(store=store, day=now.astimezone(store.tzinfo).date(), **found.get(pk, {}))
        for pk, store in stores.items()
    ]


def totals(days: list[StoreDay]) -> Totals:
    """Add up the days of several stores."""
    return Totals(
        redemptions=sum(day.redemptions for day in days),
        redeemed_cents=sum(day.redeemed_cents for day in days),
        redeemed_miles=sum(day.redeemed_miles for day in days),
        reversals=sum(day.reversals for day in days),
        reversed_cents=sum(day.reversed_cents for day in days),
        declined=sum(day.declined for day in days),
        unsettled=sum(day.unsettled for day in days),
        net_cents=sum(day.net_cents for day in days),
    )


def _midnight(store: Store, now: datetime) -> datetime:
    return clock.settlement_day_starts(now.astimezone(store.tzinfo).date(), store.tzinfo)


_REDEEMED = Q(operation=Operation.REDEEM, state__in=sorted(GRANTED))
_REVERSED = Q(operation=Operation.REVERSE, state__in=sorted(GRANTED))
_SUMS = {
    "redemptions": Count("pk", filter=_REDEEMED),
    "redeemed_cents": Coalesce(Sum("amount_cents", filter=_REDEEMED), 0),
    "redeemed_miles": Coalesce(Sum("miles", filter=_REDEEMED), 0),
    "reversals": Count("pk", filter=_REVERSED),
    # What a reversal gives back is what its redemption took.
    "reversed_cents": Coalesce(Sum("reverses__amount_cents", filter=_REVERSED), 0),
    "reversed_miles": Coalesce(Sum("reverses__miles", filter=_REVERSED), 0),
    "declined": Count("pk", filter=Q(state=State.DECLINED)),
    "unsettled": Count("pk", filter=Q(state__in=sorted(UNSETTLED))),
}
