"""How screens write money, miles, times and icons, by the active language. Decides nothing."""

from datetime import datetime, tzinfo
from typing import Protocol

from babel.dates import get_timezone_name
from django import template
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

_NBSP = "\u00a0"
_MINUS = "\u2212"


class _HasZone(Protocol):
    @property
    def tzinfo(self) -> tzinfo: ...


def _is_french() -> bool:
    return (get_language() or "en").startswith("fr")


def _grouped(number: int) -> str:
    # Four digits stay together in French; from five on, both languages group by thousands.
    separator = _NBSP if _is_french() else ","
    return f"{number:,}".replace(",", separator)


@register.filter
def money(cents: int | None) -> str:
    """Write an amount to the cent: ``$43.35`` or ``43,35 $``; a dash for none."""
    if cents is None:
        return "–"
    sign, amount = (_MINUS if cents < 0 else ""), abs(int(cents))
    dollars, rest = _grouped(amount // 100), f"{amount % 100:02d}"
    if _is_french():
        return f"{sign}{dollars},{rest}{_NBSP}$"
    return f"{sign}${dollars}.{rest}"


@register.filter
def dollars(cents: int | None) -> str:
    """Write an amount without its cents when it has none: ``$40`` or ``40 $``."""
    if cents is None or int(cents) % 100:
        return money(cents)
    sign, amount = (_MINUS if cents < 0 else ""), _grouped(abs(int(cents)) // 100)
    return f"{sign}{amount}{_NBSP}$" if _is_french() else f"{sign}${amount}"


@register.filter
def count(number: int | None) -> str:
    """Write a number of miles or units: ``1,200`` or ``1 200``; a dash for none."""
    return "–" if number is None else _grouped(int(number))


@register.filter
def in_miles(number: int, word: str) -> str:
    """Write miles with the sponsor's word for many: ``7 miles``, ``1 mile``, ``0 mille``."""
    is_one = number < 2 if (get_language() or "").startswith("fr") else number == 1
    # The words of both languages, and of any brand so far, are made plural by an s.
    told = word.removesuffix("s") if is_one else word
    return f"{count(number)} {told}"


@register.filter
def clock(moment: datetime | None, place: _HasZone) -> str:
    """Write the time of day on the wall of `place` (a store or a transaction): ``13:32``."""
    return "" if moment is None else formats.date_format(moment.astimezone(place.tzinfo), "H:i")


@register.filter
def clock_s(moment: datetime | None, place: _HasZone) -> str:
    """Write the time of day with its seconds: ``13:32:04``."""
    return "" if moment is None else formats.date_format(moment.astimezone(place.tzinfo), "H:i:s")


@register.filter
def day_clock(moment: datetime | None, place: _HasZone) -> str:
    """Write a weekday and a time: ``Sat 03:00``."""
    if moment is None:
        return ""
    return formats.date_format(moment.astimezone(place.tzinfo), "D H:i")


@register.filter
def moment_zone(moment: datetime | None, place: _HasZone) -> str:
    """Write a full moment with its zone: ``2026-11-20 13:32 EST``."""
    if moment is None:
        return ""
    here = moment.astimezone(place.tzinfo)
    return f"{here:%Y-%m-%d %H:%M}{_NBSP}{zone_word(here)}"


def zone_word(moment: datetime) -> str:
    """Write the zone of a moment as people abbreviate it: ``EST``, or ``HNE`` in French."""
    locale = "fr_CA" if _is_french() else "en_CA"
    return str(get_timezone_name(moment, width="short", locale=locale))


@register.filter
def iso(moment: datetime | None) -> str:
    """Write a moment for a machine, as in ``<time datetime>``."""
    return "" if moment is None else moment.isoformat(timespec="seconds")


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon of the sprite in ``_icons.html``; a word beside it says what it means."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="#i-{}"/></svg>',
        f" {extra}" if extra else "",
        name,
    )


@register.simple_tag
def to_screen() -> SafeString:
    """Attributes of a form or link whose answer replaces the till's screen."""
    return format_html('hx-target="{}" hx-swap="outerHTML" hx-sync="this:drop"', "#screen")


def seconds(duration_ms: int) -> str:
    """Write how long an answer took, to a tenth: ``0.6``; quicker than that is ``< 0.1``."""
    if duration_ms < 100:
        return f"<\u00a0{formats.number_format(0.1, decimal_pos=1)}"
    return formats.number_format(duration_ms / 1000, decimal_pos=1)


@register.filter
def time_left(seconds: int) -> str:
    """Write how long there is left: ``13 h 27 min``, ``4 min``; for a countdown without script."""
    hours, minutes = max(0, seconds) // 3600, max(0, seconds) % 3600 // 60
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}
