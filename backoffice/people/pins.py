"""PINs: a few digits that prove a person at an enrolled device, and nowhere else (RELIABILITY 8).

A PIN is no password. It is kept as a slow hash of a keyed hash: without the keyring, which is not
in the database, nobody can try the million PINs there are.
"""

from datetime import datetime
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.db.transaction import atomic
from django.http import HttpRequest
from django.utils import timezone

from backoffice.audit import trail
from backoffice.devices.models import Device
from backoffice.people import pin_rules, tries
from backoffice.people.models import Role, User
from backoffice.people.tries import Limit
from backoffice.vault import Keyring, Vault

TRIES_OF_A_PAIR: Final = 5
TRIES_OF_A_DEVICE: Final = 20

# Some 25 ms and 19 MiB: a till's threads may all do it at once (DEPENDENCIES 10).
_SLOW: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Hashed for nobody, so that an unknown person takes as long as a known one.
_NOBODY: Final = 0


class WeakPin(Exception):
    """The PIN is refused; `fault` says why."""

    def __init__(self, fault: pin_rules.Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def set_pin(user: User, pin: str, *, by: User, device: Device | None = None) -> None:
    """Give a person a new PIN, or raise WeakPin. Ends that person's other sessions.

    The caller has made sure that `by` may: the person, who knows the old one, or a manager.
    """
    fault = pin_rules.fault_of(pin, is_cashier=user.role == Role.CASHIER)
    if fault is not None:
        raise WeakPin(fault)
    user.pin_hash = hashed(user, pin)
    user.pin_changed_at = timezone.now()
    with atomic():
        user.save(update_fields=["pin_hash", "pin_changed_at"])
        _tell("pin.changed", user, by=by, device=device)


def remove_pin(user: User, *, by: User) -> None:
    """Take a person's PIN away: no device lets them in until they get a new one."""
    user.pin_hash = ""
    user.pin_changed_at = timezone.now()
    with atomic():
        user.save(update_fields=["pin_hash", "pin_changed_at"])
        _tell("pin.removed", user, by=by)


def keep_session(request: HttpRequest, user: User) -> None:
    """Let the session go on in which somebody has just changed their own PIN; all others end."""
    update_session_auth_hash(request, user)


def hashed(user: User, pin: str) -> str:
    """Return what is kept of a PIN."""
    return _SLOW.hash(_peppered(user.pk, pin))


def is_right(person: User | None, pin: str, *, device: Device, now: datetime) -> bool:
    """Say whether this PIN is the person's, or raise TooMany before it is looked at.

    Counted for the device and for this person at this device, so that nobody is locked out
    elsewhere by whoever stands here. A person who does not exist costs the same time and tries.
    """
    limits = limits_of(person, device)
    tries.take(limits, now=now)
    known = person.pin_hash if person is not None and person.is_active else ""
    is_match = _matches(known or _nobodys(), _peppered(person.pk if person else _NOBODY, pin))
    if known and is_match:
        tries.give_back(limits, now=now)
        return True
    trail.record(
        "pin.refused",
        subject=f"user:{person.pk}" if person is not None else "user:unknown",
        actor=person.username if person is not None else "",
        channel="console",
        store=device.store.number,
        device=device.number,
    )
    return False


def limits_of(person: User | None, device: Device) -> tuple[Limit, ...]:
    """Return what a try is counted against, the device first."""
    whole = Limit(key=f"pin:{device.pk}", free=TRIES_OF_A_DEVICE)
    pk = person.pk if person is not None else _NOBODY
    return whole, Limit(key=f"pin:{device.pk}:{pk}", free=TRIES_OF_A_PAIR)


@cache
def vault() -> Vault:
    """Return the keys of this place."""
    return Vault(Keyring.parse(settings.MILEPOST_DATA_KEYS))


def _matches(kept: str, given: str) -> bool:
    try:
        return _SLOW.verify(kept, given)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _SLOW.hash(_peppered(_NOBODY, ""))


def _peppered(pk: int, pin: str) -> str:
    # Bound to the person: two people with one PIN do not have one hash, not even before the salt.
    return vault().mac(f"{pk}:{pin}".encode(), purpose="pin")


def _tell(event: str, user: User, *, by: User, device: Device | None = None) -> None:
    trail.record(
        event,
        subject=f"user:{user.pk}",
        actor=by.username,
        channel="console" if device is not None else "office",
        store=device.store.number if device is not None else "",
        device=device.number if device is not None else "",
    )
