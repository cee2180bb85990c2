"""Every sample of the programme's pages, posted by a till as printed, goes through the switch and
comes back as the sandbox itself answers it: its status, its keys, its JSON types.
"""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from amcash import messages, services
from backoffice.journal.models import Transaction
from tests.contract.peer import Peer, sample
from tests.servers.stack import Answer, Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("wired")]

SAMPLES = sample("samples")


@pytest.fixture
def tokens() -> dict[str, str]:
    """The tokens of the tills of `demo --samples`, by sponsor."""
    said = io.StringIO()
    call_command("demo", "--samples", stdout=said)
    return dict(re.findall(r"^ +(\w{4}) +\w+/\w+ (\S{43})$", said.getvalue(), re.M))


def post(tokens: dict[str, str], one: dict[str, Any], request: Any, **headers: str) -> Any:
    """Post a request as the till of the sample's sponsor."""
    token = tokens[one["request"]["sponsorCode"]]
    named = {"Authorization": f"Bearer {token}", **headers}
    return Client().post(
        one["path"], json.dumps(request), content_type="application/json", headers=named
    )


def types_of(value: Any) -> Any:
    """Return what an answer consists of: names and JSON types, all the way down."""
    if isinstance(value, dict):
        return {name: types_of(one) for name, one in value.items()}
    if isinstance(value, list):
        return [types_of(one) for one in value]
    return type(value).__name__


def named(one: dict[str, Any], redeem: Callable[[dict[str, Any]], Any]) -> dict[str, str]:
    """Return the number of a redemption just made, which no page can print, for a reversal."""
    if one["path"] != messages.REVERSE_PATH:
        return {}
    taken = redeem(next(two for two in SAMPLES if two["path"] == messages.REDEEM_PATH))
    return {"redemptionConfirmationNumber": taken["txnConfirmationNumber"]}


def straight(peer: Peer, one: dict[str, Any]) -> Answer:
    """Return what the sandbox answers to a till that asks it without us."""
    request = one["request"] | named(one, lambda two: peer.post(two["path"], two["request"]).fields)
    return peer.post(one["path"], request)


@pytest.mark.parametrize("one", SAMPLES, ids=[one["name"] for one in SAMPLES])
def test_a_sample_through_the_switch_gives_what_the_sandbox_gives(
    tokens: dict[str, str], peer: Peer, sandbox: Sandbox, one: dict[str, Any]
) -> None:
    assert set(tokens) == {"LOY1", "KELL", "KENY", "TEST"}
    direct = straight(peer, one)
    # The samples' collector has miles for one redemption.
    sandbox.control("reset")
    answer = post(
        tokens,
        one,
        one["request"] | named(one, lambda two: post(tokens, two, two["request"]).json()),
    )
    assert answer.status_code == direct.status == one["status"], answer.content
    assert types_of(answer.json()) == types_of(direct.fields)
    assert answer.headers["Content-Type"] == direct.headers["Content-Type"]
    if "response_keys" in one:
        assert set(answer.json()) == set(one["response_keys"])


def test_a_till_that_resends_after_a_timeout_gets_the_present_answer_and_one_effect(
    tokens: dict[str, str], hasty: object, sandbox: Sandbox
) -> None:
    redeem = next(one for one in SAMPLES if one["path"] == messages.REDEEM_PATH)
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
