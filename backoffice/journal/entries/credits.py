"""Commits that a customer was given store credit or a gift card instead of miles, once."""

from datetime import datetime

from django.db import connection
from django.db.transaction import atomic

from backoffice.journal import credit
from backoffice.journal.choices import Credit
from backoffice.journal.entries import rows
from backoffice.journal.models import Transaction
from backoffice.people.actors import Actor


def give_credit(
    row: Transaction, kind: Credit, *, is_over: bool, actor: Actor, now: datetime
) -> tuple[Transaction, bool]:
    """Record what was given for a redemption; return it, and whether this call recorded it.

    Nothing is recorded where none is owed (`credit.is_owed`), so a second press changes nothing.
    """
    with atomic(durable=True):
        # A reversal that begins in this moment waits for this lock, and is refused then.
        held = Transaction.objects.select_for_update().get(pk=row.pk)
        is_ours = credit.is_owed(held, is_over=is_over)
        if is_ours:
            changed = Transaction.objects.filter(pk=row.pk, credit_given="").update(
                credit_given=kind, credit_given_at=now
            )
            assert changed == 1  # It is locked, and was looked at.
            rows.log(
                row,
                "credit_given",
                actor=rows.name(actor),
                channel=actor.channel,
                kind=kind,
                amount_cents=row.amount_cents or 0,
            )
    return rows.reread(row), is_ours


def is_credited(redemption_id: int) -> bool:
    """Say, in the caller's commit, whether credit was given for a redemption; none is given before
    that commit ends."""
    # The weakest lock that a credit waits for: whoever records an answer changes this row too, and
    # must not wait for a reversal that waits for theirs.
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT credit_given FROM journal_transaction WHERE id = %s{lock}",  # noqa: S608
            [redemption_id],
        )
        (given,) = cursor.fetchone()
    return bool(given)
