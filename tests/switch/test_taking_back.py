"""Taking back on the switch: which original a message names, and what of it decides (PRODUCT 2)."""

import pytest

from backoffice.journal.models import Transaction
from backoffice.journal.states import State
from issuance import approvals, selectors, services
from tests.issuance.stories import confirmed, pending, settle
from tests.scripted import ScriptedPlatform, silence
from tests.switch.issuing import (
    ISSUE,
    ORIGINAL,
    POST,
    POST_EVENT,
    RETURN,
    REVERSE,
    REVERSE_EVENT,
    asked,
)
from tests.switch.till import Till

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_return_waits_for_the_sale_that_it_names(till: Till, scripted: ScriptedPlatform) -> None:
    scripted.will(pending())
    given = till.post(ISSUE, asked(ISSUE)).row
    back = asked(RETURN, originalTransactionId=given.checkout_id, checkoutTransactionId="2")
    heard = till.post(RETURN, back)
    assert (heard.status, heard.row.state) == (500, State.QUEUED)
    assert heard.row.original == given
    scripted.will(confirmed())
    settle(given)
    services.settle_due(sender="settle in a test")
    again = till.post(RETURN, back)
    assert again.status == 200
    # The sale is named as the till named it.
    assert scripted.sent[-1].fields["originalTransactionId"] == given.checkout_id


@pytest.mark.parametrize(
    ("giving", "taking_back", "name"),
    [
        (ISSUE, RETURN, "confirmation_number"),
        (POST_EVENT, REVERSE_EVENT, "checkout_id"),
    ],
)
def test_what_takes_back_what_came_to_nothing_takes_nothing(
    till: Till, scripted: ScriptedPlatform, giving: str, taking_back: str, name: str
) -> None:
    scripted.will(pending())
    given = till.post(giving, asked(giving)).row
    back = asked(taking_back, **{ORIGINAL[taking_back]: getattr(given, name)})
    till.post(taking_back, back)
    scripted.will(confirmed("REJECTED"))
    settle(given)
    services.settle_due(sender="settle in a test")
    heard = till.post(taking_back, back)
    assert (heard.status, heard.row.state) == (400, State.NOT_SENT)
    assert heard.fields["errors"][0]["errorCode"] == "NothingToTakeBack"


