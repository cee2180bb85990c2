"""03:00: open reversals are hurried and made known before it, and what never left stays here."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from amcash import sweep
from backoffice.audit.models import AuditEntry
from backoffice.journal import deadlines, decisions, entries
from backoffice.journal.decisions import Facts, Verdict
from backoffice.journal.models import Transaction
from backoffice.journal.states import CLAIMABLE, SETTLED, Operation, State
from tests.cast import Cast
from tests.journal.rows import LEASE, approved, finding, reversal_of, written
from tests.scripted import ScriptedPlatform

DEADLINE = datetime(2026, 11, 21, 8, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def facts(operation: Operation = Operation.REVERSE, *, tries: int = 9) -> Facts:
    return Facts(
        operation=operation,
        state=State.ARMED,
        has_unknown=True,
        tries=tries,
        replay_until=DEADLINE + timedelta(hours=10),
        deadline_at=DEADLINE,
        is_unattended=False,
    )


def wait(seen: Facts, now: datetime, spread: float = 0) -> timedelta:
    """How long until the next try."""
    change = decisions.after_silence(seen, Verdict.UNKNOWN, now=now, spread=spread)
    assert change.state is State.DOUBT and change.due_at is not None
    return change.due_at - now


# --- Hurried --------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [timedelta(minutes=60), timedelta(minutes=1), TICK])
def test_a_reversal_within_an_hour_of_its_deadline_is_asked_every_fifteen_seconds(
    left: timedelta,
) -> None:
    assert wait(facts(), DEADLINE - left) == timedelta(seconds=15)
    assert wait(facts(), DEADLINE - left, spread=1) == timedelta(seconds=18)
    assert wait(facts(), DEADLINE - left, spread=-1) == timedelta(seconds=12)
    # The first tries are quicker than that, and stay so.
    assert wait(facts(tries=1), DEADLINE - left) == timedelta(seconds=2)


def test_a_reversal_that_has_not_left_is_hurried_alike() -> None:
    unsent = Facts(
        operation=Operation.REVERSE,
        state=State.ARMED,
        has_unknown=False,
        tries=9,
        replay_until=DEADLINE + timedelta(hours=10),
        deadline_at=DEADLINE,
        is_unattended=False,
    )
    now = DEADLINE - timedelta(minutes=5)
    change = decisions.after_silence(unsent, Verdict.NOT_SENT, now=now, spread=0)
    assert (change.state, change.due_at) == (State.QUEUED, now + timedelta(seconds=15))


@pytest.mark.parametrize("left", [timedelta(minutes=60) + TICK, timedelta(0), -timedelta(hours=1)])
def test_far_from_its_deadline_and_after_it_a_reversal_waits_as_ever(left: timedelta) -> None:
    assert wait(facts(), DEADLINE - left) == timedelta(seconds=30)


def test_a_redemption_is_not_hurried() -> None:
    seen = facts(Operation.REDEEM)
    assert wait(seen, DEADLINE - timedelta(minutes=30)) == timedelta(seconds=30)


# --- Made known -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left_s", "minutes"),
    [
        (3601, None),
        (3600, 60),
        (1801, 60),
        (1800, 30),
        (601, 30),
        (600, 10),
        (1, 10),
        (0, None),
        (-1, None),
    ],
)
def test_an_alarm_is_reached_at_sixty_thirty_and_ten_minutes(
    left_s: int, minutes: int | None
) -> None:
    now = DEADLINE - timedelta(seconds=left_s)
    assert decisions.alarm_minutes(deadline_at=DEADLINE, now=now) == minutes


def open_reversal(cast: Cast, state: str = "doubt", **values: object) -> Transaction:
    """A reversal that is still open, and not due just now."""
    redemption = written(cast, state="done", due_at=None)
    return written(
        cast,
        operation="reverse",
        reverses=redemption,
        state=state,
        due_at=values.pop("due_at", DEADLINE),
        **values,
    )


def alarms(row: Transaction) -> list[int]:
    """The alarms of a row, oldest first."""
    told = AuditEntry.objects.filter(
        event="reversal.deadline_near", subject=f"transaction:{row.reference}"
    )
    return [entry.details["minutes"] for entry in told.order_by("id")]


@pytest.mark.django_db
def test_each_alarm_of_a_row_is_written_once_however_often_anybody_looks(cast: Cast) -> None:
    row, other = open_reversal(cast), open_reversal(cast, "queued")
    for minutes in range(75, -3, -1):
        for sender in ("one sweep", "another"):
            entries.warn_of_deadlines(sender=sender, now=DEADLINE - timedelta(minutes=minutes))
    assert alarms(row) == alarms(other) == [60, 30, 10]


@pytest.mark.django_db
def test_a_sweep_that_slept_writes_the_alarm_that_holds_and_none_that_is_past(cast: Cast) -> None:
    row = open_reversal(cast)
    assert entries.warn_of_deadlines(sender="sweep", now=DEADLINE - timedelta(minutes=20)) == 1
    assert alarms(row) == [30]
    entry = AuditEntry.objects.get(event="reversal.deadline_near")
    assert (entry.actor, entry.store, entry.device) == ("sweep", "0001", "001")


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(SETTLED | {State.MANUAL} | CLAIMABLE))
def test_only_what_is_open_raises_an_alarm(cast: Cast, state: State) -> None:
    reason = "replay_over" if state is State.MANUAL else ""
    row = open_reversal(cast, state.value, needs_person=reason)
    entries.warn_of_deadlines(sender="sweep", now=DEADLINE - timedelta(minutes=5))
    assert alarms(row) == ([10] if state in CLAIMABLE else [])


@pytest.mark.django_db
def test_a_redemption_raises_no_alarm(cast: Cast) -> None:
    row = written(cast, state="doubt")
    assert entries.warn_of_deadlines(sender="sweep", now=DEADLINE - timedelta(minutes=5)) == 0
    assert alarms(row) == []


@pytest.mark.django_db
def test_the_sweep_raises_the_alarm_whether_or_not_anything_is_due(
    cast: Cast, scripted: ScriptedPlatform
) -> None:
    soon = timezone.now() + timedelta(minutes=9)
    row = open_reversal(cast, deadline_at=soon, due_at=soon)
    assert sweep.until_done(sender="sweep") == 0
    assert alarms(row) == [10] and not scripted.sent


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "postgresql", reason="reads SQLite's own plan")
def test_looking_for_alarms_reads_open_rows_and_not_every_reversal_there_was() -> None:
    near = deadlines.near_among(Transaction.objects.all(), now=DEADLINE)
    plan = near.explain()
    assert "transaction_kind_log" not in plan
    assert "transaction_state_log (state=?" in plan or "transaction_due" in plan


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_raise_one_alarm(cast: Cast) -> None:
    rows = [open_reversal(cast) for _number in range(5)]
    now = DEADLINE - timedelta(minutes=5)

    def sweep() -> int:
        try:
            return entries.warn_of_deadlines(sender="sweep", now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        sweeps = [pool.submit(sweep) for _number in range(2)]
    assert sum(each.result() for each in sweeps) == 5
    assert [alarms(row) for row in rows] == [[10]] * 5


# --- Closed ---------------------------------------------------------------------------------------

# The zone of the programme, the moment of the redemption, and the first moment too late.
NIGHTS = [
    ("America/Toronto", "2026-11-20T23:59:59-05:00", "2026-11-21T03:00:00-05:00"),
    ("America/Toronto", "2026-11-21T00:00:00-05:00", "2026-11-22T03:00:00-05:00"),
    ("America/Toronto", "2026-11-21T02:59:59-05:00", "2026-11-22T03:00:00-05:00"),
    ("America/Toronto", "2026-11-21T03:00:00-05:00", "2026-11-22T03:00:00-05:00"),
    ("America/Toronto", "2026-10-31T23:30:00-04:00", "2026-11-01T03:00:00-05:00"),
    ("America/Toronto", "2026-11-01T01:30:00-05:00", "2026-11-02T03:00:00-05:00"),
    ("America/Toronto", "2027-03-13T23:30:00-05:00", "2027-03-14T03:00:00-04:00"),
    ("America/St_Johns", "2026-10-31T23:30:00-02:30", "2026-11-01T03:00:00-03:30"),
    ("America/St_Johns", "2026-11-20T22:00:00-03:30", "2026-11-21T03:00:00-03:30"),
    ("America/St_Johns", "2026-11-21T00:10:00-03:30", "2026-11-22T03:00:00-03:30"),
    ("America/St_Johns", "2027-03-13T22:00:00-03:30", "2027-03-14T03:00:00-02:30"),
    ("America/Regina", "2026-10-31T22:00:00-06:00", "2026-11-01T03:00:00-06:00"),
    ("America/Vancouver", "2026-11-20T22:00:00-07:00", "2026-11-21T03:00:00-07:00"),
]


def owed(cast: Cast, zone: str, redeemed: str) -> Transaction:
    """The reversal, not sent yet, of a redemption of that moment."""
    cast.sponsor.programme_zone = zone
    cast.sponsor.save()
    cast.till.refresh_from_db()
    now = datetime.fromisoformat(redeemed).astimezone(UTC)
    redemption = approved(cast, now=now)
    entries.cancel(redemption, actor=cast.actor, now=now, make_reversal=reversal_of)
    return redemption.reversals.get()


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "redeemed", "too_late"), NIGHTS)
def test_the_first_send_of_a_reversal_ends_at_three_to_the_microsecond(
    cast: Cast, zone: str, redeemed: str, too_late: str
) -> None:
    row = owed(cast, zone, redeemed)
    end = datetime.fromisoformat(too_late).astimezone(UTC)
    assert row.deadline_at == end
    assert entries.claim(row, sender="sweep", now=end - TICK, lease=LEASE)


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "redeemed", "too_late"), NIGHTS)
def test_what_was_not_sent_by_three_is_expired_late_by_us_and_counted(
    cast: Cast, zone: str, redeemed: str, too_late: str
) -> None:
    row = owed(cast, zone, redeemed)
    end = datetime.fromisoformat(too_late).astimezone(UTC)
    assert not entries.claim(row, sender="sweep", now=end, lease=LEASE)
    row.refresh_from_db()
    assert (row.state, row.needs_person) == (State.EXPIRED, "late_by_us")
    assert (row.fence, row.attempts.count()) == (0, 0)
    closed = AuditEntry.objects.get(event="reversal.expired")
    assert closed.details["why"] == "late_by_us"


@pytest.mark.django_db
def test_a_reversal_that_was_sent_before_three_is_still_asked_after_it(cast: Cast) -> None:
    row = owed(cast, "America/Toronto", "2026-11-20T22:00:00-05:00")
    assert entries.claim(row, sender="sweep", now=DEADLINE - TICK, lease=LEASE)
    row = entries.record(row, finding(Verdict.UNKNOWN), now=DEADLINE, make_reversal=reversal_of)
    after = DEADLINE + timedelta(minutes=5)
    assert entries.claim(row, sender="sweep", now=after, lease=LEASE)
    row.refresh_from_db()
    assert (row.state, row.fence) == (State.ARMED, 2)
