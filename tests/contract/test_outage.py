"""Planned maintenance over real sockets: the breaker opens, and a good ECHO closes it."""

import pytest
from django.utils import timezone

from amcash import messages, pulse, services, tasks
from amcash.rules import Reason
from backoffice.journal import programme, selectors
from backoffice.journal.models import ProgrammeState, Transaction
from backoffice.journal.selectors import ProgrammeWord
from backoffice.journal.states import State
from tests.cast import COLLECTOR, Cast
from tests.contract import acts
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]

OTHERS = ("80000010007", "80000010008")


def sweep() -> None:
    """The sweep's next round, its probe due by now."""
    ProgrammeState.objects.exclude(probe_at=None).update(probe_at=timezone.now())
    programme.forget()
    tasks.settle_due()


def test_an_outage_stops_new_redemptions_and_its_end_settles_every_doubt(
    cast: Cast, sandbox: Sandbox
) -> None:
    # Its effect is at the programme, its answer lost twice: a doubt when the outage begins.
    sandbox.fault("drop_after", path=acts.REDEEM_PATH, times=2)
    doubt = acts.redeem(cast)
    assert doubt.state == State.DOUBT
    sandbox.control("settings", outage="0092")
    unsent = acts.redeem(cast, OTHERS[0])
    assert (unsent.state, unsent.response_code) == (State.QUEUED, "0092")
    assert selectors.programme_state().word is ProgrammeWord.DOWN
    sends = len(sandbox.exchanges())
    with pytest.raises(services.Refused) as refused:
        acts.redeem(cast, OTHERS[1])
    assert refused.value.reason is Reason.PROGRAMME_DOWN
    assert acts.inquire(cast, OTHERS[1]).kind is services.InquiryKind.UNAVAILABLE
    assert len(sandbox.exchanges()) == sends

    services.check_now(doubt, actor=cast.actor, now=timezone.now())
    for _round in range(3):
        sweep()
    # ECHO alone was sent, which moves nothing, and the doubt has lost no try.
    assert [one["path"] for one in sandbox.exchanges()[sends:]] == [messages.ECHO_PATH] * 3
    doubt.refresh_from_db()
    assert (doubt.state, doubt.fence) == (State.DOUBT, 2)

    sandbox.control("settings", outage="")
    sweep()
    assert selectors.programme_state().word is not ProgrammeWord.DOWN
    doubt.refresh_from_db()
    assert doubt.state == State.APPROVED
    bodies = {one["body_sha256"] for one in sandbox.exchanges(acts.REDEEM_PATH)}
    assert acts.body_hash(doubt) in bodies and len(bodies) == 2
    again = services.send_again(unsent, actor=cast.actor, now=timezone.now()).transaction
    assert again.state == State.APPROVED
    acts.assert_both_sides_agree(sandbox)


def test_a_reversal_asked_for_in_an_outage_is_made_when_it_is_over(
    cast: Cast, sandbox: Sandbox
) -> None:
    taken = acts.redeem(cast)
    sandbox.control("settings", outage="0092")
    assert not pulse.take()
    given = acts.reverse(cast, taken)
    assert given.state == State.QUEUED
    assert not sandbox.exchanges(acts.REVERSE_PATH)
    sandbox.control("settings", outage="")
    sweep()
    assert Transaction.objects.get(pk=given.pk).state == State.APPROVED
    assert sandbox.total_miles() == 0
    assert len(sandbox.exchanges(acts.REVERSE_PATH)) == 1
    assert len(sandbox.effects(COLLECTOR)) == 2
