"""The story of a redemption, with a scripted platform and a real database."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode, InquiryOrder, RedemptionOrder, ReversalOrder
from amcash.rules import Reason
from backoffice.audit.models import AuditEntry
from backoffice.journal import payloads
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import Shown, State, Wanted
from backoffice.units import Cents
from tests.cast import COLLECTOR, Cast
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    approved,
    code,
    not_sent,
    offer,
    raw,
    reply,
    reversed_,
    silence,
)

pytestmark = pytest.mark.django_db


def order(**changes: object) -> RedemptionOrder:
    """A redemption of $40 on a $43.35 basket."""
    fields: dict[str, object] = {
        "client_ref": str(uuid.uuid4()),
        "sale_ref": str(uuid.uuid4()),
        "card": Card(number=COLLECTOR, entry_mode=EntryMode.SCAN),
        "basket_cents": Cents(4335),
        "original_cents": Cents(4335),
        "asked_cents": Cents(4000),
        "language": "en",
    }
    return RedemptionOrder(**{**fields, **changes})  # type: ignore[arg-type]


def redeem(cast: Cast, **changes: object) -> Transaction:
    """Redeem as North's cashier."""
    return services.redeem(order(**changes), actor=cast.actor, now=timezone.now()).transaction


def reverse(cast: Cast, redemption: Transaction) -> Transaction:
    """Reverse as North's cashier."""
    wanted = ReversalOrder(
        client_ref=str(uuid.uuid4()), redemption=redemption.reference, language="en"
    )
    outcome = services.reverse(wanted, redemption, actor=cast.actor, now=timezone.now())
    return outcome.transaction


def events(row: Transaction) -> list[str]:
    """What the audit log says of a transaction, oldest first."""
    entries = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    return [entry.event for entry in entries]


# --- Redeem ---------------------------------------------------------------------------------------


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


# --- A crash between the commits ------------------------------------------------------------------


class _Killed(BaseException):
    """Stands for a process that dies: nothing after it runs."""


