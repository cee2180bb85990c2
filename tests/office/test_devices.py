"""The office's devices: who sees which, who may enrol and revoke, and what is shown only once."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices import pairing, tokens
from backoffice.devices.models import Device, DeviceToken, PairingCode
from backoffice.people.models import User
from tests.cast import Cast

pytestmark = pytest.mark.django_db
LIST = "/office/devices/"
ACTS = ("code", "token", "revoke")
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b")


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def page_of(device: Device) -> str:
    return f"{LIST}{device.pk}/"


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def listed(client: Client, query: str = "") -> set[str]:
    return set(re.findall(r'href="(/office/devices/\d+/)"', shown(client, f"{LIST}{query}")))


def test_each_reader_sees_the_devices_of_their_stores(cast: Cast) -> None:
    northern = {page_of(cast.till), page_of(cast.second_till)}
    southern = {page_of(cast.south_till)}
    assert listed(signed_in(cast.manager)) == northern
    assert listed(signed_in(cast.south_manager)) == southern
    for person in (cast.administrator, cast.auditor):
        assert listed(signed_in(person)) == northern | southern
    assert signed_in(cast.cashier).get(LIST).status_code == 403
    assert "/sign-in/" in Client().get(LIST)["Location"]


def test_another_stores_manager_gets_nowhere(cast: Cast) -> None:
    client = signed_in(cast.south_manager)
    assert client.get(page_of(cast.till)).status_code == 404
    for act in ACTS:
        assert client.post(f"{page_of(cast.till)}{act}/", {"profile": "till"}).status_code == 404
    assert not DeviceToken.objects.exists() and not PairingCode.objects.exists()
    assert not AuditEntry.objects.exists()


def test_an_auditor_reads_and_changes_nothing(cast: Cast) -> None:
    client = signed_in(cast.auditor)
    page = shown(client, page_of(cast.till))
    assert "enrols and revokes" in page and 'method="post">' not in page.split("<main")[1]
    for act in ACTS:
        assert client.post(f"{page_of(cast.till)}{act}/", {"profile": "till"}).status_code == 403
    assert not DeviceToken.objects.exists() and not PairingCode.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_nothing_changes_on_a_look(cast: Cast, act: str) -> None:
    assert signed_in(cast.manager).get(f"{page_of(cast.till)}{act}/").status_code == 405


@pytest.mark.parametrize("number", ["0", "9" * 30])
def test_a_number_that_is_no_devices_is_not_found(cast: Cast, number: str) -> None:
    assert signed_in(cast.administrator).get(f"{LIST}{number}/").status_code == 404


def test_a_code_is_shown_once_as_text_and_picture_and_pairs(cast: Cast) -> None:
    client = signed_in(cast.manager)
    response = client.post(f"{page_of(cast.till)}code/")
    page = response.content.decode()
    (code,) = set(CODE.findall(page.split("<main")[1]))
    assert 'src="data:image/svg+xml' in page and "/pair/" in page
    assert "no-store" in response["Cache-Control"]
    assert code not in shown(client, page_of(cast.till))
    assert "waits for its tablet" in shown(client, page_of(cast.till))
    assert pairing.pair(code, address="", now=timezone.now()).device == cast.till
    entry = AuditEntry.objects.get(event="device.code_made")
    assert (entry.actor, entry.channel) == ("manager", "office") and code not in str(entry.details)


def test_a_token_is_shown_once_and_is_good_for_what_was_said(cast: Cast) -> None:
    client = signed_in(cast.manager)
    response = client.post(f"{page_of(cast.till)}token/", {"profile": "till_amcash"})
    found = re.search(r'secret__token mono">([\w-]{43})<', response.content.decode())
    assert found and "no-store" in response["Cache-Control"]
    device = tokens.device_of(found[1], now=timezone.now())
    assert device == cast.till
    assert device.may("amcash.redeem") and not device.may("issuance.issue")
    page = shown(client, page_of(cast.till))
    assert found[1] not in page and "AM Cash only" in page
    assert found[1] not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("profile", ["", "tablet", "all", "till\0"])
def test_a_token_is_for_a_till(cast: Cast, profile: str) -> None:
    client = signed_in(cast.manager)
    response = client.post(f"{page_of(cast.till)}token/", {"profile": profile})
    assert response.status_code == 400 and "Say what the token is for" in response.content.decode()
    assert not DeviceToken.objects.exists()


def test_a_revocation_shows_the_tablet_out_at_once(cast: Cast) -> None:
    tablet = Client()
    tablet.cookies[settings.DEVICE_COOKIE_NAME] = tokens.issue(cast.till, now=timezone.now())
    tablet.force_login(cast.cashier)
    assert tablet.get("/").status_code == 200
    response = signed_in(cast.manager).post(f"{page_of(cast.till)}revoke/")
    assert response["Location"] == page_of(cast.till)
    assert "/sign-in/" in tablet.get("/")["Location"]
    assert "_auth_user_id" not in tablet.session
    assert AuditEntry.objects.get(event="device.revoked").actor == "manager"
    assert "Revoked" in shown(signed_in(cast.manager), page_of(cast.till))


@pytest.mark.parametrize("act", ["code", "token"])
@pytest.mark.parametrize("what", ["till", "north", "sponsor"])
def test_what_is_out_of_use_is_not_enrolled(cast: Cast, act: str, what: str) -> None:
    closed = getattr(cast, what)
    closed.is_active = False
    closed.save()
    client = signed_in(cast.administrator)
    assert "It is out of use" in shown(client, page_of(cast.till))
    assert client.post(f"{page_of(cast.till)}{act}/", {"profile": "till"}).status_code == 404


def test_the_list_can_be_narrowed(cast: Cast) -> None:
    now = timezone.now()
    client = signed_in(cast.administrator)
    tokens.issue(cast.till, now=now)
    Device.objects.filter(pk=cast.till.pk).update(last_seen_at=now)
    tokens.issue(cast.second_till, now=now, profile="till")
    Device.objects.filter(pk=cast.second_till.pk).update(
        last_seen_at=now - timedelta(days=2), profile="till"
    )
    assert listed(client, "?standing=in_use") == {page_of(cast.till)}
    assert listed(client, "?standing=stale") == {page_of(cast.second_till)}
    assert listed(client, "?standing=new") == {page_of(cast.south_till)}
    assert listed(client, "?profile=till") == {page_of(cast.second_till)}
    assert listed(client, f"?store={cast.south.pk}") == {page_of(cast.south_till)}
    tokens.revoke(cast.south_till, by="x", now=now)
    assert listed(client, "?standing=revoked") == {page_of(cast.south_till)}
    Device.objects.filter(pk=cast.till.pk).update(is_active=False)
    assert listed(client, "?standing=closed") == {page_of(cast.till)}
    assert listed(client, "?standing=in_use") == set()


@pytest.mark.parametrize("query", ["?store=x", "?standing=x", "?profile=x", "?store=999999"])
def test_a_filter_that_names_nothing_lists_nothing(cast: Cast, query: str) -> None:
    assert listed(signed_in(cast.administrator), query) == set()


def test_a_managers_filter_reaches_no_other_store(cast: Cast) -> None:
    assert listed(signed_in(cast.manager), f"?store={cast.south.pk}") == set()


def test_each_word_for_how_a_device_stands_fits_what_the_filter_finds(cast: Cast) -> None:
    now = timezone.now()
    client = signed_in(cast.manager)
    words = {"new": "Not enrolled", "stale": "Not seen for a day", "revoked": "Revoked"}
    assert words["new"] in shown(client, page_of(cast.till))
    tokens.issue(cast.till, now=now)
    assert words["stale"] in shown(client, page_of(cast.till))
    tokens.revoke(cast.till, by="x", now=now)
    assert words["revoked"] in shown(client, page_of(cast.till))


@pytest.mark.parametrize("field", ["name", "profile", "store"])
def test_of_another_profile_or_store_it_must_be_enrolled_anew(cast: Cast, field: str) -> None:
    token = tokens.issue(cast.second_till, now=timezone.now())
    fields = {"store": cast.north.pk, "number": "002", "name": "", "profile": "tablet"}
    changed = {"name": "Front", "profile": "till", "store": cast.south.pk}[field]
    edit = f"/admin/devices/device/{cast.second_till.pk}/change/"
    form = {**fields, "is_active": "on", field: changed}
    assert signed_in(cast.administrator).post(edit, form).status_code == 302
    cast.second_till.refresh_from_db()
    is_good = tokens.device_of(token, now=timezone.now()) is not None
    assert is_good == (field == "name")
    Device.objects.filter(pk=cast.second_till.pk).update(store=cast.north)
    assert (tokens.device_of(token, now=timezone.now()) is not None) == (field == "name")
