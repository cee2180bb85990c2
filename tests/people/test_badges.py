"""Badges: a random secret that is printed once, kept as a hash, and revoked at once."""

from datetime import UTC, datetime

import pytest

from backoffice.audit.models import AuditEntry
from backoffice.people import badges
from backoffice.people.tables import Badge
from backoffice.people.tries import TooMany
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def test_a_badge_names_its_person_until_it_is_revoked(cast: Cast) -> None:
    text = badges.issue(cast.cashier, by=cast.manager, now=NOW)
    assert (
        badges.is_badge(text) and badges.person_of(text, device=cast.till, now=NOW) == cast.cashier
    )
    assert badges.revoke(cast.cashier, by=cast.manager, now=NOW)
    assert badges.person_of(text, device=cast.till, now=NOW) is None
    assert not badges.revoke(cast.cashier, by=cast.manager, now=NOW)
    events = AuditEntry.objects.order_by("id").values_list("event", "actor")
    assert list(events) == [("badge.printed", "manager"), ("badge.revoked", "manager")]


def test_a_new_badge_ends_the_old_one_and_no_secret_is_kept(cast: Cast) -> None:
    old = badges.issue(cast.cashier, by=cast.manager, now=NOW)
    new = badges.issue(cast.cashier, by=cast.manager, now=NOW)
    assert badges.person_of(old, device=cast.till, now=NOW) is None
    assert badges.person_of(new, device=cast.till, now=NOW) == cast.cashier
    kept = str(list(Badge.objects.values())) + str(list(AuditEntry.objects.values()))
    assert new not in kept and new.removeprefix(badges.PREFIX) not in kept


def test_a_disabled_persons_badge_names_nobody(cast: Cast) -> None:
    text = badges.issue(cast.cashier, by=cast.manager, now=NOW)
    cast.cashier.is_active = False
    cast.cashier.save()
    assert badges.person_of(text, device=cast.till, now=NOW) is None


def test_badges_cannot_be_guessed_at_a_device(cast: Cast) -> None:
    real = badges.issue(cast.cashier, by=cast.manager, now=NOW)
    for _ in range(30):
        # A badge that is somebody's costs nothing, however often it is read.
        badges.person_of(real, device=cast.till, now=NOW)
    for _ in range(20):
        badges.person_of(f"{badges.PREFIX}{'A' * 16}", device=cast.till, now=NOW)
    with pytest.raises(TooMany):
        badges.person_of(real, device=cast.till, now=NOW)


@pytest.mark.parametrize("scanned", ["80000010001", "MPB", "mpb" + "A" * 16, "MPB" + "0" * 16, ""])
def test_nothing_else_that_is_scanned_looks_like_a_badge(scanned: str) -> None:
    assert not badges.is_badge(scanned)
