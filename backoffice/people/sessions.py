"""How a session begins, what it was begun with, and when it is over (RELIABILITY 8).

A session belongs to one person. It gets a new id at each sign-in and lasts a working day at most.
One that began with a PIN or a badge also ends when nobody has touched the tablet for a while, and
opens no office.
"""

import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from backoffice.audit import trail
from backoffice.devices import enrolment
from backoffice.devices.models import Device
from backoffice.people import tries
from backoffice.people.models import User

LONGEST: Final = timedelta(hours=12)
IDLE: Final = timedelta(minutes=2)
WARNED_BEFORE: Final = timedelta(seconds=15)
# What would outlive the session is changed only by who has just proved who they are.
_FRESH: Final = timedelta(minutes=15)
# The screen locks itself; the server does it for a browser without script, or one that sleeps.
_GRACE: Final = timedelta(seconds=30)
_NOTED_EVERY: Final = timedelta(seconds=15)
_HALF: Final = "half"
_HALF_LASTS: Final = timedelta(minutes=10)
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


class Proof(StrEnum):
    """What a person has proved who they are with."""

    PIN = "pin"
    BADGE = "badge"
    PASSWORD = "password"  # noqa: S105 (the name of a proof)
    SECOND_FACTOR = "second_factor"


AT_A_TABLET: Final = frozenset({Proof.PIN, Proof.BADGE})


def begin(
    request: HttpRequest,
    user: User,
    proof: Proof,
    *,
    now: datetime,
    device: Device | None = None,
    sale_key: str = "",
) -> None:
    """Sign a person in under a new session id. `sale_key` opens a sale that was kept for them."""
    login(request, user, backend=_BACKEND)
    session = request.session
    session["proof"] = proof.value
    session["begun_at"] = session["seen_at"] = now.timestamp()
    session["sale_key"] = sale_key or secrets.token_urlsafe(16)
    if device is not None:
        enrolment.bind(request, device)
    tries.forget_old(now=now)
    trail.record(
        "session.begun",
        subject=f"user:{user.pk}",
        actor=user.username,
        channel="console" if device is not None else "office",
        store=device.store.number if device is not None else "",
        device=device.number if device is not None else "",
        details={"proof": proof.value},
    )


def proof_of(session: SessionBase) -> Proof:
    """Return what the session was begun with."""
    return Proof(session.get("proof", Proof.PASSWORD))


def sale_key_of(session: SessionBase) -> str:
    """Return what the sales of this person's session are sealed for."""
    return str(session.get("sale_key") or session.session_key or "")


def opens_office(session: SessionBase) -> bool:
    """Say whether what this session was begun with is enough for the office."""
    proof = proof_of(session)
    if settings.MILEPOST_SECOND_FACTOR:
        return proof is Proof.SECOND_FACTOR
    return proof not in AT_A_TABLET


def begin_half(request: HttpRequest, user: User, *, now: datetime, where: str) -> None:
    """Remember whose password was right, until the second step; nobody is signed in by that."""
    request.session.flush()
    request.session[_HALF] = {
        "user": user.pk,
        "stamp": user.get_session_auth_hash(),
        "at": now.timestamp(),
        "where": where,
    }


def half_signed_in(session: SessionBase, *, now: datetime) -> User | None:
    """Return whose password was right a little while ago in this browser."""
    half = session.get(_HALF)
    if half is None or now - _moment(half["at"]) >= _HALF_LASTS:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    is_as_it_was = user is not None and constant_time_compare(
        half["stamp"], user.get_session_auth_hash()
    )
    return user if is_as_it_was else None


def half_way_to(session: SessionBase) -> str:
    """Return where the person was going, and forget the half sign-in."""
    half = session.pop(_HALF, None)
    return str(half["where"]) if half is not None else ""


def is_over(session: SessionBase, *, now: datetime) -> bool:
    """Say whether the session is older than any may be."""
    begun_at = session.get("begun_at")
    return begun_at is not None and now - _moment(begun_at) >= LONGEST


def is_fresh(session: SessionBase, *, now: datetime) -> bool:
    """Say whether the session was begun, with all that opens the office, a little while ago."""
    begun_at = session.get("begun_at")
    is_recent = begun_at is not None and now - _moment(begun_at) < _FRESH
    return is_recent and opens_office(session)


def has_idled(session: SessionBase, *, now: datetime) -> bool:
    """Say whether nobody has touched this tablet for so long that it is locked."""
    if proof_of(session) not in AT_A_TABLET:
        return False
    return now - _moment(session.get("seen_at", 0)) >= IDLE + _GRACE


def note_activity(session: SessionBase, *, now: datetime) -> None:
    """Note that somebody is at the tablet; seldom written, for each time costs a commit."""
    if proof_of(session) not in AT_A_TABLET:
        return
    if now - _moment(session.get("seen_at", 0)) >= _NOTED_EVERY:
        session["seen_at"] = now.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
