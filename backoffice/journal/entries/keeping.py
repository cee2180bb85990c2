"""Commits what happens to what is kept: bytes sealed anew or emptied, collectors forgotten.

Each call is one small commit, so that nobody at a till waits for it; whoever is stopped half-way
loses nothing and goes on where the rows say. No state, total or proof is touched.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.journal import payloads
from backoffice.journal.disclosures import Disclosure
from backoffice.journal.models import Payload, Transaction
from backoffice.journal.retention import Retention
from backoffice.journal.states import SETTLED, UNSETTLED, Operation, State
from backoffice.people.actors import Channel
from backoffice.vault import VaultError

log = structlog.get_logger(__name__)

ROWS: Final = 200
_SUBJECT: Final = "log"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the next batch begins: after this row, opened at this moment."""

    opened_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one commit did. `place` is None where nothing is left to look at."""

    done: int
    place: Place | None
    unreadable: int = 0


def over(now: datetime) -> QuerySet[Transaction]:
    """Return the rows of which nothing more can come: past every deadline, and settled or only
    practised until a person would decide, which is nobody's task.

    A redemption whose reversal is open or somebody's task, or a sale whose return is, is not among
    them.
    """
    is_a_task = Q(is_training=False) & ~Q(needs_person="")
    is_practised_to_its_end = Q(is_training=True, state=State.MANUAL)
    following = Transaction.objects.filter(
        Q(reverses=OuterRef("pk")) | Q(original=OuterRef("pk")) | Q(corrects=OuterRef("pk")),
        Q(state__in=sorted(UNSETTLED)) & ~is_practised_to_its_end | is_a_task,
    )
    return Transaction.objects.filter(
        Q(state__in=sorted(SETTLED)) | is_practised_to_its_end,
        ~is_a_task,
        deadline_at__lt=now,
        replay_until__lt=now,
    ).exclude(Exists(following))


def empty_payloads(
    key_id: str, place: Place, *, keep: Retention, sender: str, now: datetime
) -> Batch:
    """Empty the bytes, sealed with this key, of what settled long enough ago; one batch.

    A sale keeps its own as long as it may be returned, and a return as long as its sale.
    """
    found = list(
        Payload.objects.filter(key_id=key_id, pk__gt=place.id)
        .order_by("pk")
        .values_list("pk", "transaction_id", "transaction__opened_at")[:ROWS]
    )
    settled_by = keep.settled_by(now)
    # Payloads come in the order of time: once a whole batch is young, so is all that follows.
    if not found or all(opened_at > settled_by for _pk, _of, opened_at in found):
        return Batch(done=0, place=None)
    of_originals = Payload.objects.filter(transaction=OuterRef("original")).exclude(key_id="")
    ripe = (
        over(now)
        .filter(pk__in={of for _pk, of, _opened_at in found})
        .filter(Q(settled_at__lte=settled_by) | Q(settled_at=None, opened_at__lte=settled_by))
        .exclude(operation=Operation.ISSUE, opened_at__gt=keep.sold_by(now))
        .exclude(Exists(of_originals))
    )
    with atomic(durable=True):
        done = _empty(list(ripe.values_list("pk", flat=True)))
        _record("payloads_emptied", done, sender, days=keep.payload_days)
    return Batch(done=done, place=Place(id=found[-1][0]))


def forget_collectors(place: Place, *, keep: Retention, sender: str, now: datetime) -> Batch:
    """Take out of old rows what leads back to their collector; one batch.

    It is replaced by nothing: a hash of a number would still be one. Rows whose bytes are still
    kept wait for these.
    """
    old = Transaction.objects.filter(opened_at__lte=keep.opened_by(now))
    if place.opened_at is not None:
        old = old.filter(
            Q(opened_at__gt=place.opened_at) | Q(opened_at=place.opened_at, pk__gt=place.id),
            opened_at__gte=place.opened_at,
        )
    found = list(old.order_by("opened_at", "pk").values_list("pk", "opened_at")[:ROWS])
    if not found:
        return Batch(done=0, place=None)
    kept = Payload.objects.filter(transaction=OuterRef("pk")).exclude(key_id="")
    ripe = over(now).filter(pk__in=[pk for pk, _opened_at in found]).exclude(Exists(kept))
    with atomic(durable=True):
        done = _forget(ripe)
        _record("collectors_forgotten", done, sender, days=keep.number_days)
    return Batch(done=done, place=Place(opened_at=found[-1][1], id=found[-1][0]))


def forget_disclosures(*, keep: Retention, sender: str, now: datetime) -> int:
    """Take out of old disclosures whom they were about; return of how many."""
    with atomic(durable=True):
        old = Disclosure.objects.filter(at__lte=keep.opened_by(now)).exclude(collector_last4="")
        done = old.update(collector_mac="", collector_last4="")
        _record("disclosures_forgotten", done, sender, days=keep.number_days)
    return done


def reseal(key_id: str, place: Place) -> Batch:
    """Seal with the present key what this older one has sealed; one batch.

    What cannot be opened, or proves to be something else, is left as it is and counted.
    """
    vault = payloads.vault()
    done = unreadable = 0
    with atomic(durable=True):
        found = list(
            Payload.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(key_id=key_id, pk__gt=place.id)
            .select_related("transaction")
            .order_by("pk")[:ROWS]
        )
        for payload in found:
            try:
                sealed = payloads.sealed_anew(payload, vault)
            except VaultError:
                log.error("rotation.unreadable", reference=str(payload.transaction.reference))
                unreadable += 1
                continue
            # Whoever emptied it in the meantime took its key away.
            same = Payload.objects.filter(pk=payload.pk, key_id=key_id)
            done += same.update(key_id=sealed.key_id, ciphertext=sealed.ciphertext)
    place_after = Place(id=found[-1].pk) if found else None
    return Batch(done=done, place=place_after, unreadable=unreadable)


def empty_and_forget(rows: list[int]) -> None:
    """Empty these rows and forget their collector, in the caller's commit."""
    _empty(rows)
    _forget(Transaction.objects.filter(pk__in=rows))


def _empty(rows: list[int]) -> int:
    if not rows:
        return 0
    kept = Payload.objects.filter(transaction__in=rows).exclude(key_id="")
    return kept.update(ciphertext=b"", key_id="")


def _forget(rows: QuerySet[Transaction]) -> int:
    known = rows.exclude(collector_mac="", collector_last4="")
    # By key: an UPDATE of the very table that its condition looks into is not every database's.
    keys = list(known.values_list("pk", flat=True))
    return Transaction.objects.filter(pk__in=keys).update(collector_mac="", collector_last4="")


def _record(event: str, count: int, sender: str, *, days: int) -> None:
    if count:
        details = {"count": count, "days": days}
        trail.record(
            f"log.{event}", subject=_SUBJECT, actor=sender, channel=Channel.SETTLE, details=details
        )
