"""Encrypts what the journal must keep and nobody may read by accident: bodies and answers."""

import functools

from django.conf import settings

from backoffice.journal.models import Attempt, Payload, Transaction
from backoffice.vault import Keyring, Sealed, Vault, VaultError


@functools.cache
def vault() -> Vault:
    """Return the vault over this installation's keys (MILEPOST_DATA_KEYS)."""
    return Vault(Keyring.parse(settings.MILEPOST_DATA_KEYS))


def collector_mac(number: str, *, is_training: bool) -> str:
    """Return what the log knows a collector by. In training it is another one, so that nothing
    that somebody practises can stand in the way of a customer with the same number."""
    if is_training:
        return vault().mac(number.encode(), purpose="training-collector")
    return vault().blind_index(number)


def add(transaction: Transaction, plain: bytes, *, attempt: Attempt | None = None) -> Payload:
    """Store bytes encrypted, bound to their transaction. Only `entries` calls this."""
    sealed = vault().seal(plain, bound_to=_binding(transaction))
    return Payload.objects.create(
        transaction=transaction,
        attempt=attempt,
        key_id=sealed.key_id,
        ciphertext=sealed.ciphertext,
        mac=vault().mac(plain, purpose="payload"),
    )


def body_of(transaction: Transaction) -> bytes:
    """Return the frozen request bytes, exactly as they were first sent; none once emptied."""
    payload = transaction.payloads.get(attempt__isnull=True)
    return _open(transaction, payload) if payload.ciphertext else b""


def answer_of(transaction: Transaction) -> bytes | None:
    """Return the redacted answer that settled the transaction, or None if there is none.

    The first one did; a later one came too late to change anything.
    """
    payload = transaction.payloads.filter(attempt__isnull=False).order_by("id").first()
    if payload is None or not payload.ciphertext:
        return None
    return _open(transaction, payload)


def sealed_anew(payload: Payload, vault: Vault) -> Sealed:
    """Return the same bytes sealed with the present key; a VaultError where they are not the same.

    The stored mac proves that nothing but the key has changed.
    """
    binding = _binding(payload.transaction)
    plain = vault.open(
        Sealed(key_id=payload.key_id, ciphertext=bytes(payload.ciphertext)), bound_to=binding
    )
    if vault.mac(plain, purpose="payload") != payload.mac:
        raise VaultError("These are not the bytes that were stored.")
    return vault.seal(plain, bound_to=binding)


def _open(transaction: Transaction, payload: Payload) -> bytes:
    sealed = Sealed(key_id=payload.key_id, ciphertext=bytes(payload.ciphertext))
    return vault().open(sealed, bound_to=_binding(transaction))


def _binding(transaction: Transaction) -> str:
    return f"transaction:{transaction.reference}"
