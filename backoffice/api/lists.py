"""Stores, devices and offers over the API, in the order of our numbers; and its index."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from backoffice.api import cursors, parameters, problems, schema, things
from backoffice.api.access import stores_of, token_of
from backoffice.api.doors import ApiView, link
from backoffice.api.parameters import Parameter
from backoffice.api.shapes import (
    MOMENT_OR_NULL,
    PLACE,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Form,
    exactly,
    instant,
    list_of,
    one_of,
)
from backoffice.api.things import Kept
from backoffice.devices import selectors as devices
from backoffice.devices.models import Device
from backoffice.people.models import ApiScope
from backoffice.stores.models import Store
from issuance import selectors as offers
from issuance.models import Offer

_MOST: Final = 2**63 - 1
_NUMBER: Final[dict[str, Form]] = {"number": {"type": "integer", "minimum": 0, "maximum": _MOST}}
_PAGED: Final = (
    parameters.limit("At most so many."),
    parameters.place("after", "Where to read on: of `next`.", cursors.row),
)
_OF_STORE: Final = (parameters.number("store", "Of this store, by its `id`."), *_PAGED)
_RESOURCES: Final = ("transactions", "changes", "stores", "devices", "offers")


def _stores_within(request: Request) -> QuerySet[Store]:
    return stores_of(request).select_related("sponsor")


def _told_stores(request: Request, rows: Sequence[Store]) -> list[dict[str, Any]]:
    return [things.STORE.told(row) for row in rows]


def _devices_within(request: Request) -> QuerySet[Device]:
    return Device.objects.filter(store__in=stores_of(request))


def _told_devices(request: Request, rows: Sequence[Device]) -> list[dict[str, Any]]:
    found = Device.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    return [things.DEVICE.told(one) for one in devices.listed(found, now=timezone.now())]


def _offers_within(request: Request) -> QuerySet[Offer]:
    is_of_all = token_of(request).is_of_every_store
    return offers.offers_within(None if is_of_all else stores_of(request))


def _told_offers(request: Request, rows: Sequence[Offer]) -> list[dict[str, Any]]:
    is_of_all = token_of(request).is_of_every_store
    ids = None if is_of_all else frozenset(stores_of(request).values_list("pk", flat=True))
    return [things.OFFER.told(Kept(offer=row, store_ids=ids)) for row in rows]


def _page(
    request: Request,
    given: dict[str, Any],
    rows: QuerySet[Any],
    told: Callable[[Request, Sequence[Any]], list[dict[str, Any]]],
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page, and the link to the next one."""
    limit = given.get("limit", parameters.USUAL_ROWS)
    found = list(rows.filter(pk__gt=given.get("after", 0)).order_by("pk")[: limit + 1])
    page = found[:limit]
    has_more = len(found) > limit
    place = cursors.of_row(page[-1].pk) if has_more else None
    return told(request, page), link(request, after=place) if place else None


def _one(
    request: Request,
    number: int,
    rows: QuerySet[Any],
    told: Callable[[Request, Sequence[Any]], list[dict[str, Any]]],
) -> dict[str, Any]:
    found = list(rows.filter(pk=number)) if number <= _MOST else []
    if not found:
        raise problems.not_found()
    return told(request, found)[0]


def _listed(
    name: str, scope: ApiScope, summary: str, known: Sequence[Parameter], form: Form
) -> Callable[[type[ApiView]], type[ApiView]]:
    answer = exactly({name: list_of(form), "next": PLACE})
    described = schema.of(
        f"api_{name}", scope=scope, summary=summary, parameters=known, answer=answer
    )
    return extend_schema_view(get=extend_schema(**described))


def _single(
    name: str, scope: ApiScope, summary: str, form: Form
) -> Callable[[type[ApiView]], type[ApiView]]:
    described = schema.of(f"api_{name}", scope=scope, summary=summary, answer=form, path=_NUMBER)
    return extend_schema_view(get=extend_schema(**described))


@_listed("stores", ApiScope.STORES, "The stores.", _PAGED, things.STORE.form())
class StoresView(ApiView):
    """The stores that the token reads of."""

    scope = ApiScope.STORES
    parameters = _PAGED

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return one page."""
        told, after = _page(request, given, _stores_within(request), _told_stores)
        return {"stores": told, "next": after}


@_single("store", ApiScope.STORES, "One store.", things.STORE.form())
class StoreView(ApiView):
    """One store."""

    scope = ApiScope.STORES

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return it."""
        return _one(request, named["number"], _stores_within(request), _told_stores)


@_listed(
    "devices",
    ApiScope.DEVICES,
    "Tills and tablets, and when each was seen.",
    _OF_STORE,
    things.DEVICE.form(),
)
class DevicesView(ApiView):
    """The devices of the token's stores."""

    scope = ApiScope.DEVICES
    parameters = _OF_STORE

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return one page."""
        rows = _devices_within(request)
        if "store" in given:
            if not stores_of(request).filter(pk=given["store"]).exists():
                raise problems.bad_parameter("store", "the token reads of no such store.")
            rows = rows.filter(store=given["store"])
        told, after = _page(request, given, rows, _told_devices)
        return {"devices": told, "next": after}


@_single("device", ApiScope.DEVICES, "One device.", things.DEVICE.form())
class DeviceView(ApiView):
    """One device."""

    scope = ApiScope.DEVICES

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return it."""
        return _one(request, named["number"], _devices_within(request), _told_devices)


@_listed(
    "offers",
    ApiScope.OFFERS,
    "Our own offers, also those over or to come.",
    _PAGED,
    things.OFFER.form(),
)
class OffersView(ApiView):
    """The offers that can hold in one of the token's stores."""

    scope = ApiScope.OFFERS
    parameters = _PAGED

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return one page."""
        told, after = _page(request, given, _offers_within(request), _told_offers)
        return {"offers": told, "next": after}


@_single("offer", ApiScope.OFFERS, "One offer.", things.OFFER.form())
class OfferView(ApiView):
    """One offer."""

    scope = ApiScope.OFFERS

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return it."""
        return _one(request, named["number"], _offers_within(request), _told_offers)


@extend_schema_view(
    get=extend_schema(
        **schema.of(
            "api_index",
            summary="What the token is and what there is to read.",
            answer=exactly(
                {
                    "token": exactly(
                        {
                            "name": TEXT,
                            "scopes": list_of(one_of(ApiScope.values)),
                            "is_of_every_store": YES_OR_NO,
                            "store_ids": list_of(WHOLE),
                            "expires_at": MOMENT_OR_NULL,
                        }
                    ),
                    "resources": exactly(dict.fromkeys(_RESOURCES, TEXT)),
                }
            ),
        )
    )
)
class IndexView(ApiView):
    """The token itself, and the addresses."""

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return both."""
        token = token_of(request)
        is_limited = not token.is_of_every_store
        ids = stores_of(request).values_list("pk", flat=True) if is_limited else ()
        return {
            "token": {
                "name": token.name,
                "scopes": token.scopes,
                "is_of_every_store": token.is_of_every_store,
                "store_ids": sorted(ids),
                "expires_at": instant(token.expires_at),
            },
            "resources": {name: reverse(f"api-v1:{name}") for name in _RESOURCES},
        }


@extend_schema(exclude=True)
class NowhereView(ApiView):
    """Every address that there is not."""

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Refuse."""
        raise problems.not_found()

    def get(self, request: Request, **named: Any) -> Any:
        """Refuse, whatever its parameters are."""
        raise problems.not_found()
