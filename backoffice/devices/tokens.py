"""The tokens of devices: made, believed, replaced and revoked here and nowhere else.

A token is 256 random bits, given away once; kept is a keyed digest. Nothing here shows a token.
"""

import functools
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from backoffice.devices import history
from backoffice.devices.models import Device, DeviceProfile, DeviceToken
from backoffice.vault import Keyring, Vault

__all__ = [
    "DeviceToken",
    "add",
    "device_of",
    "digest",
    "found",
    "fresh",
    "is_shaped",
    "issue",
    "renew",
    "revoke",
]

_BYTES: Final = 32
# What token_urlsafe makes of 32 bytes.
_LENGTH: Final = 43
# Requests that left with the old token before the answer with the new one came.
OVERLAP: Final = timedelta(minutes=1)
_SEEN_EVERY: Final = timedelta(minutes=1)
# Ended tokens tell nothing that the audit log does not.
_KEPT: Final = timedelta(days=30)
_LONGEST_VERSION: Final = 40


@functools.cache
def vault() -> Vault:
    """Return the vault over this installation's keys, for fingerprints only."""
    return Vault(Keyring.parse(settings.MILEPOST_DATA_KEYS))


def fresh() -> str:
    """Return a new token, of whatever kind."""
    return secrets.token_urlsafe(_BYTES)


def is_shaped(text: str) -> bool:
    """Say whether a text looks as tokens do; nothing else is worth a digest."""
    return len(text) == _LENGTH and text.isascii()


def digest(token: str, *, purpose: str = "device-token") -> str:
    """Return what is kept of a token: another purpose makes it another digest."""
    return vault().mac(token.encode(), purpose=purpose)


def issue(device: Device, *, now: datetime, profile: str = "") -> str:
    """Enrol a device and return its token, seen this once. Earlier ones end at once.

    The token is good for `profile`, by default the device's own. A tablet and a till may stand side
    by side as one device: a token for the console ends none for the switch, nor the other way.
    """
    profile = profile or device.profile
    with transaction.atomic():
        _let_back_in(device, now)
        _end(_good(device, now).filter(_same_door(profile)), now)
        return add(device, now=now, profile=profile)


def renew(device: Device, *, now: datetime, profile: str = "") -> str:
    """Return another token of a device; earlier ones for the same door end when it is used."""
    profile = profile or device.profile
    with transaction.atomic():
        _let_back_in(device, now)
        _good(device, now).filter(_same_door(profile), replaced_at=None).update(replaced_at=now)
        return add(device, now=now, profile=profile)


def add(device: Device, *, now: datetime, profile: str = "") -> str:
    """Return one more token of a device beside those it has."""
    token = fresh()
    DeviceToken.objects.filter(device=device, expires_at__lt=now - _KEPT).delete()
    DeviceToken.objects.create(
        device=device,
        store_id=device.store_id,
        profile=profile or device.profile,
        digest=digest(token),
        created_at=now,
    )
    return token


def successor(token: DeviceToken, *, now: datetime) -> str | None:
    """Return the token that takes a good one's place, or None where that was just done.

    Of several requests at once, one gets it. The answer may be lost: after a while another one is
    made for whoever still comes with the old one.
    """
    was_just_made = Q(replaced_at__gt=now - OVERLAP)
    mine = DeviceToken.objects.filter(pk=token.pk, revoked_at=None).exclude(was_just_made)
    with transaction.atomic():
        if not mine.update(replaced_at=now):
            return None
        return add(token.device, now=now, profile=token.profile)


def device_of(token: str, *, now: datetime, version: str = "") -> Device | None:
    """Return the device that a token belongs to, or None; notes at most once a minute that it came.

    It must be active, not revoked, and still in the store for which the token was made; the store
    and the sponsor must be active. `version` is what the device says of its own software.
    """
    row = found(token, now=now)
    if row is None:
        return None
    note_use(row, now=now, version=version)
    return row.device


def found(token: str, *, now: datetime) -> DeviceToken | None:
    """Return the good token with its device, or None. Writes nothing."""
    if not is_shaped(token):
        return None
    row = (
        DeviceToken.objects.select_related("device__store__sponsor")
        .filter(digest=digest(token), revoked_at=None)
        .first()
    )
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    device = row.device
    if row.store_id != device.store_id or device.revoked_at is not None or not device.is_active:
        return None
    if not (device.store.is_active and device.store.sponsor.is_active):
        return None
    device.came_as = row.profile
    return row


def note_use(row: DeviceToken, *, now: datetime, version: str = "") -> None:
    """Note when a token and its device were last seen, and end what a new token replaced."""
    said = version[:_LONGEST_VERSION]
    device = row.device
    if row.last_used_at is None:
        _begin(row, now)
    elif now - row.last_used_at >= _SEEN_EVERY:
        DeviceToken.objects.filter(pk=row.pk).update(last_used_at=now)
    seen = device.last_seen_at
    if seen is None or now - seen >= _SEEN_EVERY or (said and said != device.version):
        device.last_seen_at = now
        device.version = said or device.version
        Device.objects.filter(pk=device.pk).update(
            last_seen_at=now, **({"version": said} if said else {})
        )


def revoke(device: Device, *, by: str, now: datetime, channel: str = "office") -> None:
    """End every token and open pairing code of a device; its next request is a stranger's."""
    with transaction.atomic():
        Device.objects.filter(pk=device.pk).update(revoked_at=now)
        end_all(device, now=now)
        history.record("revoked", device, by=by, channel=channel)
    device.revoked_at = now


def end_all(device: Device, *, now: datetime) -> None:
    """End every token and open pairing code of a device; it must be enrolled anew."""
    _end(device.tokens.all(), now)
    device.pairing_codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)


def _begin(row: DeviceToken, now: datetime) -> None:
    is_first = DeviceToken.objects.filter(pk=row.pk, last_used_at=None).update(last_used_at=now)
    if is_first:
        DeviceToken.objects.filter(
            _same_door(row.profile),
            device_id=row.device_id,
            pk__lt=row.pk,
            replaced_at__isnull=False,
            expires_at=None,
        ).update(expires_at=now + OVERLAP)


def _same_door(profile: str) -> Q:
    is_console = Q(profile=DeviceProfile.TABLET)
    return is_console if profile == DeviceProfile.TABLET else ~is_console


def _good(device: Device, now: datetime) -> QuerySet[DeviceToken]:
    return DeviceToken.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        device=device,
        store_id=device.store_id,
        revoked_at=None,
    )


def _end(tokens: QuerySet[DeviceToken], now: datetime) -> None:
    tokens.filter(revoked_at=None).update(revoked_at=now, expires_at=now)


def _let_back_in(device: Device, now: datetime) -> None:
    """Clear an earlier revocation without reviving what it ended."""
    if Device.objects.filter(pk=device.pk).exclude(revoked_at=None).update(revoked_at=None):
        # A token that was being replaced in that very moment would come back to life.
        _end(device.tokens.all(), now)
    device.revoked_at = None
