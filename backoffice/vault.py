"""Secrets at rest: AES-256-GCM for what must be read again, HMAC-SHA256 for what must be found.
Pure: keys are an argument, there is no clock and no storage. Nothing here ever shows a key or a
plaintext, not in a repr and not in an error.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# The key of the MACs. It cannot be rotated by re-encryption: every stored index hangs on it.
INDEX_ID: Final = "index"
KEY_BYTES: Final = 32

_NONCE_BYTES = 12
_STAMP_BYTES = 8
# A token sealed on another machine may be ahead of this clock by a little, never by more.
_CLOCK_SLACK_S = 60
# Domains of the derived keys: a value sealed or signed for one use is worthless for another.
_SEAL = "seal"
_TOKEN = "token"  # noqa: S105 (the name of a use, not a secret)
_MAC = "mac:"

_KEY_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_KEY_TEXT = re.compile(r"[A-Za-z0-9_-]{43}=?")
_DIGITS = re.compile(r"[0-9]{1,19}")


class VaultError(Exception):
    """What was sealed cannot be opened: an unknown key, an altered text, or a wrong place."""


class TokenExpired(VaultError):
    """The token is genuine but older than allowed."""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A ciphertext and the name of the key that opens it."""

    key_id: str
    ciphertext: bytes = field(repr=False)


class Keyring:
    """The keys of MILEPOST_DATA_KEYS: one for MACs, one to write with, older ones to read with."""

    def __init__(self, data_keys: Mapping[str, bytes], index_key: bytes) -> None:
        assert data_keys
        self._data_keys = dict(data_keys)
        self._index_key = index_key
        self.writing_id = next(iter(self._data_keys))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``id:key,id:key``, each key 32 bytes in base64url.

        The id ``index`` is the MAC key and required. The first other id is written with, all are
        read. What is wrong is said in a ValueError, by position or id, never with a key in it.
        """
        keys: dict[str, bytes] = {}
        for position, entry in enumerate(text.split(","), start=1):
            key_id, key = _parse_entry(entry.strip(), position)
            if key_id in keys:
                raise ValueError(f"MILEPOST_DATA_KEYS names {key_id!r} twice.")
            if key in keys.values():
                raise ValueError(f"MILEPOST_DATA_KEYS gives {key_id!r} the key of another id.")
            keys[key_id] = key

        index_key = keys.pop(INDEX_ID, None)
        if index_key is None:
            raise ValueError(f"MILEPOST_DATA_KEYS needs a key with the id {INDEX_ID!r}.")
        if not keys:
            raise ValueError(f"MILEPOST_DATA_KEYS needs a key beside {INDEX_ID!r} to encrypt with.")

        return cls(keys, index_key)

    @staticmethod
    def generate() -> str:
        """A fresh text for `parse`, with one key to write with and one for MACs."""
        return ",".join(
            f"{key_id}:{_to_text(os.urandom(KEY_BYTES))}" for key_id in ("k1", INDEX_ID)
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that can be read, the one that is written with first."""
        return tuple(self._data_keys)

    def derived(self, key_id: str, use: str) -> bytes:
        """The key for one use of one id; a VaultError when the id is not on the ring."""
        root = self._index_key if key_id == INDEX_ID else self._data_keys.get(key_id)
        if root is None:
            raise VaultError("This was sealed with a key that is not on the ring.")

        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"milepost/{use}".encode())
        return kdf.derive(root)

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(self.ids)}>"


