"""Two people, or a person and the programme's answer, in the same moment."""

from functools import partial

import pytest
from django.utils import timezone

from backoffice.journal import entries
from backoffice.journal.decisions import Verdict
from backoffice.journal.entries import Refused
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import State
from tests.cast import Cast
from tests.journal.rows import finding
from tests.journal.test_races import at_once
from tests.journal.test_rulings import confirm, propose, with_a_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_of_two_proposals_at_the_same_moment_one_stands(cast: Cast) -> None:
    row = with_a_person(cast)
    results = at_once(
        partial(propose, row, cast.manager, State.DONE),
        partial(propose, row, cast.administrator, State.DECLINED),
    )
    assert sorted(isinstance(one, Refused) for one in results) == [False, True]
    assert row.decisions.count() == 1


def test_of_a_confirmation_and_a_rejection_one_stands(cast: Cast) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DECLINED)
    proposal = entries.proposal_of(row)
    assert proposal is not None
    reject = partial(
        entries.reject, row, proposal.pk, note="No.", person=cast.manager, now=timezone.now()
    )
    results = at_once(partial(confirm, row, cast.administrator, proposal.pk), reject)
    assert sorted(isinstance(one, Refused) for one in results) == [False, True]
    assert row.decisions.count() == 2


@pytest.mark.parametrize("round_", range(4))
def test_a_decision_beside_the_programmes_answer_loses_neither(cast: Cast, round_: int) -> None:
    row = propose(with_a_person(cast), cast.manager, State.DECLINED)
    late = row.fence + 1
    now = timezone.now()
    Attempt.objects.create(transaction=row, fence=late, sender="late", armed_at=now, result="")
    Transaction.objects.filter(pk=row.pk).update(fence=late)
    mine = entries.reread(row)
    answer = partial(entries.record, mine, finding(Verdict.APPROVED), now=timezone.now())
    decided, answered = at_once(partial(confirm, row, cast.administrator), answer)
    assert not isinstance(answered, Exception)
    row.refresh_from_db()
    assert row.attempts.get(fence=late).result == "answered"
    if isinstance(decided, Refused):
        # The answer was first: whoever proposed did not know it.
        assert row.state == State.MANUAL
    else:
        assert (row.state, row.needs_person) == (State.DECLINED, "conflict")
