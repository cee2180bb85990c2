"""Transactions over the API: the log by its filters, one of them, and what changed in it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Prefetch, prefetch_related_objects
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from backoffice.api import cursors, parameters, problems, schema, things
from backoffice.api.access import scope_of, stores_of
from backoffice.api.doors import ApiView, link
from backoffice.api.shapes import PLACE, REFERENCE, TEXT, YES_OR_NO, exactly, list_of
from backoffice.api.things import Told
from backoffice.devices.models import Device
from backoffice.journal import changes, selectors
from backoffice.journal.models import OfferResult, Transaction
from backoffice.journal.selectors import LogFilters
from backoffice.journal.states import Operation, State
from backoffice.people.models import ApiScope
from backoffice.stores.models import Store

# Kinds times states are that many small reads, which are merged (selectors).
_MOST_STATES: Final = 4
_LATEST: Final = "latest"
MOST_ENTRIES: Final = 500
_FILTERS: Final = (
    parameters.moment("opened_from", "Opened at this moment or later."),
    parameters.moment("opened_before", "Opened before this moment."),
    parameters.number("store", "A store, by its `id`."),
    parameters.number("device", "A device, by its `id`."),
    parameters.choice("operation", "What was asked of the programme.", [*Operation]),
    parameters.choice(
        "state",
        f"How it stands; up to {_MOST_STATES} of them, each as a parameter of its own.",
        [*State],
        most=_MOST_STATES,
    ),
    parameters.written(
        "response_code",
        "The programme's code.",
        "^[0-9A-Za-z]{1,8}$",
        "has up to eight digits or letters, as 0051.",
    ),
    parameters.written(
        "collector_last4",
        "The last four digits of the card.",
        "^[0-9]{4}$",
        "is the last four digits of a card.",
    ),
    parameters.written(
        "confirmation_number",
        "The programme's number of the redemption or the issuance.",
        "^[0-9A-Za-z._:-]{1,40}$",
        "is the programme's number, without spaces.",
    ),
    parameters.choice("is_reversed", "Whether its miles were given back.", ["true", "false"]),
    parameters.choice("is_credited", "Only where credit was given instead.", ["true"]),
    parameters.choice("needs_person", "Only what a person must look at.", ["true"]),
)
_LISTED: Final = (
    *_FILTERS,
    parameters.limit("At most so many."),
    parameters.place("cursor", "Where to read on: of `older` or `newer`.", cursors.log),
)


def _since(text: str) -> changes.Place | None:
    return None if text == _LATEST else cursors.changes(text)


_CHANGED: Final = (
    parameters.place(
        "since",
        "The `since` of the answer before, or `latest` for the place at which the log stands now. "
        "Without it, since the log began.",
        _since,
    ),
    parameters.limit(
        "So many entries of the audit log are looked at; fewer transactions may come of them, or "
        "more, as a reversal brings its redemption along.",
        most=MOST_ENTRIES,
        usual=200,
    ),
)
_OFFERS: Final = Prefetch("offers", queryset=OfferResult.objects.order_by("id"))


@extend_schema_view(
    get=extend_schema(
        **schema.of(
            "api_transactions",
            summary="The log, newest first.",
            parameters=_LISTED,
            answer=exactly(
                {
                    "transactions": list_of(things.TRANSACTION.form()),
                    "older": PLACE,
                    "newer": PLACE,
                }
            ),
            scope=ApiScope.TRANSACTIONS,
        )
    )
)
class TransactionsView(ApiView):
    """The log, by every filter of the office's page of it."""

    scope = ApiScope.TRANSACTIONS
    parameters = _LISTED

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return one page, with links to what is older and newer."""
        page = selectors.log_page(
            scope_of(request),
            _filters(given, _stores(request, given)),
            given.get("cursor"),
            limit=given.get("limit", parameters.USUAL_ROWS),
        )
        return {
            "transactions": _told(page.rows),
            "older": _link(request, page.older),
            "newer": _link(request, page.newer),
        }


@extend_schema_view(
    get=extend_schema(
        **schema.of(
            "api_transaction",
            summary="One transaction, with its attempts and what people decided.",
            answer=things.WHOLE_TRANSACTION.form(),
            path={"reference": REFERENCE},
            scope=ApiScope.TRANSACTIONS,
        )
    )
)
class TransactionView(ApiView):
    """One transaction with every send of it."""

    scope = ApiScope.TRANSACTIONS

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return it."""
        reference: UUID = named["reference"]
        try:
            row = selectors.get_visible(scope_of(request), reference)
        except Transaction.DoesNotExist as error:
            raise problems.not_found() from error
        prefetch_related_objects([row], _OFFERS, "attempts", "decisions__person")
        return things.WHOLE_TRANSACTION.told(Told(row=row, named=_named([row])))


