"""One row's changes: each a compare-and-set, each with its audit entry. For this package only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from backoffice import clock
from backoffice.audit import trail
from backoffice.journal import decisions, payloads
from backoffice.journal.choices import Result
from backoffice.journal.decisions import Facts
from backoffice.journal.entries.intents import Intent
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import ISSUANCE, Operation, State, is_lawful
from backoffice.people.actors import Actor, Channel

_NOUNS = {
    Operation.REDEEM: "redemption",
    Operation.REVERSE: "reversal",
    Operation.ISSUE: "issuance",
    Operation.RETURN: "miles_return",
    Operation.POST_EVENT: "event_issuance",
    Operation.REVERSE_EVENT: "event_return",
    Operation.RECORD: "sale_record",
}


ONE_ARMED = "transaction_one_armed_of_a_collector"
ONE_REVERSAL = "transaction_one_live_reversal"
ONE_REDEMPTION = "transaction_one_live_redemption_of_a_sale"
_UNIQUE = {
    "journal_transaction.collector_mac": ONE_ARMED,
    "journal_transaction.reverses_id": ONE_REVERSAL,
    "journal_transaction.sale_ref": ONE_REDEMPTION,
}


def reread(row: Transaction) -> Transaction:
    """Return the row as the database has it, with what screens read beside it."""
    return read(row.pk)


def read(pk: int) -> Transaction:
    """Return the row with this key, with what screens read beside it."""
    whole = Transaction.objects.select_related(
        "store__sponsor", "device", "user", "reverses", "original"
    )
    return whole.get(pk=pk)


@dataclass(frozen=True, kw_only=True)
class Right:
    """The right to send a row from the moment it exists."""

    sender: str
    lease: timedelta


def insert(
    intent: Intent,
    mac: str,
    collector_mac: str,
    actor: Actor,
    now: datetime,
    *,
    right: Right | None = None,
) -> Transaction:
    """Add a row and its frozen body, in the caller's commit: queued, or armed with its attempt.

    Raises IntegrityError when armed while another send for the same collector is under way.
    """
    zone = actor.device.store.sponsor.programme_zone
    tzinfo = clock.zone_named(zone)
    original = intent.reverses
    related = (intent.reverses, intent.original, intent.corrects)
    # Who practises never touches what is real, nor the other way round.
    assert all(one is None or one.is_training == actor.is_training for one in related)
    deadline_at = original.deadline_at if original else clock.reversal_deadline(now, tzinfo)
    row = Transaction.objects.create(
        reference=intent.reference,
        operation=intent.operation,
        **_at_birth(right, now),
        store=actor.device.store,
        device=actor.device,
        user=actor.user,
        channel=actor.channel,
        client_ref=intent.client_ref,
        intent_mac=mac,
        sale_ref=intent.sale_ref,
        language=intent.language,
        is_training=actor.is_training,
        path=intent.path,
        trace_id=intent.trace_id,
        checkout_id=intent.checkout_id,
        collector_mac=collector_mac,
        collector_last4=intent.card_number[-4:],
        card_entry_mode=intent.card_entry_mode,
        basket_cents=intent.basket_cents,
        asked_cents=intent.asked_cents,
        replay_until=decisions.replay_until(
            intent.operation, first_sent_at=now, deadline_at=deadline_at
        ),
        opened_at=now,
        deadline_at=deadline_at,
        local_date=now.astimezone(tzinfo).date(),
        zone=zone,
        tzdata_version=clock.tzdata_version(),
        reverses=original,
        original=intent.original,
        corrects=intent.corrects,
    )
    payloads.add(row, intent.body)
    if right is not None:
        add_attempt(row, now)
    return row


def _at_birth(right: Right | None, now: datetime) -> dict[str, Any]:
    if right is None:
        return {"state": State.QUEUED, "due_at": now}
    return {
        "state": State.ARMED,
        "due_at": now + right.lease,
        "fence": 1,
        "owner": right.sender,
        "first_sent_at": now,
    }


def advance(
    row: Transaction,
    after: State,
    *,
    held: int | None = None,
    only: State | None = None,
    is_untouched: bool = False,
    **changes: Any,
) -> bool:
    """Change one row if it still is what the caller saw; say whether it was.

    The caller's copy is changed along, so that nobody reads back what was just written.
    """
    lawful = [before for before in State if is_lawful(before, after)]
    if only is not None:
        lawful = [before for before in lawful if before is only]
    rows = Transaction.objects.filter(pk=row.pk, state__in=lawful)
    if held is not None:
        rows = rows.filter(fence=held)
    if is_untouched:
        rows = rows.filter(wanted=row.wanted, has_unknown=row.has_unknown)
    if rows.update(state=after, **changes) != 1:
        return False
    for name, value in {"state": after, **changes}.items():
        setattr(row, name, value)
    return True


def arm(
    row: Transaction,
    *,
    sender: str,
    now: datetime,
    lease: timedelta,
    only: State,
    is_just_read: bool = False,
) -> bool:
    """Take the right to send a row that is in the state `only`, and say whether it was free.

    A caller whose copy was read in this very commit, with nobody able to change it since, need not
    have it read again. Raises IntegrityError when another send for the same collector is under way.
    """
    changes: dict[str, Any] = {"fence": row.fence + 1, "owner": sender, "due_at": now + lease}
    if row.first_sent_at is None or only is State.QUEUED:
        # Queued proves that nothing left before (S6), so this is the first send.
        changes["first_sent_at"] = now
        if row.operation in ISSUANCE:
            # It may have waited for days; its key is as old as its first send.
            changes["replay_until"] = now + decisions.KEY_WINDOW
    if only is State.ARMED:
        # Its sender died between its two commits, so nobody knows what left.
        changes["has_unknown"] = True
    if only in {State.ARMED, State.DOUBT} and row.doubted_at is None:
        changes["doubted_at"] = now
    if not advance(row, State.ARMED, held=row.fence, only=only, **changes):
        return False
    if not is_just_read:
        row.refresh_from_db()
    add_attempt(row, now)
    return True


def add_attempt(row: Transaction, now: datetime) -> None:
    """Note that the holder of the row's present fence may send."""
    row.attempt_at_hand = Attempt.objects.create(
        transaction=row, fence=row.fence, sender=row.owner, armed_at=now, result=Result.UNDER_WAY
    )


