"""Reads the offers that a sponsor keeps, and asks them what a sale earns."""

from datetime import datetime

from django.db.models import Q, QuerySet

from backoffice import clock
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Sponsor, Store
from issuance import offers
from issuance.models import Exclusion, Offer
from issuance.offers import Catalogue
from issuance.orders import Award, Basket


def catalogue_of(sponsor: Sponsor) -> Catalogue:
    """Return all that a sponsor keeps, also what is switched off, over or still to come."""
    kept = Offer.objects.filter(sponsor=sponsor).prefetch_related("stores")
    excluded = Exclusion.objects.filter(sponsor=sponsor).prefetch_related("stores")
    return Catalogue(
        offers=tuple(offer.rule() for offer in kept),
        exclusions=tuple(exclusion.rule() for exclusion in excluded),
    )


def visible_offers(user: User) -> QuerySet[Offer]:
    """Return the offers that a person may read: those that can hold in a store of theirs."""
    found = Offer.objects.filter(_is_visible(user)).distinct()
    return found.select_related("sponsor").prefetch_related("stores")


def visible_exclusions(user: User) -> QuerySet[Exclusion]:
    """Return the exclusions that a person may read: those that can hold in a store of theirs."""
    found = Exclusion.objects.filter(_is_visible(user)).distinct()
    return found.select_related("sponsor").prefetch_related("stores")


def _is_visible(user: User) -> Q:
    if user.may_see_every_store:
        return Q()
    stores = visible_stores(user)
    return Q(stores__in=stores) | Q(stores=None, sponsor__stores__in=stores)


def awards_for(basket: Basket, *, store: Store, at: datetime, language: str) -> tuple[Award, ...]:
    """Return the miles of a sale by our own offers, as POST sends them (PRODUCT 4).

    The day of the sale is the one on the store's own calendar. A basket that earns nothing gets no
    award, and there is nothing to send but a RECORD.
    """
    day = clock.issuance_day(at, store.tzinfo)
    found = offers.earned(basket, catalogue_of(store.sponsor), store=store.number, on=day)
    return tuple(verdict.award(language) for verdict in found)
