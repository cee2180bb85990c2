"""The audit log: added to in the change's own commit, and never changed from Python either."""

import pytest
from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def entry(**changes: str) -> AuditEntry:
    fields = {"subject": "card:0001", "actor": "cashier", "channel": "console", **changes}
    return trail.record("collector.inquired", **fields)  # type: ignore[arg-type]


def test_an_entry_says_what_happened_to_what_by_whom_and_where() -> None:
    added = trail.record(
        "redemption.approved",
        subject="transaction:1",
        actor="cashier",
        channel="console",
        store="0001",
        device="001",
        details={"code": "0000", "fence": 1, "is_new": True, "why": None},
    )
    found = AuditEntry.objects.get(pk=added.pk)
    assert (found.event, found.subject, found.actor) == (
        "redemption.approved",
        "transaction:1",
        "cashier",
    )
    assert (found.channel, found.store, found.device) == ("console", "0001", "001")
    assert found.details == {"code": "0000", "fence": 1, "is_new": True, "why": None}
    assert str(found) == "redemption.approved transaction:1"


def test_an_entry_falls_with_the_change_it_records() -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), atomic():
        entry()
        raise Undone
    assert not AuditEntry.objects.exists()


def test_no_entry_is_changed_or_deleted_from_python() -> None:
    added = entry()
    with pytest.raises(TypeError):
        AuditEntry.objects.update(actor="nobody")
    with pytest.raises(TypeError):
        AuditEntry.objects.all().delete()
    with pytest.raises(TypeError):
        AuditEntry.objects.filter(pk=added.pk).delete()
    with pytest.raises(TypeError):
        added.delete()
    assert AuditEntry.objects.get().actor == "cashier"


def test_the_newest_entry_comes_first() -> None:
    assert [entry(subject=f"card:{number}").subject for number in (1, 2)] == ["card:1", "card:2"]
    assert [found.subject for found in AuditEntry.objects.all()] == ["card:2", "card:1"]
