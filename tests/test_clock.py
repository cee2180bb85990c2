"""The programme's clocks: every recorded deadline to the second, on the nights that go wrong."""

import json
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backoffice import clock

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = json.loads((ROOT / "tests/samples/reversal-deadline.json").read_text())
TORONTO = "America/Toronto"


@pytest.fixture(autouse=True)
def _pinned() -> Iterator[None]:
    """The rules under test are the pinned ones, whatever ran before."""
    before = zoneinfo.TZPATH
    clock.use_pinned_tzdata()
    yield
    zoneinfo.reset_tzpath(to=before)
    ZoneInfo.clear_cache()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    "case", SAMPLES["cases"], ids=lambda case: f"{case['zone']} {case['redeemed_at']}"
)
def test_every_recorded_deadline_to_the_second(case: dict[str, Any]) -> None:
    zone = ZoneInfo(case["zone"])
    redeemed_at = utc(case["redeemed_at"])
    deadline = clock.reversal_deadline(redeemed_at, zone)

    assert deadline == utc(case["deadline"])
    assert deadline.tzinfo is UTC
    assert redeemed_at.astimezone(zone).isoformat() == case["local"]
    hours_left = clock.time_left(redeemed_at, deadline) / timedelta(hours=1)
    assert hours_left == pytest.approx(case["hours_left"], abs=0.0001)
    # The same moment, told on another clock, has the same deadline.
    assert clock.reversal_deadline(redeemed_at.astimezone(zone), zone) == deadline
    assert clock.reversal_deadline(redeemed_at.astimezone(ZoneInfo("Asia/Tokyo")), zone) == deadline


ZONES = ["St_Johns", "Halifax", "Toronto", "Winnipeg", "Regina", "Edmonton", "Vancouver"]
NIGHTS = {
    "2026-03-07": ["05:30 4", "06:00 4", "07:00 4", "08:00 4", "09:00 5", "09:00 4", "10:00 4"],
    "2026-10-31": ["06:30 6", "07:00 6", "08:00 6", "08:00 5", "09:00 5", "09:00 5", "10:00 5"],
    "2026-11-20": ["06:30 5", "07:00 5", "08:00 5", "08:00 5", "09:00 5", "09:00 5", "10:00 5"],
    "2027-03-13": ["05:30 4", "06:00 4", "07:00 4", "08:00 5", "09:00 5", "09:00 5", "10:00 5"],
    "2027-11-06": ["06:30 6", "07:00 6", "08:00 6", "08:00 5", "09:00 5", "09:00 5", "10:00 5"],
}


@pytest.mark.parametrize("evening", NIGHTS)
@pytest.mark.parametrize("zone_name", ZONES)
def test_a_redemption_at_ten_in_the_evening_in_seven_zones(zone_name: str, evening: str) -> None:
    expected, hours = NIGHTS[evening][ZONES.index(zone_name)].split()
    zone = ZoneInfo(f"America/{zone_name}")
    day = date.fromisoformat(evening)
    redeemed_at = datetime.combine(day, time(22), tzinfo=zone)
    deadline = clock.reversal_deadline(redeemed_at, zone)

    assert deadline == utc(f"{day + timedelta(days=1)}T{expected}:00Z")
    assert clock.time_left(redeemed_at, deadline) == timedelta(hours=int(hours))


@pytest.mark.parametrize("zone_name", ZONES)
def test_every_half_hour_of_three_years_has_a_deadline_at_three(zone_name: str) -> None:
    zone = ZoneInfo(f"America/{zone_name}")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    end = datetime(2029, 1, 1, tzinfo=UTC)
    while moment < end:
        local = moment.astimezone(zone)
        deadline = clock.reversal_deadline(moment, zone).astimezone(zone)
        assert (deadline.hour, deadline.minute, deadline.second) == (3, 0, 0)
        assert deadline.date() == local.date() + timedelta(days=1)
        started = clock.business_day_starts(clock.business_day(moment, zone), zone)
        assert started <= moment < started + timedelta(hours=25)
        moment += timedelta(minutes=30)


