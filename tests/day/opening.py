"""Opens the stores of a day, as a process: the demo partner's miles are worked out by its own
offers, and a second sponsor's by the programme. For `python -m tests.day.opening`.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from backoffice.devices.models import Device  # noqa: E402
from backoffice.office.management.commands.demo import SPONSOR  # noqa: E402
from backoffice.stores.models import Calculation, Sponsor, Store  # noqa: E402

_STORES = (("0101", "Hollis St", "America/Halifax"), ("0102", "Jasper Ave", "America/Edmonton"))
_TILLS = ("001", "002")


def main() -> None:
    """Add what the demo partner does not have."""
    Sponsor.objects.filter(code="LOY1").update(calculation=Calculation.PARTNER)
    sponsor = Sponsor.objects.create(code="LOY2", calculation=Calculation.AMRP, **SPONSOR)
    for number, name, zone in _STORES:
        store = Store.objects.create(sponsor=sponsor, number=number, name=name, zone=zone)
        for till in _TILLS:
            Device.objects.create(store=store, number=till)


if __name__ == "__main__":
    main()
