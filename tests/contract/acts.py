"""What a till does in these tests, through Milepost's services and its real wire."""

import hashlib
import uuid
from typing import Any

from django.utils import timezone

from amcash import messages, services
from amcash.orders import Card, EntryMode, InquiryOrder, RedemptionOrder, ReversalOrder
from backoffice.journal import payloads
from backoffice.journal.models import Transaction
from backoffice.people.actors import Actor
from backoffice.units import Cents
from tests.cast import COLLECTOR, Cast
from tests.servers.stack import Sandbox

# $40 of a $43.35 basket, at 95 miles for $10.
BASKET_CENTS = Cents(4335)
ASKED_CENTS = Cents(4000)
MILES = 380


def order(number: str = COLLECTOR, **changes: Any) -> RedemptionOrder:
    """Return a press of Redeem for $40 on a $43.35 basket."""
    fields: dict[str, Any] = {
        "client_ref": str(uuid.uuid4()),
        "sale_ref": str(uuid.uuid4()),
        "card": Card(number=number, entry_mode=EntryMode.SCAN),
        "basket_cents": BASKET_CENTS,
        "original_cents": BASKET_CENTS,
        "asked_cents": ASKED_CENTS,
        "language": "en",
    }
    return RedemptionOrder(**{**fields, **changes})


def press(wanted: RedemptionOrder, actor: Actor) -> Transaction:
    """Press Redeem."""
    return services.redeem(wanted, actor=actor, now=timezone.now()).transaction


def redeem(cast: Cast, number: str = COLLECTOR, **changes: Any) -> Transaction:
    """Redeem $40 as North's cashier."""
    return press(order(number, **changes), cast.actor)


def reverse(cast: Cast, redemption: Transaction) -> Transaction:
    """Give a redemption back as North's cashier."""
    wanted = ReversalOrder(
        client_ref=str(uuid.uuid4()), redemption=redemption.reference, language="en"
    )
    outcome = services.reverse(wanted, redemption, actor=cast.actor, now=timezone.now())
    return outcome.transaction


def inquire(cast: Cast, number: str = COLLECTOR) -> services.Inquiry:
    """Ask what may be redeemed on the basket."""
    wanted = InquiryOrder(
        card=Card(number=number, entry_mode=EntryMode.SCAN),
        basket_cents=BASKET_CENTS,
        language="en",
    )
    return services.inquire(wanted, actor=cast.actor, now=timezone.now())


def settle(row: Transaction, cast: Cast) -> Transaction:
    """Let the sweep ask about a doubt now instead of in two seconds."""
    services.check_now(row, actor=cast.actor, now=timezone.now())
    services.settle_due(sender="settle in a test")
    return Transaction.objects.get(pk=row.pk)


def body_hash(row: Transaction) -> str:
    """Return the hash of a transaction's frozen bytes, as the sandbox's log writes it."""
    return hashlib.sha256(payloads.body_of(row)).hexdigest()


def assert_sent_identically(sandbox: Sandbox, row: Transaction, *, times: int) -> None:
    """Every send of a transaction had its frozen bytes and its one key."""
    sent = sandbox.exchanges(row.path)
    assert len(sent) == times
    assert {one["key"] for one in sent} == {str(row.idempotency_key)}
    assert {one["body_sha256"] for one in sent} == {body_hash(row)}
    assert {one["headers"]["content-type"] for one in sent} == {"application/json"}


def assert_both_sides_agree(sandbox: Sandbox) -> None:
    """The platform's effects are our approvals, one for one, in both directions."""
    theirs = {(one["kind"], one["confirmation"], abs(one["miles"])) for one in sandbox.effects()}
    ours = {
        (row.operation, row.confirmation_number, (row.reverses or row).miles)
        for row in Transaction.objects.select_related("reverses")
        if row.is_granted
    }
    assert theirs == ours
    assert len(sandbox.effects()) == len(ours)


REDEEM_PATH = messages.REDEEM_PATH
REVERSE_PATH = messages.REVERSE_PATH
INQUIRE_PATH = messages.INQUIRE_PATH
