"""Who sees which stores and may stand at which till: one table for every role."""

import pytest
from django.contrib.auth.models import AnonymousUser

from backoffice.devices.models import Device
from backoffice.people.models import Role, User
from backoffice.people.scope import usable_tills, visible_stores
from backoffice.stores.models import Store
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("person", "stores"),
    [
        ("cashier", {"North"}),
        ("french_cashier", {"North"}),
        ("manager", {"North"}),
        ("south_manager", {"South"}),
        ("administrator", {"North", "South"}),
        ("auditor", {"North", "South"}),
    ],
)
def test_a_person_sees_their_own_stores(cast: Cast, person: str, stores: set[str]) -> None:
    user: User = getattr(cast, person)
    assert {store.name for store in visible_stores(user)} == stores


@pytest.mark.parametrize(
    ("person", "tills"),
    [
        ("cashier", {"0001/001", "0001/002"}),
        ("manager", {"0001/001", "0001/002"}),
        ("south_manager", {"0002/001"}),
        ("administrator", {"0001/001", "0001/002", "0002/001"}),
        # An auditor reads and never moves value.
        ("auditor", set()),
    ],
)
def test_a_person_may_stand_at_their_own_stores_tills(
    cast: Cast, person: str, tills: set[str]
) -> None:
    user: User = getattr(cast, person)
    assert {f"{till.store.number}/{till.number}" for till in usable_tills(user)} == tills


def test_a_stranger_sees_nothing(cast: Cast) -> None:
    assert not visible_stores(AnonymousUser()).exists()
    assert not usable_tills(AnonymousUser()).exists()


@pytest.mark.parametrize("role", Role)
def test_whoever_has_left_sees_nothing_more(cast: Cast, role: Role) -> None:
    cast.manager.role = role
    cast.manager.is_active = False
    assert not visible_stores(cast.manager).exists()
    assert not usable_tills(cast.manager).exists()


def test_a_person_without_a_store_sees_none(cast: Cast) -> None:
    cast.cashier.stores.clear()
    assert not visible_stores(cast.cashier).exists()
    assert not usable_tills(cast.cashier).exists()


def test_a_person_with_two_stores_sees_both_and_each_once(cast: Cast) -> None:
    cast.manager.stores.add(cast.south)
    assert visible_stores(cast.manager).count() == 2
    assert usable_tills(cast.manager).count() == 3


def test_a_closed_store_is_read_and_serves_nobody(cast: Cast) -> None:
    Store.objects.filter(pk=cast.north.pk).update(is_active=False)
    assert visible_stores(cast.manager).exists()
    assert not usable_tills(cast.manager).exists()


def test_a_till_that_was_taken_away_serves_nobody(cast: Cast) -> None:
    Device.objects.filter(pk=cast.till.pk).update(is_active=False)
    assert set(usable_tills(cast.cashier)) == {cast.second_till}


@pytest.mark.parametrize(
    ("role", "every_store", "office", "till"),
    [
        (Role.CASHIER, False, False, True),
        (Role.MANAGER, False, True, True),
        (Role.ADMINISTRATOR, True, True, True),
        (Role.AUDITOR, True, True, False),
    ],
)
def test_a_role_is_what_a_person_may_do(
    role: Role, every_store: bool, office: bool, till: bool
) -> None:
    user = User(role=role)
    assert user.may_see_every_store is every_store
    assert user.may_open_office is office
    assert user.may_use_till is till


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Ana", "AN"), ("Ana Silva", "AS"), ("ana maria silva", "AM"), ("É", "É"), ("", "US")],
)
def test_a_badge_has_initials_of_the_shown_name(name: str, initials: str) -> None:
    user = User(username="user", display_name=name)
    assert user.initials == initials
    assert user.shown_name == (name or "user")
