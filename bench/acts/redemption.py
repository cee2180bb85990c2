"""Redemptions through Milepost's services and through its web server, beside the bare script."""

import http.client
import random
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import connection
from django.db.models import Count, Model
from django.test import Client
from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode, RedemptionOrder
from amcash.rules import Offer
from backoffice.audit.models import AuditEntry
from backoffice.devices.models import Device
from backoffice.journal import payloads
from backoffice.journal.choices import State
from backoffice.journal.models import Transaction
from backoffice.people.actors import Actor, Channel
from backoffice.people.models import User
from backoffice.units import Cents, Miles
from bench.acts.floor import Floor, Weight
from bench.acts.pace import flat_out, in_turns
from cashier.cards import OpenSale, seal

BASKET_CENTS = Cents(4335)
ASKED_CENTS = Cents(4000)


def weigh() -> dict[str, int]:
    """Redeem once and count the bytes of each commit, as text; an updated row counts in full."""
    row = _redeem(cashier())
    rows = {name: _bytes(row) for name in ("first", "second")}
    for payload in row.payloads.all():
        rows["second" if payload.attempt_id else "first"] += _bytes(payload)
    for attempt in row.attempts.all():
        rows["first"] += _bytes(attempt)
        rows["second"] += _bytes(attempt)
    subject = f"transaction:{row.reference}"
    for entry in AuditEntry.objects.filter(subject=subject):
        rows["first" if entry.event.endswith(".armed") else "second"] += _bytes(entry)
    return {**rows, "body": len(payloads.body_of(row))}


def paced(*, weight: dict[str, int], turns: int, per_s: float) -> dict[str, list[float]]:
    """Redeem in this process, in turns with the bare script."""
    actor = cashier()
    floor = Floor(Weight(**weight))
    plain = Floor(Weight(**weight), with_requests=False)
    things: dict[str, Callable[[], object]] = {
        "redeem": lambda: _redeem(actor),
        "floor": floor.once,
        "plain_floor": plain.once,
    }
    in_turns(things, turns=20, per_s=per_s)
    return in_turns(things, turns=turns, per_s=per_s)


def paced_web(*, url: str, weight: dict[str, int], turns: int, per_s: float) -> dict[str, Any]:
    """Press Redeem at a till over HTTP, in turns with the bare script."""
    press = _presses(url)
    floor = Floor(Weight(**weight))
    things: dict[str, Callable[[], object]] = {"redeem": press, "floor": floor.once}
    in_turns(things, turns=20, per_s=per_s)
    return in_turns(things, turns=turns, per_s=per_s)


def flow(*, what: str, url: str, weight: dict[str, int], threads: int, seconds: float) -> float:
    """Return how often a second this process redeems, or the bare script does its part."""

    def make() -> Callable[[], object]:
        if what == "floor":
            return Floor(Weight(**weight)).once
        if what == "web":
            return _presses(url)
        connection.close()
        actor = cashier()
        return lambda: _press(actor)

    return flat_out(make, threads=threads, seconds=seconds)


def granted() -> dict[str, int]:
    """Return how many redemptions there are, and how many of them were granted."""
    rows = Transaction.objects.order_by().values_list("state")
    states = dict(rows.annotate(count=Count("pk")))
    return {"all": sum(states.values()), "granted": states.get(State.APPROVED, 0)}


def profile(*, times: int) -> list[str]:
    """Return every statement of one redemption with its milliseconds, for a person to read."""
    actor = cashier()
    for _ in range(times):
        _redeem(actor)
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    _redeem(actor)
    connection.force_debug_cursor = False
    return [f"{float(query['time']) * 1000:.1f} {query['sql']}" for query in connection.queries]


def cashier() -> Actor:
    """Return who stands at the demo partner's first till."""
    till = Device.objects.select_related("store__sponsor").get(store__number="0001", number="001")
    return Actor(user=User.objects.get(username="ana"), device=till, channel=Channel.CONSOLE)


def _card() -> Card:
    # Any collector number; the stub approves them all.
    return Card(number=f"8{random.randrange(10**10):010d}", entry_mode=EntryMode.SCAN)


def _redeem(actor: Actor) -> Transaction:
    row = _press(actor)
    if not row.is_granted:
        said = list(row.attempts.values_list("result", "silence", "response_code", "duration_ms"))
        raise AssertionError(f"{row.state}: {said}")
    return row


def _press(actor: Actor) -> Transaction:
    order = RedemptionOrder(
        client_ref=str(uuid.uuid4()),
        sale_ref=str(uuid.uuid4()),
        card=_card(),
        basket_cents=BASKET_CENTS,
        original_cents=BASKET_CENTS,
        asked_cents=ASKED_CENTS,
        language="en",
    )
    return services.redeem(order, actor=actor, now=timezone.now()).transaction


def redeem_once() -> None:
    """Leave one more sale in the log."""
    _redeem(cashier())


def _presses(url: str) -> Callable[[], object]:
    """Return a press of Redeem by a signed-in cashier on one open connection."""
    headers, bound_to = browser()
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def press() -> None:
        form = {"sale": sealed(bound_to), "client_ref": str(uuid.uuid4()), "units": "4"}
        line.request("POST", "/redeem/", urlencode(form), headers)
        answer = line.getresponse()
        said = answer.read()
        assert answer.status == 303, (answer.status, said[:500])

    return press


def browser() -> tuple[dict[str, str], str]:
    """Return the headers of a browser in which a cashier stands at a till, and what seals there."""
    actor = cashier()
    assert actor.user is not None
    client = Client(SERVER_NAME="localhost")
    client.force_login(actor.user)
    client.post("/till/", {"till": str(actor.device.pk)})
    client.get("/")
    jar = {name: morsel.value for name, morsel in client.cookies.items()}
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()),
        "X-CSRFToken": jar["csrftoken"],
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return headers, f"sale:{client.session.session_key}:{actor.device.pk}"


def sealed(bound_to: str) -> str:
    """Return an open sale as the form of an offer holds it."""
    offer = Offer(
        basket_cents=BASKET_CENTS,
        unit_cents=Cents(1000),
        unit_miles=Miles(95),
        max_units=4,
        default_units=4,
        today_units=12,
        offer_id="1111111111",
        is_special=False,
        description_en="Sample offer",
        description_fr="Exemple d'offre",
    )
    sale = OpenSale(card=_card(), sale_ref=str(uuid.uuid4()), basket_cents=BASKET_CENTS)
    return seal(sale.with_offer(offer), bound_to=bound_to, now=timezone.now())


def _bytes(row: Model) -> int:
    values = [getattr(row, field.attname) for field in row._meta.concrete_fields]
    return sum(
        len(value) if isinstance(value, bytes | memoryview) else len(str(value))
        for value in values
        if value is not None
    )
