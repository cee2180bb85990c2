"""An inquiry says what may be offered, and what may be kept of any answer."""

import json

import pytest

from amcash import services
from amcash.orders import Card, EntryMode
from backoffice.audit.models import AuditEntry
from backoffice.journal import payloads
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import State
from tests.amcash.stories import inquire, redeem
from tests.cast import COLLECTOR, Cast
from tests.scripted import (
    ScriptedPlatform,
    approved,
    offer,
    raw,
    silence,
)

pytestmark = pytest.mark.django_db


def test_the_default_is_the_basket_rounded_down_to_whole_units(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(units=9))
    found = inquire(cast).offer
    assert found is not None
    assert (found.max_units, found.default_units) == (4, 4)
    assert [(step.off_cents, step.miles, step.left_cents) for step in found.steps] == [
        (1000, 95, 3335),
        (2000, 190, 2335),
        (3000, 285, 1335),
        (4000, 380, 335),
    ]


def test_a_suppressed_account_is_offered_without_todays_maximum(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(offer(response_code="0001"))
    found = inquire(cast)
    assert found.kind is services.InquiryKind.OFFER
    assert found.offer is not None and found.offer.today_units is None


@pytest.mark.parametrize("response_code", ["0005", "0006"])
def test_a_closed_account_is_offered_nothing_even_if_fields_come(
    cast: Cast, scripted: ScriptedPlatform, response_code: str
) -> None:
    scripted.will(offer(response_code=response_code))
    found = inquire(cast)
    assert found.kind is services.InquiryKind.NO_OFFER and found.offer is None


def test_a_typed_number_is_offered_nothing(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(offer())
    found = inquire(cast, card=Card(number=COLLECTOR, entry_mode=EntryMode.MANUAL))
    assert found.kind is services.InquiryKind.NO_OFFER


def test_an_inquiry_is_tried_twice_and_is_then_silent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    assert inquire(cast).kind is services.InquiryKind.SILENT
    assert len(scripted.sent) == 2 and scripted.sent[0] == scripted.sent[1]


def test_a_suppressed_balance_is_not_even_stored(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved(response_code="0001"))
    row = redeem(cast)
    kept = payloads.answer_of(row)
    assert kept is not None
    assert row.state == State.APPROVED and row.units == 4
    fields = json.loads(kept)
    assert not {"cashBalance", "dreamBalance", "availableCashBalance"} & fields.keys()


def test_nothing_of_an_unreadable_answer_is_stored(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(raw(200, b'{"cashBalance": "820", "collectorNumber": "80000010001"}'))
    row = redeem(cast)
    assert payloads.answer_of(row) is None
    assert row.payloads.count() == 1
    assert Attempt.objects.filter(transaction=row).count() == 2


def test_a_card_number_stands_nowhere_in_the_clear(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    row = redeem(cast)
    values = [str(value) for value in Transaction.objects.values_list().get(pk=row.pk)]
    values += [str(entry.details) + entry.subject for entry in AuditEntry.objects.all()]
    values += [bytes(payload.ciphertext).decode("latin-1") for payload in row.payloads.all()]
    assert not any(COLLECTOR in value for value in values)
    assert json.loads(payloads.body_of(row))["collectorNumber"] == COLLECTOR
