"""Passwords, guessed as slowly as PINs: counted in the database before one is looked at."""

from datetime import datetime
from typing import Final

from django.contrib.auth import authenticate
from django.http import HttpRequest

from backoffice.audit import trail
from backoffice.people import pins, tries
from backoffice.people.models import User
from backoffice.people.tries import Limit

TRIES_OF_A_PAIR: Final = 5
# Many people may sit behind one address, and a proxy is one.
TRIES_OF_A_PLACE: Final = 100


def person_of(request: HttpRequest, name: str, password: str, *, now: datetime) -> User | None:
    """Return the active person with this name and password, or None; raise TooMany before looking.

    Counted for the address and for this name from this address: nobody is locked out elsewhere by
    whoever guesses here. A name that does not exist costs the same.
    """
    limits = limits_of(request, name)
    tries.take(limits, now=now)
    user = authenticate(request, username=name, password=password)
    if isinstance(user, User):
        tries.give_back(limits, now=now)
        return user
    found = User.objects.filter(username=name).first()
    trail.record(
        "password.refused",
        # A name that is nobody's may be a password in the wrong field, so it is not kept.
        subject=f"user:{found.pk}" if found is not None else "user:unknown",
        actor=found.username if found is not None else "",
        channel="office",
    )
    return None


def limits_of(request: HttpRequest, name: str) -> tuple[Limit, ...]:
    """Return what a try is counted against, the address first."""
    place = str(request.META.get("REMOTE_ADDR", ""))
    # Of a name, a fingerprint: what is typed there by mistake must not stand in the database.
    who = pins.vault().mac(name.casefold().encode(), purpose="name")[:32]
    whole = Limit(key=f"password:{place}", free=TRIES_OF_A_PLACE)
    return whole, Limit(key=f"password:{place}:{who}", free=TRIES_OF_A_PAIR)
