"""Passkeys (WebAuthn): a second factor that answers to the office's own address and no other.

They stand beside one-time codes, never instead of them. Address, challenge, verification of the
person and counter are looked at here; what a browser says of them decides nothing. A try is counted
before it is looked at, together with those of codes.
"""

import json
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.db.transaction import atomic
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from backoffice.audit import trail
from backoffice.people import factors, pins, tries
from backoffice.people.models import User

MOST: Final = 10
LONGEST_NAME: Final = 40
_CHALLENGE_LASTS: Final = timedelta(minutes=5)
_LONGEST_ANSWER: Final = 20_000
_CHALLENGE: Final = "passkey"
_REQUIRED: Final = UserVerificationRequirement.REQUIRED
# Whatever a browser may send instead of an answer; the library checks little before it reads.
_NO_ANSWER: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    OverflowError,
    RuntimeError,
    struct.error,
)


class _Refused(Exception):
    """What a browser sent is no proof; `why` is for the audit log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def origin() -> str:
    """Return the only address that passkeys answer to; nothing where none is set."""
    return str(settings.MILEPOST_PASSKEY_ORIGIN)


def kept_by(user: User) -> QuerySet[Any]:
    """Return a person's passkeys, oldest first."""
    kept: QuerySet[Any] = Authenticator.objects.filter(
        user=user, type=Authenticator.Type.WEBAUTHN
    ).order_by("pk")
    return kept


def may_add(user: User) -> bool:
    """Say whether a person may have one more: passkeys stand beside codes that are set up."""
    return bool(origin()) and factors.has_one(user) and kept_by(user).count() < MOST


def begin_check(session: SessionBase, user: User, *, now: datetime) -> str:
    """Return as JSON what the browser asks a passkey of this person; nothing without one.

    Only the newest challenge of a session is good, once, and not for long.
    """
    credentials = [_credential(one) for one in kept_by(user)] if origin() else []
    if not credentials:
        session.pop(_CHALLENGE, None)
        return ""
    options, state = _server().authenticate_begin(credentials, user_verification=_REQUIRED)
    _keep(session, "check", user, state, now)
    return json.dumps(dict(options))


def is_right(session: SessionBase, user: User, answer: str, *, now: datetime) -> bool:
    """Say whether this is a passkey's answer to the session's challenge; raise TooMany before."""
    limits = (factors.limit_of(user),)
    tries.take(limits, now=now)
    try:
        state = _taken(session, "check", user, now)
        _check(user, state, _parsed(answer), now)
    except _Refused as refusal:
        _tell("passkey.refused", user, why=refusal.why)
        return False
    tries.give_back(limits, now=now)
    return True


def begin_adding(session: SessionBase, user: User, *, now: datetime) -> str:
    """Return as JSON what the browser asks of a new passkey."""
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(
            id=_handle(user), name=user.username, display_name=user.shown_name
        ),
        credentials=[_credential(one) for one in kept_by(user)],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=_REQUIRED,
    )
    _keep(session, "add", user, state, now)
    return json.dumps(dict(options))


def add(session: SessionBase, user: User, name: str, answer: str, *, now: datetime) -> bool:
    """Keep the passkey that answered the session's challenge; say whether it was one."""
    try:
        state = _taken(session, "add", user, now)
        made = _made(state, _parsed(answer))
    except _Refused as refusal:
        _tell("passkey.refused", user, why=refusal.why)
        return False
    credential, count = made
    number = websafe_encode(credential.credential_id)
    with atomic():
        # One after the other for a person, or two at once were more than there may be.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        is_known = Authenticator.objects.filter(data__credential_id=number).exists()
        if is_known or not may_add(user):
            return False
        data = {
            "name": name.strip()[:LONGEST_NAME],
            "credential_id": number,
            "credential": websafe_encode(bytes(credential)),
            "count": count,
        }
        Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
        _tell("passkey.added", user)
    return True


def remove(user: User, number: int) -> None:
    """Take one of a person's own passkeys away; codes stay."""
    with atomic():
        if kept_by(user).filter(pk=number).delete()[0]:
            _tell("passkey.removed", user)