def test_a_crash_between_the_commits_leaves_a_doubt_that_the_sweep_settles(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    def dies(_sent: object) -> object:
        raise _Killed

    scripted.will(dies)  # type: ignore[arg-type]
    with pytest.raises(_Killed):
        redeem(cast)
    row = Transaction.objects.get()
    now = timezone.now()
    assert row.state == State.ARMED
    assert row.shown(now) is Shown.WAITING
    assert row.shown(now + timedelta(seconds=31)) is Shown.DOUBT
    assert services.settle_due(sender="test") == 0  # The lease still runs.

    Transaction.objects.update(due_at=now)
    scripted.will(approved())
    assert services.settle_due(sender="test") == 1
    row.refresh_from_db()
    assert row.state == State.APPROVED
    first, second = scripted.sent
    assert first == second
    assert [attempt.result for attempt in row.attempts.all()] == ["", "answered"]


def test_a_decline_after_a_crash_is_after_a_doubt(cast: Cast, scripted: ScriptedPlatform) -> None:
    def dies(_sent: object) -> object:
        raise _Killed

    scripted.will(dies)  # type: ignore[arg-type]
    with pytest.raises(_Killed):
        redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(code("0051", 202))
    services.settle_due(sender="test")
    assert Transaction.objects.get().after_doubt


# --- The sweep ------------------------------------------------------------------------------------


def test_a_doubt_is_asked_again_until_it_is_answered(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    services.settle_due(sender="test")
    row.refresh_from_db()
    assert row.state == State.DOUBT and row.due_at is not None
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    services.settle_due(sender="test")
    row.refresh_from_db()
    assert row.state == State.APPROVED
    assert len({sent.body for sent in scripted.sent}) == 1
    assert len({sent.idempotency_key for sent in scripted.sent}) == 1


def test_a_redemption_that_never_left_is_never_sent_by_the_sweep(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    row = redeem(cast)
    Transaction.objects.update(due_at=timezone.now())
    sends = len(scripted.sent)
    assert services.settle_due(sender="test") == 0
    row.refresh_from_db()
    assert row.state == State.NOT_SENT
    assert len(scripted.sent) == sends


def test_the_cashier_may_send_what_never_left_again_with_the_same_key(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(not_sent())
    row = redeem(cast)
    scripted.will(approved())
    row = services.send_again(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.APPROVED
    assert len({(sent.body, sent.idempotency_key) for sent in scripted.sent}) == 1


def test_paying_otherwise_closes_what_never_left(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(not_sent())
    row = redeem(cast, sale_ref="one-sale")
    row = services.pay_otherwise(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.NOT_SENT
    with pytest.raises(services.Refused):
        services.send_again(row, actor=cast.actor, now=timezone.now())
    scripted.will(approved())
    assert redeem(cast, sale_ref="one-sale").state == State.APPROVED


# --- Keep or cancel -------------------------------------------------------------------------------


def test_a_cancelled_doubt_is_given_back_in_the_commit_that_learns_it_was_approved(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    row = services.cancel(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.shown(timezone.now()) is Shown.CANCELLING
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(approved())
    services.settle_due(sender="test")
    reversal = Transaction.objects.get(reverses=row)
    assert reversal.state == State.QUEUED and reversal.due_at is not None
    scripted.will(reversed_())
    services.settle_due(sender="test")
    reversal.refresh_from_db()
    row.refresh_from_db()
    assert reversal.state == State.APPROVED
    assert row.reversed_at is not None
    assert scripted.sent[-1].fields["redemptionConfirmationNumber"] == CONFIRMATION


def test_a_cancelled_doubt_that_was_declined_is_not_reversed(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = services.cancel(redeem(cast), actor=cast.actor, now=timezone.now()).transaction
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(code("0025", 401))
    services.settle_due(sender="test")
    row.refresh_from_db()
    assert row.state == State.DECLINED and not row.reversals.exists()


def test_an_approval_that_was_shown_is_not_cancelled(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    row = services.present(redeem(cast), actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.DONE and row.presented_at is not None
    row = services.cancel(row, actor=cast.actor, now=timezone.now()).transaction
    assert row.wanted == Wanted.KEEP and not row.reversals.exists()


# --- Reverse --------------------------------------------------------------------------------------


def test_a_reversal_gives_the_whole_redemption_back_once(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(reversed_())
    reversal = reverse(cast, redemption)
    redemption.refresh_from_db()
    assert reversal.state == State.APPROVED
    assert redemption.reversed_at is not None
    assert reversal.deadline_at == redemption.deadline_at
    sent = scripted.sent[-1].fields
    assert sent["redemptionConfirmationNumber"] == CONFIRMATION
    assert sent["collectorNumber"] == COLLECTOR and sent["cardEntryMode"] == "SCAN"
    with pytest.raises(services.Refused) as refused:
        reverse(cast, redemption)
    assert refused.value.reason is Reason.ALREADY_REVERSED


@pytest.mark.parametrize("response_code", ["0080", "0057"])
def test_a_late_refusal_after_a_doubt_is_for_a_person_and_offers_no_credit(
    cast: Cast, scripted: ScriptedPlatform, response_code: str
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(silence(), code(response_code, 409))
    reversal = reverse(cast, redemption)
    assert (reversal.state, reversal.needs_person) == (State.MANUAL, "reversal_unclear")


def test_0080_without_a_doubt_is_expired(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(code("0080", 409))
    assert reverse(cast, redemption).state == State.EXPIRED


def test_a_refused_reversal_may_be_tried_again(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(code("0035", 400))
    assert reverse(cast, redemption).state == State.DECLINED
    scripted.will(reversed_())
    assert reverse(cast, redemption).state == State.APPROVED


def test_a_reversal_is_refused_two_minutes_before_its_deadline(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    wanted = ReversalOrder(client_ref="late", redemption=redemption.reference, language="en")
    late = redemption.deadline_at - timedelta(minutes=2)
    with pytest.raises(services.Refused) as refused:
        services.reverse(wanted, redemption, actor=cast.actor, now=late)
    assert refused.value.reason is Reason.TOO_LATE
    assert refused.value.deadline_at == redemption.deadline_at
    scripted.will(reversed_())
    in_time = late - timedelta(seconds=1)
    services.reverse(wanted, redemption, actor=cast.actor, now=in_time)


# --- Inquire --------------------------------------------------------------------------------------


def inquire(cast: Cast, **changes: object) -> services.Inquiry:
    """Inquire for a $43.35 basket."""
    fields: dict[str, object] = {
        "card": Card(number=COLLECTOR, entry_mode=EntryMode.SCAN),
        "basket_cents": Cents(4335),
        "language": "en",
    }
    wanted = InquiryOrder(**{**fields, **changes})  # type: ignore[arg-type]
    return services.inquire(wanted, actor=cast.actor, now=timezone.now())


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


# --- What may be kept -----------------------------------------------------------------------------


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
