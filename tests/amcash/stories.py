"""What the tests of the services do again and again, as the cashier of store North."""

import uuid

from django.utils import timezone

from amcash import services
from amcash.orders import Card, EntryMode, InquiryOrder, RedemptionOrder, ReversalOrder
from backoffice.audit.models import AuditEntry
from backoffice.journal.models import Transaction
from backoffice.units import Cents
from tests.cast import COLLECTOR, Cast


def order(**changes: object) -> RedemptionOrder:
    """A redemption of $40 on a $43.35 basket."""
    fields: dict[str, object] = {
        "client_ref": str(uuid.uuid4()),
        "sale_ref": str(uuid.uuid4()),
        "card": Card(number=COLLECTOR, entry_mode=EntryMode.SCAN),
        "basket_cents": Cents(4335),
        "original_cents": Cents(4335),
        "asked_cents": Cents(4000),
        "language": "en",
    }
    return RedemptionOrder(**{**fields, **changes})  # type: ignore[arg-type]


def redeem(cast: Cast, **changes: object) -> Transaction:
    """Redeem as North's cashier."""
    return services.redeem(order(**changes), actor=cast.actor, now=timezone.now()).transaction


def reverse(cast: Cast, redemption: Transaction) -> Transaction:
    """Reverse as North's cashier."""
    wanted = ReversalOrder(
        client_ref=str(uuid.uuid4()), redemption=redemption.reference, language="en"
    )
    outcome = services.reverse(wanted, redemption, actor=cast.actor, now=timezone.now())
    return outcome.transaction


def events(row: Transaction) -> list[str]:
    """What the audit log says of a transaction, oldest first."""
    entries = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    return [entry.event for entry in entries]


def inquire(cast: Cast, **changes: object) -> services.Inquiry:
    """Inquire for a $43.35 basket."""
    fields: dict[str, object] = {
        "card": Card(number=COLLECTOR, entry_mode=EntryMode.SCAN),
        "basket_cents": Cents(4335),
        "language": "en",
    }
    wanted = InquiryOrder(**{**fields, **changes})  # type: ignore[arg-type]
    return services.inquire(wanted, actor=cast.actor, now=timezone.now())


class Killed(BaseException):
    """Stands for a process that dies: nothing after it runs."""
