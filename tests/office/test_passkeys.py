"""Passkeys: added by who has just signed in, good once in place of a code; and what is refused."""

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from fido2.webauthn import AuthenticatorData

from backoffice.audit.models import AuditEntry
from backoffice.people import factors, passkeys, tries
from tests.cast import Cast
from tests.office.authenticator import HOST, ORIGIN, Passkey
from tests.office.test_second_step import STEP, begun, code_of, set_up

pytestmark = pytest.mark.django_db
OWN, REMOVE = "/office/passkeys/", "/office/passkeys/remove/"
Flag = AuthenticatorData.FLAG


@pytest.fixture(autouse=True)
def _as_in_production() -> Iterator[None]:
    with override_settings(MILEPOST_SECOND_FACTOR=True, MILEPOST_PASSKEY_ORIGIN=ORIGIN):
        yield


@pytest.fixture
def machine() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def options_in(page: str) -> str:
    found = re.search(r'data-options="([^"]+)"', page)
    return html.unescape(found[1]) if found else ""


def asked(client: Client, path: str = STEP) -> str:
    """What the page at this address asks of a passkey."""
    return options_in(client.get(path).content.decode())


def added(client: Client, passkey: Passkey, name: str = "Laptop") -> int:
    fields = {"name": name, "passkey": passkey.made(asked(client, OWN))}
    return client.post(OWN, fields).status_code


@pytest.fixture
def inside(cast: Cast) -> Client:
    """A manager who is signed in and has codes."""
    client = begun(cast.manager)
    set_up(client)
    return client


@pytest.fixture
def passkey(inside: Client) -> Passkey:
    """The manager's passkey."""
    passkey = Passkey()
    assert added(inside, passkey) == 303
    return passkey


def refusals() -> list[str]:
    found = AuditEntry.objects.filter(event="passkey.refused").order_by("id")
    return [entry.details["why"] for entry in found]


def is_in(client: Client) -> bool:
    return client.get("/office/").status_code == 200


# --- The way in -----------------------------------------------------------------------------------


def test_a_passkey_signs_in_in_place_of_the_code(cast: Cast, passkey: Passkey) -> None:
    client = begun(cast.manager)
    options = json.loads(asked(client))["publicKey"]
    assert (options["rpId"], options["userVerification"]) == (HOST, "required")
    answer = client.post(STEP, {"code": "", "passkey": passkey.proved(asked(client))})
    assert answer["Location"] == "/office/log/" and is_in(client)
    assert client.session["proof"] == "second_factor"
    kept = passkeys.kept_by(cast.manager).get()
    assert kept.last_used_at is not None and kept.data["count"] == 2


def test_a_passkey_is_added_and_removed_and_both_are_told(
    cast: Cast, inside: Client, passkey: Passkey
) -> None:
    page = inside.get(OWN).content.decode()
    assert "Laptop" in page and "not used yet" in page
    events = AuditEntry.objects.filter(event__startswith="passkey.").order_by("id")
    assert [entry.event for entry in events] == ["passkey.added"]
    number = passkeys.kept_by(cast.manager).get().pk
    assert inside.post(REMOVE, {"number": number}).status_code == 303
    assert inside.post(REMOVE, {"number": number}).status_code == 303
    assert not passkeys.kept_by(cast.manager).exists()
    assert [entry.event for entry in events.all()] == ["passkey.added", "passkey.removed"]
    assert asked(begun(cast.manager)) == ""


def test_nobody_removes_anybody_elses(cast: Cast, passkey: Passkey) -> None:
    other = begun(cast.administrator)
    set_up(other)
    number = passkeys.kept_by(cast.manager).get().pk
    for typed in (str(number), "x", "", "9" * 30):
        assert other.post(REMOVE, {"number": typed}).status_code == 303
    assert passkeys.kept_by(cast.manager).exists()


def test_without_script_the_code_is_there_and_still_good(
    cast: Cast, machine: time_machine.Traveller
) -> None:
    client = begun(cast.manager)
    secret, _codes = set_up(client)
    assert added(client, Passkey()) == 303
    machine.shift(timedelta(minutes=5))
    client = begun(cast.manager)
    page = client.get(STEP).content.decode()
    assert 'name="code"' in page
    assert re.search(r'data-passkey="get"[^>]* hidden>', page)
    assert client.post(STEP, {"code": code_of(secret), "passkey": ""}).status_code == 303


