"""Rotation of keys: everything is sealed anew, nothing is changed, and it says what may go."""

import io
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from backoffice.journal import entries, health, payloads
from backoffice.journal.entries import Place, keeping
from backoffice.journal.models import Payload, Transaction
from backoffice.people import factors, pins
from backoffice.vault import INDEX_ID, Keyring
from tests.cast import Cast
from tests.journal.rows import approved, sql

pytestmark = pytest.mark.django_db

_OLD = dict(entry.split(":") for entry in Keyring.generate().split(","))
_NEW = dict(entry.split(":") for entry in Keyring.generate().split(","))
INDEX = f"{INDEX_ID}:{_OLD[INDEX_ID]}"
OLD = f"k1:{_OLD['k1']},{INDEX}"
BOTH = f"k2:{_NEW['k1']},k1:{_OLD['k1']},{INDEX}"
NEW = f"k2:{_NEW['k1']},{INDEX}"


@pytest.fixture(autouse=True)
def _the_vault_is_made_anew() -> Iterator[None]:
    with with_keys(OLD):
        yield
    forget()


def with_keys(keys: str) -> override_settings:
    """Do something as a process that was started with these keys."""
    forget()
    return override_settings(MILEPOST_DATA_KEYS=keys)


def forget() -> None:
    """Read the keys anew, as another process does."""
    payloads.vault.cache_clear()
    pins.vault.cache_clear()


def rotate() -> tuple[str, int]:
    """What the command says, and what it leaves with."""
    said = io.StringIO()
    try:
        call_command("rotate_keys", stdout=said)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return said.getvalue(), end.code
    return said.getvalue(), 0


def some(cast: Cast, count: int = 3) -> list[tuple[Transaction, bytes, bytes | None]]:
    """Rows with what is sealed of them."""
    rows = [approved(cast, card_number=f"8000001000{n}") for n in range(count)]
    return [(row, payloads.body_of(row), payloads.answer_of(row)) for row in rows]


def test_everything_is_sealed_anew_and_reads_as_before(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROWS", 2)
    rows = some(cast)
    macs = list(Payload.objects.order_by("id").values_list("mac", flat=True))
    with with_keys(BOTH):
        assert health.sealed_under() == {"k1": 6}
        said, status = rotate()
        assert status == 0 and "k1: 6 payloads and secrets sealed anew with k2." in said
        assert "k1 may be taken out" in said
        assert health.sealed_under() == {"k2": 6}
    # The old key is gone, and everything can be read and found.
    with with_keys(NEW):
        for row, body, answer in rows:
            row = entries.reread(row)
            assert (payloads.body_of(row), payloads.answer_of(row)) == (body, answer)
        index = payloads.vault().blind_index("80000010000")
        assert Transaction.objects.filter(collector_mac=index).exists()
        said, status = rotate()
        assert (said, status) == ("Everything is sealed with k2.\n", 0)
    assert list(Payload.objects.order_by("id").values_list("mac", flat=True)) == macs


def test_a_rotation_that_was_stopped_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "ROWS", 2)
    some(cast)
    with with_keys(BOTH):
        batch = entries.reseal("k1", Place())
        assert (batch.done, batch.unreadable) == (2, 0)
        assert health.sealed_under() == {"k1": 4, "k2": 2}
        said, status = rotate()
        assert status == 0 and "k1: 4 payloads" in said


def test_a_process_that_still_writes_with_the_old_key_keeps_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    some(cast, 1)
    reseal = entries.reseal

    def beside_an_older_process(key_id: str, place: Place) -> entries.Batch:
        batch = reseal(key_id, place)
        if batch.place is None:
            with with_keys(OLD):
                approved(cast, card_number="80000010009")
            payloads.vault.cache_clear()
        return batch

    with with_keys(BOTH):
        monkeypatch.setattr(entries, "reseal", beside_an_older_process)
        said, status = rotate()
        assert status == 1 and "k1 must stay: it still seals 2 payloads or secrets." in said
        monkeypatch.undo()


def test_what_cannot_be_opened_is_left_and_told(cast: Cast) -> None:
    rows = some(cast)
    sql("UPDATE journal_payload SET ciphertext = %s WHERE attempt_id IS NULL", b"x" * 40)
    with with_keys(BOTH):
        said, status = rotate()
        assert status == 1 and "k1: 3 payloads and secrets sealed anew" in said
        assert "k1 must stay: it still seals 3 payloads or secrets." in said
    assert len(rows) == 3


def test_bytes_that_are_not_those_that_were_stored_are_never_sealed_anew(cast: Cast) -> None:
    row = approved(cast)
    vault = payloads.vault()
    other = vault.seal(b"something else", bound_to=f"transaction:{row.reference}")
    body = row.payloads.get(attempt__isnull=True)
    Payload.objects.filter(pk=body.pk).update(ciphertext=other.ciphertext)
    with with_keys(BOTH):
        assert entries.reseal("k1", Place()).unreadable == 1


def test_second_factors_are_sealed_anew_and_still_open_the_office(cast: Cast) -> None:
    now = timezone.now()
    secret, _sealed = factors.new_secret(cast.manager, now=now)
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    codes = factors.set_up(cast.manager, secret, code, now=now)
    assert codes
    with with_keys(BOTH):
        assert health.sealed_under() == {"k1": 2}
        said, status = rotate()
        assert status == 0 and "k1: 2 payloads and secrets sealed anew" in said
    with with_keys(NEW):
        assert health.sealed_under() == {"k2": 2}
        assert factors.is_right(cast.manager, codes[0], now=now)
