"""The breaker's decisions, one line each: what opens it, what does not, when to probe."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from backoffice.journal import breaker, programme
from backoffice.journal.breaker import CLOSED, Breaker, Why
from backoffice.journal.models import ProgrammeState
from backoffice.journal.states import Product

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
OPEN = Breaker(opened_at=NOON, why=Why.OUTAGE, probe_at=NOON)


def unknowns(collectors: str, start: Breaker = CLOSED) -> Breaker:
    """One unknown outcome for each letter, a collector's."""
    for collector in collectors:
        start = breaker.after_unknown(start, collector=collector, now=NOON)
    return start


def test_one_outage_opens_it_and_wants_a_probe_at_once() -> None:
    opened = breaker.after_outage(CLOSED, now=NOON)
    assert opened == Breaker(opened_at=NOON, why=Why.OUTAGE, probe_at=NOON)
    assert breaker.is_probe_due(opened, now=NOON)


@pytest.mark.parametrize(
    ("collectors", "is_open"),
    [
        ("", False),
        ("abcd", False),
        ("abcde", True),
        ("aaaaaaaa", False),
        ("abababab", False),
        ("aabbccdde", True),
    ],
)
def test_unknowns_open_it_only_from_different_collectors(collectors: str, is_open: bool) -> None:
    after = unknowns(collectors)
    assert after.is_open is is_open
    assert after.why == (Why.UNKNOWNS if is_open else "")
    # Who was under suspicion is of no more use once it is open.
    assert after.suspects == (() if is_open else tuple(dict.fromkeys(collectors)))


def test_an_answer_between_ends_the_row_of_unknowns() -> None:
    after = breaker.after_answer(unknowns("abcd"))
    assert after == CLOSED
    assert not unknowns("efgh", after).is_open


@pytest.mark.parametrize("later", [NOON, NOON + timedelta(hours=1)])
def test_once_open_it_keeps_its_since_and_why_whatever_goes_wrong(later: datetime) -> None:
    assert breaker.after_outage(OPEN, now=later) == OPEN
    assert breaker.after_unknown(OPEN, collector="a", now=later) == OPEN


def test_an_answer_does_not_close_it_because_it_may_be_older_than_the_trouble() -> None:
    assert breaker.after_answer(OPEN) == OPEN


@pytest.mark.parametrize(
    ("seconds", "patience_s", "is_due"),
    [(0, 0, False), (4.9, 0, False), (5, 0, True), (5, 15, False), (19, 15, False), (20, 15, True)],
)
def test_it_is_probed_every_five_seconds_and_by_a_till_when_nobody_else_does(
    seconds: float, patience_s: int, is_due: bool
) -> None:
    probed = breaker.after_probe(OPEN, now=NOON)
    now = NOON + timedelta(seconds=seconds)
    patience = timedelta(seconds=patience_s)
    assert breaker.is_probe_due(probed, now=now, patience=patience) is is_due


def test_a_closed_one_is_not_probed() -> None:
    assert not breaker.is_probe_due(CLOSED, now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_is_off_by_months_is_noted_as_far_as_the_column_goes(days: int) -> None:
    now = timezone.now()
    dated = now + timedelta(days=days)
    programme.heard(is_up=True, answer_ms=1, response_code="0000", now=now, dated=dated)
    state = ProgrammeState.objects.get(product=Product.CASH)
    assert state.skew_ms == (-1 if days > 0 else 1) * (2**31 - 1)
