"""What a basket earns by our own offers (PRODUCT 4: who calculates miles). Pure: whole cents, whole
miles and exact decimals; no clock, no store but those in the arguments.

The rules, in the words of docs/offers.md: an offer counts the items it names, less what it leaves
out and what the sponsor excludes; its miles are rounded down once, at its end; offers add up, but
within a group the best one counts.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from backoffice.units import Cents, Miles
from issuance.orders import Award, Basket, Item
from issuance.terms import Share, Terms

_NO_MILES: Final = Miles(0)


class Kind(StrEnum):
    """What an offer is called; for a multiplier also how it counts."""

    BASE = "base"
    MULTIPLIER = "multiplier"
    ITEM = "item"
    DEPARTMENT = "department"
    CATEGORY = "category"
    COUPON = "coupon"
    TENDER = "tender"


class Why(StrEnum):
    """Why an offer gives nothing."""

    SWITCHED_OFF = "switched_off"
    OTHER_STORE = "other_store"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NO_COUPON = "no_coupon"
    NO_TENDER = "no_tender"
    NO_ITEM = "no_item"
    NO_BASE = "no_base"
    TOO_LITTLE = "too_little"
    OUTDONE = "outdone"


class Role(StrEnum):
    """What an item is to an offer."""

    COUNTS = "counts"
    NOT_NAMED = "not_named"
    LEFT_OUT = "left_out"
    EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Items by their numbers, departments and categories; one of the three is enough."""

    items: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def takes(self, item: Item) -> bool:
        """Say whether an item is named here. What has no department is in none."""
        return (
            item.sku in self.items
            or item.department in self.departments
            or item.category in self.categories
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is named at all."""
        return not (self.items or self.departments or self.categories)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where and when something holds. Both days count, on the store's own calendar.

    No store means all of them, no day means no bound.
    """

    stores: frozenset[str] = frozenset()
    starts_on: date | None = None
    ends_on: date | None = None
    is_active: bool = True

    def why_not(self, *, store: str, on: date) -> Why | None:
        """Return why it does not hold in a store on a day, or None."""
        if not self.is_active:
            return Why.SWITCHED_OFF
        if self.stores and store not in self.stores:
            return Why.OTHER_STORE
        if self.starts_on is not None and on < self.starts_on:
            return Why.TOO_EARLY
        if self.ends_on is not None and on > self.ends_on:
            return Why.TOO_LATE
        return None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One offer of a sponsor. `offer_id` is ours and unique, `code` is what the programme knows it
    by (issuanceOfferCode); several offers may share one.

    A multiplier has a `factor` instead of terms. An empty selection is the whole basket.
    """

    offer_id: str
    code: str
    kind: Kind
    terms: Terms | None = None
    factor: Decimal | None = None
    description_en: str = ""
    description_fr: str = ""
    location_code: str = ""
    reach: Reach = field(default_factory=Reach)
    selects: Selection = field(default_factory=Selection)
    leaves_out: Selection = field(default_factory=Selection)
    coupon: str = ""
    tender: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        assert (self.kind is Kind.MULTIPLIER) == (self.factor is not None), self.offer_id
        assert (self.kind is Kind.MULTIPLIER) == (self.terms is None), self.offer_id
        assert self.factor is None or self.factor > 1, self.offer_id

    def description(self, language: str) -> str:
        """Return what the collector reads, English where there is no French."""
        is_french = language.startswith("fr")
        return self.description_fr if is_french and self.description_fr else self.description_en


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """What earns nothing by any offer, as gift cards."""

    name: str
    selects: Selection
    reach: Reach = field(default_factory=Reach)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that a sponsor keeps. Offers are told apart by their `offer_id`."""

    offers: tuple[Offer, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        assert len({offer.offer_id for offer in self.offers}) == len(self.offers)


@dataclass(frozen=True, kw_only=True)
class Line:
    """An item of the basket and what it is to an offer; `excluded_by` names the exclusion."""

    item: Item
    role: Role
    excluded_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one offer gives for a basket. `why` is None exactly when it gives something.

    `terms` are those it was counted by, a multiplier's being those of its base rate; they are what
    a return needs (returns.Given).
    """

    offer: Offer
    miles: Miles = _NO_MILES
    why: Why | None = None
    lines: tuple[Line, ...] = ()
    terms: Terms | None = None
    base: str = ""
    outdone_by: str = ""

    @property
    def counted(self) -> tuple[Item, ...]:
        """The items that count, in the basket's order."""
        return tuple(line.item for line in self.lines if line.role is Role.COUNTS)

    @property
    def skus(self) -> tuple[str, ...]:
        """The numbers of the items that contributed, each once, sorted."""
        return tuple(sorted({item.sku for item in self.counted} - {""}))

    @property
    def share(self) -> Share:
        """What counts, added up."""
        return Share.of(self.counted)

    def award(self, language: str) -> Award:
        """Return what is sent of it. An offer without a location leaves that to the sale."""
        assert self.terms is not None and self.miles > 0, self.offer.offer_id
        return Award(
            offer_id=self.offer.offer_id,
            offer_code=self.offer.code,
            miles=self.miles,
            description=self.offer.description(language),
            location_code=self.offer.location_code,
            contributing_skus=self.skus,
            terms=self.terms.text(),
        )


def lines_of(basket: Basket) -> tuple[Item, ...]:
    """Return the items of a basket; for one entered by its totals, what earns of it as one item.

    That item has no number, department or category, so only offers for the whole basket count it.
    """
    if basket.items:
        return basket.items
    cents = Cents(max(0, basket.pre_tax_cents - basket.excluded_cents))
    quantity = Decimal(1 if cents else 0)
    total = Item(number=1, sku="", name="", quantity=quantity, base_cents=cents, final_cents=cents)
    return (total,)


def earned(basket: Basket, catalogue: Catalogue, *, store: str, on: date) -> tuple[Verdict, ...]:
    """Return the offers that give miles for a basket sold in a store on a day, by their number.

    The day is the one on the store's own calendar.
    """
    verdicts = weighed(basket, catalogue, store=store, on=on)
    return tuple(verdict for verdict in verdicts if verdict.why is None)


def weighed(basket: Basket, catalogue: Catalogue, *, store: str, on: date) -> tuple[Verdict, ...]:
    """Return what every offer of a sponsor gives for a basket, and why the others give nothing."""
    exclusions = [
        exclusion
        for exclusion in catalogue.exclusions
        if exclusion.reach.why_not(store=store, on=on) is None
    ]
    offers = sorted(catalogue.offers, key=lambda offer: offer.offer_id)
    items = lines_of(basket)
    verdicts: dict[str, Verdict] = {}
    bases: list[Verdict] = []
    # Multipliers last: they need to know which base rates there are.
    for offer in sorted(offers, key=lambda offer: offer.kind is Kind.MULTIPLIER):
        why = offer.reach.why_not(store=store, on=on) or _unmet(offer, basket)
        if why is not None:
            verdicts[offer.offer_id] = Verdict(offer=offer, why=why)
            continue
        lines = tuple(_line(item, offer, exclusions) for item in items)
        if offer.kind is Kind.MULTIPLIER:
            verdict = _multiplied(offer, lines, bases)
        else:
            verdict = _counted(offer, lines)
        if offer.kind is Kind.BASE:
            bases.append(verdict)
        verdicts[offer.offer_id] = verdict
    _let_the_best_of_each_group_count(verdicts)
    return tuple(verdicts[offer.offer_id] for offer in offers)


def _unmet(offer: Offer, basket: Basket) -> Why | None:
    if offer.coupon and offer.coupon not in basket.coupons:
        return Why.NO_COUPON
    # One of several payments is enough: the basket does not say how much each one paid.
    if offer.tender and offer.tender not in basket.tenders:
        return Why.NO_TENDER
    return None


def _line(item: Item, offer: Offer, exclusions: list[Exclusion]) -> Line:
    if not (offer.selects.is_empty or offer.selects.takes(item)):
        return Line(item=item, role=Role.NOT_NAMED)
    if offer.leaves_out.takes(item):
        return Line(item=item, role=Role.LEFT_OUT)
    for exclusion in exclusions:
        if exclusion.selects.takes(item):
            return Line(item=item, role=Role.EXCLUDED, excluded_by=exclusion.name)
    return Line(item=item, role=Role.COUNTS)


def _counted(offer: Offer, lines: tuple[Line, ...]) -> Verdict:
    assert offer.terms is not None
    verdict = Verdict(offer=offer, lines=lines, terms=offer.terms)
    if not verdict.counted:
        return replace(verdict, why=Why.NO_ITEM)
    miles = offer.terms.earned(verdict.share)
    return replace(verdict, miles=miles, why=None if miles else Why.TOO_LITTLE)


def _multiplied(offer: Offer, lines: tuple[Line, ...], bases: list[Verdict]) -> Verdict:
    # It multiplies one base rate: the one that gives most for the items that count for both. Which
    # base offer wins its group is no matter here, or more could earn less.
    if not bases:
        return Verdict(offer=offer, lines=lines, why=Why.NO_BASE)
    assert offer.factor is not None
    tried = []
    for base in bases:
        assert base.terms is not None
        terms = replace(base.terms, times=offer.factor - 1)
        shared = tuple(
            line if other.role is Role.COUNTS or line.role is not Role.COUNTS else other
            for line, other in zip(lines, base.lines, strict=True)
        )
        verdict = Verdict(offer=offer, lines=shared, terms=terms, base=base.offer.offer_id)
        if verdict.counted:
            miles = terms.earned(verdict.share)
            verdict = replace(verdict, miles=miles, why=None if miles else Why.TOO_LITTLE)
        else:
            verdict = replace(verdict, why=Why.NO_ITEM)
        tried.append(verdict)
    # Bases come by their number, and the first of equals stays.
    return max(tried, key=lambda verdict: (verdict.miles, bool(verdict.counted)))


def _let_the_best_of_each_group_count(verdicts: dict[str, Verdict]) -> None:
    groups: defaultdict[tuple[Kind | None, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts.values():
        offer = verdict.offer
        if verdict.why is None and (offer.group or offer.kind is Kind.BASE):
            # Two base rates kept by mistake must not double every collector's miles, so base
            # offers without a group are one.
            kind = None if offer.group else Kind.BASE
            groups[kind, offer.group].append(verdict)
    for rivals in groups.values():
        best = min(rivals, key=lambda verdict: (-verdict.miles, verdict.offer.offer_id))
        for verdict in rivals:
            if verdict is not best:
                verdicts[verdict.offer.offer_id] = replace(
                    verdict, miles=_NO_MILES, why=Why.OUTDONE, outdone_by=best.offer.offer_id
                )