def _check(user: User, state: dict[str, Any], answer: dict[str, Any], now: datetime) -> None:
    try:
        told = AuthenticationResponse.from_dict(answer)
        handle, data = told.response.user_handle, told.response.authenticator_data
        is_framed = told.response.client_data.cross_origin
    except _NO_ANSWER as error:
        raise _Refused("unreadable") from error
    if is_framed or (handle and handle != _handle(user)):
        raise _Refused("somebody else")
    with atomic():
        # Held until the count is kept: of two answers with one count, one comes second.
        kept = list(kept_by(user).select_for_update())
        try:
            used = _server().authenticate_complete(state, [_credential(one) for one in kept], told)
        except _NO_ANSWER as error:
            raise _Refused("answer") from error
        number = websafe_encode(used.credential_id)
        one = next(one for one in kept if one.data["credential_id"] == number)
        # Many passkeys never count. One that does and stands still exists twice.
        if (data.counter or one.data["count"]) and data.counter <= one.data["count"]:
            raise _Refused("counter")
        one.data = {**one.data, "count": data.counter}
        one.last_used_at = now
        one.save(update_fields=["data", "last_used_at"])


def _made(state: dict[str, Any], answer: dict[str, Any]) -> tuple[AttestedCredentialData, int]:
    try:
        told = RegistrationResponse.from_dict(answer)
        is_framed = told.response.client_data.cross_origin
        made = _server().register_complete(state, told)
        credential = made.credential_data
        algorithm = credential.public_key.get(3) if credential else None
    except _NO_ANSWER as error:
        raise _Refused("answer") from error
    if is_framed or credential is None or algorithm not in CoseKey.supported_algorithms():
        raise _Refused("answer")
    return credential, made.counter


def _server() -> Fido2Server:
    # Both from the settings: a request's own headers are what somebody else may have written.
    ours = origin()
    entity = PublicKeyCredentialRpEntity(id=urlsplit(ours).hostname or "", name="Milepost")
    return Fido2Server(entity, verify_origin=lambda told: told == ours)


def _keep(session: SessionBase, what: str, user: User, state: Any, now: datetime) -> None:
    session[_CHALLENGE] = {
        "what": what,
        "user": user.pk,
        "at": now.timestamp(),
        "challenge": state["challenge"],
    }


def _taken(session: SessionBase, what: str, user: User, now: datetime) -> dict[str, Any]:
    """Return the session's challenge, once, as the library wants it."""
    kept = session.pop(_CHALLENGE, None)
    if kept is None or (kept["what"], kept["user"]) != (what, user.pk):
        raise _Refused("no challenge")
    age = now - datetime.fromtimestamp(kept["at"], UTC)
    if not timedelta() <= age < _CHALLENGE_LASTS:
        raise _Refused("too late")
    # Two requests may have read the session before either took the challenge out of it.
    used = pins.vault().mac(kept["challenge"].encode(), purpose="passkey")[:32]
    if not tries.take_once(f"passkey-used:{used}", for_how_long=2 * _CHALLENGE_LASTS, now=now):
        raise _Refused("used")
    return {"challenge": kept["challenge"], "user_verification": _REQUIRED}


def _parsed(answer: str) -> dict[str, Any]:
    try:
        told = json.loads(answer[:_LONGEST_ANSWER])
    except (ValueError, RecursionError) as error:
        raise _Refused("unreadable") from error
    if not isinstance(told, dict):
        raise _Refused("unreadable")
    return told


def _credential(kept: Any) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(kept.data["credential"]))


def _handle(user: User) -> bytes:
    # Stays on the passkey, so it must name nobody.
    return pins.vault().mac(str(user.pk).encode(), purpose="passkey-user")[:32].encode()


def _tell(event: str, user: User, *, why: str = "") -> None:
    trail.record(
        event,
        subject=f"user:{user.pk}",
        actor=user.username,
        channel="office",
        details={"why": why} if why else None,
    )
