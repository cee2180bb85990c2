"""Two tills return the same sale: whoever counted without the other's return is refused."""

from dataclasses import replace

import pytest
from django.utils import timezone

from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from backoffice.stores.models import Calculation
from issuance import selectors, services
from issuance.orders import ReturnOrder
from issuance.rules import Reason
from issuance.services import Outcome, Refused
from tests.cast import Cast
from tests.issuance.baskets import CARD, award, basket
from tests.issuance.stories import confirmed, give
from tests.journal.test_races import at_once
from tests.scripted import ScriptedPlatform


def sold(cast: Cast, scripted: ScriptedPlatform) -> Transaction:
    """A sale whose miles our own offers gave."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    scripted.will(confirmed())
    return give(cast, awards=(award(5),))


def counted(row: Transaction, press: str) -> ReturnOrder:
    """The order of a till that has counted what a return of everything takes back."""
    returns = selectors.returns_of(row)
    return ReturnOrder(
        client_ref=press,
        sale_ref=press,
        card=CARD,
        basket=basket(),
        language="en",
        original=row.reference,
        awards=selectors.awards_back(row, basket()),
        counted=returns,
    )


@pytest.mark.django_db
def test_a_return_counted_before_another_one_was_there_is_refused(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = sold(cast, scripted)
    first, second = counted(row, "first"), counted(row, "second")
    taken = services.take_back(first, row, actor=cast.actor, now=timezone.now())
    assert taken.transaction.state == State.CONFIRMED
    with pytest.raises(Refused) as refusal:
        services.take_back(second, row, actor=cast.actor, now=timezone.now())
    assert refusal.value.reason is Reason.STATE_CHANGED
    assert Transaction.objects.filter(operation=Operation.RETURN).count() == 1
    # The same press again is no second return, and finds its own.
    again = services.take_back(first, row, actor=cast.actor, now=timezone.now())
    assert again.transaction == taken.transaction and not again.is_new


@pytest.mark.django_db
def test_a_return_of_which_nothing_came_counts_no_more(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    row = sold(cast, scripted)
    waiting = counted(row, "waiting")
    scripted.will(confirmed("REJECTED"))
    services.take_back(counted(row, "first"), row, actor=cast.actor, now=timezone.now())
    scripted.will(confirmed())
    taken = services.take_back(waiting, row, actor=cast.actor, now=timezone.now())
    assert taken.transaction.state == State.CONFIRMED


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("is_queued", [False, True], ids=["sent", "queued"])
def test_two_tills_return_one_sale_at_once_and_one_of_them_takes_the_miles(
    cast: Cast, scripted: ScriptedPlatform, is_queued: bool
) -> None:
    row = sold(cast, scripted)
    if is_queued:
        # Behind an unsettled issuance of the collector neither has a right to send to wait for.
        scripted.will(confirmed("PENDING"))
        give(cast, awards=(award(3),))
        scripted.will(confirmed())
    orders = [counted(row, "first"), counted(row, "second")]

    def press(order: ReturnOrder) -> Outcome:
        return services.take_back(replace(order), row, actor=cast.actor, now=timezone.now())

    results = at_once(*(lambda order=order: press(order) for order in orders))
    refused = [result for result in results if isinstance(result, Refused)]
    assert [refusal.reason for refusal in refused] == [Reason.STATE_CHANGED], results
    (taken,) = Transaction.objects.filter(operation=Operation.RETURN)
    assert taken.state == (State.QUEUED if is_queued else State.CONFIRMED)
