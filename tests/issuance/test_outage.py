"""Issuance has a breaker of its own: neither product's silence stops the other."""

from datetime import timedelta

import pytest
from django.utils import timezone

from amcash import services as cash
from backoffice.audit.models import AuditEntry
from backoffice.journal import breaker, entries, programme, selectors
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.states import Product, State
from issuance import services, tasks
from tests.amcash import outages
from tests.amcash.stories import order as redemption
from tests.cast import Cast
from tests.issuance.stories import card, confirmed, give, make_due, pending, record
from tests.scripted import ScriptedPlatform, approved, not_sent, silence

pytestmark = pytest.mark.django_db


def is_open(product: Product = Product.ISSUANCE) -> bool:
    programme.forget()
    return programme.standing(product).is_open


def open_it(*, probe_in_s: int = 5) -> None:
    """Open the breaker of issuance, with its next probe so many seconds from now."""
    programme.outage(Product.ISSUANCE, timezone.now())
    probe_at = timezone.now() + timedelta(seconds=probe_in_s)
    ProgrammeState.objects.filter(product=Product.ISSUANCE).update(probe_at=probe_at)
    programme.forget()


def silences_of_five(cast: Cast, scripted: ScriptedPlatform) -> list[Transaction]:
    scripted.will(*[silence()] * breaker.UNKNOWNS_TO_OPEN)
    return [give(cast, card=card(number)) for number in range(breaker.UNKNOWNS_TO_OPEN)]


def test_five_silences_of_issuance_stop_miles_and_never_a_redemption(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    silences_of_five(cast, scripted)
    assert is_open() and not is_open(Product.CASH)
    scripted.will(approved())
    wanted = redemption(card=card(20))
    row = cash.redeem(wanted, actor=cast.actor, now=timezone.now()).transaction
    assert row.state == State.APPROVED
    sent = len(scripted.sent)
    assert give(cast, card=card(21)).state == State.QUEUED and len(scripted.sent) == sent


def test_silences_of_both_products_are_never_added_up(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(*[silence()] * 10)
    for number in range(3):
        give(cast, card=card(number))
        wanted = redemption(card=card(10 + number))
        cash.redeem(wanted, actor=cast.actor, now=timezone.now())
    assert not is_open() and not is_open(Product.CASH)
    # Nor does an answer of the one end the other's row of silences.
    scripted.answers.clear()
    scripted.will(confirmed())
    give(cast, card=card(30))
    suspects = dict(ProgrammeState.objects.values_list("product", "suspects"))
    assert (len(suspects["issuance"]), len(suspects["cash"])) == (0, 3)


def test_an_outage_of_am_cash_never_holds_miles_up(cast: Cast, scripted: ScriptedPlatform) -> None:
    outages.open_it()
    scripted.will(confirmed())
    assert give(cast).state == State.CONFIRMED
    scripted.will(pending(), confirmed())
    row = give(cast, card=card(2))
    make_due(row)
    assert services.settle_due(sender="sweep") == 1
    row.refresh_from_db()
    assert row.state == State.CONFIRMED


def test_while_issuance_is_away_miles_are_kept_and_one_row_probes(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    open_it()
    rows = [give(cast, card=card(number)) for number in range(3)]
    assert services.settle_due(sender="sweep") == 0 and not scripted.sent
    open_it(probe_in_s=0)
    scripted.will(silence())
    assert services.settle_due(sender="sweep") == 1  # In vain: the others wait for the next one.
    assert services.settle_due(sender="sweep") == 0 and is_open()
    assert [sent.idempotency_key for sent in scripted.sent] == [str(rows[0].idempotency_key)]
    ProgrammeState.objects.update(probe_at=timezone.now())
    scripted.will(confirmed(), confirmed(), confirmed())
    tasks.settle_due()
    assert not is_open()
    assert set(Transaction.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert scripted.sent[0].body == scripted.sent[-1].body  # The doubt was asked again at once.
    closed = AuditEntry.objects.get(event="breaker.closed")
    assert closed.details["product"] == "issuance"


@pytest.mark.parametrize("answer", [silence(), not_sent()])
def test_a_probe_that_brings_no_answer_leaves_it_open(
    cast: Cast, scripted: ScriptedPlatform, answer: object
) -> None:
    open_it()
    give(cast)
    ProgrammeState.objects.update(probe_at=timezone.now())
    scripted.will(answer)  # type: ignore[arg-type]
    assert services.settle_due(sender="sweep") == 1
    assert is_open()


def test_a_pending_answer_is_an_answer(cast: Cast, scripted: ScriptedPlatform) -> None:
    open_it()
    give(cast)
    ProgrammeState.objects.update(probe_at=timezone.now())
    scripted.will(pending())
    services.settle_due(sender="sweep")
    assert not is_open()


def test_an_answer_to_what_was_sent_before_does_not_close_it(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    def opens_meanwhile(sent: object) -> object:
        open_it()
        return confirmed()(sent)  # type: ignore[operator, arg-type]

    scripted.will(opens_meanwhile)  # type: ignore[arg-type]
    assert give(cast).state == State.CONFIRMED and is_open()


def test_a_till_probes_with_its_own_miles_when_no_sweep_has_for_long(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    open_it(probe_in_s=-14)
    assert give(cast, card=card(1)).state == State.QUEUED and not scripted.sent
    open_it(probe_in_s=-15)
    scripted.will(confirmed())
    row = give(cast, card=card(2))
    assert row.state == State.CONFIRMED and not is_open()
    scripted.will(confirmed())
    tasks.settle_due()
    assert set(Transaction.objects.values_list("state", flat=True)) == {State.CONFIRMED}


def test_what_must_be_closed_is_closed_while_issuance_is_away(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(silence())
    doubt = give(cast)
    open_it()
    row = give(cast, card=card(2))
    Transaction.objects.update(due_at=timezone.now())
    found = entries.due(services.OPERATIONS, now=timezone.now(), limit=9)
    assert found == []  # Neither may be sent, and neither is over.
    over = doubt.replay_until + timedelta(seconds=1)
    assert [one.pk for one in entries.due(services.OPERATIONS, now=over, limit=9)] == [doubt.pk]
    assert row.state == State.QUEUED


def test_a_good_echo_says_nothing_of_issuance(cast: Cast, scripted: ScriptedPlatform) -> None:
    open_it()
    programme.heard(is_up=True, answer_ms=5, response_code="0000", now=timezone.now())
    view = selectors.programme_state()
    assert is_open() and view.is_issuance_down and view.word == "up"


def test_a_recorded_sale_is_kept_and_sent_like_miles(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    open_it()
    row = record(cast)
    assert row.state == State.QUEUED and not scripted.sent
