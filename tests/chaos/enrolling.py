"""Gives the tills of two of the demo partner's stores a token for the switch, as a process, and
says them in JSON. For `python -m tests.chaos.enrolling`.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from backoffice.devices import tokens  # noqa: E402
from backoffice.devices.models import Device, DeviceProfile  # noqa: E402

# Cashiers stand at those of the first store.
_STORES = ("0003", "0004")


def main() -> None:
    """Enrol them beside whatever else they are."""
    tills = Device.objects.filter(store__number__in=_STORES, store__sponsor__code="LOY1")
    made = [
        tokens.issue(till, now=timezone.now(), profile=DeviceProfile.TILL)
        for till in tills.select_related("store").order_by("pk")
    ]
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
