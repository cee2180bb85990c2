"""Credit and a reversal in the same moment: the customer gets one of the two."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.journal import entries
from backoffice.journal.choices import Credit
from backoffice.journal.entries import Conflict, Refused
from backoffice.journal.models import Transaction
from tests.cast import Cast
from tests.journal.rows import LEASE, approved, cancel, intent
from tests.journal.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def give(cast: Cast, row: Transaction, kind: Credit = Credit.GIFT_CARD) -> bool:
    return entries.give_credit(
        row, kind, is_over=True, actor=cast.actor, now=row.deadline_at - timedelta(minutes=1)
    )[1]


def reverse(cast: Cast, row: Transaction) -> bool:
    wanted = intent(
        operation="reverse", path="/checkout/amcash/reverse", reverses=row, asked="back"
    )
    _row, is_new = entries.open_transaction(
        wanted, actor=cast.actor, sender="web", now=timezone.now(), lease=LEASE
    )
    return is_new


@pytest.mark.parametrize("round_", range(4))
def test_of_credit_and_a_reversal_at_the_same_moment_one_happens(cast: Cast, round_: int) -> None:
    row = approved(cast)
    given, begun = at_once(partial(give, cast, row), partial(reverse, cast, row))
    row.refresh_from_db()
    assert (row.credit_given == "") is row.reversals.exists()
    if row.credit_given:
        assert given is True
        assert isinstance(begun, Refused) and begun.conflict is Conflict.CREDIT_GIVEN
    else:
        assert (given, begun) == (False, True)


@pytest.mark.parametrize("round_", range(4))
def test_of_credit_and_paid_another_way_at_the_same_moment_one_happens(
    cast: Cast, round_: int
) -> None:
    row = approved(cast)
    results = at_once(partial(give, cast, row), partial(cancel, cast, row))
    assert not [one for one in results if isinstance(one, Exception)]
    row.refresh_from_db()
    assert (row.credit_given == "") is row.reversals.exists()


def test_two_tills_record_one_kind(cast: Cast) -> None:
    row = approved(cast)
    results = at_once(*(partial(give, cast, row, kind) for kind in Credit))
    assert sorted(map(bool, results)) == [False, True]
    assert AuditEntry.objects.filter(event="redemption.credit_given").count() == 1
