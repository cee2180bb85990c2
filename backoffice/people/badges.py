"""Badges: a barcode that names a person. Its secret is seen once, when it is printed."""

import base64
import re
import secrets
from datetime import datetime
from typing import Final

from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.devices.models import Device
from backoffice.people import pins, tries
from backoffice.people.models import User
from backoffice.people.tables import Badge
from backoffice.people.tries import Limit

# No card, receipt or product code begins with it, and Code 128 prints it in one set.
PREFIX: Final = "MPB"
_SECRET_BYTES = 10
_FORM = re.compile(rf"{PREFIX}[A-Z2-7]{{16}}")


def is_badge(scanned: str) -> bool:
    """Say whether a scan is one of our badges, known or not."""
    return bool(_FORM.fullmatch(scanned.strip()))


def issue(user: User, *, by: User, now: datetime) -> str:
    """Return the text of a new badge; an older one of this person opens nothing any more."""
    text = PREFIX + base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    with atomic():
        Badge.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
        Badge.objects.create(user=user, digest=_digest(text), made_at=now)
        _tell("badge.printed", user, by)
    return text


def revoke(user: User, *, by: User, now: datetime) -> bool:
    """Make a person's badge worthless at once; say whether there was one."""
    with atomic():
        is_gone = Badge.objects.filter(user=user, revoked_at=None).update(revoked_at=now) > 0
        if is_gone:
            _tell("badge.revoked", user, by)
    return is_gone


def person_of(scanned: str, *, device: Device, now: datetime) -> User | None:
    """Return the active person whose badge this is, or None; raise TooMany for a device that has
    read too many that are nobody's."""
    limits = (Limit(key=f"pin:{device.pk}", free=pins.TRIES_OF_A_DEVICE),)
    tries.take(limits, now=now)
    found = (
        Badge.objects.filter(digest=_digest(scanned.strip()), revoked_at=None, user__is_active=True)
        .select_related("user")
        .first()
    )
    if found is None:
        return None
    tries.give_one_back(limits[0], now=now)
    return found.user


def _digest(text: str) -> str:
    return pins.vault().mac(text.encode(), purpose="badge")


def _tell(event: str, user: User, by: User) -> None:
    trail.record(event, subject=f"user:{user.pk}", actor=by.username, channel="office")
