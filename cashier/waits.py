"""How long nobody may try, as a sentence."""

from datetime import datetime

from django.utils.translation import ngettext

from backoffice.people.tries import TooMany


def too_many(refusal: TooMany, now: datetime) -> str:
    """Say how long nobody may try, in whole minutes."""
    minutes = max(1, -int(-(refusal.free_at - now).total_seconds() // 60))
    return ngettext(
        "Too many tries. Wait %(count)s minute, then try again.",
        "Too many tries. Wait %(count)s minutes, then try again.",
        minutes,
    ) % {"count": minutes}
