"""Who may speak on the switch, and what a stranger learns: nothing."""

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from amcash import relay, services
from backoffice.audit.models import AuditEntry
from backoffice.devices import tokens
from backoffice.devices.models import DeviceProfile
from backoffice.journal.models import Transaction
from tests import scripted as platform
from tests.cast import Cast
from tests.scripted import ScriptedPlatform
from tests.switch.till import ECHO, INQUIRE, REDEEM, REVERSE, Till, inquiry, redemption

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stranger_is_refused_and_noted(scripted: ScriptedPlatform) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eA=="}):
        answer = Client().post(REDEEM, b"{}", content_type="application/json", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json() == {"message": "Missing or invalid bearer token"}
    noted = AuditEntry.objects.filter(event="device.refused")
    assert noted.count() == 3 and noted[0].details == {"path": REDEEM}
    assert not scripted.sent


def test_a_revoked_till_is_a_stranger(cast: Cast, till: Till) -> None:
    tokens.revoke(cast.till, by="administrator", now=timezone.now())
    assert till.post(ECHO, redemption()).status == 401


@pytest.mark.parametrize("profile", [DeviceProfile.TABLET, DeviceProfile.TILL_ISSUANCE])
def test_a_device_makes_the_calls_of_its_profile(cast: Cast, profile: DeviceProfile) -> None:
    heard = Till.of(cast.till, profile).post(REDEEM, redemption())
    assert heard.status == 403 and not heard.code
    assert AuditEntry.objects.filter(event="device.call_refused", device="001").count() == 1


def test_a_session_opens_no_door(client: Client, cast: Cast) -> None:
    client.force_login(cast.administrator)
    assert client.post(ECHO, b"{}", content_type="application/json").status_code == 401


@pytest.mark.parametrize("address", [f"{REDEEM}/", "/checkout/amcash/void", "/checkout/"])
@pytest.mark.parametrize("method", ["get", "post", "put", "options"])
def test_a_wrong_address_is_told_in_json(
    client: Client, db: None, address: str, method: str
) -> None:
    answer = getattr(client, method)(address)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json() == {"message": "There is no such call; addresses end without a slash"}


def test_only_post_is_served(till: Till) -> None:
    headers = {"Authorization": f"Bearer {till.token}", "Accept": "text/html"}
    for method in ("get", "head", "options", "put", "patch", "delete", "trace"):
        answer = getattr(Client(), method)(ECHO, headers=headers)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        told = b"" if method == "head" else f'"{method.upper()}\\" not allowed'.encode()
        assert told in answer.content
        # Who is not known is told so, and not what there is.
        stranger = getattr(Client(), method)(ECHO)
        assert stranger.status_code == 401
        assert stranger.headers["WWW-Authenticate"] == "Bearer"


def test_without_its_database_nothing_is_sent(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object, **named: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(tokens, "device_of", gone)
    for path in (ECHO, INQUIRE):
        heard = till.post(path, inquiry())
        assert (heard.status, heard.code) == (503, "0092")
    # The same request may have been sent before, and nobody can look.
    for path in (REDEEM, REVERSE):
        heard = till.post(path, redemption())
        assert (heard.status, heard.code) == (408, "0008")
    assert not scripted.sent


def test_a_database_that_fails_after_the_commit_leaves_a_doubt(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object, **named: object) -> None:
        raise DatabaseError

    scripted.will(platform.approved())
    monkeypatch.setattr(relay, "_standing", gone)
    assert till.post(REDEEM, redemption()).code == "0008"
    monkeypatch.undo()
    assert Transaction.objects.count() == 1


def test_a_database_that_fails_before_the_commit_has_sent_nothing(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object, **named: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(services, "redeem", gone)
    heard = till.post(REDEEM, redemption())
    assert (heard.status, heard.code) == (503, "0092")


def test_a_fault_of_ours_is_a_server_error(
    till: Till, scripted: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise LookupError

    monkeypatch.setattr(relay, "redeem", broken)
    heard = till.post(REDEEM, redemption())
    assert (heard.status, heard.code) == (500, "0096")


def test_a_body_or_a_key_that_is_too_long_is_a_bad_request(till: Till) -> None:
    for long in (b"{" + b" " * 200_000 + b"}", b"{" + b" " * 300_000 + b"}"):
        heard = till.post(REDEEM, long)
        assert (heard.status, heard.fields["message"][-12:]) == (400, "request body")
    heard = till.post(REDEEM, redemption(), key="k" * 256)
    assert heard.fields["message"].endswith(": Idempotency-Key")
