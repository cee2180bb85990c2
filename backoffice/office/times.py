"""How the office writes moments: on a named wall clock, with the zone's own abbreviation."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import get_language

# What the zones of Canada are called in French; the rules data abbreviates in English only.
_FRENCH_ZONES: Final = {
    "NST": "HNT",
    "NDT": "HAT",
    "AST": "HNA",
    "ADT": "HAA",
    "EST": "HNE",
    "EDT": "HAE",
    "CST": "HNC",
    "CDT": "HAC",
    "MST": "HNR",
    "MDT": "HAR",
    "PST": "HNP",
    "PDT": "HAP",
}


def zone_word(moment: datetime, zone: ZoneInfo) -> str:
    """Return the abbreviation of a zone at a moment: ``EST``, or ``HNE`` for a French reader."""
    word = moment.astimezone(zone).strftime("%Z")
    return _FRENCH_ZONES.get(word, word) if _is_french() else word


def day(moment: datetime | date, zone: ZoneInfo | None = None) -> str:
    """Write a day: ``Fri 20 Nov 2026``, ``ven 20 nov 2026``."""
    local = moment.astimezone(zone) if isinstance(moment, datetime) else moment
    # French writes its months small, Django's short form writes them large.
    return formats.date_format(local, "D j b Y" if _is_french() else "D j M Y")


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """Write the time of a moment with its seconds: ``13:32:04``."""
    return formats.date_format(moment.astimezone(zone), "H:i:s")


def minute(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment to the minute, with its zone: ``Fri 20 Nov 2026, 13:32 EST``."""
    local = moment.astimezone(zone)
    return f"{day(local, zone)}, {formats.date_format(local, 'H:i')} {zone_word(moment, zone)}"


def _is_french() -> bool:
    return (get_language() or "en").startswith("fr")
