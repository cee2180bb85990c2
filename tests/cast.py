"""The fixed cast of the tests, named by role: store North's people, and South's manager, who must
see none of North."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from backoffice.devices.models import Device
from backoffice.people.actors import Actor
from backoffice.people.models import Role, User
from backoffice.stores.models import Sponsor, Store

SECRET = "correct-battery"

# The sandbox's test cards (PRODUCT 3).
COLLECTOR = "80000010001"
COLLECTOR_WITHOUT_CASH = "80000010002"
COLLECTOR_SUPPRESSED = "80000010003"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Two stores of one sponsor, their tills and their people."""

    sponsor: Sponsor
    north: Store
    south: Store
    till: Device
    second_till: Device
    south_till: Device
    cashier: User
    french_cashier: User
    manager: User
    south_manager: User
    administrator: User
    auditor: User

    @property
    def actor(self) -> Actor:
        """North's cashier at North's first till."""
        return Actor(user=self.cashier, device=self.till)

    @property
    def manager_actor(self) -> Actor:
        """North's manager at North's first till."""
        return Actor(user=self.manager, device=self.till)


def make_cast() -> Cast:
    """Create the cast in the database."""
    sponsor = Sponsor.objects.create(
        code="LOY1", name="Northgate Grocers", vendor_id="100087", acquirer_id="100000"
    )
    north = Store.objects.create(
        sponsor=sponsor, number="0001", name="North", city="Toronto", zone="America/Toronto"
    )
    south = Store.objects.create(
        sponsor=sponsor, number="0002", name="South", city="St. John's", zone="America/St_Johns"
    )
    till, second_till, south_till = Device.objects.bulk_create(
        [
            Device(store=north, number="001"),
            Device(store=north, number="002"),
            Device(store=south, number="001"),
        ]
    )
    people = {
        "cashier": _person("cashier", Role.CASHIER),
        "french_cashier": _person("cashier-fr", Role.CASHIER, language="fr"),
        "manager": _person("manager", Role.MANAGER),
        "south_manager": _person("south-manager", Role.MANAGER),
        "administrator": _person("administrator", Role.ADMINISTRATOR),
        "auditor": _person("auditor", Role.AUDITOR),
    }
    # Most tests have the cast made: in as few queries as there can be.
    User.objects.bulk_create(people.values())
    at_work = [(people[name], north) for name in ("cashier", "french_cashier", "manager")]
    at_work.append((people["south_manager"], south))
    works_at = User.stores.through
    works_at.objects.bulk_create(works_at(user=one, store=store) for one, store in at_work)
    return Cast(
        sponsor=sponsor,
        north=north,
        south=south,
        till=till,
        second_till=second_till,
        south_till=south_till,
        **people,
    )


def _person(username: str, role: Role, language: str = "en") -> User:
    return User(
        username=username,
        password=make_password(SECRET),
        display_name=username.title(),
        role=role,
        language=language,
        is_staff=role == Role.ADMINISTRATOR,
        is_superuser=role == Role.ADMINISTRATOR,
    )
