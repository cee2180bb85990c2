"""The locked tablet: tiles, PINs and badges; whose session it is, and how it ends."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.audit.models import AuditEntry
from backoffice.devices import tokens
from backoffice.devices.models import Device
from backoffice.people import badges, pins
from backoffice.people.models import User
from backoffice.people.tables import StorePolicy
from tests.cashier.conftest import Till, hidden
from tests.cast import COLLECTOR, Cast
from tests.scripted import ScriptedPlatform, offer

pytestmark = pytest.mark.django_db
PIN, OTHER_PIN, MANAGERS_PIN = "735194", "40918", "862957"


def tablet_of(device: Device) -> Client:
    """A browser that is enrolled as this device."""
    client = Client(headers={"Accept-Language": "en"})
    client.cookies[settings.DEVICE_COOKIE_NAME] = tokens.issue(device, now=timezone.now())
    return client


@pytest.fixture
def tablet(cast: Cast) -> Client:
    """North's first till, locked; its people have PINs."""
    for user, pin in (
        (cast.cashier, PIN),
        (cast.french_cashier, OTHER_PIN),
        (cast.manager, MANAGERS_PIN),
    ):
        pins.set_pin(user, pin, by=user)
    return tablet_of(cast.till)


@pytest.fixture
def machine() -> Iterator[time_machine.Traveller]:
    """A clock that a test moves."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def unlock(tablet: Client, user: User, pin: str = PIN) -> str:
    """Type a PIN; return where that leads, or the page that is shown again."""
    response = tablet.post(reverse("cashier:unlock"), {"who": user.pk, "pin": pin})
    return response["Location"] if response.status_code == 303 else response.content.decode()


def user_of(tablet: Client) -> str | None:
    return tablet.session.get("_auth_user_id")


def test_the_tiles_are_the_stores_own_people_who_have_a_pin(tablet: Client, cast: Cast) -> None:
    pins.set_pin(cast.south_manager, MANAGERS_PIN, by=cast.south_manager)
    page = tablet.get("/", follow=True).content.decode()
    names = re.findall(r'name__text">([^<]+)<', page)
    assert names == ["Cashier", "Cashier-Fr", "Manager"]


def test_a_tile_leads_to_the_pad_and_the_pin_to_the_till(tablet: Client, cast: Cast) -> None:
    page = tablet.get(reverse("cashier:unlock"), {"who": cast.cashier.pk}).content.decode()
    assert "Your PIN" in page and page.count("data-digit") == 12
    assert unlock(tablet, cast.cashier) == "/"
    assert "Scan the card" in tablet.get("/").content.decode()
    assert AuditEntry.objects.get(event="session.begun").details == {"proof": "pin"}


def test_a_wrong_pin_a_person_of_another_store_and_nobody_are_told_the_same(
    tablet: Client, cast: Cast
) -> None:
    pins.set_pin(cast.south_manager, MANAGERS_PIN, by=cast.south_manager)
    said = "This name and PIN do not go together."
    assert said in unlock(tablet, cast.cashier, "735195")
    assert said in unlock(tablet, cast.south_manager, MANAGERS_PIN)
    for who in ("999999", "x", "9" * 30, "-1", "²", ""):
        answer = tablet.post(reverse("cashier:unlock"), {"who": who, "pin": PIN})
        assert answer.status_code == 200
    assert user_of(tablet) is None


def test_after_five_wrong_pins_even_the_right_one_waits(
    tablet: Client, cast: Cast, machine: time_machine.Traveller
) -> None:
    for _ in range(5):
        unlock(tablet, cast.cashier, "000000")
    assert "Too many tries. Wait 1 minute" in unlock(tablet, cast.cashier)
    machine.shift(timedelta(seconds=61))
    assert unlock(tablet, cast.cashier) == "/"


def test_no_browser_but_an_enrolled_one_takes_a_pin(tablet: Client, cast: Cast) -> None:
    stranger = Client()
    assert stranger.get(reverse("cashier:unlock"))["Location"] == reverse("cashier:sign_in")
    assert unlock(stranger, cast.cashier) == reverse("cashier:sign_in")
    tokens.revoke(cast.till, by="manager", now=timezone.now())
    assert unlock(tablet, cast.cashier) == reverse("cashier:sign_in")
    assert user_of(stranger) is None and user_of(tablet) is None


def test_each_person_gets_a_session_of_their_own(tablet: Client, cast: Cast) -> None:
    unlock(tablet, cast.cashier)
    first = tablet.session.session_key
    tablet.post(reverse("cashier:lock"))
    assert user_of(tablet) is None
    unlock(tablet, cast.french_cashier, OTHER_PIN)
    second = tablet.session.session_key
    tablet.post(reverse("cashier:lock"))
    unlock(tablet, cast.cashier)
    assert len({first, second, tablet.session.session_key}) == 3


def test_a_session_without_its_tablet_is_nobodys(tablet: Client, cast: Cast) -> None:
    unlock(tablet, cast.cashier)
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = tablet.cookies[
        settings.SESSION_COOKIE_NAME
    ].value
    assert "/sign-in/" in stolen.get("/")["Location"]


def test_a_disabled_persons_session_ends_at_once(tablet: Client, cast: Cast) -> None:
    unlock(tablet, cast.cashier)
    User.objects.filter(pk=cast.cashier.pk).update(is_active=False)
    assert "/sign-in/" in tablet.get("/")["Location"]
    assert "do not go together" in unlock(tablet, cast.cashier)


@pytest.mark.parametrize("change", ["pin", "password"])
def test_a_new_pin_or_password_ends_the_sessions_of_before(
    tablet: Client, cast: Cast, change: str
) -> None:
    unlock(tablet, cast.cashier)
    assert tablet.get("/").status_code == 200
    if change == "pin":
        pins.set_pin(cast.cashier, "918273", by=cast.manager)
    else:
        cast.cashier.set_password("another-battery")
        cast.cashier.save()
    assert "/sign-in/" in tablet.get("/")["Location"]


def test_an_idle_tablet_locks_itself_also_without_script(
    tablet: Client, cast: Cast, machine: time_machine.Traveller
) -> None:
    unlock(tablet, cast.cashier)
    for _ in range(4):
        machine.shift(timedelta(seconds=100))
        assert tablet.get("/").status_code == 200
    machine.shift(timedelta(seconds=151))
    assert tablet.get("/")["Location"] == reverse("cashier:unlock")
    assert user_of(tablet) is None


def test_staying_keeps_it_open_and_a_screen_that_asks_by_itself_does_not(
    tablet: Client, cast: Cast, machine: time_machine.Traveller
) -> None:
    unlock(tablet, cast.cashier)
    machine.shift(timedelta(seconds=100))
    assert tablet.post(reverse("cashier:stay")).status_code == 204
    machine.shift(timedelta(seconds=100))
    assert tablet.get("/").status_code == 200
    polled = reverse("cashier:status", args=["00000000-0000-4000-8000-000000000000"])
    for _ in range(2):
        machine.shift(timedelta(seconds=100))
        last = tablet.get(polled)
    assert last["Location"] == reverse("cashier:unlock")


def test_no_session_outlasts_a_working_day(
    tablet: Client, cast: Cast, machine: time_machine.Traveller
) -> None:
    unlock(tablet, cast.cashier)
    for _ in range(12 * 60 - 1):
        machine.shift(timedelta(minutes=1))
        session = tablet.session
        session["seen_at"] = timezone.now().timestamp()
        session.save()
    assert tablet.get("/").status_code == 200
    machine.shift(timedelta(minutes=1))
    assert "/sign-in/" in tablet.get("/")["Location"]


def test_a_badge_picks_the_person_and_the_pin_proves_it(tablet: Client, cast: Cast) -> None:
    text = badges.issue(cast.cashier, by=cast.manager, now=timezone.now())
    page = tablet.post(reverse("cashier:unlock"), {"badge": text}).content.decode()
    assert "Your PIN" in page and f'name="who" value="{cast.cashier.pk}"' in page
    assert user_of(tablet) is None


def test_where_the_store_says_so_a_badge_is_enough(tablet: Client, cast: Cast) -> None:
    StorePolicy.objects.create(store=cast.north, badge_is_enough=True)
    text = badges.issue(cast.cashier, by=cast.manager, now=timezone.now())
    assert tablet.post(reverse("cashier:unlock"), {"badge": text})["Location"] == "/"
    assert user_of(tablet) == str(cast.cashier.pk)
    tablet.post(reverse("cashier:lock"))
    badges.revoke(cast.cashier, by=cast.manager, now=timezone.now())
    page = tablet.post(reverse("cashier:unlock"), {"badge": text}).content.decode()
    assert "This badge opens nothing here." in page and user_of(tablet) is None


def test_an_open_sale_waits_for_its_owner(
    tablet: Client, cast: Cast, scripted: ScriptedPlatform
) -> None:
    fields = lock_with_a_sale(tablet, cast)
    locked = tablet.get(reverse("cashier:unlock")).content.decode()
    assert "A sale is open. Cashier or a manager" in locked
    assert fields["sale"] not in locked and "ending in" not in locked
    assert unlock(tablet, cast.cashier) == reverse("cashier:kept")
    page = tablet.get(reverse("cashier:kept")).content.decode()
    assert "Your sale is still here" in page
    again = {name: hidden(page, name) for name in ("sale", "basket")}
    resumed = tablet.post(reverse("cashier:resume"), again).content.decode()
    assert 'value="43.35"' in resumed and "ending in 0001" in resumed
    scripted.will(offer())
    again["sale"] = hidden(resumed, "sale")
    assert "Redeem" in tablet.post(reverse("cashier:offer"), again).content.decode()
    assert tablet.get(reverse("cashier:kept"))["Location"] == "/"


def test_a_manager_may_go_on_with_it_and_another_cashier_may_not(
    tablet: Client, cast: Cast
) -> None:
    lock_with_a_sale(tablet, cast)
    assert unlock(tablet, cast.manager, MANAGERS_PIN) == reverse("cashier:kept")
    assert "The sale of Cashier" in tablet.get(reverse("cashier:kept")).content.decode()
    tablet.post(reverse("cashier:lock"))
    fields = lock_with_a_sale(tablet, cast)
    assert unlock(tablet, cast.french_cashier, OTHER_PIN) == "/"
    assert tablet.get(reverse("cashier:kept"))["Location"] == "/"
    # Sealed for the first one's session, it opens in no other.
    answer = tablet.post(reverse("cashier:resume"), fields)
    assert answer.status_code == 303 and answer["Location"] == "/"


def test_without_a_sale_nothing_is_kept(tablet: Client, cast: Cast) -> None:
    unlock(tablet, cast.cashier)
    for fields in ({}, {"keep": "/resume/"}, {"keep": "/redeem/", "sale": "x"}):
        tablet.post(reverse("cashier:lock"), fields)
        assert "A sale is open" not in tablet.get(reverse("cashier:unlock")).content.decode()
        unlock(tablet, cast.cashier)


def test_the_locked_screen_is_kept_by_no_browser_and_knows_no_member(
    tablet: Client, cast: Cast, scripted: ScriptedPlatform
) -> None:
    unlock(tablet, cast.cashier)
    tablet.post(reverse("cashier:lock"))
    response = tablet.get(reverse("cashier:unlock"))
    assert "no-store" in response["Cache-Control"]
    assert "Latest at this till" not in response.content.decode()


def test_a_screen_of_an_enrolled_tablet_says_when_it_locks(tablet: Client, cast: Cast) -> None:
    unlock(tablet, cast.cashier)
    page = tablet.get("/").content.decode()
    assert 'data-after="120" data-warns="15"' in page


def lock_with_a_sale(tablet: Client, cast: Cast) -> dict[str, str]:
    """Read a card, type a basket, and lock as the screen's script does; return what it sent."""
    unlock(tablet, cast.cashier)
    page = Till(client=tablet).scan(COLLECTOR)
    fields = {"sale": hidden(page, "sale"), "basket": "43.35", "excluded": ""}
    tablet.post(reverse("cashier:lock"), {"keep": reverse("cashier:resume"), **fields})
    return fields
