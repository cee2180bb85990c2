"""Pages as a browser gets them, asked for in process: the whole view, without the network."""

import time
from datetime import datetime
from functools import cache
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from backoffice.journal.models import Transaction
from backoffice.journal.selectors import Cursor
from backoffice.office.search import in_url
from backoffice.people.models import User

_FILTERS: dict[str, dict[str, str]] = {
    "everything": {},
    "store": {"store": "7"},
    "store, refused": {"store": "7", "state": "declined"},
    "till": {"till": "13"},
    "reversals": {"kind": "reverse"},
    "done": {"state": "done"},
    "reversed": {"state": "reversed"},
    "refused": {"state": "declined"},
    "not confirmed": {"state": "doubt"},
    "too late": {"state": "expired"},
    "code 0051": {"code": "0051"},
    "code nobody had": {"code": "0099"},
    "code 0001 of a store": {"code": "0001", "store": "7"},
    "last four digits": {"card": "4711"},
    "confirmation": {"confirmation": "CNF000004711"},
    "needs a person": {"person": "1"},
}


def log_round() -> dict[str, float]:
    """Ask once for each page of the log; return milliseconds by page."""
    took = {}
    for who, client in _readers().items():
        for name, address in _addresses().items():
            if who == "manager" and "store" in name:
                continue
            began = time.perf_counter()
            answer = client.get(address)
            took[f"{who}: {name}"] = (time.perf_counter() - began) * 1000
            assert answer.status_code == 200, (address, answer.status_code)
    return took


@cache
def _readers() -> dict[str, Client]:
    """An administrator, who sees every store, and a manager of two."""
    found = {}
    for name in ("admin", "manager"):
        found[name] = Client(SERVER_NAME="localhost")
        found[name].force_login(User.objects.get(username=name))
    return found


@cache
def _addresses() -> dict[str, str]:
    depths = {"newest": None, "middle": _cursor(0.5), "oldest": _cursor(0.001)}
    pages = {}
    for filter_name, fields in _FILTERS.items():
        for depth, cursor in depths.items():
            query = {**fields, **({"older": in_url(cursor)} if cursor else {})}
            pages[f"{filter_name}, {depth}"] = f"/office/log/?{urlencode(query)}"
    first, last = _moment(0.7), _moment(0.71)
    days = {"from": first.isoformat()[:16], "to": last.isoformat()[:16]}
    pages["a week, its end"] = f"/office/log/?{urlencode(days)}"
    pages["a week, refused"] = f"/office/log/?{urlencode({**days, 'state': 'declined'})}"
    return pages


def _cursor(share: float) -> Cursor:
    last = Transaction.objects.order_by("-pk").values_list("pk", flat=True)[0]
    row = Transaction.objects.get(pk=max(1, int(last * share)))
    return Cursor(opened_at=row.opened_at, id=row.pk)


def _moment(share: float) -> datetime:
    return timezone.make_naive(_cursor(share).opened_at)
