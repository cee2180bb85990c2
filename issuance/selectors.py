"""Reads the offers that a sponsor keeps and what became of a sale, and asks what it earns and what
its return takes back.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet

from backoffice import clock
from backoffice.cards import Card, EntryMode
from backoffice.journal import payloads, sales
from backoffice.journal.choices import OfferStatus
from backoffice.journal.models import Transaction
from backoffice.journal.states import TAKING
from backoffice.people.models import User
from backoffice.people.scope import visible_stores
from backoffice.stores.models import Sponsor, Store
from backoffice.units import Cents, Miles
from issuance import messages, offers, returns
from issuance.codes import BY_PATH
from issuance.models import Exclusion, Offer
from issuance.offers import Catalogue
from issuance.orders import Award, Basket
from issuance.returns import Given, NotReturnable, Sold


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
    return offers_within(_stores_of(user))


def offers_within(stores: QuerySet[Store] | None) -> QuerySet[Offer]:
    """Return the offers that can hold in one of these stores; None means in any at all."""
    found = Offer.objects.filter(_can_hold_in(stores)).distinct()
    return found.select_related("sponsor").prefetch_related("stores")


def visible_exclusions(user: User) -> QuerySet[Exclusion]:
    """Return the exclusions that a person may read: those that can hold in a store of theirs."""
    found = Exclusion.objects.filter(_can_hold_in(_stores_of(user))).distinct()
    return found.select_related("sponsor").prefetch_related("stores")


def _stores_of(user: User) -> QuerySet[Store] | None:
    return None if user.may_see_every_store else visible_stores(user)


def _can_hold_in(stores: QuerySet[Store] | None) -> Q:
    if stores is None:
        return Q()
    return Q(stores__in=stores) | Q(stores=None, sponsor__stores__in=stores)


def awards_for(basket: Basket, *, store: Store, at: datetime, language: str) -> tuple[Award, ...]:
    """Return the miles of a sale by our own offers, as POST sends them (PRODUCT 4).

    The day of the sale is the one on the store's own calendar. A basket that earns nothing gets no
    award, and there is nothing to send but a RECORD.
    """
    day = clock.issuance_day(at, store.tzinfo)
    found = offers.earned(basket, catalogue_of(store.sponsor), store=store.number, on=day)
    return tuple(verdict.award(language) for verdict in found)


def sale_of(row: Transaction) -> Sold | None:
    """Return the sale of an issuance as it was sent; None once its bytes are no longer kept.

    A till may take miles of a sale back by an event, which has no goods.
    """
    body = payloads.body_of(row)
    return returns.sold_in(messages.parse_request(BY_PATH[row.path], body)) if body else None


def names_of(row: Transaction) -> dict[str, str]:
    """Return what each offer of an issuance is called, by its number: as told, else as asked."""
    sold = sale_of(row)
    asked = {award.offer_id: award.description for award in sold.awards} if sold else {}
    return {
        one.offer_id: one.description or asked.get(one.offer_id, "") or one.offer_code
        for one in row.offers.all()
    }


def returns_of(row: Transaction) -> frozenset[UUID]:
    """Return the returns of an issuance that took miles or may yet.

    Asked for before `awards_back`, it tells in the order what was counted with (ReturnOrder).
    """
    found = row.returns.filter(state__in=sorted(TAKING))
    return frozenset(found.values_list("reference", flat=True))


def left_of(row: Transaction) -> dict[int, Decimal] | Cents | None:
    """Return what may still be brought back of a sale: pieces by item number, or an amount.

    None once its bytes are no longer kept.
    """
    sold = sale_of(row)
    if sold is None:
        return None
    pieces, returned_cents = _brought(_brought_before(row))
    if sold.basket.items:
        return {
            item.number: item.quantity - pieces.get(item.number, Decimal(0))
            for item in sold.basket.items
        }
    return Cents(offers.lines_of(sold.basket)[0].final_cents - returned_cents)


def card_of(row: Transaction) -> Card | None:
    """Return the card of an issuance as it was read; None once its bytes are no longer kept."""
    body = payloads.body_of(row)
    if not body:
        return None
    number = messages.parse_request(BY_PATH[row.path], body).collector_number
    return Card(number=number, entry_mode=EntryMode(row.card_entry_mode)) if number else None


def awards_back(row: Transaction, brought: Basket) -> tuple[Award, ...]:
    """Return the miles to take back of an issuance for what is brought back, as REVERSE sends them.

    The items brought keep the numbers they have in the sale. Earlier returns count as long as they
    may still take their miles. Raises NotReturnable; a return that takes nothing back has no award.
    """
    sold = sale_of(row)
    if sold is None:
        raise NotReturnable("What was sold is no longer kept.")
    back = [*_brought_before(row), Sold(basket=brought, awards=())]
    pieces, returned_cents = _brought(back)
    taken: Counter[str] = Counter()
    for one in row.returns.filter(state__in=sorted(TAKING)).prefetch_related("offers"):
        taken.update(_miles_of(one, sale_of(one)))
    return returns.take_back(
        _standing(row, sold, taken),
        sold=sold.basket,
        returned=pieces,
        returned_cents=returned_cents,
    )


def _brought_before(row: Transaction) -> list[Sold | None]:
    """Return what came back of a sale in earlier returns, each once.

    One return is a row for each issuance that it took miles of, and none for one that it took
    none of; so what came back is asked of the sale and all its corrections.
    """
    found: list[Transaction] = []
    for issued in {one.pk: one for one in (row, *sales.given_of(row))}.values():
        # Nor is a return that was put right one more: the goods came back once.
        seen = {one.sale_ref for one in found}
        of_it = list(issued.returns.filter(state__in=sorted(TAKING)).order_by("id"))
        there = {one.pk for one in of_it}
        found += [one for one in of_it if one.sale_ref not in seen and one.corrects_id not in there]
    return [sale_of(one) for one in found]


def _brought(returned: Iterable[Sold | None]) -> tuple[dict[int, Decimal], Cents]:
    """Add up what came back: pieces by item number, and amounts of returns without items."""
    pieces: dict[int, Decimal] = {}
    cents = 0
    for basket in (one.basket for one in returned if one is not None):
        for item in basket.items:
            pieces[item.number] = pieces.get(item.number, Decimal(0)) + item.quantity
        if not basket.items:
            cents += offers.lines_of(basket)[0].final_cents
    return pieces, Cents(cents)


def _standing(row: Transaction, sold: Sold, taken: Counter[str]) -> list[Given]:
    awards = {award.offer_id: award for award in sold.awards}
    for result in row.offers.all():
        # What the programme calculated has no award of ours: it comes back in proportion.
        awards.setdefault(
            result.offer_id,
            Award(
                offer_id=result.offer_id,
                offer_code=result.offer_code,
                miles=Miles(result.miles),
                description=result.description,
                location_code=result.location_code,
            ),
        )
    return [
        Given(
            award=replace(awards[offer_id], miles=Miles(miles)),
            taken_back=Miles(taken[offer_id]),
        )
        for offer_id, miles in _miles_of(row, sold).items()
    ]


def _miles_of(row: Transaction, asked: Sold | None) -> Counter[str]:
    """Return the miles of each offer that a row moved, or may yet move."""
    found: Counter[str] = Counter()
    results = list(row.offers.all())
    for result in results:
        if result.status != OfferStatus.REJECTED:
            found[result.offer_id] += result.miles
    if not results and asked is not None:
        for award in asked.awards:
            found[award.offer_id] += award.miles
    return found
