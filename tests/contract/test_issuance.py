"""Miles given and taken back over real sockets, against the sandbox's own process."""

import json
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from backoffice.cards import Card, EntryMode
from backoffice.journal import line
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import OfferResult, Transaction
from backoffice.journal.states import TAKING_BACK, State
from backoffice.stores.models import Calculation
from backoffice.wire import Reply
from issuance import answers, messages, services
from issuance.codes import BY_PATH, FORMS
from issuance.orders import CalculationOrder, TransactionType
from tests.cast import Cast
from tests.contract import acts
from tests.contract.peer import sample
from tests.issuance import stories
from tests.issuance.baskets import CARD, award, basket
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]

SAMPLES = [one for one in sample("samples") if one["path"].startswith("/checkout/issuance/")]
ISSUE_PATH = "/checkout/issuance/issue"


@pytest.fixture
def partner(cast: Cast) -> Cast:
    """The same cast, whose sponsor works out the miles by its own offers."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    return cast


def card(number: str) -> Card:
    return Card(number=number, entry_mode=EntryMode.SCAN)


def assert_sums_agree(sandbox: Sandbox) -> None:
    """Both sides have the same miles, per card and offer."""
    theirs: Counter[tuple[str, str]] = Counter()
    for one in sandbox.effects():
        theirs[str(one["collector"])[-4:], one["offer_id"]] += one["miles"]
    ours: Counter[tuple[str, str]] = Counter()
    for offer in OfferResult.objects.filter(status="confirmed").select_related("transaction"):
        row = offer.transaction
        sign = -1 if row.operation in TAKING_BACK else 1
        ours[row.collector_last4, offer.offer_id] += sign * offer.miles
    assert {key: miles for key, miles in ours.items() if miles} == {
        key: miles for key, miles in theirs.items() if miles
    }


@pytest.mark.parametrize("one", SAMPLES, ids=[one["name"] for one in SAMPLES])
def test_a_printed_request_goes_through_us_as_printed(
    sandbox: Sandbox, one: dict[str, Any]
) -> None:
    message = BY_PATH[one["path"]]
    printed = json.dumps(one["request"]).encode()
    body = messages.build(messages.parse_request(message, printed))
    assert json.loads(body) == one["request"]
    key = "123e4567-e89b-12d3-a456-426655440000" if FORMS[message].has_key else None
    reply = line.platform().exchange(one["path"], body, idempotency_key=key)
    assert isinstance(reply, Reply) and reply.status == one["status"]
    finding = answers.finding_of(message, reply, earlier_unknown=False)
    printed_statuses = {offer.get("status") for offer in one["response"].get("issuances", [])}
    if not FORMS[message].has_key:
        assert finding.verdict is Verdict.DONE
    elif printed_statuses == {"PENDING"}:
        assert finding.verdict is Verdict.PENDING
    else:
        assert finding.verdict is Verdict.CONFIRMED
        assert finding.miles == 5
    assert finding.confirmation_number


def test_a_sale_is_given_and_taken_back(cast: Cast, sandbox: Sandbox) -> None:
    given = stories.give(cast)
    assert (given.state, len(given.confirmation_number)) == (State.CONFIRMED, 36)
    assert given.miles and given.offers.exclude(status="confirmed").count() == 0
    assert_sums_agree(sandbox)
    returned = stories.take_back(cast, given)
    assert (returned.state, returned.miles) == (State.CONFIRMED, given.miles)
    assert_sums_agree(sandbox)
    # Nothing is left of it.
    again = stories.take_back(cast, given)
    assert (again.state, again.needs_person) == (State.REJECTED, "rejected")
    assert again.offers.get().error_code == "AlreadyReversed"


def test_where_the_retailer_calculates_its_own_awards_are_given(
    partner: Cast, sandbox: Sandbox
) -> None:
    given = stories.give(partner, awards=(award(5), award(7, offer_id="22")))
    assert (given.state, given.miles) == (State.CONFIRMED, 12)
    returned = stories.take_back(partner, given, awards=(award(5),))
    assert (returned.state, returned.miles) == (State.CONFIRMED, 5)
    assert_sums_agree(sandbox)


def test_a_preview_moves_nothing(cast: Cast, sandbox: Sandbox) -> None:
    order = CalculationOrder(card=CARD, basket=basket(), transaction_type=TransactionType.PURCHASE)
    preview = services.calculate(order, actor=cast.actor, now=timezone.now())
    assert preview.offers
    assert not sandbox.effects() and not Transaction.objects.exists()
    given = stories.give(cast)
    assert given.miles == sum(offer.miles for offer in preview.offers)


def test_a_pending_card_is_confirmed_by_the_third_look(cast: Cast, sandbox: Sandbox) -> None:
    row = stories.give(cast, card=card("80000020202"))
    assert row.state == State.PENDING
    later = stories.give(cast, card=card("80000020202"))
    assert later.state == State.QUEUED
    for _look in range(3):
        row = stories.settle(row)
    assert row.state == State.CONFIRMED
    acts.assert_sent_identically(sandbox, row, times=4)
    assert_sums_agree(sandbox)


def test_a_card_that_is_pending_for_ever_stays_so_and_holds_up_only_its_own(
    cast: Cast, sandbox: Sandbox
) -> None:
    row = stories.give(cast, card=card("80000020203"))
    for _look in range(4):
        row = stories.settle(row)
        assert (row.state, row.needs_person) == (State.PENDING, "")
    acts.assert_sent_identically(sandbox, row, times=5)
    behind = stories.give(cast, card=card("80000020203"))
    assert behind.state == State.QUEUED and behind.fence == 0
    assert stories.give(cast).state == State.CONFIRMED
    assert acts.redeem(cast, "80000020203").is_granted


@pytest.mark.parametrize("calculation", Calculation)
def test_one_offer_of_a_card_is_rejected_and_the_others_given(
    cast: Cast, sandbox: Sandbox, calculation: Calculation
) -> None:
    cast.sponsor.calculation = calculation
    cast.sponsor.save()
    is_ours = calculation == Calculation.PARTNER
    awards = (award(5), award(7, offer_id="22")) if is_ours else ()
    row = stories.give(cast, card=card("80000020207"), awards=awards)
    assert (row.state, row.needs_person) == (State.PARTIAL, "rejected")
    rejected = row.offers.get(status="rejected")
    assert rejected.error_code == "OfferExpired"
    assert row.miles == sum(offer.miles for offer in row.offers.filter(status="confirmed"))
    assert_sums_agree(sandbox)


@pytest.mark.parametrize("calculation", Calculation)
def test_an_unknown_collector_is_rejected_with_the_programmes_reason(
    cast: Cast, sandbox: Sandbox, calculation: Calculation
) -> None:
    cast.sponsor.calculation = calculation
    cast.sponsor.save()
    awards = (award(5),) if calculation == Calculation.PARTNER else ()
    row = stories.give(cast, card=card("80000020400"), awards=awards)
    assert (row.state, row.needs_person, row.http_status) == (State.REJECTED, "rejected", 400)
    assert {offer.error_code for offer in row.offers.all()} == {"CollectorNotFound"}
    assert not sandbox.effects()


def test_a_card_that_fails_twice_is_confirmed_in_the_same_request(
    cast: Cast, sandbox: Sandbox
) -> None:
    row = stories.give(cast, card=card("80000020500"))
    assert row.state == State.CONFIRMED
    acts.assert_sent_identically(sandbox, row, times=3)
    assert_sums_agree(sandbox)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_lost_answer_is_asked_for_again_and_given_once(
    cast: Cast, sandbox: Sandbox, fault: str
) -> None:
    sandbox.fault(fault, path=ISSUE_PATH)
    row = stories.give(cast)
    assert row.state == State.DOUBT
    assert stories.settle(row).state == State.CONFIRMED
    acts.assert_sent_identically(sandbox, row, times=2)
    assert_sums_agree(sandbox)


def test_what_was_pending_may_end_rejected(cast: Cast, sandbox: Sandbox) -> None:
    sandbox.control("pending", mode="looks", looks=1, ends="rejected")
    row = stories.give(cast)
    assert row.state == State.PENDING
    row = stories.settle(row)
    assert (row.state, row.needs_person) == (State.REJECTED, "rejected")
    assert {offer.error_code for offer in row.offers.all()} == {"NotProcessed"}
    assert_sums_agree(sandbox)


def test_a_return_waits_for_its_pending_sale(cast: Cast, sandbox: Sandbox) -> None:
    sandbox.control("pending", mode="looks", looks=2)
    given = stories.give(cast)
    returned = stories.take_back(cast, given)
    assert (given.state, returned.state) == (State.PENDING, State.QUEUED)
    for _look in range(2):
        given = stories.settle(given)
    assert given.state == State.CONFIRMED
    sandbox.control("pending", mode="at_once")
    services.settle_due(sender="sweep")
    returned.refresh_from_db()
    assert (returned.state, returned.miles) == (State.CONFIRMED, given.miles)
    assert_sums_agree(sandbox)


def test_an_event_is_given_at_the_second_look_and_may_be_taken_back(
    cast: Cast, sandbox: Sandbox
) -> None:
    row = stories.event(cast)
    assert row.state == State.PENDING
    row = stories.settle(row)
    assert (row.state, row.miles) == (State.CONFIRMED, 8)
    back = stories.event(cast, is_taking_back=True, original_id=row.checkout_id)
    back = stories.settle(back)
    assert (back.state, back.miles) == (State.CONFIRMED, 8)
    assert_sums_agree(sandbox)


@pytest.mark.parametrize("collector", [None, CARD])
def test_a_sale_that_earned_nothing_is_recorded(
    cast: Cast, sandbox: Sandbox, collector: Card | None
) -> None:
    row = stories.record(cast, card=collector)
    assert (row.state, len(row.confirmation_number)) == (State.DONE, 36)
    assert not sandbox.effects()


def test_a_connection_test_is_taken_and_is_no_sale(cast: Cast, sandbox: Sandbox) -> None:
    heard = services.try_record(cast.till, now=timezone.now())
    assert heard is not None and (heard.http_status, heard.silence) == (200, None)
    assert heard.answer is not None and len(heard.answer.transaction_id) == 36
    assert not sandbox.effects() and not Transaction.objects.exists()
