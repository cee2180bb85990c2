"""Tokens of devices: who is believed, for how long, and what a revocation ends."""

from datetime import UTC, datetime, timedelta

import pytest

from backoffice.audit.models import AuditEntry
from backoffice.devices import tokens
from backoffice.devices.models import AMCASH_CALLS, ISSUANCE_CALLS, Device, DeviceToken
from backoffice.stores.models import Sponsor, Store
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def of(token: str, now: datetime = NOW) -> Device | None:
    return tokens.device_of(token, now=now)


def test_a_token_leads_to_its_device_and_is_kept_nowhere(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=NOW)
    assert of(token) == cast.till
    row = DeviceToken.objects.get()
    assert len(token) >= 43 and token not in str(vars(row))
    assert row.digest == tokens.digest(token) and len(row.digest) == 64


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "é" * 43, "\0" * 43, "x" * 100_000])
def test_what_is_no_token_leads_nowhere(cast: Cast, token: str) -> None:
    tokens.issue(cast.till, now=NOW)
    assert of(token) is None


def test_enrolling_anew_ends_the_token_before(cast: Cast) -> None:
    first = tokens.issue(cast.till, now=NOW)
    second = tokens.issue(cast.till, now=NOW)
    assert of(first) is None and of(second) == cast.till


def test_a_tablet_and_a_till_stand_side_by_side_as_one_device(cast: Cast) -> None:
    tablet = tokens.issue(cast.till, now=NOW)
    till = tokens.issue(cast.till, now=NOW, profile="till")
    at_desk, at_till = of(tablet), of(till)
    assert at_desk is not None and at_till is not None
    assert at_desk.may("console") and not at_desk.may("amcash.redeem")
    assert at_till.may("amcash.redeem") and not at_till.may("console")


def test_a_revocation_holds_from_the_next_request_and_is_told(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=NOW)
    other = tokens.issue(cast.second_till, now=NOW)
    tokens.revoke(cast.till, by="manager", now=NOW)
    assert of(token) is None and of(other) == cast.second_till
    entry = AuditEntry.objects.get(event="device.revoked")
    assert (entry.actor, entry.store, entry.device) == ("manager", "0001", "001")


def test_enrolling_after_a_revocation_revives_nothing(cast: Cast) -> None:
    old = tokens.issue(cast.till, now=NOW)
    row = tokens.found(old, now=NOW)
    assert row is not None
    tokens.revoke(cast.till, by="manager", now=NOW)
    # The daily replacement that was under way in another request.
    late = tokens.add(row.device, now=NOW)
    assert of(late) is None
    fresh = tokens.issue(cast.till, now=NOW)
    assert of(fresh) == cast.till
    assert of(late) is None and of(old) is None


@pytest.mark.parametrize("what", ["device", "store", "sponsor"])
def test_what_is_not_active_is_not_believed(cast: Cast, what: str) -> None:
    token = tokens.issue(cast.till, now=NOW)
    rows: dict[str, Device | Store | Sponsor] = {
        "device": cast.till,
        "store": cast.north,
        "sponsor": cast.sponsor,
    }
    row = rows[what]
    row.is_active = False
    row.save()
    assert of(token) is None


def test_a_token_is_bound_to_the_store_it_was_made_for(cast: Cast) -> None:
    token = tokens.issue(cast.second_till, now=NOW)
    Device.objects.filter(pk=cast.second_till.pk).update(store=cast.south)
    assert of(token) is None


def test_a_token_keeps_the_profile_it_was_made_for(cast: Cast) -> None:
    Device.objects.filter(pk=cast.till.pk).update(profile="till_amcash")
    cast.till.refresh_from_db()
    token = tokens.issue(cast.till, now=NOW)
    Device.objects.filter(pk=cast.till.pk).update(profile="till")
    device = of(token)
    assert device is not None
    assert device.may("amcash.redeem") and not device.may("issuance.issue")


def test_a_renewed_token_leaves_the_old_one_good_until_it_is_used(cast: Cast) -> None:
    old = tokens.issue(cast.till, now=NOW, profile="till")
    lost = tokens.renew(cast.till, now=NOW, profile="till")
    new = tokens.renew(cast.till, now=NOW, profile="till_amcash")
    assert of(old, NOW + 30 * DAY) == cast.till
    used_at = NOW + 31 * DAY
    assert of(new, used_at) == cast.till
    assert of(old, used_at + 59 * SECOND) == cast.till
    assert of(old, used_at + MINUTE) is None and of(lost, used_at + MINUTE) is None
    assert of(new, used_at + DAY) == cast.till


def test_of_several_requests_one_gets_the_successor(cast: Cast) -> None:
    row = tokens.found(tokens.issue(cast.till, now=NOW), now=NOW)
    assert row is not None
    first = tokens.successor(row, now=NOW + DAY)
    assert first is not None and tokens.successor(row, now=NOW + DAY) is None


def test_a_successor_whose_answer_was_lost_is_made_again(cast: Cast) -> None:
    old = tokens.issue(cast.till, now=NOW)
    row = tokens.found(old, now=NOW)
    assert row is not None
    tokens.successor(row, now=NOW + DAY)
    again = tokens.successor(row, now=NOW + DAY + MINUTE)
    assert again is not None and of(again, NOW + DAY + MINUTE) == cast.till
    assert of(old, NOW + DAY + 3 * MINUTE) is None


def test_a_device_is_seen_at_most_once_a_minute(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=NOW)
    for seconds, seen in ((0, 0), (59, 0), (60, 60), (70, 60), (125, 125)):
        of(token, NOW + seconds * SECOND)
        cast.till.refresh_from_db()
        assert cast.till.last_seen_at == NOW + seen * SECOND


def test_a_till_says_its_version(cast: Cast) -> None:
    token = tokens.issue(cast.till, now=NOW)
    tokens.device_of(token, now=NOW, version="pos 4.1" + "x" * 100)
    cast.till.refresh_from_db()
    assert cast.till.version.startswith("pos 4.1") and len(cast.till.version) == 40
    of(token, NOW + MINUTE)
    cast.till.refresh_from_db()
    assert cast.till.version.startswith("pos 4.1")


@pytest.mark.parametrize(
    ("profile", "allowed"),
    [
        ("tablet", {"console"}),
        ("till", AMCASH_CALLS | ISSUANCE_CALLS),
        ("till_amcash", AMCASH_CALLS),
        ("till_issuance", ISSUANCE_CALLS),
        ("unheard-of", set()),
    ],
)
def test_a_profile_is_a_list_of_what_is_allowed(profile: str, allowed: set[str]) -> None:
    calls = {"console", "admin", "", *AMCASH_CALLS, *ISSUANCE_CALLS}
    assert len(AMCASH_CALLS) == 4 and len(ISSUANCE_CALLS) == 8
    assert {call for call in calls if Device(profile=profile).may(call)} == allowed
