"""The connection test: who may, what is sent, how far each request came, and that it is no sale."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal import programme
from backoffice.journal.models import Transaction
from backoffice.journal.states import Product
from backoffice.people.models import User
from backoffice.stores.models import Store
from backoffice.wire import Silence
from tests.cast import Cast
from tests.scripted import Answer, ScriptedPlatform, code, raw, reply, silence

ADDRESS = "/office/connection/"
GOOD_ECHO = code("0000", 200)
GOOD_RECORD = raw(200, b'{"transactionId": "c4f6cd00-dd00-4aaf-9099-b0685ab710b3"}')


def client_of(user: User) -> Client:
    client = Client(headers={"Accept-Language": user.language})
    client.force_login(user)
    return client


def press(user: User, store: Store) -> tuple[int, str]:
    """Press the button for a store."""
    response = client_of(user).post(ADDRESS, {"store": str(store.pk)})
    return response.status_code, response.content.decode()


def broken(kind: str) -> Silence:
    return Silence(kind=kind, maybe_applied=False, duration_ms=7, detail="seen")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("person", "reads", "tests"),
    [
        ("cashier", 403, 403),
        ("manager", 200, 200),
        ("administrator", 200, 200),
        ("auditor", 200, 403),
        ("south_manager", 200, 403),
    ],
)
def test_managers_test_their_own_stores_and_an_auditor_reads(
    cast: Cast, scripted: ScriptedPlatform, person: str, reads: int, tests: int
) -> None:
    scripted.will(GOOD_ECHO, GOOD_RECORD)
    user = getattr(cast, person)
    page = client_of(user).get(ADDRESS)
    assert page.status_code == reads
    assert ("Test now" in page.content.decode()) is (person.endswith(("manager", "administrator")))
    assert press(user, cast.north)[0] == tests
    assert len(scripted.sent) == (2 if tests == 200 else 0)


def test_a_stranger_is_sent_to_the_sign_in(cast: Cast, scripted: ScriptedPlatform) -> None:
    assert Client().get(ADDRESS).status_code == 302
    assert Client().post(ADDRESS, {"store": str(cast.north.pk)}).status_code == 302
    assert scripted.sent == []


def test_it_sends_an_echo_and_a_record_that_is_no_sale(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(GOOD_ECHO, GOOD_RECORD)
    _status, page = press(cast.manager, cast.north)
    assert page.count("It works.") == 2
    echo, record = scripted.sent
    assert echo.path.endswith("/amcash/echo") and record.path.endswith("/issuance/record")
    assert "collectorNumber" not in record.fields and record.idempotency_key is None
    assert record.fields["basketPreTaxAmount"] == 0 == record.fields["basketPostTaxAmount"]
    assert record.fields["context"] == {"purpose": "connection test"}
    assert record.fields["checkoutTransactionId"].startswith("TEST-")
    assert not Transaction.objects.exists()


def test_it_is_logged_with_who_and_how_it_went(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(GOOD_ECHO, GOOD_RECORD)
    press(cast.manager, cast.north)
    entry = AuditEntry.objects.get(event="connection.tested")
    assert (entry.actor, entry.store, entry.channel) == ("manager", "0001", "office")
    assert entry.details["is_good"] is True and entry.details["echo"] == "0000"
    listed = client_of(cast.auditor).get(ADDRESS).content.decode()
    assert "Nobody has tested" not in listed and ">0000<" in listed
    # Another store's manager does not read of it.
    assert "Nobody has tested" in client_of(cast.south_manager).get(ADDRESS).content.decode()


@pytest.mark.parametrize(
    ("answer", "passed", "said"),
    [
        (broken("no_token"), 0, "check the client, its secret"),
        (raw(401, b"{}"), 0, "The programme refused the access token"),
        (broken("unresolved"), 1, "check the programme’s address and the name server"),
        (broken("refused"), 2, "check the network and the firewall"),
        (broken("tls"), 3, "check the clock and certificates"),
        (silence(), 3, "No whole answer in time"),
        (raw(200, b"<html>"), 3, "It is not an answer of the programme’s"),
        (code("0092", 503), 3, "The programme answered that it cannot"),
    ],
)
def test_each_stage_that_fails_is_named_with_what_to_do(
    cast: Cast, scripted: ScriptedPlatform, answer: Answer, passed: int, said: str
) -> None:
    # After an outage's own word nothing else is sent.
    scripted.will(answer, GOOD_RECORD)
    _status, page = press(cast.manager, cast.north)
    echo = page.partition('id="record"')[0]
    assert said in echo
    assert echo.count('class="steps__passed"') == passed
    assert echo.count('class="steps__failed"') == 1


def test_a_field_that_the_programme_refuses_is_named(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    scripted.will(reply(400, responseCode="0035", message="vendorId is invalid"), GOOD_RECORD)
    _status, page = press(cast.manager, cast.north)
    assert "vendorId is invalid" in page and "Check the sponsor’s" in page


def test_while_the_breaker_is_open_it_says_so_and_only_echo_is_sent(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    programme.outage(Product.CASH, timezone.now() - timedelta(minutes=3))
    scripted.will(code("0092", 503))
    page = client_of(cast.manager).get(ADDRESS).content.decode()
    assert "nothing new is sent" in page and scripted.sent == []
    _status, page = press(cast.manager, cast.north)
    assert [sent.path.rpartition("/")[2] for sent in scripted.sent] == ["echo"]
    assert "as long as ECHO gets no good answer" in page


def test_a_good_echo_ends_an_outage(cast: Cast, scripted: ScriptedPlatform) -> None:
    programme.outage(Product.CASH, timezone.now())
    scripted.will(GOOD_ECHO, GOOD_RECORD)
    _status, page = press(cast.manager, cast.north)
    assert len(scripted.sent) == 2 and "nothing holds them back" in page
    assert not programme.standing(Product.CASH).is_open


def test_looking_sends_nothing(cast: Cast, scripted: ScriptedPlatform) -> None:
    client_of(cast.administrator).get(ADDRESS)
    assert scripted.sent == [] and not AuditEntry.objects.exists()


def test_a_store_without_a_till_cannot_be_tested(cast: Cast, scripted: ScriptedPlatform) -> None:
    Device.objects.filter(store=cast.north).update(is_active=False)
    assert press(cast.manager, cast.north)[0] == 403
    page = client_of(cast.manager).get(ADDRESS).content.decode()
    assert "No store of yours has a till in use." in page and scripted.sent == []


@pytest.mark.parametrize("store", ["", "x", "999999999999999999999", "0"])
def test_what_is_no_store_is_refused(cast: Cast, store: str) -> None:
    assert client_of(cast.manager).post(ADDRESS, {"store": store}).status_code == 403


def test_it_is_said_in_french(cast: Cast, scripted: ScriptedPlatform) -> None:
    scripted.will(GOOD_ECHO, GOOD_RECORD)
    cast.manager.language = "fr"
    _status, page = press(cast.manager, cast.north)
    assert page.count("Tout fonctionne.") == 2 and "Derniers essais" in page


def test_miles_that_wait_are_not_said_to_be_sent(cast: Cast, scripted: ScriptedPlatform) -> None:
    programme.outage(Product.ISSUANCE, timezone.now())
    page = client_of(cast.manager).get(ADDRESS).content.decode()
    assert "miles of sales are not sent" in page and "nothing holds them back" not in page