def test_an_administrator_takes_them_away_with_the_codes(cast: Cast, passkey: Passkey) -> None:
    client = begun(cast.manager)
    answer = passkey.proved(asked(client))
    administrator = begun(cast.administrator)
    set_up(administrator)
    administrator.post(reverse("office:person-no-codes", args=[cast.manager.pk]))
    assert not passkeys.kept_by(cast.manager).exists()
    assert "Set up one-time codes" in client.post(STEP, {"passkey": answer}).content.decode()
    assert not is_in(client)


# --- What is no proof -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proved",
    [
        pytest.param(lambda p, o: p.proved(o, origin="https://milepost.example.org"), id="origin"),
        pytest.param(lambda p, o: p.proved(o, origin=f"{ORIGIN}:8443"), id="port"),
        pytest.param(lambda p, o: p.proved(o, origin="http://milepost.example"), id="scheme"),
        # The library alone would let these pass.
        pytest.param(lambda p, o: p.proved(o, origin="https://evil.milepost.example"), id="sub"),
        pytest.param(lambda p, o: p.proved(o, is_framed=True), id="in somebody's frame"),
        pytest.param(lambda p, o: p.proved(o, user=b"somebody else"), id="handle"),
        pytest.param(lambda p, o: p.proved(o, host="evil.example"), id="rp id"),
        pytest.param(lambda p, o: p.proved(o, flags=Flag.UP), id="nobody verified"),
        pytest.param(lambda p, o: p.proved(o, flags=Flag.UV), id="nobody there"),
        pytest.param(lambda p, o: p.proved(o, number=b"unknown"), id="unknown passkey"),
        pytest.param(lambda p, o: Passkey(user=p.user).proved(o), id="another key"),
        pytest.param(lambda p, o: Passkey().made(_creating(o)), id="a creation"),
        pytest.param(lambda p, o: "{}", id="empty"),
        pytest.param(lambda p, o: "[1]", id="list"),
        pytest.param(lambda p, o: "x" * 30_000, id="long"),
        pytest.param(lambda p, o: "[" * 20_000, id="deep"),
        pytest.param(lambda p, o: _with(p.proved(o), authenticatorData="AAAA"), id="cut"),
        pytest.param(lambda p, o: _with(p.proved(o), clientDataJSON="bnVsbA"), id="null"),
        pytest.param(lambda p, o: _with(p.proved(o), clientDataJSON=7), id="number"),
        pytest.param(lambda p, o: _with(p.proved(o), signature="%%%"), id="no base64"),
    ],
)
def test_what_is_no_proof_lets_nobody_in(
    cast: Cast, passkey: Passkey, proved: Callable[[Passkey, str], str]
) -> None:
    client = begun(cast.manager)
    page = client.post(STEP, {"passkey": proved(passkey, asked(client))}).content.decode()
    assert "This passkey was not accepted" in page and not is_in(client)
    assert len(refusals()) == 1
    # The same page asks anew, and an honest answer is good.
    assert client.post(STEP, {"passkey": passkey.proved(options_in(page))}).status_code == 303


def _creating(options: str) -> str:
    told = json.loads(options)
    told["publicKey"]["user"] = {"id": "AAAA"}
    return json.dumps(told)


def _with(answer: str, **changed: object) -> str:
    told = json.loads(answer)
    told["response"] |= changed
    return json.dumps(told)


def test_the_address_is_not_taken_from_the_request(cast: Cast, passkey: Passkey) -> None:
    with override_settings(ALLOWED_HOSTS=["*"]):
        client = begun(cast.manager)
        told = client.get(STEP, headers={"Host": "evil.example"}).content.decode()
        assert json.loads(options_in(told))["publicKey"]["rpId"] == HOST
        answer = passkey.proved(
            options_in(told), origin="https://evil.example", host="evil.example"
        )
        client.post(STEP, {"passkey": answer}, headers={"Host": "evil.example"})
        assert not is_in(client) and refusals() == ["answer"]


