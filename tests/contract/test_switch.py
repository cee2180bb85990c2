"""Every sample of the programme's pages, posted by a till as printed, goes through the switch and
comes back as the sandbox itself answers it: its status, its keys, its values, its JSON types.
"""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from amcash import messages, services
from backoffice.journal.models import Transaction
from tests.contract import printed
from tests.contract.peer import Peer
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("wired")]


@pytest.fixture
def tokens() -> dict[str, str]:
    """The tokens of the tills of `demo --samples`, by sponsor."""
    said = io.StringIO()
    call_command("demo", "--samples", stdout=said)
    return printed.tokens_of(said.getvalue())


def post(tokens: dict[str, str], one: dict[str, Any], request: Any, **headers: str) -> Any:
    """Post a request as the till of the sample's sponsor."""
    token = tokens[one["request"]["sponsorCode"]]
    named = {"Authorization": f"Bearer {token}", **headers}
    return Client().post(
        one["path"], json.dumps(request), content_type="application/json", headers=named
    )


@pytest.mark.parametrize("one", printed.SAMPLES, ids=printed.NAMES)
def test_a_sample_through_the_switch_gives_what_the_sandbox_gives(
    tokens: dict[str, str], peer: Peer, sandbox: Sandbox, one: dict[str, Any]
) -> None:
    assert set(tokens) == {"LOY1", "KELL", "KENY", "TEST"}
    direct = printed.straight(peer, one)
    # The samples' collector has miles for one redemption.
    sandbox.control("reset")
    answer = post(
        tokens,
        one,
        one["request"] | printed.named(one, lambda two: post(tokens, two, two["request"]).json()),
    )
    assert answer.status_code == direct.status == one["status"], answer.content
    assert printed.told(answer.content) == printed.told(direct.body)
    assert answer.headers["Content-Type"] == direct.headers["Content-Type"]
    if "response_keys" in one:
        assert set(answer.json()) == set(one["response_keys"])


def test_a_till_that_resends_after_a_timeout_gets_the_present_answer_and_one_effect(
    tokens: dict[str, str], hasty: object, sandbox: Sandbox
) -> None:
    redeem = next(one for one in printed.SAMPLES if one["path"] == messages.REDEEM_PATH)
    sandbox.fault("drop_after", path=messages.REDEEM_PATH, times=2)
    first = post(tokens, redeem, redeem["request"])
    assert (first.status_code, first.json()["responseCode"]) == (408, "0008")
    services.settle_due(sender="settle in a test")
    row = Transaction.objects.get()
    Transaction.objects.filter(pk=row.pk).update(due_at=row.opened_at)
    services.settle_due(sender="settle in a test")
    again = post(tokens, redeem, redeem["request"])
    assert (again.status_code, again.json()["responseCode"]) == (200, "0000")
    assert again.headers["Milepost-Transaction"] == first.headers["Milepost-Transaction"]
    assert [one["kind"] for one in sandbox.effects()] == ["redeem"]
