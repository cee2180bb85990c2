"""The message of Transaction History: a query in, a page of activities out (PLATFORM 2.10)."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.history.engine import SORTED_BY, Found, Search
from sandbox.issuance.codes import GIVING
from sandbox.issuance.fields import COLLECTOR, MOMENT, SPONSOR
from sandbox.issuance.models import Transaction
from sandbox.issuance.serializers import zulu

MAX_YEARS = 2
MAX_SORTS = 3
MAX_SPONSORS = 100
DEFAULT_SIZE = 20
MAX_SIZE = 2000
MAX_PAGE = 10**6
NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)


class Invalid(ValueError):
    """A part of the query is missing or wrong; the message names it."""


def read_search(query: Mapping[str, str], sorts: Sequence[str]) -> Search:
    """Return what a query asks for, or raise `Invalid`."""
    start, end = _moment(query, "from"), _moment(query, "to")
    if end < start:
        raise Invalid("to: lies before from")
    if end > _years_later(start):
        raise Invalid(f"to: more than {MAX_YEARS} years after from")
    size = _number(query, "size", DEFAULT_SIZE, MAX_SIZE)
    if size == 0:
        raise Invalid("size: must be at least 1")
    sponsors = tuple(query.get("sponsorList", "").split(","))
    if len(sponsors) > MAX_SPONSORS or not all(SPONSOR.fullmatch(one) for one in sponsors):
        raise Invalid("sponsorList: one sponsor code or several, with commas between them")
    if COLLECTOR.fullmatch(query.get("collectorNumber", "")) is None:
        raise Invalid("collectorNumber: 11 digits, the first an 8")
    return Search(
        collector=query["collectorNumber"],
        sponsors=sponsors,
        start=start,
        end=end,
        page=_number(query, "page", 0, MAX_PAGE),
        size=size,
        order=_order(sorts),
    )


def page_fields(search: Search, found: Found, address: str) -> dict[str, Any]:
    """Return a page; one without activities has no `_embedded`."""
    fields: dict[str, Any] = {
        "_links": {"self": {"href": address}},
        "page": {
            "size": search.size,
            "totalElements": found.total,
            "totalPages": -(-found.total // search.size),
            "number": search.page,
        },
    }
    if found.rows:
        activities = [_activity(row) for row in found.rows]
        fields["_embedded"] = {"genericActivityDtoList": activities}
    return fields


def _activity(row: Transaction) -> dict[str, Any]:
    return {
        "transactionId": row.transaction_id,
        "memberId": int(row.collector),
        "cardNumber": row.collector,
        "activityType": "ISSUANCE" if row.call in GIVING else "REVERSAL",
        "transactionDate": zulu(row.checkout_at),
    }


def _moment(query: Mapping[str, str], name: str) -> datetime:
    text = query.get(name, "")
    try:
        if MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid(f"{name}: an ISO 8601 moment with an offset")


def _years_later(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year + MAX_YEARS)
    except ValueError:
        # The 29th of February, in a year that has none.
        return moment.replace(year=moment.year + MAX_YEARS, day=28)


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if NUMBER.fullmatch(text) is None or int(text) > most:
        raise Invalid(f"{name}: a number from 0 to {most}")
    return int(text)


def _order(sorts: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    if len(sorts) > MAX_SORTS:
        raise Invalid(f"sort: at most {MAX_SORTS} of them")
    order = []
    for sort in sorts or ["transactionDate,desc"]:
        name, _, direction = sort.partition(",")
        if name not in SORTED_BY or direction.lower() not in {"", "asc", "desc"}:
            raise Invalid(f"sort: one of {', '.join(SORTED_BY)}, then asc or desc")
        order.append((name, direction.lower() == "desc"))
    return tuple(order)