def test_a_wall_time_in_a_gap_is_the_first_instant_after_it() -> None:
    # Helsinki skips from 03:00 to 04:00, which is the very time of the deadline.
    zone = ZoneInfo("Europe/Helsinki")
    deadline = clock.reversal_deadline(datetime(2027, 3, 27, 20, tzinfo=UTC), zone)

    assert deadline == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert deadline.astimezone(zone).time() == time(4)
    just_before = deadline - timedelta(seconds=1)
    assert just_before.astimezone(zone).time() == time(2, 59, 59)


def test_a_day_that_was_skipped_whole_ends_where_the_next_begins() -> None:
    zone = ZoneInfo("Pacific/Apia")
    deadline = clock.reversal_deadline(datetime(2011, 12, 30, 5, tzinfo=UTC), zone)

    assert deadline == datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert deadline.astimezone(zone) == datetime(2011, 12, 31, tzinfo=zone)


def test_a_wall_time_shown_twice_counts_the_first_time() -> None:
    # Helsinki shows 03:00 twice when its clocks go back from 04:00.
    zone = ZoneInfo("Europe/Helsinki")
    deadline = clock.reversal_deadline(datetime(2026, 10, 24, 20, tzinfo=UTC), zone)

    assert deadline == datetime(2026, 10, 25, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-11-20T02:59:59-05:00", "2026-11-19"),
        ("2026-11-20T03:00:00-05:00", "2026-11-20"),
        ("2026-11-20T23:59:59-05:00", "2026-11-20"),
        # Subtracting three hours in UTC would give the day before on the night of the change.
        ("2027-03-14T03:00:00-04:00", "2027-03-14"),
        ("2027-03-14T01:59:59-05:00", "2027-03-13"),
        ("2026-11-01T01:30:00-04:00", "2026-10-31"),
        ("2026-11-01T01:30:00-05:00", "2026-10-31"),
        ("2026-11-01T02:59:59-05:00", "2026-10-31"),
        ("2026-11-01T03:00:00-05:00", "2026-11-01"),
    ],
)
def test_the_trading_day_starts_at_three(local: str, day: str) -> None:
    assert clock.business_day(utc(local), ZoneInfo(TORONTO)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-11-20T00:00:00-05:00", "2026-11-20"),
        ("2026-11-19T23:59:59-05:00", "2026-11-19"),
        ("2026-11-20T02:59:59-05:00", "2026-11-20"),
    ],
)
def test_issuance_and_settlement_count_calendar_days(local: str, day: str) -> None:
    zone = ZoneInfo(TORONTO)
    assert clock.settlement_day(utc(local), zone) == date.fromisoformat(day)
    assert clock.issuance_day(utc(local), zone) == date.fromisoformat(day)


def test_days_start_where_their_clock_says() -> None:
    zone = ZoneInfo(TORONTO)
    day = date(2026, 11, 1)
    assert clock.settlement_day_starts(day, zone) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert clock.business_day_starts(day, zone) == datetime(2026, 11, 1, 8, tzinfo=UTC)


def test_time_left_is_elapsed_time_and_never_negative() -> None:
    zone = ZoneInfo(TORONTO)
    redeemed_at = datetime(2026, 10, 31, 23, 30, tzinfo=zone)
    deadline = clock.reversal_deadline(redeemed_at, zone).astimezone(zone)

    # Both are in one zone, where Python would subtract the wall clocks and find 3:30.
    assert clock.time_left(redeemed_at, deadline) == timedelta(hours=4, minutes=30)
    assert clock.time_left(deadline + timedelta(days=1), deadline) == timedelta(0)


@pytest.mark.parametrize(("seconds", "too_late"), [(-1, False), (0, True), (1, True)])
def test_the_deadline_itself_is_too_late(seconds: int, too_late: bool) -> None:
    deadline = datetime(2026, 11, 21, 8, tzinfo=UTC)
    moment = (deadline + timedelta(seconds=seconds)).astimezone(ZoneInfo(TORONTO))

    assert clock.is_too_late(moment, deadline) is too_late


