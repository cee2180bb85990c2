"""The offers in the office: what is kept, who changed it, and what a basket would earn. Everybody
here reads; an administrator edits in the admin.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods

from backoffice.audit.models import AuditEntry
from backoffice.office.access import OfficeRequest, office_page
from backoffice.office.baskets import BasketForm
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Store
from backoffice.units import Cents, wire_amount
from issuance import offers as rules
from issuance import selectors
from issuance.models import Exclusion, Offer
from issuance.offers import Catalogue, Role, Verdict
from issuance.orders import Item

_MOST_CHANGES: Final = 50


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An offer or exclusion and how it stands today; `why` is empty while it holds."""

    row: Offer | Exclusion
    why: str


@dataclass(frozen=True, kw_only=True)
class Uncounted:
    """Items of a basket that do not count for an offer, for one reason."""

    role: Role
    excluded_by: str
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one offer gives for a basket, and what counted for it."""

    offer: Offer
    verdict: Verdict
    uncounted: tuple[Uncounted, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """Somebody added or changed an offer: each field's name with its old and new value."""

    entry: AuditEntry
    values: tuple[tuple[str, str], ...]


@require_GET
@office_page
def listed(request: OfficeRequest) -> HttpResponseBase:
    """List the offers and exclusions of the reader's stores."""
    now = timezone.now()
    context = {
        "section": "offers",
        "offers": [_kept(row, now) for row in selectors.visible_offers(request.user)],
        "exclusions": [_kept(row, now) for row in selectors.visible_exclusions(request.user)],
    }
    return render(request, "office/offers.html", context)


@require_GET
@office_page
def offer(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Show one offer and who changed it when."""
    row = selectors.visible_offers(request.user).filter(pk=number).first()
    if row is None:
        # The same answer whether it is another store's or nobody's.
        raise Http404
    context = {
        "section": "offers",
        "kept": _kept(row, timezone.now()),
        "zone": ZoneInfo(row.sponsor.programme_zone),
        "changes": _changes(row),
    }
    return render(request, "office/offer.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page
def preview(request: OfficeRequest) -> HttpResponseBase:
    """Say what a basket would earn. Posted for its length; nothing is written."""
    context: dict[str, Any] = {"section": "offers"}
    if request.method == "POST":
        form = BasketForm(request.POST, user=request.user)
        if form.is_valid():
            context |= _previewed(form, request.user)
        else:
            form.focus_on_fault()
    else:
        form = BasketForm(None, user=request.user, initial=_beginning(request.user))
    return render(request, "office/offers_preview.html", context | {"form": form})


def _beginning(user: User) -> dict[str, Any]:
    store = visible_stores(user).filter(is_active=True).first()
    if store is None:
        return {}
    return {"store": store, "day": timezone.now().astimezone(store.tzinfo).date()}


def _kept(row: Offer | Exclusion, now: datetime) -> Kept:
    # A list has no store, so its days are read on the programme's clock.
    today = now.astimezone(ZoneInfo(row.sponsor.programme_zone)).date()
    reach = row.reach
    store = next(iter(reach.stores), "")
    return Kept(row=row, why=reach.why_not(store=store, on=today) or "")


def _changes(row: Offer) -> tuple[Change, ...]:
    entries = AuditEntry.objects.filter(subject=f"offer:{row.pk}")[:_MOST_CHANGES]
    return tuple(Change(entry=entry, values=_values(entry)) for entry in entries)


def _values(entry: AuditEntry) -> tuple[tuple[str, str], ...]:
    fields = {field.name: field for field in Offer._meta.get_fields()}
    return tuple(
        (str(getattr(fields[name], "verbose_name", name)), _in_dollars(name, str(value)))
        for name, value in entry.details.items()
        if name in fields
    )


def _in_dollars(name: str, value: str) -> str:
    # The audit log tells what is kept, and amounts are kept in cents.
    if not name.endswith("_cents"):
        return value
    return re.sub(r"[0-9]+", lambda found: wire_amount(Cents(int(found[0]))), value)


def _previewed(form: BasketForm, user: User) -> dict[str, Any]:
    store: Store = form.cleaned_data["store"]
    day: date = form.cleaned_data["day"]
    kept = {
        row.offer_id: row for row in selectors.visible_offers(user).filter(sponsor=store.sponsor)
    }
    catalogue = selectors.catalogue_of(store.sponsor)
    shown = Catalogue(
        offers=tuple(rule for rule in catalogue.offers if rule.offer_id in kept),
        exclusions=catalogue.exclusions,
    )
    verdicts = rules.weighed(form.basket, shown, store=store.number, on=day)
    excluded = Exclusion.objects.filter(sponsor=store.sponsor)
    names = {row.name: row.name_in(get_language() or "en") for row in excluded}
    rows = [_shown(kept[verdict.offer.offer_id], verdict, names) for verdict in verdicts]
    return {
        "store": store,
        "day": day,
        "basket": form.basket,
        "miles": sum(verdict.miles for verdict in verdicts),
        "giving": [row for row in rows if row.verdict.why is None],
        "others": [row for row in rows if row.verdict.why is not None],
    }


def _shown(offer: Offer, verdict: Verdict, names: dict[str, str]) -> Shown:
    found: dict[tuple[Role, str], list[Item]] = {}
    for line in verdict.lines:
        if line.role is not Role.COUNTS:
            found.setdefault((line.role, line.excluded_by), []).append(line.item)
    return Shown(
        offer=offer,
        verdict=verdict,
        uncounted=tuple(
            Uncounted(role=role, excluded_by=names.get(name, name), items=tuple(items))
            for (role, name), items in found.items()
        ),
    )
