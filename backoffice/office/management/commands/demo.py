"""Seeds the demo partner, again and again without harm, and prints its sign-ins."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from backoffice.devices.models import Device
from backoffice.office.demo_offers import seed_offers
from backoffice.office.demo_reasons import seed_reasons
from backoffice.office.demo_samples import seed_samples
from backoffice.people import pins
from backoffice.people.models import Role, User
from backoffice.stores.models import Sponsor, Store

SPONSOR = {
    "name": "Northgate Grocers",
    "vendor_id": "100087",
    "acquirer_id": "100000",
}
STORES: tuple[dict[str, str], ...] = (
    {
        "number": "0001",
        "name": "Queen St W",
        "name_fr": "rue Queen O.",
        "city": "Toronto",
        "zone": "America/Toronto",
    },
    {
        "number": "0002",
        "name": "Water St",
        "name_fr": "rue Water",
        "city": "St. John's",
        "zone": "America/St_Johns",
    },
    {
        "number": "0003",
        "name": "Albert St",
        "name_fr": "rue Albert",
        "city": "Regina",
        "zone": "America/Regina",
    },
    {
        "number": "0004",
        "name": "Robson St",
        "name_fr": "rue Robson",
        "city": "Vancouver",
        "zone": "America/Vancouver",
    },
)
# Username, password, name on screens, role, language, stores. A demo cashier's PIN is the password.
PEOPLE: tuple[tuple[str, str, str, Role, str, tuple[str, ...]], ...] = (
    ("admin", "milepost-admin", "Admin", Role.ADMINISTRATOR, "en", ()),
    ("manager", "milepost-manager", "Manager", Role.MANAGER, "en", ("0001", "0002")),
    ("auditor", "milepost-auditor", "Auditor", Role.AUDITOR, "en", ()),
    ("ana", "246810", "Ana", Role.CASHIER, "en", ("0001", "0002", "0003", "0004")),
    ("benoit", "135790", "Benoît", Role.CASHIER, "fr", ("0001", "0002", "0003", "0004")),
)
PINS = {"admin": "864201", "manager": "975318", "ana": "246810", "benoit": "135790"}


class Command(BaseCommand):
    """Seed the demo partner (sponsor LOY1) with its stores, tills and people."""

    help = "Seed the demo partner and print its sign-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer test partners for the programme's own samples."""
        parser.add_argument(
            "--samples",
            action="store_true",
            help="a test partner for the sponsor of each sample, and its till's bearer token",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing and leave what is there as it is."""
        if settings.MILEPOST_PRODUCTION:
            raise CommandError("The demo partner is not for production.")
        with transaction.atomic():
            seed()
        self.stdout.write("Sign-ins (name, password, PIN at a tablet, role):")
        for username, secret, _name, role, language, _stores in PEOPLE:
            note = ", French" if language == "fr" else ""
            pin = PINS.get(username, "")
            self.stdout.write(f"  {username:<10} {secret:<18} {pin:<8} {role.label}{note}")
        if options["samples"]:
            self._write_samples()

    def _write_samples(self) -> None:
        with transaction.atomic():
            tills = seed_samples(now=timezone.now())
        self.stdout.write("Tills of the samples (sponsor, store/device, token seen this once):")
        for till in tills:
            sponsor = till.device.store.sponsor.code
            self.stdout.write(f"  {sponsor:<6} {till.device} {till.token}")


def seed() -> None:
    """Create the demo partner where it is missing."""
    sponsor, _made = Sponsor.objects.get_or_create(code="LOY1", defaults=SPONSOR)
    stores: dict[str, Store] = {}
    for fields in STORES:
        store, _made = Store.objects.get_or_create(
            sponsor=sponsor, number=fields["number"], defaults=fields
        )
        stores[store.number] = store
        for number in ("001", "002"):
            Device.objects.get_or_create(store=store, number=number)
    seed_offers(sponsor, stores)
    seed_reasons(sponsor)
    for username, secret, name, role, language, numbers in PEOPLE:
        existing = User.objects.filter(username=username).first()
        if existing is not None:
            _give_pin(existing)
            continue
        user = User.objects.create_user(
            username=username,
            password=secret,
            display_name=name,
            role=role,
            language=language,
            is_staff=role == Role.ADMINISTRATOR,
            is_superuser=role == Role.ADMINISTRATOR,
        )
        user.stores.set([stores[number] for number in numbers])
        _give_pin(user)


def _give_pin(user: User) -> None:
    """Give a demo person who has none the PIN that is printed."""
    pin = PINS.get(user.username)
    if pin is not None and not user.pin_hash:
        pins.set_pin(user, pin, by=user)
