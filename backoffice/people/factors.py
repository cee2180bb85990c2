"""The second factor of whoever opens the office: one-time codes, and codes for a lost phone.

With `passkeys` the only module that knows the library that keeps them. Their secrets stand
encrypted, and a try is counted before it is looked at, as with PINs.
"""

import base64
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from django.conf import settings
from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.people import pins, tries
from backoffice.people.models import User
from backoffice.people.tries import Limit
from backoffice.vault import Sealed, VaultError

TRIES: Final = 5
# A code is good for one use; it is valid for half a minute, give or take another.
_CODE_IS_GOOD_FOR: Final = timedelta(seconds=90)
_LONGEST_CODE: Final = 20
_SETS_UP_WITHIN_S: Final = 15 * 60
_BOUND_TO: Final = "second-factor"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # the library publishes no types
    """Has the library keep its secrets encrypted with this place's keys."""

    def encrypt(self, text: str) -> str:
        """Return the secret as it is stored."""
        sealed = pins.vault().seal(text.encode(), bound_to=_BOUND_TO)
        return f"{sealed.key_id}:{base64.b64encode(sealed.ciphertext).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret again."""
        key_id, _, text = encrypted_text.partition(":")
        sealed = Sealed(key_id=key_id, ciphertext=base64.b64decode(text))
        return pins.vault().open(sealed, bound_to=_BOUND_TO).decode()


def is_needed(user: User) -> bool:
    """Say whether this person's password alone does not open the office here."""
    return bool(settings.MILEPOST_SECOND_FACTOR) and user.may_open_office


def has_one(user: User) -> bool:
    """Say whether a person has a second factor; recovery codes alone are none."""
    kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP)
    return bool(kept.exists())


def limit_of(user: User) -> Limit:
    """Return what every try of a person's second factor is counted against."""
    return Limit(key=f"code:{user.pk}", free=TRIES)


def is_right(user: User, code: str, *, now: datetime) -> bool:
    """Say whether this one-time or recovery code is good, once; raise TooMany before looking."""
    limits = (limit_of(user),)
    tries.take(limits, now=now)
    given = "".join(code.split())[:_LONGEST_CODE]
    used = pins.vault().mac(f"{user.pk}:{given}".encode(), purpose="code")[:32]
    if _matches(user, given) and tries.take_once(
        f"code-used:{used}", for_how_long=_CODE_IS_GOOD_FOR, now=now
    ):
        tries.give_back(limits, now=now)
        return True
    _tell("second_factor.refused", user)
    return False


def new_secret(user: User, *, now: datetime) -> tuple[str, str]:
    """Return a secret for an authenticator app, and the same sealed for the form to bring back."""
    secret = generate_totp_secret()
    sealed = pins.vault().seal_token(secret.encode(), bound_to=_set_up_of(user), now=now)
    return secret, sealed


def sealed_secret(user: User, sealed: str, *, now: datetime) -> str:
    """Return the secret that a form brings back, or raise VaultError."""
    opened = pins.vault().open_token(
        sealed, bound_to=_set_up_of(user), now=now, max_age_s=_SETS_UP_WITHIN_S
    )
    return opened.decode()


def address_of(user: User, secret: str) -> str:
    """Return what an authenticator app reads from the picture."""
    query = urlencode({"secret": secret, "issuer": "Milepost"}, quote_via=quote)
    return f"otpauth://totp/{quote(f'Milepost:{user.username}')}?{query}"


def set_up(user: User, secret: str, code: str, *, now: datetime) -> list[str] | None:
    """Keep the secret that this code proves; return the recovery codes, shown once. None: wrong."""
    limits = (limit_of(user),)
    tries.take(limits, now=now)
    if not validate_totp_code(secret, "".join(code.split())):
        return None
    tries.give_back(limits, now=now)
    with atomic():
        Authenticator.objects.filter(user=user).delete()
        TOTP.activate(user, secret)
        codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
        _tell("second_factor.set_up", user)
    return codes


def remove(user: User, *, by: User) -> None:
    """Take a lost second factor away, passkeys too: the next sign-in asks for a new one."""
    with atomic():
        Authenticator.objects.filter(user=user).delete()
        _tell("second_factor.removed", user, by=by)


def sealed_under() -> Counter[str]:
    """Return how many secrets each key has sealed."""
    kept = _with_secrets().values_list("data", flat=True)
    return Counter(text.partition(":")[0] for data in kept for text in _sealed_in(data))


def reseal(key_id: str) -> int:
    """Seal with the present key what this older one has sealed; return how many.

    One commit for each person. What cannot be opened is left as it is, and stays counted.
    """
    adapter, done = Adapter(), 0
    for pk in _with_secrets().order_by("pk").values_list("pk", flat=True):
        with atomic(durable=True):
            one = Authenticator.objects.select_for_update().filter(pk=pk).first()
            old = _sealed_in(one.data) if one is not None else []
            try:
                anew = {
                    text: adapter.encrypt(adapter.decrypt(text))
                    for text in old
                    if text.startswith(f"{key_id}:")
                }
            except VaultError:
                continue
            if anew:
                told = {name: _replaced(value, anew) for name, value in one.data.items()}
                done += len(anew)
                Authenticator.objects.filter(pk=pk).update(data=told)
    return done


def _with_secrets() -> Any:
    # A passkey is a public key with a name of somebody's choice: nothing in it is sealed.
    return Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)


def _sealed_in(data: dict[str, Any]) -> list[str]:
    values = [one for value in data.values() for one in (value if _is_list(value) else [value])]
    return [one for one in values if isinstance(one, str) and ":" in one]


def _replaced(value: Any, anew: dict[str, str]) -> Any:
    if _is_list(value):
        return [_replaced(one, anew) for one in value]
    return anew.get(value, value) if isinstance(value, str) else value


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _matches(user: User, code: str) -> bool:
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]
    kept = Authenticator.objects.filter(user=user, type__in=kinds).order_by("-type")
    return any(bool(one.wrap().validate_code(code)) for one in kept)


def _set_up_of(user: User) -> str:
    return f"second-factor:{user.pk}"


def _tell(event: str, user: User, *, by: User | None = None) -> None:
    actor = (by or user).username
    trail.record(event, subject=f"user:{user.pk}", actor=actor, channel="office")
