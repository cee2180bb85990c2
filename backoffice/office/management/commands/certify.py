"""Walks every message and code of the switch against the sandbox; prints a report to hand in."""

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.devices import tokens
from backoffice.devices.models import Device, DeviceProfile, DeviceToken
from backoffice.office import certification
from backoffice.office.certification import Line

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1", "sandbox"})


class Command(BaseCommand):
    """Certify one device on the switch."""

    help = "Walk every message and code of the switch against the sandbox and print a report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the device as `enrol_device` does."""
        parser.add_argument("--store", required=True, help="the store's number")
        parser.add_argument("--device", required=True, help="the device's number there")
        parser.add_argument("--sponsor", default="", help="where two sponsors have such a store")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report in Markdown; leave with 1 when an answer was not the expected one."""
        host = urlsplit(settings.AIRMILES_BASE_URL).hostname
        if settings.MILEPOST_PRODUCTION or host not in _LOCAL:
            raise CommandError("This moves miles. It is for the sandbox, and never for a real one.")
        device = _device(options["store"], options["device"], options["sponsor"])
        # Beside the tokens that it has: the till itself may be at work.
        logger = logging.getLogger("django.request")
        # Refusals are what is asked for here.
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        token = tokens.add(device, now=timezone.now(), profile=DeviceProfile.TILL)
        try:
            self._write_head(device)
            lines = list(self._written(device, token))
        finally:
            logger.setLevel(level)
            DeviceToken.objects.filter(digest=tokens.digest(token)).delete()
        bad = [line for line in lines if not line.is_good]
        self.stdout.write(f"\n{len(lines) - len(bad)} of {len(lines)} as expected.")
        if bad:
            raise SystemExit(1)

    def _write_head(self, device: Device) -> None:
        sponsor = device.store.sponsor
        now = timezone.localtime()
        self.stdout.write("# Certification of the switch\n")
        self.stdout.write(
            f"- sponsor {sponsor.code}, store {device.store.number}, device {device.number}"
        )
        self.stdout.write(
            f"- Milepost {settings.MILEPOST_VERSION}, platform {settings.AIRMILES_BASE_URL}"
        )
        self.stdout.write(f"- {now:%Y-%m-%d %H:%M %Z}\n")
        self.stdout.write("| call | case | expected | answered | as expected | transaction |")
        self.stdout.write("|---|---|---|---|---|---|")

    def _written(self, device: Device, token: str) -> list[Line]:
        lines = []
        for line in certification.walk(device, token):
            verdict = "yes" if line.is_good else "**no**"
            cells = (line.call, line.case, line.expected, line.got, verdict, line.reference)
            self.stdout.write(f"| {' | '.join(cells)} |")
            lines.append(line)
        return lines


def _device(store: str, number: str, sponsor: str) -> Device:
    found = Device.objects.select_related("store__sponsor").filter(
        store__number=store, number=number
    )
    devices = list(found.filter(store__sponsor__code=sponsor) if sponsor else found)
    if len(devices) != 1:
        raise CommandError(
            f"{len(devices)} devices {number} in a store {store}; name the --sponsor."
        )
    return devices[0]