@extend_schema_view(
    get=extend_schema(
        **schema.of(
            "api_changes",
            summary="Transactions that changed, as they are now.",
            parameters=_CHANGED,
            answer=exactly(
                {
                    "transactions": list_of(things.TRANSACTION.form()),
                    "since": TEXT,
                    "has_more": YES_OR_NO,
                    "next": {"type": "string", "format": "uri-reference"},
                }
            ),
            scope=ApiScope.TRANSACTIONS,
            more=(410,),
        )
    )
)
class ChangesView(ApiView):
    """What changed in the log since a place in it; nothing is left out."""

    scope = ApiScope.TRANSACTIONS
    parameters = _CHANGED

    def tell(self, request: Request, given: dict[str, Any], **named: Any) -> dict[str, Any]:
        """Return what changed, and the place to ask from next."""
        if "since" in given and given["since"] is None:
            rows: Sequence[Transaction] = ()
            place, has_more = changes.latest(), False
        else:
            try:
                found = changes.since(
                    given.get("since"), scope_of(request), most_entries=given.get("limit", 200)
                )
            except changes.AnotherLife as error:
                raise problems.log_restored() from error
            rows, place, has_more = found.rows, found.place, found.has_more
        since = cursors.of_changes(place)
        return {
            "transactions": _told(rows),
            "since": since,
            "has_more": has_more,
            "next": link(request, since=since),
        }


def _stores(request: Request, given: dict[str, Any]) -> tuple[Store | None, Device | None]:
    """Return the store and the device that were asked for; what is not the token's is not there."""
    stores = stores_of(request)
    store = device = None
    if "store" in given:
        store = stores.filter(pk=given["store"]).first()
        if store is None:
            raise problems.bad_parameter("store", "the token reads of no such store.")
    if "device" in given:
        device = Device.objects.filter(pk=given["device"], store__in=stores).first()
        if device is None:
            raise problems.bad_parameter("device", "the token reads of no such device.")
    return store, device


def _filters(given: dict[str, Any], of: tuple[Store | None, Device | None]) -> LogFilters:
    store, device = of
    begins, ends = given.get("opened_from"), given.get("opened_before")
    if begins and ends and ends <= begins:
        raise problems.bad_parameter("opened_before", "lies before opened_from.")
    is_reversed = given.get("is_reversed")
    return LogFilters(
        opened_from=begins,
        opened_before=ends,
        store_id=store.pk if store else None,
        device_id=device.pk if device else None,
        operation=given.get("operation", ""),
        states=tuple(dict.fromkeys(given.get("state", ()))),
        response_code=given.get("response_code", ""),
        collector_last4=given.get("collector_last4", ""),
        confirmation_number=given.get("confirmation_number", ""),
        is_reversed=None if is_reversed is None else is_reversed == "true",
        is_credited="is_credited" in given,
        is_for_a_person="needs_person" in given,
    )


def _told(rows: Sequence[Transaction]) -> list[dict[str, Any]]:
    prefetch_related_objects(rows, "store__sponsor", _OFFERS)
    named = _named(rows)
    return [things.TRANSACTION.told(Told(row=row, named=named)) for row in rows]


def _named(rows: Iterable[Transaction]) -> dict[int, UUID]:
    return selectors.references_of(
        key for row in rows for key in (row.reverses_id, row.corrects_id, row.original_id)
    )


def _link(request: Request, cursor: selectors.Cursor | None) -> str | None:
    return link(request, cursor=cursors.of_log(cursor)) if cursor else None
