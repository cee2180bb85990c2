"""What changed in the log, in the order in which it was committed. Reads only.

Every change of a transaction that a reader can see leaves an entry of the audit log in its own
commit, about itself or about the reversal or correction that names it. So whoever reads the entries
on from a place, no further than they are whole, and then the transactions that they are about,
misses no change; one may come twice. Two things leave none: an attempt whose late answer changed
nothing else, and the nightly purge, which empties the last four digits of old rows.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from backoffice.audit import places
from backoffice.audit.models import AuditEntry
from backoffice.journal import selectors
from backoffice.journal.models import LogState, Transaction
from backoffice.journal.selectors import Scope

_SUBJECT = "transaction:"


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far somebody has read: an entry's number, and in which life of the log.

    A log that was restored begins another life once its quarantine is lifted: what was read of an
    earlier one may never have been.
    """

    life: str
    entry: int


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Transactions as they are now, and the place up to which that holds what changed."""

    rows: tuple[Transaction, ...]
    place: Place
    has_more: bool


class AnotherLife(Exception):
    """The place is of a life that the log no longer has, or one that it has not come to."""


def latest() -> Place:
    """Return the place at which the log stands now."""
    return Place(life=_present(_lives()), entry=places.reach().whole_until)


def since(place: Place | None, scope: Scope, *, most_entries: int) -> Changes:
    """Return what changed after a place, or since the log began; raises AnotherLife.

    Reads so many entries at most, whatever they are about, so an answer may have no rows although
    there is more.
    """
    lives, reach = _lives(), places.reach()
    if place is not None and (place.life not in _same(lives) or place.entry > reach.last):
        raise AnotherLife
    begins = place.entry if place is not None else 0
    found = list(
        AuditEntry.objects.filter(id__gt=begins, id__lte=reach.whole_until)
        .order_by("id")
        .values_list("id", "subject")[: most_entries + 1]
    )
    has_more = len(found) > most_entries
    found = found[:most_entries]
    ends = found[-1][0] if has_more else max(reach.whole_until, begins)
    return Changes(
        rows=_about((subject for _id, subject in found), scope=scope),
        place=Place(life=_present(lives), entry=ends),
        has_more=has_more,
    )


def _about(subjects: Iterable[str], *, scope: Scope) -> tuple[Transaction, ...]:
    """Return what these entries are about, and what it gives back or puts right, oldest first."""
    # A row, and the row that it reverses or corrects, if any.
    keys = Transaction.objects.filter(reference__in=_references(subjects)).values_list(
        "pk", "reverses_id", "corrects_id"
    )
    named = {key for of_one in keys for key in of_one} - {None}
    if not named:
        return ()
    return tuple(selectors.visible(scope).filter(pk__in=named).order_by("pk"))


def _references(subjects: Iterable[str]) -> set[UUID]:
    found = set()
    for subject in subjects:
        # What is about something else, or was masked, names no transaction.
        with contextlib.suppress(ValueError):
            if subject.startswith(_SUBJECT):
                found.add(UUID(subject.removeprefix(_SUBJECT)))
    return found


def _lives() -> list[str]:
    state = LogState.objects.order_by("pk").first()
    return list(state.lives) if state is not None else []


def _present(lives: list[str]) -> str:
    return lives[-1] if lives else ""


def _same(lives: list[str]) -> set[str]:
    """Return the names under which the present life was told; the first one had none at first."""
    return {_present(lives), ""} if len(lives) <= 1 else {_present(lives)}
