"""Devices as lists show them: what each is just now. Reads only; the caller brings the scope."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from backoffice.devices.models import Device, DeviceToken, PairingCode

STALE_AFTER: Final = timedelta(days=1)


class Standing(StrEnum):
    """How a device stands. The first that fits counts."""

    CLOSED = "closed"
    REVOKED = "revoked"
    NEW = "new"
    STALE = "stale"
    IN_USE = "in_use"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A device and how it stands."""

    device: Device
    standing: Standing


def of_standing(
    devices: QuerySet[Device], standing: Standing, *, now: datetime
) -> QuerySet[Device]:
    """Return those of `devices` that stand so."""
    is_closed = Q(is_active=False) | Q(store__is_active=False) | Q(store__sponsor__is_active=False)
    if standing == Standing.CLOSED:
        return devices.filter(is_closed)
    devices = devices.exclude(is_closed)
    if standing == Standing.REVOKED:
        return devices.filter(revoked_at__isnull=False)
    devices = devices.filter(revoked_at=None)
    if standing == Standing.NEW:
        return devices.exclude(_holds_token(now))
    devices = devices.filter(_holds_token(now))
    is_stale = Q(last_seen_at=None) | Q(last_seen_at__lt=now - STALE_AFTER)
    return devices.filter(is_stale) if standing == Standing.STALE else devices.exclude(is_stale)


def listed(devices: QuerySet[Device], *, now: datetime) -> list[Listed]:
    """Return the devices in their order, each with how it stands."""
    rows = devices.select_related("store__sponsor").annotate(holds_token=_holds_token(now))
    return [Listed(device=row, standing=_standing(row, now)) for row in rows]


def open_code(device: Device, *, now: datetime) -> PairingCode | None:
    """Return the code that still waits for its tablet, without the code itself."""
    return device.pairing_codes.filter(used_at=None, expires_at__gt=now).first()


def good_tokens(device: Device, *, now: datetime) -> list[DeviceToken]:
    """Return the tokens that are good just now, newest first."""
    if device.revoked_at is not None:
        return []
    return list(_good(now).filter(device=device, store_id=device.store_id))


def _standing(row: Device, now: datetime) -> Standing:
    if not (row.is_active and row.store.is_active and row.store.sponsor.is_active):
        return Standing.CLOSED
    if row.revoked_at is not None:
        return Standing.REVOKED
    if not getattr(row, "holds_token", False):
        return Standing.NEW
    seen = row.last_seen_at
    return Standing.STALE if seen is None or seen < now - STALE_AFTER else Standing.IN_USE


def _good(now: datetime) -> QuerySet[DeviceToken]:
    return DeviceToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def _holds_token(now: datetime) -> Exists:
    return Exists(_good(now).filter(device=OuterRef("pk"), store=OuterRef("store_id")))
