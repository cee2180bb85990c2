"""A day's sums: by each store's own midnight, and only what really happened."""

from datetime import UTC, datetime, timedelta

from backoffice.journal import figures
from tests.cast import Cast
from tests.office.factories import NOON, declined, redemption, reversal, unsettled


def test_a_day_counts_what_was_granted_and_what_was_given_back(cast: Cast) -> None:
    given_back = redemption(cast.till, reversed_at=NOON)
    redemption(cast.till, state="approved", presented_at=None)
    reversal(given_back)
    declined(cast.till)
    unsettled(cast.till)
    [north] = figures.today(cast.manager, now=NOON)
    assert (north.redemptions, north.redeemed_cents, north.redeemed_miles) == (2, 8000, 760)
    assert (north.reversals, north.reversed_cents, north.reversed_miles) == (1, 4000, 380)
    assert (north.declined, north.unsettled, north.net_cents) == (1, 1, 4000)


def test_training_is_never_in_totals(cast: Cast) -> None:
    redemption(cast.till, is_training=True)
    [north] = figures.today(cast.manager, now=NOON)
    assert north.redemptions == 0


def test_each_store_starts_its_day_at_its_own_midnight(cast: Cast) -> None:
    # 00:15 in St. John's is 22:45 of the day before in Toronto.
    now = datetime(2025, 11, 21, 3, 45, tzinfo=UTC)
    for till in (cast.till, cast.south_till):
        redemption(till, at=now - timedelta(minutes=5))
        redemption(till, at=now - timedelta(minutes=30))
    north, south = figures.today(cast.administrator, now=now)
    assert (north.day.day, north.redemptions) == (20, 2)
    assert (south.day.day, south.redemptions) == (21, 1)
    totals = figures.totals([north, south])
    assert (totals.redemptions, totals.net_cents) == (3, 12000)


def test_a_manager_gets_no_figures_of_another_store(cast: Cast) -> None:
    redemption(cast.till)
    assert [day.store for day in figures.today(cast.south_manager, now=NOON)] == [cast.south]
    assert figures.today(cast.cashier, now=NOON)[0].redemptions == 1
    cast.cashier.stores.clear()
    assert figures.today(cast.cashier, now=NOON) == []
