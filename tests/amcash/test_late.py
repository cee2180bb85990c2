"""A sender that froze while its lease ran out, and presses that come again: the whole story."""

import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from amcash import services
from amcash.orders import ReversalOrder
from amcash.rules import Reason
from backoffice.journal.models import Transaction
from backoffice.journal.states import State
from backoffice.wire import Reply, Silence
from tests.amcash.stories import inquire, redeem, reverse
from tests.cast import Cast
from tests.scripted import (
    CONFIRMATION,
    ScriptedPlatform,
    Sent,
    approved,
    code,
    not_sent,
    reversed_,
    silence,
)

pytestmark = pytest.mark.django_db


def frozen(
    scripted: ScriptedPlatform, *, mine: Reply | Silence, theirs: Reply | Silence
) -> Callable[[Sent], Reply | Silence]:
    """An answer that is read only after the lease has ended and a sweep has had another."""

    def answer(_sent: Sent) -> Reply | Silence:
        Transaction.objects.filter(state=State.ARMED).update(due_at=timezone.now())
        scripted.will(theirs)
        assert services.settle_due(sender="sweep") == 1
        scripted.will(silence())
        return mine

    return answer


@pytest.mark.parametrize("mine", [silence(), not_sent(), code("0096", 500), approved()])
def test_a_sender_that_wakes_after_the_sweep_settled_sends_nothing_more(
    cast: Cast, scripted: ScriptedPlatform, mine: Reply | Silence
) -> None:
    scripted.will(frozen(scripted, mine=mine, theirs=approved()))
    row = redeem(cast)
    assert (row.state, row.needs_person, row.fence) == (State.APPROVED, "", 2)
    assert len(scripted.sent) == 2 and scripted.sent[0] == scripted.sent[1]


@pytest.mark.parametrize("mine", [silence(), not_sent(), code("0092", 503)])
def test_a_sender_that_wakes_beside_a_doubt_leaves_it_one(
    cast: Cast, scripted: ScriptedPlatform, mine: Reply | Silence
) -> None:
    scripted.will(frozen(scripted, mine=mine, theirs=silence()))
    row = redeem(cast)
    assert (row.state, row.fence, row.has_unknown) == (State.DOUBT, 2, True)
    assert len(scripted.sent) == 2


def test_a_late_refusal_beside_a_doubt_is_no_plain_refusal(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(frozen(scripted, mine=code("0051", 202), theirs=silence()))
    row = redeem(cast)
    assert (row.state, row.after_doubt, row.needs_person) == (
        State.DECLINED,
        True,
        "declined_after_doubt",
    )


@pytest.mark.parametrize("response_code", ["0080", "0057"])
def test_a_late_refusal_of_a_reversal_beside_a_doubt_offers_no_credit(
    cast: Cast, scripted: ScriptedPlatform, response_code: str
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(frozen(scripted, mine=code(response_code, 409), theirs=silence()))
    row = reverse(cast, redemption)
    assert (row.state, row.needs_person) == (State.MANUAL, "reversal_unclear")


def test_a_key_that_was_executed_twice_does_not_pass_unseen(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    second = approved(txnConfirmationNumber="AN0THER")
    scripted.will(frozen(scripted, mine=second, theirs=approved()))
    row = redeem(cast)
    assert (row.state, row.needs_person) == (State.APPROVED, "conflict")
    assert row.confirmation_number == CONFIRMATION


# --- Presses that come again ----------------------------------------------------------------------


def press(cast: Cast, redemption: Transaction, name: str = "press") -> services.Outcome:
    wanted = ReversalOrder(client_ref=name, redemption=redemption.reference, language="en")
    return services.reverse(wanted, redemption, actor=cast.actor, now=timezone.now())


def test_a_repeated_press_of_reverse_returns_the_first_outcome_even_after_the_deadline(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(approved())
    redemption = redeem(cast)
    scripted.will(reversed_())
    first = press(cast, redemption)
    redemption.refresh_from_db()
    second = press(cast, redemption)
    assert (first.is_new, second.is_new) == (True, False)
    wanted = ReversalOrder(client_ref="press", redemption=redemption.reference, language="en")
    late = services.reverse(wanted, redemption, actor=cast.actor, now=redemption.deadline_at)
    assert first.transaction == second.transaction == late.transaction
    assert len(scripted.sent) == 2


def test_one_press_does_not_reverse_two_redemptions(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(approved())
    one, other = redeem(cast), redeem(cast)
    scripted.will(reversed_())
    press(cast, one)
    with pytest.raises(services.Refused) as refused:
        press(cast, other)
    assert refused.value.reason is Reason.OTHER_CONTENT
    assert not other.reversals.exists()


@pytest.mark.parametrize("answer", [silence(), code("0051", 202), not_sent()])
def test_only_an_approved_redemption_is_reversed(
    cast: Cast, scripted: ScriptedPlatform, answer: Reply | Silence
) -> None:
    scripted.will(answer)
    row = redeem(cast)
    with pytest.raises(services.Refused) as refused:
        press(cast, row, str(uuid.uuid4()))
    assert refused.value.reason is Reason.NOT_REVERSIBLE


def test_checking_now_sends_nothing_itself_and_the_sweep_does(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = redeem(cast)
    assert services.settle_due(sender="sweep") == 0
    services.check_now(row, actor=cast.actor, now=timezone.now())
    assert len(scripted.sent) == 2
    scripted.will(approved())
    assert services.settle_due(sender="sweep") == 1
    row.refresh_from_db()
    assert row.state == State.APPROVED


# --- Inquiries ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (code("0092", 503), services.InquiryKind.UNAVAILABLE),
        (code("0025", 401), services.InquiryKind.REFUSED),
        (code("0067", 408), services.InquiryKind.REFUSED),
        (code("0000", 200), services.InquiryKind.NO_OFFER),
        (code("9999", 200), services.InquiryKind.SILENT),
        (code("0008", 408), services.InquiryKind.SILENT),
    ],
)
def test_an_inquiry_comes_to_what_its_code_says(
    cast: Cast, scripted: ScriptedPlatform, answer: Reply, kind: services.InquiryKind
) -> None:
    scripted.will(answer)
    found = inquire(cast)
    assert found.kind is kind and found.offer is None
