"""Adds entries to the audit log: the only writer of it."""

from collections.abc import Mapping

from backoffice.audit.models import AuditEntry
from backoffice.wire.redaction import scrub, scrub_value


def record(
    event: str,
    *,
    subject: str,
    actor: str,
    channel: str,
    store: str = "",
    device: str = "",
    details: Mapping[str, str | int | bool | None] | None = None,
) -> AuditEntry:
    """Add one entry, in the caller's transaction, so that a change and its record stand together.

    `details` takes plain values only and must hold neither card numbers nor balances; what could be
    a card number is masked all the same, for the entry stands for ever.
    """
    return AuditEntry.objects.create(
        event=event,
        subject=scrub(subject),
        actor=scrub(actor),
        channel=channel,
        store=store,
        device=device,
        details=scrub_value(dict(details or {})),
    )