def test_an_event_that_is_pending_is_taken_back_after_it(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(pending())
    given = till.post(POST_EVENT, asked(POST_EVENT, clientTransactionId="E-1")).row
    back = asked(REVERSE_EVENT, clientTransactionId="E-2", originalClientTransactionId="E-1")
    heard = till.post(REVERSE_EVENT, back)
    assert (heard.status, heard.row.state) == (500, State.QUEUED)
    assert heard.row.original == given
    assert len(scripted.sent) == 1
    scripted.will(confirmed())
    settle(given)
    services.settle_due(sender="settle in a test")
    again = till.post(REVERSE_EVENT, back)
    assert (again.status, again.row) == (200, heard.row)
    # The event is named as the till named it.
    assert scripted.sent[-1].fields == back


@pytest.mark.parametrize("number", ["checkout_id", "confirmation_number"])
def test_an_event_is_known_by_the_tills_number_and_by_the_programmes(
    till: Till, scripted: ScriptedPlatform, number: str
) -> None:
    scripted.will(confirmed())
    given = till.post(POST_EVENT, asked(POST_EVENT, clientTransactionId="E-1")).row
    named = {"originalClientTransactionId": getattr(given, number)}
    heard = till.post(REVERSE_EVENT, asked(REVERSE_EVENT, **named))
    assert (heard.status, heard.row.original) == (200, given)


@pytest.mark.parametrize(
    ("giving", "taking_back", "is_known"),
    [
        (POST, REVERSE, True),
        (POST_EVENT, REVERSE, True),
        (POST, REVERSE_EVENT, True),
        (POST_EVENT, REVERSE_EVENT, True),
        (ISSUE, RETURN, True),
        # RETURN is calculated from a sale.
        (POST_EVENT, RETURN, False),
    ],
)
@pytest.mark.parametrize("name", ["checkout_id", "confirmation_number"])
def test_what_a_message_may_name_is_found_and_waited_for(
    till: Till,
    scripted: ScriptedPlatform,
    giving: str,
    taking_back: str,
    is_known: bool,
    name: str,
) -> None:
    scripted.will(pending())
    given = till.post(giving, asked(giving)).row
    # Nothing else keeps it waiting: it is a person's.
    Transaction.objects.filter(pk=given.pk).update(
        state=State.MANUAL, needs_person="replay_over", due_at=None
    )
    scripted.will(confirmed())
    field = ORIGINAL[taking_back]
    back = {field: getattr(given, name), "collectorNumber": asked(giving)["collectorNumber"]}
    heard = till.post(taking_back, asked(taking_back, **back))
    # What is not found is the programme's to judge.
    assert (heard.status, heard.row.original) == ((500, given) if is_known else (200, None))


def test_of_two_with_one_number_the_likelier_is_meant(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed())
    event = till.post(POST_EVENT, asked(POST_EVENT, clientTransactionId="7")).row
    card = {"collectorNumber": asked(POST_EVENT)["collectorNumber"]}
    sale = till.post(POST, asked(POST, checkoutTransactionId="7", **card)).row
    for taking_back, meant in ((REVERSE, sale), (REVERSE_EVENT, event)):
        named = {ORIGINAL[taking_back]: "7", **card}
        back = till.post(taking_back, asked(taking_back, **named))
        assert back.row.original == meant


def test_a_return_of_a_sale_that_is_not_ours_is_the_programmes_to_judge(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed())
    heard = till.post(RETURN, asked(RETURN))
    assert heard.status == 200 and heard.row.original is None


def test_what_a_till_took_back_of_an_event_the_office_does_not_take_again(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed())
    given = till.post(POST_EVENT, asked(POST_EVENT, clientTransactionId="E-1")).row
    assert approvals.may_come_back(given) == given.miles == 8
    scripted.will(silence())
    back = {"clientTransactionId": "E-2", "originalClientTransactionId": "E-1"}
    (offer,) = asked(REVERSE_EVENT)["issuances"]
    three = asked(REVERSE_EVENT, **back, issuances=[offer | {"milesAmount": 3}])
    heard = till.post(REVERSE_EVENT, three)
    # A doubt may have taken what it asks for.
    assert heard.row.state == State.DOUBT and approvals.may_come_back(given) == 5
    scripted.will(confirmed("REJECTED"))
    assert settle(heard.row).state == State.REJECTED
    assert approvals.may_come_back(given) == 8
    scripted.will(confirmed())
    again = till.post(REVERSE_EVENT, asked(REVERSE_EVENT, **back | {"clientTransactionId": "E-3"}))
    assert again.status == 200 and approvals.may_come_back(given) == 0


def test_miles_of_a_sale_that_an_event_took_back_are_taken_once(
    till: Till, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed())
    same = {name: asked(POST)[name] for name in ("collectorNumber", "issuances")}
    sale = till.post(POST, asked(POST)).row
    sold = selectors.sale_of(sale)
    assert sold is not None and sale.miles
    assert sum(one.miles for one in selectors.awards_back(sale, sold.basket)) == sale.miles
    named = {"originalClientTransactionId": sale.checkout_id, "clientTransactionId": "E-2"}
    back = till.post(REVERSE_EVENT, asked(REVERSE_EVENT, **same, **named))
    assert (back.status, back.row.original) == (200, sale)
    # Its goods are still to come back, and its miles are not to be taken twice.
    assert selectors.awards_back(sale, sold.basket) == ()
    left = selectors.left_of(sale)
    assert left == {one.number: one.quantity for one in sold.basket.items}
