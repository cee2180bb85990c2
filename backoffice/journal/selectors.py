"""Every read of the transaction log, bounded by what a person may see. Changes nothing.

A page of the log is found by keyset, never by offset: the same few index entries are read at
any depth. Equal-to filters with several values are read as one stream each and merged, because
an index can give the log's order only for one value at a time.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField, F, Func, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from backoffice.devices.models import Device
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.states import CASH, ISSUANCE, OF_A_SALE, Operation, Product, State
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Store

Reader = User | AnonymousUser

PAGE_ROWS: Final = 50
NEWEST_FIRST: Final = ("-opened_at", "-id")
# A kind that is missing here fails loudly instead of leaving rows out of a search.
_CASH_STATES: Final = frozenset(State) - {
    State.PENDING,
    State.CONFIRMED,
    State.PARTIAL,
    State.REJECTED,
}
_ISSUANCE_STATES: Final = frozenset(State) - {State.APPROVED, State.DECLINED, State.EXPIRED}
_STATES_OF: Final = {
    **dict.fromkeys(CASH, _CASH_STATES),
    **dict.fromkeys(ISSUANCE, _ISSUANCE_STATES),
}
# A literal: SQLite does not see that a parameter meets the condition of a partial index.
EMPTY: Final = Func(template="''", output_field=CharField())
# More streams than this cost more than reading past rows that do not match.
_MOST_STREAMS: Final = 48
# An answer slower than this is worth a word; the programme's own is well under a second.
_SLOW_MS: Final = 3_000
_HEARD_LATELY: Final = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class LogFilters:
    """What to look for. Empty means all; `opened_from` is included, `opened_before` is not."""

    opened_from: datetime | None = None
    opened_before: datetime | None = None
    store_id: int | None = None
    device_id: int | None = None
    operation: str = ""
    states: tuple[str, ...] = ()
    response_code: str = ""
    collector_last4: str = ""
    confirmation_number: str = ""
    is_reversed: bool | None = None
    is_credited: bool = False
    is_for_a_person: bool = False
    # What tills do for their customers: no goodwill, no record.
    is_of_a_sale: bool = False
    # What was practised stands apart: nobody reads it who does not ask for it, and for it alone.
    is_training: bool = False


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place between two rows of the log, and which way to read from it."""

    opened_at: datetime
    id: int
    is_towards_newer: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows of the log, newest first. A cursor is None where the log ends."""

    rows: tuple[Transaction, ...]
    older: Cursor | None
    newer: Cursor | None


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The stores whose rows may be read; None means every store."""

    store_ids: tuple[int, ...] | None

    @classmethod
    def of(cls, reader: "Reader | Scope") -> "Scope":
        """Return what a reader may read: of a person as `people.scope` decides it."""
        if isinstance(reader, Scope):
            return reader
        if isinstance(reader, User) and reader.is_active and reader.may_see_every_store:
            return cls(store_ids=None)
        return cls(store_ids=tuple(visible_stores(reader).values_list("pk", flat=True)))


EVERY_STORE: Final = Scope(store_ids=None)


class ProgrammeWord(StrEnum):
    """How the programme answers just now, in a word."""

    UP = "up"
    SLOW = "slow"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class ProgrammeView:
    """How the programme answers just now, for a screen: AM Cash, which every till asks first, and
    whether issuance is away by itself."""

    word: ProgrammeWord
    answer_ms: int | None
    is_issuance_down: bool = False


def visible(user: Reader | Scope, *, is_training: bool | None = False) -> QuerySet[Transaction]:
    """Return the rows `user` may read, with what screens show beside them: real ones, or those of
    training, or (None) both."""
    rows = Transaction.objects.select_related("store__sponsor", "device", "user", "reverses")
    rows = rows if is_training is None else rows.filter(is_training=is_training)
    scope = Scope.of(user)
    return rows if scope.store_ids is None else rows.filter(store_id__in=scope.store_ids)


def get_visible(
    user: Reader | Scope, reference: UUID, *, is_training: bool | None = False
) -> Transaction:
    """Return one row; Transaction.DoesNotExist when there is none that `user` may read."""
    return visible(user, is_training=is_training).get(reference=reference)


def latest(
    user: Reader,
    *,
    store: Store | None = None,
    device: Device | None = None,
    on_or_after: datetime | None = None,
    is_training: bool = False,
    limit: int = PAGE_ROWS,
) -> list[Transaction]:
    """Return the newest sales of a store or till: miles used and given, and both taken back."""
    filters = LogFilters(
        opened_from=on_or_after,
        store_id=store.pk if store else None,
        device_id=device.pk if device else None,
        is_of_a_sale=True,
        is_training=is_training,
    )
    return list(log_page(user, filters, limit=limit).rows)


