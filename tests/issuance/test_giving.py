"""Giving the miles of a sale: what is sent, how often, and where it ends."""

import uuid

import pytest
from django.utils import timezone

from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, Shown, State
from backoffice.stores.models import Calculation
from issuance import services
from issuance.rules import Reason
from issuance.services import Refused
from tests.cast import Cast
from tests.issuance import stories
from tests.issuance.baskets import award, basket, item
from tests.issuance.stories import TRANSACTION_ID, confirmed, failed, give, order, pending, settle
from tests.scripted import ScriptedPlatform, busy, not_sent, silence

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner(cast: Cast) -> Cast:
    """The same cast, whose sponsor works out the miles by its own offers."""
    cast.sponsor.calculation = Calculation.PARTNER
    cast.sponsor.save()
    return cast


def offers(row: Transaction) -> list[tuple[str, int, str]]:
    return [(one.offer_id, one.miles, one.status) for one in row.offers.all()]


def test_a_sale_is_issued_once_and_its_offers_are_kept(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED", "confirmed"))
    row = give(cast)
    assert row.state == State.CONFIRMED
    assert (row.operation, row.path) == (Operation.ISSUE, "/checkout/issuance/issue")
    assert (row.miles, row.basket_cents) == (10, 2822)
    assert row.confirmation_number == TRANSACTION_ID
    assert offers(row) == [("OFFER0", 5, "confirmed"), ("OFFER1", 5, "confirmed")]
    assert row.needs_person == ""
    (sent,) = scripted.sent
    assert sent.body == payloads.body_of(row)
    assert sent.idempotency_key == str(row.idempotency_key)
    assert sent.fields["checkoutTransactionId"] == row.checkout_id == str(row.reference)
    assert b'"basketPreTaxAmount":24.97' in sent.body and b'"quantity":2}' in sent.body
    assert "issuances" not in sent.fields and sent.fields["locationCode"] == "0001"
    assert stories.events(row) == ["issuance.armed", "issuance.confirmed"]


def test_where_the_retailer_calculates_its_awards_are_posted(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED", "CONFIRMED"))
    row = give(partner, awards=(award(5), award(7, offer_id="22")))
    assert row.path == "/checkout/issuance/post"
    assert [one["milesAmount"] for one in scripted.sent[0].fields["issuances"]] == [5, 7]
    assert (row.state, row.miles) == (State.CONFIRMED, 12)
    assert offers(row) == [("123454", 5, "confirmed"), ("22", 7, "confirmed")]


def test_a_sale_that_earns_nothing_is_confirmed_without_offers(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.answered(200))
    row = give(cast)
    assert (row.state, row.miles, offers(row)) == (State.CONFIRMED, 0, [])


def test_a_second_press_sends_nothing(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(pending())
    wanted = order()
    first = services.give(wanted, actor=cast.actor, now=timezone.now())
    again = services.give(wanted, actor=cast.actor, now=timezone.now())
    assert first.is_new and not again.is_new
    assert again.transaction == first.transaction
    assert len(scripted.sent) == 1


def test_one_sale_earns_once_whoever_presses(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(confirmed())
    sale_ref = str(uuid.uuid4())
    give(cast, sale_ref=sale_ref)
    with pytest.raises(Refused) as refused:
        give(cast, sale_ref=sale_ref)
    assert refused.value.reason is Reason.SALE_OPEN
    with pytest.raises(Refused) as other:
        services.give(
            order(
                client_ref=Transaction.objects.get().client_ref,
                sale_ref=sale_ref,
                language="fr",
                basket=basket(pre_tax_cents=100),
            ),
            actor=cast.actor,
            now=timezone.now(),
        )
    assert other.value.reason is Reason.OTHER_CONTENT
    assert len(scripted.sent) == 1


def test_a_500_gets_two_tries_more_at_once(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(failed(), failed(), confirmed())
    row = give(cast)
    assert row.state == State.CONFIRMED
    assert len(scripted.sent) == 3
    assert len({(sent.body, sent.idempotency_key) for sent in scripted.sent}) == 1
    assert [attempt.http_status for attempt in row.attempts.all()] == [500, 500, 200]


def test_a_third_500_is_a_doubt_for_the_sweep(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(failed())
    row = give(cast)
    assert (row.state, len(scripted.sent)) == (State.DOUBT, 3)
    assert settle(row).state == State.DOUBT
    assert len(scripted.sent) == 4
    scripted.will(confirmed())
    assert settle(row).state == State.CONFIRMED
    assert len({sent.body for sent in scripted.sent}) == 1


def test_a_500_near_the_tills_patience_is_not_tried_again(
    cast: Cast, scripted: ScriptedPlatform, settings: object
) -> None:
    settings.PLATFORM_TOTAL_S = -1.0  # type: ignore[attr-defined]
    scripted.will(failed())
    assert give(cast).state == State.DOUBT
    assert len(scripted.sent) == 1


def test_a_silence_goes_to_the_sweep_without_a_second_try(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    row = give(cast)
    assert (row.state, len(scripted.sent)) == (State.DOUBT, 1)
    scripted.will(confirmed())
    assert settle(row).state == State.CONFIRMED
    assert len({(sent.body, sent.idempotency_key) for sent in scripted.sent}) == 1


@pytest.mark.parametrize("nothing_left", [not_sent(), busy()])
def test_what_never_left_is_queued_and_sent_by_the_sweep(
    cast: Cast, scripted: ScriptedPlatform, nothing_left: object
) -> None:
    scripted.will(nothing_left)  # type: ignore[arg-type]
    row = give(cast)
    assert (row.state, len(scripted.sent)) == (State.QUEUED, 1)
    assert row.due_at is not None and not row.has_unknown
    scripted.will(confirmed())
    assert settle(row).state == State.CONFIRMED


def test_rejected_offers_make_it_partial_and_a_persons(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED", "REJECTED"))
    row = give(cast)
    assert (row.state, row.miles, row.needs_person) == (State.PARTIAL, 5, "rejected")
    rejected = row.offers.get(status="rejected")
    assert (rejected.error_code, rejected.error_reason) == (
        "OfferExpired",
        "The offer has expired.",
    )


def test_a_bad_request_is_rejected_with_its_reason(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(stories.refused("CollectorNotFound"))
    row = give(cast)
    assert (row.state, row.needs_person, row.miles) == (State.REJECTED, "rejected", 0)
    assert row.offers.get().error_code == "CollectorNotFound"
    assert len(scripted.sent) == 1


def test_a_bad_request_after_an_unknown_outcome_goes_to_a_person(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence(), stories.refused("CollectorNotFound"))
    row = settle(give(cast))
    assert (row.state, row.needs_person) == (State.MANUAL, "refused_after_doubt")


def test_a_busy_collector_is_asked_again_and_never_rejected(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.refused("TransactionInProgress"), confirmed())
    row = give(cast)
    assert (row.state, len(scripted.sent)) == (State.DOUBT, 1)
    assert settle(row).state == State.CONFIRMED
    assert len({sent.idempotency_key for sent in scripted.sent}) == 1


def test_an_answer_for_fewer_offers_than_were_posted_is_a_persons(
    partner: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(confirmed("CONFIRMED"))
    row = give(partner, awards=(award(5), award(7, offer_id="22")))
    assert (row.state, row.needs_person) == (State.MANUAL, "incomplete")


def test_a_correction_is_a_new_operation_linked_to_the_old_one(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(stories.refused("CollectorNotFound"), confirmed())
    rejected = give(cast)
    correction = give(cast, card=stories.card(5), sale_ref=rejected.sale_ref, corrects=rejected)
    assert (correction.state, correction.corrects) == (State.CONFIRMED, rejected)
    assert correction.idempotency_key != rejected.idempotency_key
    rejected.refresh_from_db()
    assert (rejected.state, rejected.needs_person) == (State.REJECTED, "")
    with pytest.raises(Refused) as refused:
        give(cast, sale_ref=rejected.sale_ref, corrects=rejected)
    assert refused.value.reason is Reason.STATE_CHANGED
    assert len(scripted.sent) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"basket": basket(items=(item(final_cents=1999),))}, Reason.BAD_BASKET),
        ({"basket": basket(pre_tax_cents=0)}, Reason.BAD_BASKET),
        ({"basket": basket(items=(item(), item()))}, Reason.BAD_BASKET),
        ({"awards": (award(),)}, Reason.CALCULATED_THERE),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_written(
    cast: Cast, scripted: ScriptedPlatform, changes: dict[str, object], reason: Reason
) -> None:
    with pytest.raises(Refused) as refused:
        give(cast, **changes)
    assert refused.value.reason is reason
    assert not Transaction.objects.exists() and not scripted.sent


@pytest.mark.parametrize(
    ("awards", "reason"), [((), Reason.NOTHING_EARNED), ((award(0),), Reason.BAD_AWARDS)]
)
def test_a_retailer_that_calculates_must_name_miles(
    partner: Cast, scripted: ScriptedPlatform, awards: tuple[object, ...], reason: Reason
) -> None:
    with pytest.raises(Refused) as refused:
        give(partner, awards=awards)
    assert refused.value.reason is reason
    assert not scripted.sent


def test_a_crash_between_the_commits_is_finished_by_the_sweep(
    cast: Cast, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process dies: nothing after it runs."""

    def killed(*args: object, **kwargs: object) -> None:
        raise Killed

    scripted.will(confirmed())
    with monkeypatch.context() as dying:
        dying.setattr("backoffice.journal.entries.record", killed)
        with pytest.raises(Killed):
            give(cast)
    row = Transaction.objects.get()
    assert row.state == State.ARMED and len(scripted.sent) == 1
    assert services.settle_due(sender="too early") == 0
    row = settle(row)
    assert row.state == State.CONFIRMED
    assert len({(sent.body, sent.idempotency_key) for sent in scripted.sent}) == 1
    assert len(scripted.sent) == 2
    assert row.shown(timezone.now()) is Shown.CONFIRMED