def test_an_answer_is_good_once(cast: Cast, inside: Client) -> None:
    # One that never counts, so that no counter gives it away.
    passkey = Passkey(count=0)
    assert added(inside, passkey) == 303
    client = begun(cast.manager)
    answer = passkey.proved(asked(client))
    session = dict(client.session.items())
    assert client.post(STEP, {"passkey": answer}).status_code == 303
    other = begun(cast.manager)
    other.get(STEP)
    other.post(STEP, {"passkey": answer})
    assert not is_in(other) and refusals() == ["answer"]
    # Another request that had read the session before the first one took the challenge.
    late = begun(cast.manager)
    kept = late.session
    kept["passkey"] = session["passkey"]
    kept.save()
    late.post(STEP, {"passkey": answer})
    assert not is_in(late) and refusals() == ["answer", "used"]


def test_only_the_newest_challenge_is_good_and_not_for_long(
    cast: Cast, machine: time_machine.Traveller
) -> None:
    first = begun(cast.manager)
    set_up(first)
    passkey = Passkey()
    assert added(first, passkey) == 303
    client = begun(cast.manager)
    early, late = asked(client), asked(client)
    client.post(STEP, {"passkey": passkey.proved(early)})
    assert not is_in(client)
    late = asked(client)
    machine.shift(timedelta(minutes=5))
    client.post(STEP, {"passkey": passkey.proved(late)})
    assert not is_in(client) and refusals() == ["answer", "too late"]
    client.post(STEP, {"passkey": passkey.proved(late)})
    assert not is_in(client)


def test_a_challenge_for_adding_proves_nothing(
    cast: Cast, inside: Client, passkey: Passkey
) -> None:
    client = begun(cast.manager)
    asked(client)
    session = client.session
    session["passkey"] = {**session["passkey"], "what": "add"}
    session.save()
    options = json.dumps({"publicKey": {"challenge": session["passkey"]["challenge"]}})
    client.post(STEP, {"passkey": passkey.proved(options)})
    assert not is_in(client) and refusals() == ["no challenge"]


def test_another_persons_passkey_opens_nothing(cast: Cast, passkey: Passkey) -> None:
    other = begun(cast.administrator)
    set_up(other)
    assert added(other, Passkey(number=b"the administrator's")) == 303
    client = begun(cast.administrator)
    client.post(STEP, {"passkey": passkey.proved(asked(client))})
    assert not is_in(client)
    # Not even under the administrator's own handle, or the number of their passkey too.
    handle = passkeys._handle(cast.administrator)
    for number in (b"", b"the administrator's"):
        answer = passkey.proved(asked(client), number=number, user=handle)
        client.post(STEP, {"passkey": answer})
        assert not is_in(client)
    assert refusals() == ["somebody else", "answer", "answer"]


def test_a_passkey_that_exists_twice_is_noticed(cast: Cast, passkey: Passkey) -> None:
    passkey.count = 7
    client = begun(cast.manager)
    assert client.post(STEP, {"passkey": passkey.proved(asked(client))}).status_code == 303
    for count in (7, 3, 0):
        passkey.count = count
        client = begun(cast.manager)
        client.post(STEP, {"passkey": passkey.proved(asked(client))})
        assert not is_in(client)
    assert refusals() == ["counter"] * 3
    passkey.count = 8
    client = begun(cast.manager)
    assert client.post(STEP, {"passkey": passkey.proved(asked(client))}).status_code == 303


def test_passkeys_that_never_count_are_good(cast: Cast, inside: Client) -> None:
    passkey = Passkey(count=0)
    assert added(inside, passkey) == 303
    for _ in range(2):
        client = begun(cast.manager)
        assert client.post(STEP, {"passkey": passkey.proved(asked(client))}).status_code == 303