def find_redemption(
    user: Reader, *, store: Store, confirmation_number: str, is_training: bool = False
) -> Transaction | None:
    """Return the store's newest redemption with this confirmation number, or None."""
    if not confirmation_number:
        return None
    found = (
        visible(user, is_training=is_training)
        .filter(store=store, operation=Operation.REDEEM, confirmation_number=confirmation_number)
        .exclude(confirmation_number=EMPTY)
    )
    return found.order_by(*NEWEST_FIRST).first()


def log_page(
    user: Reader | Scope, filters: LogFilters, cursor: Cursor | None = None, limit: int = PAGE_ROWS
) -> Page:
    """Return one page of the log as filtered, at the cursor or at its newest end."""
    is_towards_newer = cursor is not None and cursor.is_towards_newer
    streams = [
        _placed(stream, cursor, is_towards_newer)[: limit + 1]
        for stream in _streams(Scope.of(user), filters)
    ]
    merged = heapq.merge(*streams, key=_place, reverse=not is_towards_newer)
    found = list(itertools.islice(merged, limit + 1))
    has_more = len(found) > limit
    rows = found[:limit]
    # Separate small reads: a join would let a planner start from the stores and then sort.
    prefetch_related_objects(rows, "store", "device", "user", "reverses")
    if is_towards_newer:
        rows.reverse()
        has_older, has_newer = bool(rows), has_more
    else:
        has_older, has_newer = has_more, cursor is not None and bool(rows)
    return Page(
        rows=tuple(rows),
        older=_beside(rows[-1], is_towards_newer=False) if has_older else None,
        newer=_beside(rows[0], is_towards_newer=True) if has_newer else None,
    )


def log_rows(
    scope: Scope, filters: LogFilters, columns: Sequence[str], *, chunk_rows: int = 2_000
) -> Iterator[dict[str, Any]]:
    """Give every row of the log as filtered, newest first, never holding more than a few chunks.

    Each chunk is a keyset page of its own: no long transaction, no row twice and none left out.
    A row that changes while this runs shows what it was when its chunk was read.
    """
    streams = _streams(scope, filters)
    # All streams together hold about as much as one of them would alone.
    share = max(100, chunk_rows // max(1, len(streams)))
    return heapq.merge(
        *(_in_chunks(stream, columns, share) for stream in streams),
        key=lambda row: (row["opened_at"], row["id"]),
        reverse=True,
    )


def log_query(scope: Scope, filters: LogFilters) -> QuerySet[Transaction]:
    """Return the rows of `log_rows` as one query, for a database that writes them out itself."""
    rows = _in_states(Transaction.objects.filter(_condition(filters)), filters.states)
    store_ids = _store_ids(scope, filters)
    if store_ids is not None:
        rows = rows.filter(store_id__in=store_ids)
    return rows.order_by(*NEWEST_FIRST)


def references_of(row_ids: Iterable[int | None]) -> dict[int, UUID]:
    """Return the references of these rows, for naming what a reversal gives back."""
    wanted = {row_id for row_id in row_ids if row_id is not None}
    if not wanted:
        return {}
    return dict(Transaction.objects.filter(pk__in=wanted).values_list("pk", "reference"))


def programme_state(*, now: datetime | None = None) -> ProgrammeView:
    """Return how the programme answers, as last heard; unknown when that is long ago."""
    states = {state.product: state for state in ProgrammeState.objects.all()}
    issuance = states.get(Product.ISSUANCE)
    word, answer_ms = _heard(states.get(Product.CASH), now or timezone.now())
    return ProgrammeView(
        word=word,
        answer_ms=answer_ms,
        is_issuance_down=issuance is not None and issuance.breaker_opened_at is not None,
    )


def _heard(state: ProgrammeState | None, now: datetime) -> tuple[ProgrammeWord, int | None]:
    # An open breaker is down whatever was heard last: the tills send nothing new.
    if state is not None and (state.breaker_opened_at or (state.heard_at and not state.is_up)):
        return ProgrammeWord.DOWN, None
    if state is None or state.heard_at is None or now - state.heard_at > _HEARD_LATELY:
        return ProgrammeWord.UNKNOWN, None
    is_slow = state.answer_ms is not None and state.answer_ms > _SLOW_MS
    return (ProgrammeWord.SLOW if is_slow else ProgrammeWord.UP), state.answer_ms


# Streams: querysets of which an index gives the order of the log, to be merged by time.


def _streams(scope: Scope, filters: LogFilters) -> list[QuerySet[Transaction]]:
    """Return the rows as filtered, as disjoint querysets of which an index gives the order."""
    store_ids = _store_ids(scope, filters)
    rows = Transaction.objects.filter(_condition(filters))
    if _finds_few(filters):
        return [_within(_in_states(rows, filters.states), store_ids)]
    is_of_any_store = store_ids is None or len(store_ids) > _MOST_STREAMS
    is_rare = bool(filters.states) and State.DONE not in filters.states
    if filters.response_code or is_rare or (filters.states and is_of_any_store):
        # Spelled out, kind and state let the index of codes or of states end a search at once.
        kinds = [Operation(filters.operation)] if filters.operation else list(Operation)
        if filters.response_code:
            kinds = [kind for kind in kinds if kind in CASH]  # Issuance has no such codes.
        rows = _within(rows, store_ids)
        return [
            rows.filter(state=state, operation=kind)
            for kind in kinds
            for state in sorted(_STATES_OF[kind].intersection(filters.states or State))
        ]
    rows = _in_states(rows, filters.states)
    if store_ids is None or is_of_any_store or filters.operation:
        return [_within(rows, store_ids)]
    return [rows.filter(store_id=store_id) for store_id in store_ids]


def _finds_few(filters: LogFilters) -> bool:
    return bool(
        filters.collector_last4
        or filters.confirmation_number
        or filters.device_id
        or filters.is_for_a_person
        or filters.is_reversed
        or filters.is_credited
    )


def _store_ids(scope: Scope, filters: LogFilters) -> tuple[int, ...] | None:
    if filters.store_id is None:
        return scope.store_ids
    if scope.store_ids is None or filters.store_id in scope.store_ids:
        return (filters.store_id,)
    return ()


def _condition(filters: LogFilters) -> Q:
    condition = Q(
        **_equals(
            device_id=filters.device_id,
            operation=filters.operation or None,
            response_code=filters.response_code or None,
            collector_last4=filters.collector_last4 or None,
            confirmation_number=filters.confirmation_number or None,
            opened_at__gte=filters.opened_from,
            opened_at__lt=filters.opened_before,
            is_training=filters.is_training,
        )
    )
    if filters.confirmation_number:
        condition &= ~Q(confirmation_number=EMPTY)
    if filters.is_reversed is not None:
        condition &= Q(reversed_at__isnull=not filters.is_reversed)
    if filters.is_credited:
        condition &= ~Q(credit_given=EMPTY)
    if filters.is_of_a_sale:
        condition &= Q(operation__in=sorted(OF_A_SALE))
    if filters.is_for_a_person:
        condition &= ~Q(needs_person=EMPTY)
    return condition


def _in_states(rows: QuerySet[Transaction], states: tuple[str, ...]) -> QuerySet[Transaction]:
    if not states:
        return rows
    return rows.filter(state__in=states) if len(states) > 1 else rows.filter(state=states[0])


def _within(
    rows: QuerySet[Transaction], store_ids: tuple[int, ...] | None
) -> QuerySet[Transaction]:
    if store_ids is None:
        return rows
    if len(store_ids) == 1:
        return rows.filter(store_id=store_ids[0])
    return residually_within(rows, store_ids)


def residually_within(
    rows: QuerySet[Transaction], store_ids: tuple[int, ...]
) -> QuerySet[Transaction]:
    """Keep the rows of these stores, for conditions that few rows meet and that have an index."""
    # The sum keeps planners from an index of stores, which would cost a sort of all their rows.
    return rows.alias(store_key=F("store_id") + 0).filter(store_key__in=store_ids)


def _equals(**conditions: Any) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value is not None}


