"""Pairing codes: read by people, used once, guessed by nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from backoffice.audit.models import AuditEntry
from backoffice.devices import codes, pairing, tallies, tokens
from backoffice.devices.models import PairingCode, Tally
from backoffice.devices.pairing import TooMany, Wrong
from tests.cast import Cast

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HERE = "192.0.2.1"


def test_a_code_has_forty_bits_and_no_sign_that_looks_like_another() -> None:
    assert len(codes.ALPHABET) ** codes.LENGTH == 2**40
    assert not set("ILOU") & set(codes.ALPHABET)
    code = codes.new_code()
    assert codes.read(code) == code and codes.new_code() != code


@pytest.mark.parametrize(
    "typed", ["7q4m-k2xd", " 7Q4M K2XD ", "7Q4M\u2013K2XD", "7q4mk2xd", "7-Q-4-M-K-2-X-D"]
)
def test_a_code_is_read_in_whatever_grouping(typed: str) -> None:
    assert codes.read(typed) == "7Q4MK2XD"


def test_what_looks_like_a_digit_is_one() -> None:
    assert codes.read("IlOo1100") == "11001100"
    assert codes.shown("7Q4MK2XD") == "7Q4M-K2XD"


@pytest.mark.parametrize(
    "typed", ["", "7Q4MK2X", "7Q4MK2XDD", "7Q4MK2XU", "é" * 8, "\0" * 8, "٣" * 8]
)
def test_what_is_no_code_is_not_read(typed: str) -> None:
    assert codes.read(typed) is None


@pytest.mark.django_db
def test_a_code_makes_a_tablet_once(cast: Cast) -> None:
    code = pairing.make_code(cast.till, by="manager", now=NOW)
    assert code not in str(vars(PairingCode.objects.get()))
    paired = pairing.pair(codes.shown(code), address=HERE, now=NOW + 9 * MINUTE)
    assert paired.device == cast.till
    device = tokens.device_of(paired.token, now=NOW)
    assert device == cast.till and device.may("console")
    with pytest.raises(Wrong):
        pairing.pair(code, address=HERE, now=NOW + 9 * MINUTE)
    told = AuditEntry.objects.filter(subject=f"device:{cast.till.pk}").values_list("event", "actor")
    assert set(told) == {("device.code_made", "manager"), ("device.paired", "manager")}
    assert code not in str(list(AuditEntry.objects.values()))


@pytest.mark.django_db
def test_a_till_that_becomes_a_tablet_has_a_tablets_reach(cast: Cast) -> None:
    cast.till.profile = "till"
    cast.till.save()
    code = pairing.make_code(cast.till, by="manager", now=NOW)
    paired = pairing.pair(code, address=HERE, now=NOW)
    device = tokens.device_of(paired.token, now=NOW)
    assert device is not None and device.may("console") and not device.may("amcash.redeem")


@pytest.mark.django_db
def test_a_code_lives_ten_minutes(cast: Cast) -> None:
    code = pairing.make_code(cast.till, by="manager", now=NOW)
    with pytest.raises(Wrong):
        pairing.pair(code, address=HERE, now=NOW + 10 * MINUTE)


@pytest.mark.django_db
def test_a_new_code_ends_the_one_before_and_a_revocation_every_one(cast: Cast) -> None:
    first = pairing.make_code(cast.till, by="manager", now=NOW)
    second = pairing.make_code(cast.till, by="manager", now=NOW + SECOND)
    with pytest.raises(Wrong):
        pairing.pair(first, address=HERE, now=NOW + MINUTE)
    tokens.revoke(cast.till, by="manager", now=NOW + MINUTE)
    with pytest.raises(Wrong):
        pairing.pair(second, address=HERE, now=NOW + MINUTE)


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["till", "north", "sponsor"])
def test_a_code_for_what_is_closed_is_wrong_and_stays_unused(cast: Cast, what: str) -> None:
    code = pairing.make_code(cast.till, by="manager", now=NOW)
    closed = getattr(cast, what)
    closed.is_active = False
    closed.save()
    with pytest.raises(Wrong):
        pairing.pair(code, address=HERE, now=NOW)
    assert PairingCode.objects.get().used_at is None


@pytest.mark.django_db
def test_pairing_anew_shows_the_earlier_tablet_out(cast: Cast) -> None:
    first = pairing.pair(pairing.make_code(cast.till, by="manager", now=NOW), address=HERE, now=NOW)
    pairing.pair(pairing.make_code(cast.till, by="manager", now=NOW), address=HERE, now=NOW)
    assert tokens.device_of(first.token, now=NOW) is None


@pytest.mark.django_db
def test_the_eleventh_guess_from_one_address_is_not_looked_at(cast: Cast) -> None:
    code = pairing.make_code(cast.till, by="manager", now=NOW)
    for number in range(pairing.TRIES_OF_ONE):
        with pytest.raises(Wrong):
            pairing.pair(f"0000000{number}", address=HERE, now=NOW)
    for _number in range(3):
        with pytest.raises(TooMany):
            pairing.pair(code, address=HERE, now=NOW + 9 * MINUTE)
    assert AuditEntry.objects.filter(event="device.guesses_refused").count() == 1
    assert pairing.pair(code, address="192.0.2.2", now=NOW + 9 * MINUTE).device == cast.till


@pytest.mark.django_db
def test_guesses_from_everywhere_are_limited_together_and_for_a_while(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "TRIES_OF_ALL", 3)
    for number in range(3):
        with pytest.raises(Wrong):
            pairing.pair("00000000", address=f"192.0.2.{number}", now=NOW)
    code = pairing.make_code(cast.till, by="manager", now=NOW + 5 * MINUTE)
    with pytest.raises(TooMany):
        pairing.pair(code, address=HERE, now=NOW + 9 * MINUTE)
    assert pairing.pair(code, address=HERE, now=NOW + 10 * MINUTE).device == cast.till


@pytest.mark.django_db
def test_old_counts_go(cast: Cast) -> None:
    with pytest.raises(Wrong):
        pairing.pair("", address=HERE, now=NOW)
    assert Tally.objects.count() == 2
    pairing.make_code(cast.till, by="manager", now=NOW + timedelta(days=2))
    assert Tally.objects.count() == 0


@pytest.mark.django_db
def test_a_clock_that_was_set_back_keeps_nobody_out() -> None:
    ahead = NOW + timedelta(days=100)
    for number in range(1, 8):
        assert tallies.count("pair", now=ahead, window=MINUTE) == number
    assert tallies.count("pair", now=NOW, window=MINUTE) == 1
    # Another process may be a little ahead: its tries are counted with ours.
    assert tallies.count("pair", now=NOW - 30 * SECOND, window=MINUTE) == 2
    assert tallies.count("pair", now=NOW + 61 * SECOND, window=MINUTE) == 1


def test_a_million_addresses_fill_no_table() -> None:
    places = {tallies.place_of(f"2001:db8::{number:x}") for number in range(100_000)}
    assert 3000 < len(places) <= 4096
    assert tallies.place_of("192.0.2.1") != tallies.place_of("192.0.2.2")
