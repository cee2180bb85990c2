"""What the database refuses of a single row or of two, whoever asks it."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic

from backoffice.journal.models import Attempt, OfferResult, Payload, Transaction
from backoffice.journal.states import (
    GRANTED,
    LIVE_REVERSAL,
    SETTLED,
    TAKING_BACK,
    TERMINAL,
    UNSETTLED,
    Operation,
    State,
)
from tests.cast import Cast
from tests.journal.rows import DEADLINE, refused, written

pytestmark = pytest.mark.django_db
# States of the issuance are terminal words of the same column.
NO_LONGER_LIVE = sorted(set(State) - LIVE_REVERSAL)


def breaks(*names: str) -> str:
    """What either database says when one of these is broken: its name, or its columns."""
    return "|".join(names)


def test_every_constraint_has_its_test_here() -> None:
    # A constraint that is added without a test below is one that nobody saw refuse anything.
    named = {
        constraint.name
        for model in (Transaction, Attempt, Payload, OfferResult)
        for constraint in model._meta.constraints
    }
    assert named == {
        "transaction_state_known",
        "transaction_settled_due_or_with_a_person",
        "transaction_reversal_names_its_redemption",
        "transaction_reverses_another",
        "transaction_credit_is_never_cash",
        "transaction_one_live_reversal",
        "transaction_one_live_redemption_of_a_sale",
        "transaction_one_armed_of_a_collector",
        "transaction_one_issuance_of_a_sale",
        "transaction_corrected_once",
        "transaction_only_a_return_has_an_original",
        "offer_result_once",
        "offer_result_status_known",
        "attempt_fence_once",
        "payload_one_body",
    }


@pytest.mark.parametrize("state", ["", "nonsense", "Queued", "queued ", "failed"])
def test_a_state_is_one_of_the_known(cast: Cast, state: str) -> None:
    row = written(cast)
    statement = "UPDATE journal_transaction SET state = %s WHERE id = %s"
    refused("transaction_state_known", statement, state, row.pk)


@pytest.mark.parametrize("state", sorted(UNSETTLED))
def test_nothing_unsettled_is_without_a_due_time_or_a_person(cast: Cast, state: State) -> None:
    row = written(cast)
    unsettle = "UPDATE journal_transaction SET state = %s, due_at = NULL WHERE id = %s"
    refused("transaction_settled_due_or_with_a_person", unsettle, state, row.pk)
    Transaction.objects.filter(pk=row.pk).update(state=state, due_at=DEADLINE)
    Transaction.objects.filter(pk=row.pk).update(due_at=None, needs_person="conflict")


@pytest.mark.parametrize("state", sorted(SETTLED))
def test_what_is_settled_is_due_no_more(cast: Cast, state: State) -> None:
    assert written(cast, state=state, due_at=None).due_at is None


@pytest.mark.parametrize(
    "values",
    [
        {"credit_given": "cash", "credit_given_at": DEADLINE},
        {"credit_given": "store_credit", "credit_given_at": None},
        {"credit_given": "", "credit_given_at": DEADLINE},
    ],
)
def test_credit_is_one_of_two_and_never_cash(cast: Cast, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="transaction_credit_is_never_cash"), atomic():
        written(cast, state="done", due_at=None, **values)


def test_credit_belongs_to_a_redemption(cast: Cast) -> None:
    given = {"credit_given": "gift_card", "credit_given_at": DEADLINE}
    redemption = written(cast, state="done", due_at=None, **given)
    reversal = {"operation": "reverse", "reverses": redemption, "state": "expired"}
    with pytest.raises(IntegrityError, match="transaction_credit_is_never_cash"), atomic():
        written(cast, due_at=None, **reversal, **given)


def test_a_reversal_names_its_redemption_and_nothing_else_names_one(cast: Cast) -> None:
    redemption = written(cast, state="approved")
    for values in ({"operation": "reverse"}, {"operation": "redeem", "reverses": redemption}):
        with pytest.raises(IntegrityError, match="reversal_names_its_redemption"), atomic():
            written(cast, **values)


def test_nothing_reverses_itself(cast: Cast) -> None:
    last = written(cast)
    with pytest.raises(IntegrityError, match="transaction_reverses_another"), atomic():
        written(cast, id=last.pk + 1, operation="reverse", reverses_id=last.pk + 1)


@pytest.mark.parametrize("state", sorted(LIVE_REVERSAL))
def test_a_redemption_has_one_live_reversal(cast: Cast, state: State) -> None:
    redemption = written(cast, state="approved")
    written(cast, operation="reverse", reverses=redemption, state=state)
    with (
        pytest.raises(IntegrityError, match=breaks("one_live_reversal", "reverses_id")),
        atomic(),
    ):
        written(cast, operation="reverse", reverses=redemption)


@pytest.mark.parametrize("state", NO_LONGER_LIVE)
def test_a_reversal_that_failed_leaves_room_for_another(cast: Cast, state: State) -> None:
    redemption = written(cast, state="approved")
    written(cast, operation="reverse", reverses=redemption, state=state)
    written(cast, operation="reverse", reverses=redemption)
    assert redemption.reversals.count() == 2


@pytest.mark.parametrize("state", sorted(UNSETTLED | GRANTED))
def test_a_sale_has_one_redemption_that_is_open_or_stands(cast: Cast, state: State) -> None:
    first = written(cast, sale_ref="sale", state=state)
    broken = breaks("one_live_redemption_of_a_sale", "sale_ref")
    with pytest.raises(IntegrityError, match=broken), atomic():
        written(cast, sale_ref="sale")
    # Given back, the sale may be redeemed anew.
    Transaction.objects.filter(pk=first.pk).update(reversed_at=DEADLINE)
    written(cast, sale_ref="sale")


@pytest.mark.parametrize("state", sorted(TERMINAL - GRANTED))
def test_a_redemption_that_took_nothing_leaves_its_sale_open(cast: Cast, state: State) -> None:
    written(cast, sale_ref="sale", state=state)
    written(cast, sale_ref="sale")
    assert Transaction.objects.filter(sale_ref="sale").count() == 2


def test_a_collector_has_one_armed_send_whatever_its_operation(cast: Cast) -> None:
    redemption = written(cast, state="approved", collector_mac="collector")
    written(cast, state="armed", collector_mac="collector")
    broken = breaks("one_armed_of_a_collector", "collector_mac")
    for values in ({}, {"operation": "reverse", "reverses": redemption}):
        with pytest.raises(IntegrityError, match=broken), atomic():
            written(cast, state="armed", collector_mac="collector", **values)
    written(cast, state="armed", collector_mac="another")
    written(cast, state="doubt", collector_mac="collector")


@pytest.mark.parametrize("name", ["client_ref", "idempotency_key", "reference"])
def test_a_reference_stands_once(cast: Cast, name: str) -> None:
    value = str(uuid.uuid4())
    written(cast, **{name: value})
    with pytest.raises(IntegrityError, match=name), atomic():
        written(cast, **{name: value})


def test_a_right_to_send_is_used_once(cast: Cast) -> None:
    row = written(cast)
    attempt = {"transaction": row, "sender": "web", "armed_at": DEADLINE}
    Attempt.objects.create(fence=1, **attempt)
    Attempt.objects.create(fence=2, **attempt)
    broken = breaks("attempt_fence_once", "journal_attempt.transaction_id")
    with pytest.raises(IntegrityError, match=broken), atomic():
        Attempt.objects.create(fence=2, **attempt)


def test_a_transaction_has_one_body(cast: Cast) -> None:
    row = written(cast)
    values = {"transaction": row, "key_id": "k", "ciphertext": b"x", "mac": "m"}
    Payload.objects.create(**values)
    broken = breaks("payload_one_body", "journal_payload.transaction_id")
    with pytest.raises(IntegrityError, match=broken), atomic():
        Payload.objects.create(**values)
    for fence in (1, 2):
        attempt = Attempt.objects.create(
            transaction=row, fence=fence, sender="web", armed_at=DEADLINE
        )
        Payload.objects.create(attempt=attempt, **values)


def test_sales_without_a_collector_are_recorded_at_the_same_time(cast: Cast) -> None:
    for _ in range(2):
        written(cast, operation="record", state="armed", collector_mac="")


@pytest.mark.parametrize("state", sorted(set(State) - {State.NOT_SENT}))
def test_a_sale_earns_its_miles_once(cast: Cast, state: State) -> None:
    first = written(cast, operation="issue", sale_ref="sale", state=state)
    broken = breaks("one_issuance_of_a_sale", "sale_ref")
    with pytest.raises(IntegrityError, match=broken), atomic():
        written(cast, operation="issue", sale_ref="sale")
    # What is still owed for it is a correction; paying with miles is another matter.
    written(cast, operation="issue", sale_ref="sale", corrects=first)
    written(cast, operation="redeem", sale_ref="sale")


def test_miles_that_were_never_sent_leave_their_sale_open(cast: Cast) -> None:
    written(cast, operation="issue", sale_ref="sale", state="not_sent")
    written(cast, operation="issue", sale_ref="sale")


def test_an_operation_is_corrected_once(cast: Cast) -> None:
    first = written(cast, operation="issue", state="rejected")
    written(cast, operation="issue", corrects=first, state="rejected")
    broken = breaks("transaction_corrected_once", "corrects_id")
    with pytest.raises(IntegrityError, match=broken), atomic():
        written(cast, operation="issue", corrects=first)


@pytest.mark.parametrize("operation", sorted(Operation))
def test_only_what_takes_miles_back_has_an_original(cast: Cast, operation: Operation) -> None:
    given = written(cast, operation="issue", state="confirmed")
    links = {"reverses": written(cast)} if operation is Operation.REVERSE else {}
    if operation in TAKING_BACK:
        written(cast, operation=operation, original=given)
        return
    broken = "transaction_only_a_return_has_an_original"
    with pytest.raises(IntegrityError, match=broken), atomic():
        written(cast, operation=operation, original=given, **links)


def test_an_offer_of_a_transaction_ends_in_one_known_way(cast: Cast) -> None:
    values = {"transaction": written(cast, operation="issue"), "offer_code": "STANDARD"}
    OfferResult.objects.create(offer_id="1", miles=5, status="pending", **values)
    OfferResult.objects.create(offer_id="1", nth=2, miles=5, status="pending", **values)
    broken = breaks("offer_result_once", "journal_offerresult.transaction_id")
    with pytest.raises(IntegrityError, match=broken), atomic():
        OfferResult.objects.create(offer_id="1", miles=5, status="pending", **values)
    with pytest.raises(IntegrityError, match="offer_result_status_known"), atomic():
        OfferResult.objects.create(offer_id="2", miles=5, status="given", **values)
