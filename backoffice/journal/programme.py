"""How the programme answers just now, and the breakers: the only writer of ProgrammeState.

Each product has a row and a breaker of its own: what one does not answer says nothing of the other.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.journal import breaker
from backoffice.journal.breaker import Breaker
from backoffice.journal.models import ProgrammeState
from backoffice.journal.states import Product
from backoffice.people.actors import Channel

# What the column holds: a clock that is off by more than 24 days is off by that much.
_MOST_MS = 2**31 - 1
# A sale must not cost a query more. What this process changes, it knows at once.
_REMEMBERED_S = 1.0
_seen: dict[tuple[str, Product], tuple[float, Breaker]] = {}


def heard(
    *,
    is_up: bool,
    answer_ms: int,
    response_code: str,
    now: datetime,
    is_outage: bool = False,
    dated: datetime | None = None,
) -> None:
    """Note what the last ECHO brought: a good one closes AM Cash's breaker, an outage opens it.

    `dated` is when the programme says that it answered; its clock counts whole seconds.
    """
    with atomic(durable=True):
        state = _locked(Product.CASH)
        if state.is_up != is_up or state.changed_at is None:
            state.changed_at = now
        state.is_up = is_up
        state.answer_ms = answer_ms
        state.response_code = response_code
        state.heard_at = now
        state.skew_ms = None if dated is None else _skew_ms(now - dated)
        before = _breaker_of(state)
        if is_up:
            _keep(state, before, breaker.CLOSED)
        elif is_outage:
            _keep(state, before, breaker.after_outage(before, now=now))
        state.save()
    forget()


def _skew_ms(skew: timedelta) -> int:
    return max(-_MOST_MS, min(_MOST_MS, round(skew.total_seconds() * 1000)))


def is_due(now: datetime, *, every: timedelta) -> bool:
    """Say whether nobody has felt the pulse for a while.

    Several sweeps may feel it; one a few seconds ago is as good as one now.
    """
    state = ProgrammeState.objects.filter(product=Product.CASH).first()
    return state is None or state.heard_at is None or now - state.heard_at >= every


def standing(product: Product) -> Breaker:
    """Return how the breaker of a product stands, as read a moment ago at most."""
    of = (str(connection.settings_dict["NAME"]), product)
    read_at, known = _seen.get(of, (-_REMEMBERED_S, breaker.CLOSED))
    if time.monotonic() - read_at < _REMEMBERED_S:
        return known
    state = ProgrammeState.objects.filter(product=product).first()
    known = breaker.CLOSED if state is None else _breaker_of(state)
    _seen[of] = (time.monotonic(), known)
    return known


def forget() -> None:
    """Read the breakers anew at the next question."""
    _seen.clear()


def outage(product: Product, now: datetime) -> None:
    """Note that the programme said that no requests can be sent."""
    if not standing(product).is_open:
        _change(product, lambda before: breaker.after_outage(before, now=now))


def unknown(product: Product, collector_mac: str, now: datetime) -> None:
    """Note that what was sent for this collector has no known outcome."""
    before = standing(product)
    if breaker.after_unknown(before, collector=collector_mac, now=now) != before:
        _change(product, lambda read: breaker.after_unknown(read, collector=collector_mac, now=now))


def answered(product: Product) -> None:
    """Note that the programme answered a till, or an operation that a sweep asked again."""
    if standing(product).suspects:
        _change(product, breaker.after_answer)


def recovered(product: Product) -> None:
    """Note that the programme answered what was sent to probe an open breaker: it closes."""
    if standing(product).is_open:
        _change(product, lambda _before: breaker.CLOSED)


def take_probe(product: Product, now: datetime, *, patience: timedelta = timedelta(0)) -> bool:
    """Say whether the caller is to send the next probe of an open breaker; only one is told so."""
    if not standing(product).is_open:
        return False
    forget()
    due = standing(product)
    if not breaker.is_probe_due(due, now=now, patience=patience):
        return False
    after = breaker.after_probe(due, now=now)
    same = ProgrammeState.objects.filter(product=product, probe_at=due.probe_at)
    is_ours = same.update(probe_at=after.probe_at) == 1
    forget()
    return is_ours


def _change(product: Product, decide: Callable[[Breaker], Breaker]) -> None:
    with atomic(durable=True):
        state = _locked(product)
        before = _breaker_of(state)
        after = decide(before)
        if after != before:
            _keep(state, before, after)
            state.save()
    forget()


def _locked(product: Product) -> ProgrammeState:
    ProgrammeState.objects.get_or_create(product=product)
    return ProgrammeState.objects.select_for_update().get(product=product)


def _keep(state: ProgrammeState, before: Breaker, after: Breaker) -> None:
    state.breaker_opened_at = after.opened_at
    state.breaker_why = after.why
    state.probe_at = after.probe_at
    state.suspects = list(after.suspects)
    if after.is_open != before.is_open:
        trail.record(
            "breaker.opened" if after.is_open else "breaker.closed",
            subject="programme",
            actor="milepost",
            channel=Channel.SETTLE,
            details={"product": state.product, "why": after.why or before.why},
        )


def _breaker_of(state: ProgrammeState) -> Breaker:
    return Breaker(
        opened_at=state.breaker_opened_at,
        why=state.breaker_why,
        probe_at=state.probe_at,
        suspects=tuple(state.suspects),
    )
