"""How office pages write moments, cards and results. Formats only; decides nothing."""

from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backoffice.journal.models import Decision, Transaction
from backoffice.journal.states import Operation
from backoffice.office import times
from backoffice.stores.models import Store
from issuance.models import EventReason, Exclusion, Offer

register = template.Library()


class _HasZone(Protocol):
    @property
    def tzinfo(self) -> ZoneInfo: ...


@register.filter
def day(moment: datetime | None, place: _HasZone) -> str:
    """Write the day on the wall of `place`: ``Fri 20 Nov 2026``."""
    return times.day(moment, place.tzinfo) if moment else ""


@register.filter
def date_of(local: date) -> str:
    """Write a day that is local already: ``Fri 20 Nov 2026``."""
    return times.day(local)


@register.filter
def time_s(moment: datetime | None, place: _HasZone) -> str:
    """Write the time on the wall of `place`: ``13:32:04``."""
    return times.clock_time(moment, place.tzinfo) if moment else ""


@register.filter
def zone(moment: datetime | None, place: _HasZone) -> str:
    """Write the abbreviation of the zone of `place` at that moment: ``EST``."""
    return times.zone_word(moment, place.tzinfo) if moment else ""


@register.filter
def minute(moment: datetime | None, place: _HasZone) -> str:
    """Write a moment to the minute with its zone: ``Fri 20 Nov 2026, 13:32 EST``."""
    return times.minute(moment, place.tzinfo) if moment else "–"


@register.filter
def minute_in(moment: datetime | None, zone: ZoneInfo) -> str:
    """Write a moment to the minute on the clock of a zone: ``Fri 20 Nov 2026, 13:32 EST``."""
    return times.minute(moment, zone) if moment else ""


@register.filter
def given_back(text: str) -> str:
    """Mark an amount or miles, as written, as less than nothing."""
    return text if text == "–" else f"\u2212{text}"


@register.filter
def name_here(named: Store | Exclusion | EventReason) -> str:
    """Return the name of a store, an exclusion or a reason in the reader's language."""
    return named.name_in(get_language() or "en")


@register.filter
def described_here(offer: Offer) -> str:
    """Return what an offer is called in the reader's language."""
    return offer.description(get_language() or "en")


@register.filter
def seconds(duration_ms: int | None) -> str:
    """Write a duration in seconds with two decimals, in the reader's language."""
    if duration_ms is None:
        return "–"
    return _("%(seconds)s s") % {
        "seconds": template.defaultfilters.floatformat(duration_ms / 1000, 2)
    }


@register.filter
def last_decision(row: Transaction) -> Decision | None:
    """Return the last thing that somebody said of a row."""
    return max(row.decisions.all(), key=lambda said: said.pk, default=None)


@register.filter
def moved_cents(row: Transaction) -> int | None:
    """Return the amount a row moved or means to move; a reversal's is that of its redemption."""
    if row.amount_cents is not None:
        return row.amount_cents
    if row.operation == Operation.REVERSE and row.reverses is not None:
        return row.reverses.amount_cents
    return row.asked_cents


@register.filter
def moved_miles(row: Transaction) -> int | None:
    """Return the miles a row moved; a reversal's are those of its redemption."""
    if row.miles is None and row.operation == Operation.REVERSE and row.reverses is not None:
        return row.reverses.miles
    return row.miles
