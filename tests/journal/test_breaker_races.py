"""The breaker under real threads: every unknown counts, one opens it, one probes."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import breaker, programme
from backoffice.journal.models import ProgrammeState
from backoffice.journal.states import Product
from tests.journal.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_unknowns_at_the_same_moment_are_all_counted_and_open_it_once() -> None:
    now = timezone.now()
    calls = [partial(programme.unknown, Product.CASH, f"{number:064d}", now) for number in range(5)]
    assert at_once(*calls) == [None] * 5
    programme.forget()
    assert programme.standing(Product.CASH).why == breaker.Why.UNKNOWNS
    assert ProgrammeState.objects.count() == 1
    assert AuditEntry.objects.filter(event="breaker.opened").count() == 1


def test_of_many_sweeps_at_the_same_moment_one_probes() -> None:
    programme.outage(Product.CASH, timezone.now())
    now = timezone.now() + timedelta(seconds=1)
    told = at_once(*[partial(programme.take_probe, Product.CASH, now)] * 5)
    assert sorted(map(bool, told)) == [False] * 4 + [True]
    assert not [one for one in told if isinstance(one, Exception)]
