"""Makes a pairing code for a tablet, or a token for a till, and prints it alone on its line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.devices import codes, history, pairing, tokens
from backoffice.devices.models import Device, DeviceProfile

_TILLS = [profile for profile in DeviceProfile if profile != DeviceProfile.TABLET]


class Command(BaseCommand):
    """Enrol a device: a tablet by a code, or with --token a till by its bearer token."""

    help = "Print a pairing code for a tablet, or with --token a bearer token for a till."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the device as the programme does."""
        parser.add_argument("--store", required=True, help="the store's number")
        parser.add_argument("--device", required=True, help="the device's number there")
        parser.add_argument("--sponsor", default="", help="where two sponsors have such a store")
        parser.add_argument("--token", action="store_true", help="a token for the switch")
        parser.add_argument(
            "--profile",
            choices=[profile.value for profile in _TILLS],
            help="what the token is good for; by default the device's own profile, or all of it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the secret on standard output, and what it is on standard error."""
        device = _device(options["store"], options["device"], options["sponsor"])
        if options["profile"] and not options["token"]:
            raise CommandError("A profile is for a token: add --token.")
        if options["token"]:
            profile = options["profile"] or _till_profile(device)
            token = tokens.renew(device, now=timezone.now(), profile=profile)
            history.record(
                "token_made", device, by="enrol_device", channel="shell", profile=profile
            )
            self.stdout.write(token)
            self.stderr.write(
                f"The token of {device} ({profile}). It is shown this once. "
                "Earlier ones end a minute after this one is first used."
            )
            return
        code = pairing.make_code(device, by="enrol_device", now=timezone.now(), channel="shell")
        minutes = int(pairing.LIFE.total_seconds() // 60)
        self.stdout.write(codes.shown(code))
        self.stderr.write(f"The code of {device}, for {minutes} minutes: type it at /pair/.")


def _device(store: str, number: str, sponsor: str) -> Device:
    found = Device.objects.select_related("store__sponsor").filter(
        store__number=store, number=number
    )
    if sponsor:
        found = found.filter(store__sponsor__code=sponsor)
    devices = list(found)
    if not devices:
        raise CommandError(f"There is no device {number} in a store {store}.")
    if len(devices) > 1:
        codes_of = ", ".join(sorted(device.store.sponsor.code for device in devices))
        raise CommandError(f"More than one sponsor has a store {store}: --sponsor {codes_of}.")
    device = devices[0]
    if not (device.is_active and device.store.is_active and device.store.sponsor.is_active):
        raise CommandError(f"Device {device}, its store or its sponsor is not active.")
    return device


def _till_profile(device: Device) -> str:
    is_tablet = device.profile == DeviceProfile.TABLET
    return DeviceProfile.TILL if is_tablet else device.profile
