"""Forgets the collectors of miles without a sale: when a person asks for it, and when it is time.

Reason, miles, who proposed and who agreed stay. What waits, was agreed to but not sent, or has a
transaction that may still move is kept; the log calls this (`traces`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.journal import entries
from backoffice.journal.retention import Retention
from backoffice.journal.traces import Erased
from backoffice.people.actors import Channel
from issuance.approvals import LIMIT_FOR, tell, transactions_of
from issuance.proposals import EventProposal, ProposalState

ROWS: Final = 200


def erasable(proposals: Iterable[EventProposal], *, now: datetime) -> frozenset[int]:
    """Return the keys of those of which nothing more can come, and which no limit counts."""
    listed = list(proposals)
    sent = transactions_of(listed)
    rows = [row.pk for row in sent.values()]
    over = set(entries.over(now).filter(pk__in=rows).values_list("pk", flat=True))
    found = set()
    for one in listed:
        row = sent.get(one.reference)
        is_counted = one.proposed_at > now - LIMIT_FOR
        if row is not None and row.pk in over and not is_counted:
            found.add(one.pk)
        if row is None and one.state not in {ProposalState.WAITING, ProposalState.APPROVED}:
            found.add(one.pk)
    return frozenset(found)


def erase(collector_mac: str, *, now: datetime) -> Erased:
    """Forget this collector in all proposals that allow it, in the caller's commit."""
    known = list(EventProposal.objects.select_for_update().filter(collector_mac=collector_mac))
    ripe = erasable(known, now=now)
    _forget(ripe)
    return Erased(
        subjects=tuple(f"event:{one.reference}" for one in known if one.pk in ripe),
        left=len(known) - len(ripe),
    )


def forget(*, keep: Retention, sender: str, now: datetime) -> Iterator[int]:
    """Forget the collectors of proposals that are old enough; yields after each small commit."""
    old = EventProposal.objects.filter(proposed_at__lte=keep.opened_by(now)).filter(_is_known())
    after = 0
    while found := list(old.filter(pk__gt=after).order_by("pk")[:ROWS]):
        after = found[-1].pk
        with atomic(durable=True):
            # What was agreed to so long ago and never sent will not be: its card must not stay.
            _close_unsent(found, now)
            done = _forget(erasable(_again(found), now=now))
            if done:
                details = {"count": done, "days": keep.number_days}
                trail.record(
                    "log.proposals_forgotten",
                    subject="log",
                    actor=sender,
                    channel=Channel.SETTLE,
                    details=details,
                )
        yield done


def _close_unsent(proposals: list[EventProposal], now: datetime) -> None:
    sent = transactions_of(proposals)
    unsent = [one.pk for one in proposals if one.reference not in sent]
    left = EventProposal.objects.filter(pk__in=unsent, expires_at__lte=now).filter(
        state__in=(ProposalState.WAITING, ProposalState.APPROVED)
    )
    closing = list(left.select_for_update(of=("self",)).select_related("store", "reason"))
    _again(closing).update(state=ProposalState.EXPIRED, key_id="", ciphertext=b"")
    for one in closing:
        tell(one, "expired", None)


def _again(proposals: list[EventProposal]) -> QuerySet[EventProposal]:
    return EventProposal.objects.filter(pk__in=[one.pk for one in proposals])


def _is_known() -> Q:
    return ~Q(collector_mac="") | ~Q(collector_last4="")


def _forget(keys: Iterable[int]) -> int:
    known = EventProposal.objects.filter(pk__in=list(keys)).filter(_is_known())
    return known.update(collector_mac="", collector_last4="", key_id="", ciphertext=b"")