def _placed(
    rows: QuerySet[Transaction], cursor: Cursor | None, is_towards_newer: bool
) -> QuerySet[Transaction]:
    """Order the rows away from the cursor and start beside it."""
    if cursor is not None:
        side, step = ("gte", "gt") if is_towards_newer else ("lte", "lt")
        rows = rows.filter(
            # The first line bounds the index range; the second leaves out what was shown.
            Q(**{f"opened_at__{side}": cursor.opened_at}),
            Q(**{f"opened_at__{step}": cursor.opened_at})
            | Q(opened_at=cursor.opened_at, **{f"id__{step}": cursor.id}),
        )
    return rows.order_by("opened_at", "id") if is_towards_newer else rows.order_by(*NEWEST_FIRST)


def _in_chunks(
    rows: QuerySet[Transaction], columns: Sequence[str], chunk_rows: int
) -> Iterator[dict[str, Any]]:
    wanted = tuple(dict.fromkeys((*columns, "opened_at", "id")))
    cursor: Cursor | None = None
    while True:
        chunk = list(_placed(rows, cursor, is_towards_newer=False).values(*wanted)[:chunk_rows])
        yield from chunk
        if len(chunk) < chunk_rows:
            return
        cursor = Cursor(opened_at=chunk[-1]["opened_at"], id=chunk[-1]["id"])


def _place(row: Transaction) -> tuple[datetime, int]:
    return row.opened_at, row.pk


def _beside(row: Transaction, *, is_towards_newer: bool) -> Cursor:
    return Cursor(opened_at=row.opened_at, id=row.pk, is_towards_newer=is_towards_newer)