@pytest.mark.parametrize("function", [clock.business_day, clock.settlement_day])
def test_a_moment_without_a_zone_is_our_own_mistake(function: Any) -> None:
    naive = datetime(2026, 11, 20, 12)  # noqa: DTZ001 (the very thing that must not pass)
    with pytest.raises(AssertionError):
        function(naive, ZoneInfo(TORONTO))
    with pytest.raises(AssertionError):
        clock.reversal_deadline(naive, ZoneInfo(TORONTO))


def test_a_zone_is_found_by_its_name() -> None:
    assert clock.zone_named(TORONTO) is ZoneInfo(TORONTO)


@pytest.mark.parametrize(
    "name", ["", "Toronto", "America/Nowhere", "/etc/passwd", "../x", "America"]
)
def test_a_zone_that_does_not_exist_is_named_in_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="There is no time zone named"):
        clock.zone_named(name)


# The pinned rules.


def test_the_pinned_rules_are_young_enough() -> None:
    assert clock.tzdata_fault() == ""
    clock.refuse_old_tzdata()


@pytest.mark.parametrize("version", ["2025.2", "2026.5", "2026.1", "1999.12", "", "unknown"])
def test_older_rules_stop_the_start(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "tzdata_version", lambda: version)

    assert clock.tzdata_fault().startswith(f"The tzdata package is {version!r}, but 2026.6")
    with pytest.raises(RuntimeError, match="reversals that the programme refuses"):
        clock.refuse_old_tzdata()


@pytest.mark.parametrize("version", ["2026.6", "2026.10", "2027.1", "2026.6.post1"])
def test_newer_rules_are_welcome(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "tzdata_version", lambda: version)

    assert clock.tzdata_fault() == ""


def test_rules_of_the_machine_stop_the_start(tmp_path: Path) -> None:
    zoneinfo.reset_tzpath(to=[str(tmp_path)])

    assert "come from this machine" in clock.tzdata_fault()


def test_a_package_whose_rules_are_not_its_version_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, moment, deadline = clock._PROBES[0]
    monkeypatch.setattr(clock, "_PROBES", ((name, moment, deadline + timedelta(hours=1)),))

    assert (
        clock.tzdata_fault()
        == f"The rules of the time zone {name} are out of date in this process."
    )


ASK = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from backoffice import clock

def deadlines():
    probes = clock._PROBES
    return [clock.reversal_deadline(at, ZoneInfo(name)) == due for name, at, due in probes]

before = deadlines()
faulty = bool(clock.tzdata_fault())
clock.use_pinned_tzdata()
print(before, faulty, deadlines(), repr(clock.tzdata_fault()))
"""


def ask_with(tzpath: Path) -> str:
    environment = {**os.environ, "PYTHONTZPATH": str(tzpath), "PYTHONPATH": str(ROOT)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


def test_old_rules_on_the_machine_would_be_wrong_and_are_never_consulted(tmp_path: Path) -> None:
    # Zones that still change their clocks stand in for the rules as they were before 2026.
    stand_ins = {"Vancouver": "Los_Angeles", "Edmonton": "Denver", "Winnipeg": "Chicago"}
    (tmp_path / "America").mkdir()
    for name, stand_in in stand_ins.items():
        rules = resources.files("tzdata") / "zoneinfo" / "America" / stand_in
        (tmp_path / "America" / name).write_bytes(rules.read_bytes())

    assert ask_with(tmp_path) == "[False, False, False] True [True, True, True] ''"


def test_whatever_rules_this_machine_has_are_never_consulted() -> None:
    # On a machine without a copy of its own the answer is the same.
    answer = ask_with(Path("/usr/share/zoneinfo"))

    assert answer.endswith("True [True, True, True] ''")
