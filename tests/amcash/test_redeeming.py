"""Redeem, with a scripted platform and a real database: what each answer and silence leaves."""

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode
from amcash.rules import Reason
from backoffice.journal.models import Transaction
from backoffice.journal.states import Shown, State
from backoffice.units import Cents
from tests.amcash.stories import events, inquire, order, redeem
from tests.cast import COLLECTOR, Cast
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    approved,
    busy,
    code,
    not_sent,
    raw,
    reply,
    silence,
)

pytestmark = pytest.mark.django_db


def test_an_approval_grants_what_the_platform_says_and_not_what_was_asked(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved(units=1))
    row = redeem(
        cast, basket_cents=Cents(1612), original_cents=Cents(1612), asked_cents=Cents(1612)
    )
    assert row.state == State.APPROVED
    assert (row.units, row.miles, row.amount_cents) == (1, 95, 1000)
    assert row.asked_cents == 1612
    assert row.confirmation_number == CONFIRMATION
    assert row.due_at is None and row.settled_at is not None
    assert events(row) == ["redemption.armed", "redemption.approved"]


def test_the_body_says_what_the_programme_asks_for(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    row = redeem(cast)
    (sent,) = scripted.sent
    assert sent.path == "/checkout/amcash/redeem"
    assert sent.idempotency_key == str(row.idempotency_key)
    fields = sent.fields
    assert fields.pop("dateTime").endswith(("-0500", "-0400"))
    assert fields == {
        "acquirerId": "100000",
        "cardEntryMode": "SCAN",
        "collectorNumber": COLLECTOR,
        "deviceId": "001",
        "dollarRedeemRequest": "40.00",
        "instantMessage": "en-CA",
        "originalPostTaxBasketAmount": "43.35",
        "postTaxBasketAmount": "43.35",
        "sponsorCode": "LOY1",
        "storeId": "0001",
        "traceId": row.trace_id,
        "vendorId": "100087",
    }


def test_a_second_press_returns_the_first_outcome_and_sends_nothing(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    press = order()
    first = services.redeem(press, actor=cast.actor, now=timezone.now())
    second = services.redeem(press, actor=cast.actor, now=timezone.now())
    assert (first.is_new, second.is_new) == (True, False)
    assert first.transaction == second.transaction
    assert len(scripted.sent) == 1


def test_the_same_press_with_another_amount_is_refused(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redeem(cast, client_ref="one-press", sale_ref="one-sale")
    with pytest.raises(services.Refused) as refused:
        redeem(cast, client_ref="one-press", sale_ref="one-sale", asked_cents=Cents(1000))
    assert refused.value.reason is Reason.OTHER_CONTENT
    assert len(scripted.sent) == 1
    assert Transaction.objects.get().asked_cents == 4000


def test_a_typed_card_is_refused_before_anything_is_sent_or_written(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    with pytest.raises(services.Refused) as refused:
        redeem(cast, card=Card(number=COLLECTOR, entry_mode=EntryMode.MANUAL))
    assert refused.value.reason is Reason.TYPED_CARD
    assert not scripted.sent and not Transaction.objects.exists()


def test_silence_after_sending_is_asked_once_more_with_the_same_bytes_and_key(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence(), approved())
    row = redeem(cast)
    assert row.state == State.APPROVED
    first, second = scripted.sent
    assert first == second
    assert events(row) == ["redemption.armed", "redemption.rearmed", "redemption.approved"]
    assert [attempt.result for attempt in row.attempts.all()] == ["unknown", "answered"]


@pytest.mark.parametrize(
    "answer",
    [
        silence(),
        code("0008", 408),
        code("0096", 500),
        code("9999", 200),
        reply(200, message="no code"),
        raw(200, b"<html>a proxy's page</html>"),
        raw(502, b""),
        raw(302, b'{"responseCode": "0000"}'),
        code("0005", 202),
        raw(200, b'{"responseCode": "0000", "unitsRedeemed": 4}'),
        code("0000", 500, unitsRedeemed="4"),
    ],
)
def test_silence_after_sending_is_unknown_not_declined(
    cast: Cast, scripted: ScriptedPlatform, answer: object
) -> None:
    scripted.will(answer)  # type: ignore[arg-type]
    row = redeem(cast)
    assert row.state == State.DOUBT
    assert row.due_at is not None and row.needs_person == ""
    assert row.shown(timezone.now()) is Shown.DOUBT
    # Exactly one immediate retry, and it is identical.
    assert len(scripted.sent) == 2 and scripted.sent[0] == scripted.sent[1]


@pytest.mark.parametrize(
    ("response_code", "status"),
    [
        ("0002", 401),
        ("0009", 403),
        ("0025", 401),
        ("0035", 400),
        ("0051", 202),
        ("0065", 202),
        ("0066", 202),
        ("0067", 408),
    ],
)
def test_a_documented_refusal_is_a_decline_whatever_its_status(
    cast: Cast, scripted: ScriptedPlatform, response_code: str, status: int
) -> None:
    scripted.will(code(response_code, status))
    row = redeem(cast)
    assert (row.state, row.response_code) == (State.DECLINED, response_code)
    assert len(scripted.sent) == 1


@pytest.mark.parametrize("response_code", ["0051", "0065", "0066", "0067"])
def test_a_decline_after_a_doubt_goes_to_a_person(
    cast: Cast, scripted: ScriptedPlatform, response_code: str
) -> None:
    scripted.will(silence(), code(response_code, 202))
    row = redeem(cast)
    assert row.state == State.DECLINED and row.after_doubt
    assert row.needs_person == "declined_after_doubt"
    assert row.shown(timezone.now()) is Shown.DECLINED_AFTER_DOUBT
    with pytest.raises(services.Refused) as refused:
        redeem(cast)
    assert refused.value.reason is Reason.SUPERVISOR_NEEDED
    scripted.will(approved())
    supervised = services.redeem(order(), actor=cast.manager_actor, now=timezone.now())
    assert supervised.transaction.state == State.APPROVED


def test_nothing_left_is_queued_and_says_nothing_was_taken(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    row = redeem(cast)
    assert row.state == State.QUEUED
    assert row.shown(timezone.now()) is Shown.QUEUED


@pytest.mark.parametrize("answer", [code("0092", 503), raw(401, b'{"error": "invalid_token"}')])
def test_an_outage_or_a_refused_token_executes_nothing(
    cast: Cast, scripted: ScriptedPlatform, answer: object
) -> None:
    scripted.will(answer)  # type: ignore[arg-type]
    row = redeem(cast)
    assert row.state == State.QUEUED
    assert len(scripted.sent) == 1


def test_our_own_full_gate_is_not_asked_twice(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(busy())
    row = redeem(cast)
    assert (row.state, row.fence) == (State.QUEUED, 1)
    assert inquire(cast).kind is services.InquiryKind.SILENT
    assert len(scripted.sent) == 2


def test_an_outage_after_a_doubt_stays_a_doubt(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(silence(), code("0092", 503))
    assert redeem(cast).state == State.DOUBT


def test_nothing_left_after_a_doubt_stays_a_doubt(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(silence(), not_sent())
    assert redeem(cast).state == State.DOUBT


def test_an_approval_without_its_number_is_for_a_person(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved(txnConfirmationNumber=""))
    row = redeem(cast)
    assert (row.state, row.needs_person) == (State.MANUAL, "incomplete")


def test_the_other_spelling_of_the_confirmation_number_is_read(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved(txnConfirmationNumber="", txtConfirmationNumber="OTHERSPELLED"))
    assert redeem(cast).confirmation_number == "OTHERSPELLED"


def test_a_doubt_blocks_new_redemptions_of_its_collector_only(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    redeem(cast)
    with pytest.raises(services.Refused) as refused:
        redeem(cast)
    assert refused.value.reason is Reason.COLLECTOR_IN_DOUBT
    scripted.will(approved())
    other = redeem(cast, card=Card(number="80000010002", entry_mode=EntryMode.SCAN))
    assert other.state == State.APPROVED


def test_a_sale_is_not_redeemed_twice(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    redeem(cast, sale_ref="one-sale")
    with pytest.raises(services.Refused) as refused:
        redeem(cast, sale_ref="one-sale")
    assert refused.value.reason is Reason.SALE_OPEN


def test_while_one_send_is_under_way_the_collector_is_busy(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    seen: list[Reason] = []

    def press_elsewhere(_sent: object) -> object:
        with pytest.raises(services.Refused) as refused:
            redeem(cast)
        seen.append(refused.value.reason)
        return approved()

    scripted.will(press_elsewhere)  # type: ignore[arg-type]
    assert redeem(cast).state == State.APPROVED
    assert seen == [Reason.COLLECTOR_BUSY]
