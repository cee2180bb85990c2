"""The vault: what is sealed opens only whole, in its place, with its key; and shows nothing."""

import base64
import copy
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from backoffice.vault import Keyring, Sealed, TokenExpired, Vault, VaultError

NOW = datetime(2026, 11, 20, 19, 0, 0, 500_000, tzinfo=UTC)
PLAIN = b'{"collectorNumber":"80000010001"}'
PLACE = "payload:1:body"


def key(filler: str) -> str:
    """A recognisable key, so that a leak of it is easy to find."""
    return base64.urlsafe_b64encode(filler.encode() * 32).decode().rstrip("=")


RING = f"k2:{key('B')},k1:{key('A')},index:{key('I')}"


@pytest.fixture
def vault() -> Vault:
    return Vault(Keyring.parse(RING))


def test_what_is_sealed_opens_again_in_its_place(vault: Vault) -> None:
    for plain in (PLAIN, b"", b"\x00" * 100_000):
        sealed = vault.seal(plain, bound_to=PLACE)
        assert vault.open(sealed, bound_to=PLACE) == plain
        assert sealed.key_id == "k2"


def test_the_same_value_is_never_sealed_to_the_same_bytes(vault: Vault) -> None:
    assert len({vault.seal(PLAIN, bound_to=PLACE).ciphertext for _ in range(100)}) == 100


def test_nothing_of_the_value_can_be_seen(vault: Vault) -> None:
    ciphertext = vault.seal(PLAIN, bound_to=PLACE).ciphertext

    assert b"8000001" not in ciphertext
    assert len(ciphertext) == len(PLAIN) + 12 + 16


def test_every_flipped_bit_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"80000010001", bound_to=PLACE)
    for position, bit in itertools.product(range(len(sealed.ciphertext)), range(8)):
        altered = bytearray(sealed.ciphertext)
        altered[position] ^= 1 << bit
        with pytest.raises(VaultError, match="altered"):
            vault.open(Sealed(key_id="k2", ciphertext=bytes(altered)), bound_to=PLACE)


def test_every_shortened_text_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(PLAIN, bound_to=PLACE)
    for length in range(len(sealed.ciphertext)):
        with pytest.raises(VaultError):
            vault.open(Sealed(key_id="k2", ciphertext=sealed.ciphertext[:length]), bound_to=PLACE)


@pytest.mark.parametrize("place", ["", "payload:2:body", "payload:1:answer", "payload:1:body "])
def test_a_value_moved_to_another_place_does_not_open(vault: Vault, place: str) -> None:
    with pytest.raises(VaultError):
        vault.open(vault.seal(PLAIN, bound_to=PLACE), bound_to=place)


@pytest.mark.parametrize("key_id", ["k1", "k3", "index", ""])
def test_a_value_under_another_key_does_not_open(vault: Vault, key_id: str) -> None:
    sealed = vault.seal(PLAIN, bound_to=PLACE)
    with pytest.raises(VaultError):
        vault.open(Sealed(key_id=key_id, ciphertext=sealed.ciphertext), bound_to=PLACE)


def test_a_rotated_ring_reads_the_old_and_writes_the_new() -> None:
    old = Vault(Keyring.parse(f"k1:{key('A')},index:{key('I')}"))
    rotated = Vault(Keyring.parse(RING))
    finished = Vault(Keyring.parse(f"k2:{key('B')},index:{key('I')}"))
    sealed = old.seal(PLAIN, bound_to=PLACE)

    assert rotated.open(sealed, bound_to=PLACE) == PLAIN
    assert rotated.writing_id == "k2" != sealed.key_id
    resealed = rotated.seal(rotated.open(sealed, bound_to=PLACE), bound_to=PLACE)
    assert finished.open(resealed, bound_to=PLACE) == PLAIN
    with pytest.raises(VaultError, match="not on the ring"):
        finished.open(sealed, bound_to=PLACE)
    assert finished.blind_index("80000010001") == old.blind_index("80000010001")


def test_a_mac_is_the_same_for_the_same_data_and_purpose_only(vault: Vault) -> None:
    mac = vault.mac(b"body", purpose="body")

    assert mac == Vault(Keyring.parse(RING)).mac(b"body", purpose="body")
    assert len(mac) == 64
    assert int(mac, 16)
    other = Vault(Keyring.parse(f"k2:{key('B')},index:{key('J')}"))
    assert mac not in {
        vault.mac(b"body", purpose="collector"),
        vault.mac(b"Body", purpose="body"),
        other.mac(b"body", purpose="body"),
    }


def test_a_collector_is_found_by_a_keyed_index(vault: Vault) -> None:
    assert vault.blind_index("80000010001") == vault.mac(b"80000010001", purpose="collector")


@pytest.mark.parametrize("digits", ["", "8000 0010 001", "80000010001\n", "8" * 20, "٨", "abc"])
def test_only_digits_have_a_blind_index(vault: Vault, digits: str) -> None:
    with pytest.raises(ValueError, match="digits") as caught:
        vault.blind_index(digits)
    assert not digits or digits not in str(caught.value)


# Tokens.


def test_a_token_opens_until_it_is_too_old(vault: Vault) -> None:
    token = vault.seal_token(PLAIN, bound_to="offer", now=NOW)
    for age_s in (-59, 0, 599):
        opened = vault.open_token(
            token, bound_to="offer", now=NOW + timedelta(seconds=age_s), max_age_s=600
        )
        assert opened == PLAIN
    with pytest.raises(TokenExpired):
        vault.open_token(token, bound_to="offer", now=NOW + timedelta(seconds=600), max_age_s=600)
    with pytest.raises(VaultError, match="future"):
        vault.open_token(token, bound_to="offer", now=NOW - timedelta(seconds=61), max_age_s=600)