def test_tries_are_counted_with_those_of_codes(cast: Cast, passkey: Passkey) -> None:
    client = begun(cast.manager)
    for number in range(3):
        client.post(STEP, {"code": f"00000{number}"})
    for _ in range(2):
        client.post(STEP, {"passkey": "{}"})
    page = client.post(STEP, {"passkey": passkey.proved(asked(client))}).content.decode()
    assert "Too many tries" in page and not is_in(client)
    with pytest.raises(tries.TooMany):
        factors.is_right(cast.manager, "000009", now=timezone.now())


def test_only_who_typed_the_password_is_asked(cast: Cast, passkey: Passkey) -> None:
    client = begun(cast.manager)
    answer = passkey.proved(asked(client))
    stranger = Client()
    assert stranger.post(STEP, {"passkey": answer})["Location"] == reverse("cashier:sign_in")
    other = begun(cast.administrator)
    assert options_in(other.get(STEP).content.decode()) == ""


# --- What is not added ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda p, o: p.made(o, origin="https://evil.example"), id="origin"),
        pytest.param(lambda p, o: p.made(o, host="evil.example"), id="rp id"),
        pytest.param(lambda p, o: p.made(o, flags=Flag.UP), id="nobody verified"),
        pytest.param(lambda p, o: "{}", id="empty"),
        pytest.param(lambda p, o: _with(p.made(o), attestationObject="oA"), id="cut"),
    ],
)
def test_what_is_no_passkey_is_not_kept(
    cast: Cast, inside: Client, made: Callable[[Passkey, str], str]
) -> None:
    fields = {"name": "Laptop", "passkey": made(Passkey(), asked(inside, OWN))}
    page = inside.post(OWN, fields)
    assert page.status_code == 400 and "was not accepted" in page.content.decode()
    assert 'value="Laptop"' in page.content.decode()
    assert not passkeys.kept_by(cast.manager).exists() and len(refusals()) == 1


def test_one_passkey_is_one_persons(cast: Cast, inside: Client, passkey: Passkey) -> None:
    other = begun(cast.administrator)
    set_up(other)
    assert added(other, Passkey()) == 400
    assert added(other, Passkey(number=b"another")) == 303
    assert added(inside, Passkey()) == 400
    assert Authenticator.objects.filter(type="webauthn").count() == 2


def test_a_name_is_asked_for_and_a_passkey(cast: Cast, inside: Client) -> None:
    page = inside.post(OWN, {"name": " ", "passkey": "{}"}).content.decode()
    assert "Give it a name" in page
    page = inside.post(OWN, {"name": "Laptop", "passkey": ""}).content.decode()
    assert "did not make a passkey" in page and 'value="Laptop"' in page


def test_no_more_than_a_few_are_kept(
    cast: Cast, inside: Client, passkey: Passkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = asked(inside, OWN)
    monkeypatch.setattr(passkeys, "MOST", 1)
    fields = {"name": "Second", "passkey": Passkey(number=b"second").made(options)}
    assert inside.post(OWN, fields).status_code == 400
    assert passkeys.kept_by(cast.manager).count() == 1
    assert "Remove one first" in inside.get(OWN).content.decode()


def test_who_signed_in_long_ago_adds_none(cast: Cast, machine: time_machine.Traveller) -> None:
    client = begun(cast.manager)
    set_up(client)
    options = asked(client, OWN)
    machine.shift(timedelta(minutes=15))
    page = client.post(OWN, {"name": "Laptop", "passkey": Passkey().made(options)})
    assert "Sign out and in again" in page.content.decode()
    assert not passkeys.kept_by(cast.manager).exists()


def test_without_an_address_there_are_none(cast: Cast, inside: Client, passkey: Passkey) -> None:
    with override_settings(MILEPOST_PASSKEY_ORIGIN=""):
        assert "Nobody has said at which address" in inside.get(OWN).content.decode()
        client = begun(cast.manager)
        assert options_in(client.get(STEP).content.decode()) == ""
        client.post(STEP, {"passkey": passkey.proved('{"publicKey": {"challenge": "AAAA"}}')})
        assert not is_in(client)


def test_a_name_is_no_secret_of_a_key(cast: Cast, inside: Client) -> None:
    assert added(inside, Passkey(), name="a:b") == 303
    assert "a" not in factors.sealed_under()
    assert factors.reseal("a") == 0
