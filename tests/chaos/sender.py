"""The process that dies in the sweep of system calls: it has everything imported, forks a child for
each operation, and the child stops itself just before, so that a tracer can be attached.

`python -m tests.chaos.sender`, with Milepost's settings in the environment. Each line on its
standard input names an operation and a card; it answers with the child's process id, and with the
child's exit status once that has ended.
"""

import json
import os
import random
import signal
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from amcash import pulse, services  # noqa: E402
from amcash.orders import Card, EntryMode, RedemptionOrder, ReversalOrder  # noqa: E402
from backoffice.devices import tokens  # noqa: E402
from backoffice.devices.models import Device, DeviceProfile  # noqa: E402
from backoffice.journal import line  # noqa: E402
from backoffice.journal.models import Transaction  # noqa: E402
from backoffice.people.actors import Actor  # noqa: E402
from backoffice.people.models import User  # noqa: E402
from backoffice.stores.models import Calculation  # noqa: E402
from backoffice.units import Cents  # noqa: E402
from issuance import selectors  # noqa: E402
from issuance import services as issuance  # noqa: E402
from issuance.orders import (  # noqa: E402
    Award,
    IssuanceOrder,
    RecordOrder,
    ReturnOrder,
    TransactionType,
)
from tests.day import shelf  # noqa: E402

BASKET = Cents(4000)
ASKED = Cents(1000)


def main() -> None:
    """Serve standard input until it ends."""
    for wanted in sys.stdin:
        operation, card = wanted.split()
        child = os.fork()
        if child == 0:
            _ACTS[operation](card)
            # Nothing of the parent's is to be tidied up here.
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _pid, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _redeem(card: str) -> None:
    """Redeem; the tracer is attached before the first byte of it."""
    actor = _actor()
    _wait_for_the_tracer()
    _redeemed(card, actor)


def _reverse(card: str) -> None:
    """Redeem in peace, then reverse under the tracer."""
    actor = _actor()
    redemption = _redeemed(card, actor)
    order = ReversalOrder(
        client_ref=str(uuid.uuid4()), redemption=redemption.reference, language="en"
    )
    _wait_for_the_tracer()
    services.reverse(order, redemption, actor=actor, now=timezone.now())


def _till(card: str) -> None:
    """Redeem as a till of the switch, by its very door, under the tracer."""
    post = _line_of_a_till()
    _wait_for_the_tracer()
    post("redeem", _of_a_till(card))


def _void(card: str) -> None:
    """Redeem in peace as a till of the switch, then void it by its trace under the tracer."""
    post = _line_of_a_till()
    redemption = _of_a_till(card)
    post("redeem", redemption)
    void = {
        "dateTime": redemption["dateTime"],
        "traceId": _trace(),
        "originalTraceId": redemption["traceId"],
    }
    _wait_for_the_tracer()
    post("reverse", void)


def _settle(card: str) -> None:
    """Redeem unheard, then sweep one due row under the tracer: this one or an older one."""
    actor = _actor()
    # Doubt after doubt would open the breaker, and nothing would be sent.
    pulse.take()
    doubt = _redeemed(card, actor)
    services.check_now(doubt, actor=actor, now=timezone.now())
    _wait_for_the_tracer()
    services.settle_due(sender=line.sender_name("settle"), limit=1)


def _give(card: str) -> None:
    """Give the miles of a sale, by our own offers, under the tracer."""
    actor = _actor(Calculation.PARTNER)
    order = _gift(card, actor)
    _wait_for_the_tracer()
    issuance.give(order, actor=actor, now=timezone.now())


def _take_back(card: str) -> None:
    """Give in peace, by the programme's offers, then take all of it back under the tracer."""
    actor = _actor(Calculation.AMRP)
    gift = _gift(card, actor)
    sale = issuance.give(gift, actor=actor, now=timezone.now()).transaction
    order = ReturnOrder(
        client_ref=str(uuid.uuid4()),
        sale_ref=str(uuid.uuid4()),
        card=gift.card,
        basket=gift.basket,
        language="en",
        original=sale.reference,
    )
    _wait_for_the_tracer()
    issuance.take_back(order, sale, actor=actor, now=timezone.now())


def _chase(card: str) -> None:
    """Give unheard, then sweep one due row under the tracer: this one or an older one."""
    actor = _actor(Calculation.PARTNER)
    # Heard in between, silences do not open the breaker of issuance, which would stop all sends.
    nothing = RecordOrder(
        client_ref=str(uuid.uuid4()),
        sale_ref=str(uuid.uuid4()),
        card=None,
        basket=shelf.totals(500),
        transaction_type=TransactionType.PURCHASE,
        language="en",
    )
    issuance.record(nothing, actor=actor, now=timezone.now())
    row = issuance.give(_gift(card, actor), actor=actor, now=timezone.now()).transaction
    issuance.check_now(row, actor=actor, now=timezone.now())
    _wait_for_the_tracer()
    issuance.settle_due(sender=line.sender_name("settle"), limit=1)


def _gift(card: str, actor: Actor) -> IssuanceOrder:
    """Draw a sale that earns something."""
    drawn = random.Random(card)
    basket = shelf.basket(drawn)
    awards: tuple[Award, ...] = ()
    store = actor.device.store
    if store.sponsor.calculation == Calculation.PARTNER:
        while not (
            awards := selectors.awards_for(basket, store=store, at=timezone.now(), language="en")
        ):
            basket = shelf.basket(drawn)
    return IssuanceOrder(
        client_ref=str(uuid.uuid4()),
        sale_ref=str(uuid.uuid4()),
        card=Card(number=card, entry_mode=EntryMode.SCAN),
        basket=basket,
        language="en",
        awards=awards,
    )


def _line_of_a_till() -> Callable[[str, dict[str, str]], None]:
    device = _actor().device
    token = tokens.add(device, now=timezone.now(), profile=DeviceProfile.TILL)
    client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {token}"})

    def post(call: str, fields: dict[str, str]) -> None:
        body = json.dumps(fields).encode()
        client.post(f"/checkout/amcash/{call}", body, content_type="application/json")

    return post


def _of_a_till(card: str) -> dict[str, str]:
    return {
        "cardEntryMode": "SCAN",
        "collectorNumber": card,
        "dateTime": datetime.now(UTC).isoformat(timespec="seconds"),
        "dollarRedeemRequest": "10.00",
        "postTaxBasketAmount": "40.00",
        "traceId": _trace(),
    }


def _trace() -> str:
    return f"{uuid.uuid4().int % 10**12:012d}"


_ACTS: dict[str, Callable[[str], None]] = {
    "redeem": _redeem,
    "reverse": _reverse,
    "till": _till,
    "void": _void,
    "settle": _settle,
    "give": _give,
    "take_back": _take_back,
    "chase": _chase,
}


def _wait_for_the_tracer() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _actor(calculation: Calculation = Calculation.PARTNER) -> Actor:
    devices = Device.objects.select_related("store__sponsor").order_by("pk")
    device = devices.filter(store__sponsor__calculation=calculation)[0]
    return Actor(user=User.objects.get(username="ana"), device=device)


def _redeemed(card: str, actor: Actor) -> Transaction:
    order = RedemptionOrder(
        client_ref=str(uuid.uuid4()),
        sale_ref=str(uuid.uuid4()),
        card=Card(number=card, entry_mode=EntryMode.SCAN),
        basket_cents=BASKET,
        original_cents=BASKET,
        asked_cents=ASKED,
        language="en",
    )
    return services.redeem(order, actor=actor, now=timezone.now()).transaction


if __name__ == "__main__":
    main()
