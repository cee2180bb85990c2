"""Only a second send of one collector is "busy"; whatever else the database refuses is a fault."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from django.utils import timezone

from backoffice.journal import entries
from backoffice.journal.decisions import Verdict
from backoffice.journal.entries import rows
from backoffice.journal.states import Operation
from tests.cast import Cast
from tests.journal.rows import LEASE, approved, intent, opened, record

pytestmark = pytest.mark.django_db


def broken_by(cast: Cast, collector_mac: str, **changes: object) -> str:
    right = rows.Right(sender="test", lease=LEASE)
    with pytest.raises(IntegrityError) as error, atomic():
        rows.insert(
            intent(**changes), "mac", collector_mac, cast.actor, timezone.now(), right=right
        )
    return rows.rule_broken(error.value)


def test_a_broken_rule_is_known_by_its_name_on_both_databases(cast: Cast) -> None:
    row = opened(cast)
    assert broken_by(cast, row.collector_mac) == rows.ONE_ARMED
    assert broken_by(cast, "another", sale_ref=row.sale_ref) == rows.ONE_REDEMPTION
    sold = approved(cast, card_number="80000010009")
    back: dict[str, Any] = {"operation": Operation.REVERSE, "reverses": sold, "asked": "back"}
    opened(cast, card_number="80000010009", **back)
    assert broken_by(cast, "a third", **back) == rows.ONE_REVERSAL
    # Whatever is refused for another reason has no such name.
    assert broken_by(cast, "a fourth", operation=Operation.REVERSE) not in {
        rows.ONE_ARMED,
        rows.ONE_REVERSAL,
        rows.ONE_REDEMPTION,
    }


@pytest.mark.parametrize("how", ["claim", "claim_next", "open", "send_again"])
def test_a_refusal_that_is_not_a_busy_collector_is_never_taken_for_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    row = record(opened(cast), Verdict.NOT_SENT if how == "send_again" else Verdict.UNKNOWN)
    now = row.due_at if row.due_at and how != "send_again" else timezone.now()

    def broken(*_args: object, **_options: object) -> bool:
        raise IntegrityError("CHECK constraint failed: attempt_known")

    monkeypatch.setattr(rows, "add_attempt", broken)
    options: dict[str, Any] = {"sender": "test", "now": now, "lease": LEASE}
    calls: dict[str, Callable[[], object]] = {
        "claim": lambda: entries.claim(row, **options),
        "claim_next": lambda: entries.claim_next([Operation.REDEEM], due_by=now, **options),
        "open": lambda: opened(cast, card_number="80000010009"),
        "send_again": lambda: entries.send_again(row, actor=cast.actor, **options),
    }
    with pytest.raises(IntegrityError, match="attempt_known"):
        calls[how]()
