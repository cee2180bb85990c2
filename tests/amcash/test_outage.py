"""While the breaker is open nothing new is sent and nothing is lost."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from amcash import pulse, services, tasks
from amcash.orders import ReversalOrder
from amcash.rules import Reason
from amcash.services import InquiryKind
from backoffice.audit.models import AuditEntry
from backoffice.journal import programme, safety, selectors
from backoffice.journal.models import Attempt, ProgrammeState, Transaction
from backoffice.journal.selectors import ProgrammeWord
from backoffice.journal.states import Product, State
from tests.amcash.outages import (
    GOOD,
    OUTAGE,
    card,
    is_open,
    long_ago,
    open_it,
    refusal_of_a_redemption,
)
from tests.amcash.stories import inquire, order, redeem, reverse
from tests.cast import COLLECTOR, Cast
from tests.scripted import (
    ScriptedPlatform,
    approved,
    busy,
    code,
    not_sent,
    offer,
    raw,
    reversed_,
    silence,
)

pytestmark = pytest.mark.django_db

# --- What opens it --------------------------------------------------------------------------------


def test_one_outage_opens_it_and_the_next_redemption_is_refused_unsent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(OUTAGE)
    assert redeem(cast).state == State.QUEUED
    assert is_open()
    assert refusal_of_a_redemption(cast, card=card(7)) is Reason.PROGRAMME_DOWN
    assert len(scripted.sent) == 1 and Transaction.objects.count() == 1
    (entry,) = AuditEntry.objects.filter(event="breaker.opened")
    assert entry.details == {"product": "cash", "why": "outage"}


def test_an_outage_after_a_doubt_opens_it_too(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(silence(), OUTAGE)
    assert redeem(cast).state == State.DOUBT
    assert is_open()


def test_an_outage_of_an_inquiry_or_of_an_echo_opens_it(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(OUTAGE)
    assert inquire(cast).kind is InquiryKind.UNAVAILABLE
    assert is_open()
    ProgrammeState.objects.all().delete()
    assert not is_open()
    assert not pulse.take()
    assert is_open()


@pytest.mark.parametrize("ask", [redeem, inquire])
def test_unknowns_of_five_collectors_in_a_row_open_it(
    cast: Cast, scripted: ScriptedPlatform, ask: object
) -> None:
    scripted.will(silence())
    for number in range(4):
        ask(cast, card=card(number))  # type: ignore[operator]
    assert not is_open()
    ask(cast, card=card(4))  # type: ignore[operator]
    assert is_open()
    assert programme.standing(Product.CASH).why == "unknowns"


def test_one_collectors_account_that_hangs_does_not_open_it(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    redeem(cast)
    for _again in range(6):
        Transaction.objects.update(due_at=timezone.now())
        services.settle_due(sender="test")
        inquire(cast)
    assert not is_open()
    suspects = ProgrammeState.objects.get().suspects
    assert len(suspects) == 1 and COLLECTOR not in str(suspects) and len(suspects[0]) == 64


@pytest.mark.parametrize("ask", ["redeem", "inquire", "echo"])
def test_any_answer_ends_the_row_of_unknowns(
    cast: Cast, scripted: ScriptedPlatform, ask: str
) -> None:
    scripted.will(silence())
    for number in range(4):
        redeem(cast, card=card(number))
    if ask == "redeem":
        scripted.will(code("0051", 202))
        redeem(cast, card=card(50))
    elif ask == "inquire":
        scripted.will(offer())
        inquire(cast, card=card(50))
    else:
        scripted.will(GOOD)
        pulse.take()
    assert ProgrammeState.objects.get().suspects == []
    scripted.will(silence())
    redeem(cast, card=card(51))
    assert not is_open()


@pytest.mark.parametrize("answer", [not_sent(), busy(), raw(401, b'{"error": "invalid_token"}')])
def test_what_never_left_or_was_not_executed_does_not_count(
    cast: Cast, scripted: ScriptedPlatform, answer: object
) -> None:
    scripted.will(answer)  # type: ignore[arg-type]
    for number in range(6):
        redeem(cast, card=card(number))
        inquire(cast, card=card(number))
    assert not is_open()


def test_an_outage_that_somebody_else_claims_by_a_redirect_does_not_open_it(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(raw(302, b'{"responseCode": "0092"}'))
    redeem(cast)
    assert not is_open()


# --- While it is open -----------------------------------------------------------------------------


def test_a_repeated_press_is_still_shown_what_it_began(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    wanted = order()
    row = services.redeem(wanted, actor=cast.actor, now=timezone.now()).transaction
    open_it()
    again = services.redeem(wanted, actor=cast.actor, now=timezone.now())
    assert (again.transaction, again.is_new) == (row, False)


def test_what_never_left_is_not_sent_again_either(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(OUTAGE)
    row = redeem(cast)
    assert programme.take_probe(Product.CASH, timezone.now())
    with pytest.raises(services.Refused) as refused:
        services.send_again(row, actor=cast.actor, now=timezone.now())
    assert refused.value.reason is Reason.PROGRAMME_DOWN
    row.refresh_from_db()
    assert (row.state, row.fence, len(scripted.sent)) == (State.QUEUED, 1, 1)


@pytest.mark.parametrize(("why", "said"), [("outage", "0092"), ("unknowns", "")])
def test_an_inquiry_is_unavailable_without_being_sent(
    cast: Cast, scripted: ScriptedPlatform, why: str, said: str
) -> None:
    open_it()
    ProgrammeState.objects.update(breaker_why=why)
    programme.forget()
    found = inquire(cast)
    assert (found.kind, found.code) == (InquiryKind.UNAVAILABLE, said)
    assert not scripted.sent
    asked = AuditEntry.objects.get(event="collector.inquired")
    assert asked.details["tries"] == 0


def test_a_reversal_is_queued_and_sent_when_the_programme_is_back(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    taken = redeem(cast)
    open_it()
    wanted = ReversalOrder(client_ref=str(uuid.uuid4()), redemption=taken.reference, language="en")
    outcome = services.reverse(wanted, taken, actor=cast.actor, now=timezone.now())
    row = outcome.transaction
    assert outcome.is_new
    assert (row.state, row.fence, row.first_sent_at) == (State.QUEUED, 0, None)
    assert services.settle_due(sender="test") == 0
    assert len(scripted.sent) == 1
    again = services.reverse(wanted, taken, actor=cast.actor, now=timezone.now())
    assert (again.transaction, again.is_new) == (row, False)
    long_ago(0)
    scripted.will(GOOD, reversed_())
    tasks.settle_due()
    row.refresh_from_db()
    taken.refresh_from_db()
    assert row.state == State.APPROVED and taken.reversed_at is not None


def test_a_queued_reversal_that_is_refused_later_goes_to_a_person(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    taken = redeem(cast)
    open_it()
    row = reverse(cast, taken)
    long_ago(0)
    scripted.will(GOOD, code("0057", 400))
    tasks.settle_due()
    row.refresh_from_db()
    assert (row.state, row.needs_person) == (State.DECLINED, "reversal_refused")


def test_the_sweep_keeps_doubts_and_spends_no_try_on_them(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    open_it()
    Transaction.objects.update(due_at=timezone.now())
    attempts, sends = Attempt.objects.count(), len(scripted.sent)
    for _round in range(5):
        assert services.settle_due(sender="test") == 0
    row.refresh_from_db()
    assert (row.state, row.fence) == (State.DOUBT, 2)
    assert (Attempt.objects.count(), len(scripted.sent)) == (attempts, sends)


def test_an_outage_in_the_middle_of_a_sweep_spares_the_rest(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    for number in range(4):
        redeem(cast, card=card(number))
    sends = len(scripted.sent)
    Transaction.objects.update(due_at=timezone.now())
    scripted.will(OUTAGE)
    assert services.settle_due(sender="test") == 1
    assert len(scripted.sent) == sends + 1


def test_what_can_be_closed_without_the_programme_is_closed_however_much_waits(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A database server does not travel along.
    monkeypatch.setattr(safety, "clock_skew", lambda: None)
    scripted.will(not_sent())
    unsent = redeem(cast, card=card(1))
    scripted.will(silence())
    waiting = [redeem(cast, card=card(number)) for number in range(2, 5)]
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        over = redeem(cast, card=card(5))
    Transaction.objects.update(due_at=timezone.now())
    open_it()
    sends = len(scripted.sent)
    services.settle_due(sender="test", limit=2)
    states = [Transaction.objects.get(pk=row.pk).state for row in [unsent, *waiting, over]]
    assert states == [State.NOT_SENT, *[State.DOUBT] * 3, State.MANUAL]
    assert len(scripted.sent) == sends


def test_the_header_says_down_from_the_first_outage_on(cast: Cast) -> None:
    programme.heard(is_up=True, answer_ms=5, response_code="0000", now=timezone.now())
    assert selectors.programme_state().word is ProgrammeWord.UP
    programme.outage(Product.CASH, timezone.now())
    assert selectors.programme_state().word is ProgrammeWord.DOWN
