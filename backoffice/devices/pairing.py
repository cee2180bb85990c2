"""Pairing: a manager is shown a code, the tablet types it, the tablet is the device.

A code is single use and short-lived, and stored as a keyed fingerprint. Guesses are counted before
they are looked at, and every wrong one is answered alike.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from backoffice.audit import trail
from backoffice.devices import codes, history, tallies, tokens
from backoffice.devices.models import Device, DeviceProfile, PairingCode

LIFE: Final = timedelta(minutes=10)
# With 2^40 codes and these limits, guessing one of ten open codes takes some ten thousand years.
TRIES_OF_ONE: Final = 10
TRIES_OF_ALL: Final = 200
WINDOW: Final = timedelta(minutes=10)


class Wrong(Exception):
    """No such code, not any more, or not yet: one answer for all."""


class TooMany(Exception):
    """Too many guesses, from here or from everywhere; nothing was looked at."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The device that a tablet has become, and its token, seen this once."""

    device: Device
    token: str


def make_code(device: Device, *, by: str, now: datetime, channel: str = "office") -> str:
    """Return a new code for a tablet, seen this once; an earlier open one is good no longer."""
    code = codes.new_code()
    with transaction.atomic():
        device.pairing_codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
        tallies.forget_old(before=now - timedelta(days=1))
        PairingCode.objects.create(
            device=device,
            code_mac=_mac(code),
            made_by=by,
            created_at=now,
            expires_at=now + LIFE,
        )
        history.record("code_made", device, by=by, channel=channel)
    return code


def pair(typed: str, *, address: str, now: datetime) -> Paired:
    """Use a code up and return the device and its token. Raises Wrong or TooMany.

    The tablets that this device was before are strangers from now on.
    """
    of_one = tallies.count(f"pair:{tallies.place_of(address)}", now=now, window=WINDOW)
    of_all = tallies.count("pair", now=now, window=WINDOW)
    if of_one > TRIES_OF_ONE or of_all > TRIES_OF_ALL:
        if of_one == TRIES_OF_ONE + 1 or of_all == TRIES_OF_ALL + 1:
            _record_flood(address)
        raise TooMany
    code = codes.read(typed)
    if code is None:
        raise Wrong
    with transaction.atomic():
        return _use(_mac(code), now)


def _use(mac: str, now: datetime) -> Paired:
    is_open = {"code_mac": mac, "used_at": None, "expires_at__gt": now}
    # Of two tablets that type the same code at once, one changes the row.
    if not PairingCode.objects.filter(**is_open).update(used_at=now):
        raise Wrong
    row = PairingCode.objects.select_related("device__store__sponsor").get(code_mac=mac)
    device = row.device
    if not (device.is_active and device.store.is_active and device.store.sponsor.is_active):
        raise Wrong
    token = tokens.issue(device, now=now, profile=DeviceProfile.TABLET)
    history.record("paired", device, by=row.made_by, channel="console")
    return Paired(device=device, token=token)


def _mac(code: str) -> str:
    return tokens.vault().mac(code.encode(), purpose="pairing")


def _record_flood(address: str) -> None:
    trail.record(
        "device.guesses_refused",
        subject=f"address:{address[:50]}",
        actor="",
        channel="console",
        details={"tries": TRIES_OF_ONE},
    )
