"""Accounts: find one, move its miles, put the test cards back. Knows nothing of messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F

from sandbox.members import cards
from sandbox.members.models import LedgerEntry, Member


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The request that has an effect, as the ledger remembers it."""

    path: str
    key: str
    body_sha256: str
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Movement:
    """What changes on an account. Miles are signed: what gives is positive, what takes negative."""

    kind: str
    miles: int
    units: int
    amount_cents: int
    confirmation: str
    undoes: str = ""
    account: str = "cash"
    transaction_id: str = ""
    offer_code: str = ""
    offer_id: str = ""
    location_code: str = ""


def find(collector: str) -> Member | None:
    """Return the account of a number; a code card always has one."""
    member = Member.objects.filter(pk=collector).first()
    if member is None and cards.code_spelled_by(collector):
        return cards.code_card(collector)
    return member


def move(member: Member, movement: Movement, cause: Cause) -> None:
    """Apply a movement and write it down. The caller's transaction commits both or neither."""
    assert connection.in_atomic_block
    if member._state.adding:
        # A code card's account comes to life with its first movement.
        cards.code_card(member.collector).save(force_insert=True)
        member._state.adding = False
    balance = f"{movement.account}_miles"
    Member.objects.filter(pk=member.pk).update(**{balance: F(balance) + movement.miles})
    LedgerEntry.objects.create(
        kind=movement.kind,
        collector=member.collector,
        miles=movement.miles,
        units=movement.units,
        amount_cents=movement.amount_cents,
        confirmation=movement.confirmation,
        undoes=movement.undoes,
        account=movement.account,
        transaction_id=movement.transaction_id,
        offer_code=movement.offer_code,
        offer_id=movement.offer_id,
        location_code=movement.location_code,
        path=cause.path,
        key=cause.key,
        body_sha256=cause.body_sha256,
        happened_at=cause.happened_at,
        recorded_at=cause.recorded_at,
    )
    # The caller's copy follows; nobody else can have moved the account inside this transaction.
    setattr(member, balance, getattr(member, balance) + movement.miles)


def seed(members: Sequence[Member]) -> None:
    """Put accounts in place of what these numbers had before."""
    Member.objects.filter(pk__in=[member.pk for member in members]).delete()
    Member.objects.bulk_create(members)


def start_over() -> None:
    """Forget every account and movement and put the test cards back."""
    LedgerEntry.objects.all().delete()
    Member.objects.all().delete()
    Member.objects.bulk_create(cards.all_cards())