def facts(row: Transaction, *, has_lapsed: bool = False) -> Facts:
    """Return what a decision needs to know; a lapsed lease is an unknown outcome."""
    # It was queued when the till asked for it: the till was told that it is sent by itself, and
    # looked away.
    was_put_off = row.first_sent_at is not None and row.first_sent_at > row.opened_at
    acknowledged = row.acknowledged_fence
    return Facts(
        operation=Operation(row.operation),
        state=State(row.state),
        has_unknown=row.has_unknown or has_lapsed,
        tries=max(1, row.fence),
        replay_until=row.replay_until,
        deadline_at=row.deadline_at,
        is_unattended=row.channel == Channel.SETTLE or row.doubted_at is not None or was_put_off,
        is_acknowledged=acknowledged is not None,
        looks=1 if acknowledged is None else row.fence - acknowledged + 1,
        is_training=row.is_training,
        **_of_the_original(row),
    )


def _of_the_original(row: Transaction) -> dict[str, Any]:
    original = row.original
    if original is None:
        return {}
    settled_at = original.settled_at
    return {
        "original_state": State(original.state),
        "is_original_news": settled_at is not None and settled_at > row.opened_at,
    }


def intent_mac(operation: Operation, asked: str) -> str:
    """Return the keyed hash by which a repeated request is known from another one."""
    return payloads.vault().mac(f"{operation}\n{asked}".encode(), purpose="intent")


def rule_broken(error: IntegrityError) -> str:
    """Return the name of the unique constraint that the database held up; empty for any other."""
    told = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    # SQLite names the column of a unique index instead.
    return told or _UNIQUE.get(str(error).partition("UNIQUE constraint failed: ")[2], "")


def is_busy_collector(error: IntegrityError) -> bool:
    """Say whether the database refused a second armed send of one collector, and nothing else."""
    return rule_broken(error) == ONE_ARMED


def name(actor: Actor) -> str:
    """Return who acts, as the audit log says it."""
    return actor.user.username if actor.user else f"till {actor.device.number}"


def event_name(row: Transaction, event: str) -> str:
    """Return what the audit log calls a change of this row: `redemption.approved`."""
    return f"{_NOUNS[Operation(row.operation)]}.{event}"


def log(
    row: Transaction, event: str, *, actor: str, channel: str = "", **details: str | int
) -> None:
    """Add the audit entry of a change, in the caller's commit."""
    trail.record(
        event_name(row, event),
        subject=f"transaction:{row.reference}",
        actor=actor,
        channel=channel or Channel.SETTLE,
        store=row.store.number,
        device=row.device.number,
        details={
            "fence": row.fence,
            **({"training": True} if row.is_training else {}),
            **{key: value for key, value in details.items() if value},
        },
    )
