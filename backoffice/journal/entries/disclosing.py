"""Commits that somebody saw a collector's number or records, before they do, and erasures."""

from dataclasses import dataclass
from datetime import datetime

from django.db.transaction import atomic

from backoffice.audit import trail
from backoffice.journal import traces
from backoffice.journal.disclosures import Disclosure, DisclosureKind
from backoffice.journal.entries import keeping
from backoffice.journal.models import Transaction
from backoffice.people.models import User

_CHANNEL = "office"
_PAST = {
    DisclosureKind.REVEAL: "revealed",
    DisclosureKind.SEARCH: "searched",
    DisclosureKind.ACCESS: "handed_out",
    DisclosureKind.ERASURE: "request_erased",
}


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How many transactions of a collector were erased and how many had to be left; and the same of
    what products keep besides the log."""

    done: int
    left: int
    done_elsewhere: int = 0
    left_elsewhere: int = 0


def disclose(
    kind: DisclosureKind,
    *,
    person: User,
    collector_mac: str,
    last4: str,
    now: datetime,
    reason: str = "",
    transaction: Transaction | None = None,
    count: int = 1,
) -> Disclosure:
    """Record that a person saw what is said here; whatever is shown is shown after this commit."""
    with atomic(durable=True):
        return _disclosed(kind, person, collector_mac, last4, now, reason, transaction, count)


def erase(*, collector_mac: str, last4: str, person: User, reason: str, now: datetime) -> Erased:
    """Erase what leads back to a collector, but for rows of which something may still come.

    Totals, states and proofs stay; bytes, the index and the last four digits go.
    """
    of_collector = Transaction.objects.filter(collector_mac=collector_mac)
    assert collector_mac
    with atomic(durable=True):
        ripe = list(
            keeping.over(now).filter(collector_mac=collector_mac).values_list("pk", "reference")
        )
        keeping.empty_and_forget([pk for pk, _reference in ripe])
        left = of_collector.count()
        elsewhere = [one.erase(collector_mac, now=now) for one in traces.everywhere()]
        seen = Disclosure.objects.filter(collector_mac=collector_mac)
        seen.update(collector_mac="", collector_last4="")
        subjects = [f"transaction:{reference}" for _pk, reference in ripe]
        subjects += [subject for one in elsewhere for subject in one.subjects]
        for subject in subjects:
            trail.record(
                "collector.erased", subject=subject, actor=person.username, channel=_CHANNEL
            )
        # What was erased is not to be found by its index again, nor is this.
        _disclosed(DisclosureKind.ERASURE, person, "", last4, now, reason, None, len(ripe))
    return Erased(
        done=len(ripe),
        left=left,
        done_elsewhere=sum(len(one.subjects) for one in elsewhere),
        left_elsewhere=sum(one.left for one in elsewhere),
    )


def _disclosed(
    kind: DisclosureKind,
    person: User,
    collector_mac: str,
    last4: str,
    now: datetime,
    reason: str,
    transaction: Transaction | None,
    count: int,
) -> Disclosure:
    # The audit log is never emptied, so it does not even get the last four digits.
    subject = f"transaction:{transaction.reference}" if transaction else "collector"
    trail.record(
        f"collector.{_PAST[kind]}",
        subject=subject,
        actor=person.username,
        channel=_CHANNEL,
        store=transaction.store.number if transaction else "",
        details={"count": count, "reason": reason},
    )
    return Disclosure.objects.create(
        kind=kind,
        transaction=transaction,
        collector_mac=collector_mac,
        collector_last4=last4,
        person=person,
        reason=reason,
        count=count,
        at=now,
    )
