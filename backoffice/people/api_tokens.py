"""The tokens by which programs read over `/api/v1/`: made, believed and revoked here and nowhere
else. A token is 256 random bits, given away once; kept is a keyed digest.

A token is good for no more than the person who made it: it ends for the time that they are no
active administrator, and nobody else's rights stand behind it.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, QuerySet

from backoffice import clock
from backoffice.audit import trail
from backoffice.devices import tokens
from backoffice.people.models import ApiScope, ApiToken, Role, User
from backoffice.stores.models import Sponsor, Store

_PURPOSE: Final = "api-token"
_SEEN_EVERY: Final = timedelta(minutes=1)
# Whoever names a later year has mistyped it; and the calendar ends in 9999.
LAST_YEAR: Final = 2999


class Standing(StrEnum):
    """How a token stands. The first that fits counts."""

    REVOKED = "revoked"
    ENDED = "ended"
    UNBACKED = "unbacked"
    GOOD = "good"


def make(
    name: str,
    *,
    scopes: Iterable[str],
    stores: Iterable[Store] | None,
    expires_at: datetime | None,
    by: User,
    now: datetime,
    channel: str = "office",
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, seen this once. No stores (None) means all."""
    wanted = {ApiScope(scope) for scope in scopes}
    chosen = [scope.value for scope in ApiScope if scope in wanted]
    assert chosen and is_backed(by)
    secret = tokens.fresh()
    with transaction.atomic():
        row = ApiToken.objects.create(
            name=name,
            scopes=chosen,
            is_of_every_store=stores is None,
            digest=_digest(secret),
            made_by=by,
            created_at=now,
            expires_at=expires_at,
        )
        limits = list(stores or ())
        row.stores.set(limits)
        numbers = sorted(f"{store.sponsor.code}/{store.number}" for store in limits)
        _record(
            "made",
            row,
            by=by.username,
            channel=channel,
            scopes=" ".join(chosen),
            stores="every store" if stores is None else " ".join(numbers),
            ends=expires_at.isoformat() if expires_at else "",
        )
    return row, secret


def revoke(row: ApiToken, *, by: str, now: datetime, channel: str = "office") -> bool:
    """End a token; its next request is a stranger's. Says whether it had not ended so before."""
    with transaction.atomic():
        is_first = ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=now)
        if is_first:
            _record("revoked", row, by=by, channel=channel)
    return bool(is_first)


def found(secret: str, *, now: datetime) -> ApiToken | None:
    """Return the good token with this secret, or None; notes at most once a minute that it came."""
    if not tokens.is_shaped(secret):
        return None
    row = listed().filter(digest=_digest(secret)).first()
    if row is None or standing(row, now=now) is not Standing.GOOD:
        return None
    if row.last_used_at is None or now - row.last_used_at >= _SEEN_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def listed() -> QuerySet[ApiToken]:
    """Return all tokens with who made them: those in use first, then the newest."""
    in_order = F("revoked_at").asc(nulls_first=True)
    return ApiToken.objects.select_related("made_by").order_by(in_order, "-id")


def standing(row: ApiToken, *, now: datetime) -> Standing:
    """Return how a token stands."""
    if row.revoked_at is not None:
        return Standing.REVOKED
    if row.expires_at is not None and row.expires_at <= now:
        return Standing.ENDED
    return Standing.GOOD if is_backed(row.made_by) else Standing.UNBACKED


def clock_of_tokens() -> ZoneInfo:
    """Return the zone of the clock by which tokens end: the programme's."""
    sponsor = Sponsor.objects.first()
    return clock.zone_named(sponsor.programme_zone if sponsor else "America/Toronto")


def end_of(last_day: date) -> datetime:
    """Return the moment at which a token ends that is good through this day."""
    return clock.instant_of(last_day + timedelta(days=1), time(), clock_of_tokens())


def is_backed(maker: User) -> bool:
    """Say whether this person may have programs read: an active administrator."""
    return maker.is_active and maker.role == Role.ADMINISTRATOR


def visible_stores(row: ApiToken) -> QuerySet[Store]:
    """Return the stores whose records a token may read: the one place where its limits hold."""
    return Store.objects.all() if row.is_of_every_store else Store.objects.filter(api_tokens=row)


def _digest(secret: str) -> str:
    return tokens.digest(secret, purpose=_PURPOSE)


def _record(event: str, row: ApiToken, *, by: str, channel: str, **details: str) -> None:
    trail.record(
        f"api_token.{event}",
        subject=f"api_token:{row.pk}",
        actor=by,
        channel=channel,
        details={"name": row.name, **details},
    )
