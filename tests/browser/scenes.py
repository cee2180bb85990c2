"""States that no hour at a till reaches, put into the log of a running console (`stage.played`).

Rows stand there as after a night's work; what writes the log is tested where it lives.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from backoffice.devices.models import Device
from backoffice.journal import entries, programme
from backoffice.journal.decisions import Verdict
from backoffice.journal.models import Transaction
from backoffice.journal.states import Product
from backoffice.people.actors import Actor
from backoffice.people.models import User
from tests.browser.stage import MARK
from tests.journal.rows import finding, intent, reversal_of
from tests.office.factories import NOT_GRANTED, attempt, declined, redemption, reversal, unsettled

HOUR: Final = timedelta(hours=1)
# Of a request, the screens read the basket.
_REQUEST: Final = json.dumps({"originalPostTaxBasketAmount": "43.35"})


def play(name: str) -> None:
    """Play a scene here and print the references of its rows. For `stage.played`."""
    rows = _SCENES[name](timezone.now())
    print(MARK + json.dumps({key: str(row.reference) for key, row in rows.items()}))


def _till() -> Device:
    return Device.objects.get(store__number="0001", number="001")


def _ana() -> User:
    return User.objects.get(username="ana")


def _with_a_person(at: datetime, why: str, **fields: Any) -> Transaction:
    held = {"state": "manual", "due_at": None, "needs_person": why, "amount_cents": None}
    row = unsettled(_till(), _ana(), at=at, doubted_at=at, **{**held, **fields})
    attempt(row)
    return row


def _tasks(now: datetime) -> dict[str, Transaction]:
    """What waits for people: two must agree on the first, one closes the second."""
    night = now - 20 * HOUR
    return {
        "manual": _with_a_person(night, "replay_over", collector_last4="4417"),
        "closable": declined(
            _till(),
            _ana(),
            at=night + HOUR,
            needs_person="declined_after_doubt",
            after_doubt=True,
            collector_last4="2086",
        ),
        "late_by_us": reversal(
            redemption(_till(), _ana(), at=night, collector_last4="7730"),
            state="expired",
            needs_person="late_by_us",
            **NOT_GRANTED,
        ),
    }


def _open(now: datetime) -> dict[str, Transaction]:
    """What is open too long, unshown, or close to its deadline."""
    early = now - 10 * HOUR
    soon = now + timedelta(minutes=38)
    sold = redemption(_till(), _ana(), at=early, deadline_at=soon, collector_last4="6152")
    doubt = {"state": "doubt", "due_at": now + HOUR, "doubted_at": now, "has_unknown": True}
    unshown = {"state": "approved", "presented_at": None, "collector_last4": "1193"}
    return {
        "near": reversal(sold, **NOT_GRANTED, **doubt, deadline_at=soon),
        "overdue": unsettled(
            _till(), _ana(), at=now - HOUR, due_at=now + HOUR, deadline_at=now + 9 * HOUR
        ),
        "unshown": redemption(_till(), _ana(), at=now - HOUR / 2, **unshown),
    }


def _closing(now: datetime) -> dict[str, Transaction]:
    """A redemption that a till may reverse for a few minutes more, and one of another day."""
    # The till closes two minutes before the programme does.
    few = now + timedelta(minutes=7)
    sold = now - HOUR
    return {
        "closing": redemption(_till(), _ana(), at=sold, deadline_at=few, collector_last4="3308"),
        "closed": _redeemed(now - 48 * HOUR),
    }


def _redeemed(at: datetime) -> Transaction:
    """A redemption with its request and answer, as the till's own screens read them."""
    row, _is_new = entries.open_transaction(
        intent(body=_REQUEST.encode()),
        actor=Actor(user=_ana(), device=_till()),
        sender="web",
        now=at,
        lease=timedelta(seconds=30),
    )
    approved = finding(Verdict.APPROVED)
    row = entries.record(row, approved, now=at + timedelta(seconds=1), make_reversal=reversal_of)
    return entries.present(row, actor=Actor(user=_ana(), device=_till()), now=at)


def _outage(now: datetime) -> dict[str, Transaction]:
    """The programme said that it is down; the first ECHO went out just now."""
    programme.outage(Product.CASH, now)
    programme.take_probe(Product.CASH, now)
    return {}


def _recovery(now: datetime) -> dict[str, Transaction]:
    """A good ECHO."""
    programme.heard(is_up=True, answer_ms=40, response_code="0000", now=now)
    return {}


_SCENES: Final[dict[str, Callable[[datetime], dict[str, Transaction]]]] = {
    "tasks": _tasks,
    "open": _open,
    "closing": _closing,
    "outage": _outage,
    "recovery": _recovery,
}
