"""What was given before and what is left of it: the limits of every taking back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from sandbox.issuance import catalogue, offers
from sandbox.issuance.codes import GIVING, Call, Status
from sandbox.issuance.models import Item, Transaction
from sandbox.issuance.offers import Basket
from sandbox.issuance.orders import Asked, Order, Refused


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be taken back, and from which transaction if one is named."""

    asked: tuple[Asked, ...]
    original: Transaction | None = None


@dataclass(kw_only=True)
class Left:
    """The miles that an original gave for one offer, and how many of them are left."""

    item: Item
    given: int = 0
    left: int = 0


def find(order: Order, calls: Iterable[Call]) -> Transaction | None:
    """Return what a request names as its original: by the platform's id, else the partner's own.

    Of several with the partner's own id, the last.
    """
    known = Transaction.objects.filter(
        sponsor=order.sponsor, collector=order.collector, call__in=list(calls)
    ).order_by("-id")
    return (
        known.filter(transaction_id=order.original).first()
        or known.filter(own_id=order.original).first()
    )


def reversal(order: Order) -> Plan:
    """Return what REVERSE takes back: what is asked, each item within what is left of its offer."""
    if not order.original:
        return Plan(asked=order.asked)
    original = find(order, GIVING)
    if original is None:
        return Plan(asked=_refused(order.asked, "OriginalNotFound"))
    before = _basket_left(original)
    if order.basket.lines and offers.restored(original.basket).lines:
        try:
            offers.less(before, order.basket)
        except offers.MoreThanBought:
            return Plan(asked=_refused(order.asked, "MoreThanBought"), original=original)
    left = _left(original)
    asked = []
    for one in order.asked:
        of_offer = left.get((one.offer_code, one.offer_id))
        error = _limit(of_offer, one.miles)
        if of_offer and not error:
            of_offer.left -= one.miles
        asked.append(replace(one, error=error))
    return Plan(asked=tuple(asked), original=original)


def returned(order: Order, zone: ZoneInfo) -> Plan:
    """Return what RETURN takes back: what the original's basket earns less without these goods."""
    original = find(order, [Call.ISSUE])
    if original is None:
        raise Refused("OriginalNotFound")
    before = _basket_left(original)
    if before.amount == 0 and order.basket.amount > 0 and _is_returned(original):
        raise Refused("AlreadyReversed")
    try:
        after = offers.less(before, order.basket)
    except offers.MoreThanBought:
        raise Refused("MoreThanBought") from None
    except offers.ItemsRequired:
        raise Refused("ItemsRequired") from None
    rules = catalogue.offers_for(order.sponsor)
    day = original.checkout_at.astimezone(zone).date()
    earned = {_key(award.offer): award for award in offers.awards(before, rules, day)}
    kept = {_key(award.offer): award.miles for award in offers.awards(after, rules, day)}
    skus = {line.sku for line in order.basket.lines}
    asked = []
    for key, of_offer in _left(original).items():
        award = earned.get(key)
        miles = award.miles - kept.get(key, 0) if award else 0
        # Rules may have changed since; when nothing is kept, nothing given is left.
        miles = of_offer.left if after.amount == 0 else max(0, min(miles, of_offer.left))
        if miles:
            asked.append(
                Asked(
                    offer_code=of_offer.item.offer_code,
                    offer_id=of_offer.item.offer_id,
                    location=of_offer.item.location,
                    miles=miles,
                    description=award.offer.description if award else "",
                    contributing=tuple(sku for sku in award.skus if sku in skus) if award else (),
                )
            )
    return Plan(asked=tuple(asked), original=original)


def _key(offer: offers.Offer) -> tuple[str, str]:
    return offer.code, offer.offer_id


def _limit(of_offer: Left | None, miles: int) -> str:
    """Return why so many miles cannot be taken back, or nothing."""
    if of_offer is None:
        return "OfferNotIssued"
    if of_offer.left == 0:
        return "AlreadyReversed"
    return "MoreThanIssued" if miles > of_offer.left else ""