class Vault:
    """Seals, opens and signs with the keys of one ring. Safe to share between threads."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        # Derived once per use and kept; two threads deriving the same one get the same bytes.
        self._derived: dict[tuple[str, str], bytes] = {}

    @property
    def writing_id(self) -> str:
        """The id that new values are sealed with; a value with another id waits for rotation."""
        return self._keyring.writing_id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids that can be opened, the one that is written with first."""
        return self._keyring.ids

    def seal(self, plain: bytes, *, bound_to: str) -> Sealed:
        """Encrypt a value so that it opens only where it belongs: `bound_to` names that place."""
        key_id = self.writing_id
        return Sealed(key_id=key_id, ciphertext=self._encrypt(key_id, _SEAL, plain, bound_to))

    def open(self, sealed: Sealed, *, bound_to: str) -> bytes:
        """The value again; a VaultError when it was altered, moved or sealed with a lost key."""
        return self._decrypt(sealed.key_id, _SEAL, sealed.ciphertext, bound_to)

    def mac(self, data: bytes, *, purpose: str) -> str:
        """A keyed fingerprint in hex; equal data has equal ones within one purpose only."""
        return hmac.new(self._key(INDEX_ID, _MAC + purpose), data, hashlib.sha256).hexdigest()

    def blind_index(self, digits: str) -> str:
        """What a collector number is searched by. There are only 10^10 numbers, so it is keyed."""
        if not _DIGITS.fullmatch(digits):
            raise ValueError("A blind index is made of up to 19 digits and nothing else.")

        return self.mac(digits.encode(), purpose="collector")

    def seal_token(self, data: bytes, *, bound_to: str, now: datetime) -> str:
        """Encrypt a value into text for a hidden field or a URL, stamped with the time."""
        assert now.tzinfo is not None
        stamped = int(now.timestamp()).to_bytes(_STAMP_BYTES, "big") + data
        key_id = self.writing_id
        return f"{key_id}:{_to_text(self._encrypt(key_id, _TOKEN, stamped, bound_to))}"

    def open_token(self, text: str, *, bound_to: str, now: datetime, max_age_s: int) -> bytes:
        """The value again; TokenExpired when it is too old, a VaultError for everything else."""
        assert now.tzinfo is not None
        key_id, _, sealed = text.partition(":")
        try:
            ciphertext = base64.b64decode(
                sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError) as error:
            raise VaultError("This is not a token.") from error

        stamped = self._decrypt(key_id, _TOKEN, ciphertext, bound_to)
        sealed_at = datetime.fromtimestamp(int.from_bytes(stamped[:_STAMP_BYTES], "big"), UTC)
        age_s = (now - sealed_at).total_seconds()
        if age_s > max_age_s:
            raise TokenExpired("This token is too old.")
        if age_s < -_CLOCK_SLACK_S:
            raise VaultError("This token comes from the future.")

        return stamped[_STAMP_BYTES:]

    def _encrypt(self, key_id: str, use: str, plain: bytes, bound_to: str) -> bytes:
        # 96 random bits per value: with 2^32 values under one key the risk of a repeat is 2^-32.
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._key(key_id, use))
        return nonce + cipher.encrypt(nonce, plain, bound_to.encode())

    def _decrypt(self, key_id: str, use: str, ciphertext: bytes, bound_to: str) -> bytes:
        if key_id == INDEX_ID:
            raise VaultError("The key of the MACs encrypts nothing.")

        nonce, body = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        try:
            return AESGCM(self._key(key_id, use)).decrypt(nonce, body, bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise VaultError("This was altered, or it belongs to another place.") from error

    def _key(self, key_id: str, use: str) -> bytes:
        key = self._derived.get((key_id, use))
        if key is None:
            key = self._derived[key_id, use] = self._keyring.derived(key_id, use)
        return key

    def __repr__(self) -> str:
        return f"<Vault {', '.join(self._keyring.ids)}>"


def _parse_entry(entry: str, position: int) -> tuple[str, bytes]:
    key_id, colon, key_text = entry.partition(":")
    # The id is only repeated once it is known to look like one: it may be a key in the wrong place.
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise ValueError(
            f"MILEPOST_DATA_KEYS, entry {position}: expected id:key, the id of at most 32 small"
            " letters, digits, dots, hyphens or underscores."
        )
    if not _KEY_TEXT.fullmatch(key_text):
        raise ValueError(
            f"MILEPOST_DATA_KEYS, entry {position} ({key_id!r}): the key must be"
            f" {KEY_BYTES} bytes in base64url, which is 43 characters."
        )

    return key_id, base64.urlsafe_b64decode(key_text.rstrip("=") + "=")


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