def test_a_token_fits_into_a_url_and_into_a_form(vault: Vault) -> None:
    for length in range(20):
        token = vault.seal_token(b"\xff" * length, bound_to="offer", now=NOW)
        assert set(token) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:"
        )
        opened = vault.open_token(token, bound_to="offer", now=NOW, max_age_s=1)
        assert opened == b"\xff" * length


@pytest.mark.parametrize(
    "text",
    [
        *["", ":", "k2", "k2:", "k2:é", "k2:????", "k2:AAAA", "k9:AAAA", "index:AAAA", "k2:A"],
        *["k2:" + "A" * 200, "\x00", "k2:AA AA", "k2:AA==\n"],
    ],
)
def test_what_is_not_a_token_does_not_open(vault: Vault, text: str) -> None:
    with pytest.raises(VaultError):
        vault.open_token(text, bound_to="offer", now=NOW, max_age_s=600)


def test_a_token_of_another_form_does_not_open(vault: Vault) -> None:
    token = vault.seal_token(PLAIN, bound_to="offer", now=NOW)
    with pytest.raises(VaultError):
        vault.open_token(token, bound_to="sign-in", now=NOW, max_age_s=600)


def test_every_altered_letter_of_a_token_is_noticed(vault: Vault) -> None:
    token = vault.seal_token(b"80000010001", bound_to="offer", now=NOW)
    for position in range(len(token) - 1):
        letter = "B" if token[position] == "A" else "A"
        with pytest.raises(VaultError):
            vault.open_token(
                token[:position] + letter + token[position + 1 :],
                bound_to="offer",
                now=NOW,
                max_age_s=600,
            )


def test_a_token_is_no_stored_value_and_a_stored_value_is_no_token(vault: Vault) -> None:
    sealed = vault.seal(PLAIN, bound_to=PLACE)
    as_token = f"k2:{base64.urlsafe_b64encode(sealed.ciphertext).decode()}"
    with pytest.raises(VaultError):
        vault.open_token(as_token, bound_to=PLACE, now=NOW, max_age_s=600)

    text = vault.seal_token(PLAIN, bound_to=PLACE, now=NOW).partition(":")[2]
    ciphertext = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    with pytest.raises(VaultError):
        vault.open(Sealed(key_id="k2", ciphertext=ciphertext), bound_to=PLACE)


def test_a_token_needs_a_moment_with_a_zone(vault: Vault) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(AssertionError):
        vault.seal_token(PLAIN, bound_to="offer", now=naive)
    with pytest.raises(AssertionError):
        vault.open_token("", bound_to="offer", now=naive, max_age_s=1)


# The ring.


def test_a_fresh_ring_works_and_is_never_the_same() -> None:
    texts = {Keyring.generate() for _ in range(10)}
    assert len(texts) == 10
    for text in texts:
        vault = Vault(Keyring.parse(text))
        assert vault.open(vault.seal(PLAIN, bound_to=PLACE), bound_to=PLACE) == PLAIN


def test_the_first_id_writes_wherever_the_index_stands() -> None:
    for text in (RING, f"index:{key('I')},k2:{key('B')},k1:{key('A')}"):
        ring = Keyring.parse(text)
        assert (ring.writing_id, ring.ids) == ("k2", ("k2", "k1"))


def test_spaces_lines_and_padding_around_entries_are_forgiven() -> None:
    ring = Keyring.parse(f" k1:{key('A')}=,\n  index:{key('I')}= \n")
    assert ring.ids == ("k1",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "entry 1: expected id:key"),
        (f"k1:{key('A')}", "needs a key with the id 'index'"),
        (f"index:{key('I')}", "needs a key beside 'index'"),
        (f"k1:{key('A')},k1:{key('B')},index:{key('I')}", "names 'k1' twice"),
        (f"k1:{key('A')},index:{key('A')}", "gives 'index' the key of another id"),
        (f"{key('A')},index:{key('I')}", "entry 1: expected id:key"),
        (f"{key('A')}:k1,index:{key('I')}", "entry 1: expected id:key"),
        (f"K1:{key('A')},index:{key('I')}", "entry 1: expected id:key"),
        (f"k1:{key('A')},,index:{key('I')}", "entry 2: expected id:key"),
        (f"index:{key('I')},k1:{key('A')[:-1]}", "entry 2 .'k1'.: the key must be 32 bytes"),
        (f"k1:{key('A')}A,index:{key('I')}", "entry 1 .'k1'.: the key must be 32 bytes"),
        (f"k1:{key('A')[:-1]}+,index:{key('I')}", "entry 1 .'k1'.: the key must be 32 bytes"),
        (f"k1:{key('A')[:-1]}é,index:{key('I')}", "entry 1 .'k1'.: the key must be 32 bytes"),
    ],
)
def test_what_is_wrong_with_a_ring_is_said_without_its_keys(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        Keyring.parse(text)
    for filler in "ABI":
        assert key(filler)[:8] not in str(caught.value)


def test_nothing_secret_is_ever_shown(vault: Vault) -> None:
    ring = Keyring.parse(RING)
    sealed = vault.seal(PLAIN, bound_to=PLACE)
    shown = f"{ring!r} {ring} {vault!r} {vault} {sealed!r} {copy.copy(vault)!r}"

    assert "k2" in shown
    for secret in ("AAAA", "BBBB", "IIII", key("A"), key("B"), key("I"), "8000001"):
        assert secret not in shown
    assert repr(sealed.ciphertext) not in shown