def _left(original: Transaction) -> dict[tuple[str, str], Left]:
    """Return what is left of each offer; what is being taken back is not left any more."""
    left: dict[tuple[str, str], Left] = {}
    for item in original.items.filter(status=Status.CONFIRMED):
        of_offer = left.setdefault((item.offer_code, item.offer_id), Left(item=item))
        of_offer.given += item.miles
        of_offer.left += item.miles
    taken = Item.objects.filter(transaction__original=original).exclude(status=Status.REJECTED)
    for item in taken:
        left[item.offer_code, item.offer_id].left -= item.miles
    return left


def _takings(original: Transaction) -> "list[Transaction]":
    """Return what was taken back of an original, or is about to be."""
    # A RETURN of goods that earned nothing has no items, and the goods are back all the same.
    return list(
        original.takings.filter(
            Q(items=None) | Q(items__status__in=[Status.PENDING, Status.CONFIRMED])
        ).distinct()
    )


def _is_returned(original: Transaction) -> bool:
    return bool(_takings(original))


def _basket_left(original: Transaction) -> Basket:
    """Return an original's basket without what came back."""
    basket = offers.restored(original.basket)
    has_lines = bool(basket.lines)
    for taking in _takings(original):
        back = offers.restored(taking.basket)
        if taking.call == Call.RETURN or (has_lines and back.lines):
            basket = offers.less(basket, back)
    return basket


def _refused(asked: Iterable[Asked], error: str) -> tuple[Asked, ...]:
    return tuple(replace(one, error=error) for one in asked)


def samples() -> None:
    """Put back the transactions that the recorded samples take back, as if given long ago."""
    for fields in _SAMPLES:
        transaction = Transaction.objects.create(
            **fields["transaction"],
            basket=offers.stored(fields["basket"]),
            mirror=b"{}",
            path="",
            body_sha256="",
            happened_at=_GIVEN_AT,
            checkout_at=_GIVEN_AT,
        )
        Item.objects.create(
            transaction=transaction,
            status=Status.CONFIRMED,
            confirmation="0ed100a4-fc9a-41bb-a747-942c2593b683",
            processed_at=_GIVEN_AT,
            offer_code="STANDARD",
            **fields["item"],
        )


_GIVEN_AT = datetime(2019, 5, 29, 14, 12, 59, 479_000, tzinfo=UTC)
_BASKET = Basket(
    lines=(
        offers.Line(
            sku="SKU1234",
            quantity=Decimal(2),
            unit_price=Decimal("9.99"),
            department="10001",
            category="11101",
        ),
        offers.Line(
            sku="SKU1252",
            quantity=Decimal(1),
            unit_price=Decimal("4.99"),
            department="DEPT2",
            category="CAT2",
        ),
    ),
    total=Decimal("24.97"),
    coupons=("57841", "57862"),
    tender=("CASH", "CREDIT"),
)
_ORIGINAL_ID = "d445b671-7a7f-490f-a3f8-adfc443408a5"
_BOUGHT = {"miles": 5, "offer_id": "123454", "location": "1100"}


def _given(call: Call, sponsor: str, collector: str, transaction_id: str) -> dict[str, str]:
    return {
        "transaction_id": transaction_id,
        # The samples' returns bear this as their own number too.
        "own_id": "12340001111",
        "call": call.value,
        "sponsor": sponsor,
        "collector": collector,
    }


_SAMPLES: tuple[dict[str, Any], ...] = (
    {
        "transaction": _given(Call.POST, "KELL", "81111111111", _ORIGINAL_ID),
        "basket": _BASKET,
        "item": _BOUGHT,
    },
    {
        "transaction": _given(Call.ISSUE, "TEST", "81111111111", _ORIGINAL_ID),
        "basket": _BASKET,
        "item": _BOUGHT,
    },
    {
        "transaction": _given(
            Call.POST_EVENT, "KENY", "80085102028", "93a1237c-545c-4f16-96e5-4d890c903bd9"
        ),
        "basket": Basket(),
        "item": {"miles": 8, "offer_id": "22", "location": "0037"},
    },
)
