"""One transaction told as a story: what happened, when, and who did it. Words only."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from amcash.codes import CODES, Code
from backoffice import clock
from backoffice.audit.models import AuditEntry
from backoffice.journal import quarantine
from backoffice.journal.models import Attempt, Transaction
from backoffice.journal.states import CLAIMABLE, GRANTED, Operation, Shown, State

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# What an audit entry's event is called; its first half only repeats the kind of operation.
_EVENTS: Final[dict[str, "StrPromise"]] = {
    "armed": _("Right to send recorded"),
    "rearmed": _("Sent again at once, unchanged"),
    "claimed": _("Sent again by the sweep, unchanged"),
    "queued": _("Queued to be sent"),
    "doubted": _("No certain answer: not confirmed"),
    "doubt": _("No certain answer: not confirmed"),
    "approved": _("Approved by the programme"),
    "declined": _("Refused by the programme"),
    "declined_after_doubt": _("Refused on re-check"),
    "expired": _("Too late for the programme"),
    "left_to_a_person": _("Left to a person"),
    "manual": _("Left to a person"),
    "contradicted": _("A second, different answer came"),
    "not_sent": _("Closed without sending"),
    "cancelled": _("Customer paid another way"),
    "presented": _("Shown at the till"),
    "given_back_unshown": _("Given back by the store’s policy: nobody was shown it"),
    "hurried": _("Asked to be checked now"),
    "deadline_near": _("Still open close to its deadline"),
    "pending": _("With the programme, not finished"),
    "confirmed": _("Confirmed by the programme"),
    "partial": _("Confirmed in part"),
    "rejected": _("Rejected by the programme"),
    "done": _("Recorded by the programme"),
    "waiting": _("Still open after a long time"),
    "credit_given": _("Given instead of the miles"),
    "decision_proposed": _("A decision was proposed"),
    "decision_confirmed": _("The decision was confirmed by a second person"),
    "decision_rejected": _("The proposal was not confirmed"),
    "dealt_with": _("Seen and dealt with"),
    "revealed": _("Full number shown"),
    "erased": _("What leads back to the collector was erased"),
}
_SILENCES: Final[dict[str, "StrPromise"]] = {
    "refused": _("The programme’s address refused the connection"),
    "unresolved": _("The programme’s address was not found"),
    "connect_timeout": _("No connection in time"),
    "late": _("The right to send had passed"),
    "busy": _("All places for calls were taken"),
    "no_token": _("No access token to send with"),
    "read_timeout": _("No whole answer in time"),
    "write_timeout": _("Not sent as a whole in time"),
    "closed": _("Closed without an answer"),
    "reset": _("Connection reset"),
    "cut": _("Half an answer"),
    "garbled": _("An answer that is not HTTP"),
    "tls": _("The encrypted connection failed"),
    "encoded": _("An answer in an encoding not asked for"),
    "too_large": _("An answer too large to be the programme’s"),
    "other": _("No answer"),
}
_DOORS: Final[dict[str, "StrPromise"]] = {
    "console": _("Console"),
    "switch": _("Switch"),
    "settle": _("Sweep"),
    "office": _("Back office"),
}
_WHYS: Final[dict[Shown, "StrPromise"]] = {
    Shown.WAITING: _("It is with the programme; the answer is due within seconds."),
    Shown.DOUBT: _("No certain answer yet. The same request is asked until there is one."),
    Shown.CANCELLING: _("No certain answer yet. It will be given back if it went through."),
    Shown.QUEUED: _("Nothing of it has been sent yet."),
    Shown.NOT_SENT: _("Nothing of it was ever sent; nothing was taken."),
    Shown.APPROVED: _("Approved by the programme; no till has shown it yet."),
    Shown.DONE: _("Approved by the programme and shown at the till."),
    Shown.DECLINED: _("The programme refused it; nothing was taken."),
    Shown.DECLINED_AFTER_DOUBT: _(
        "The programme refused it on re-check. An earlier send may have caused that."
    ),
    Shown.EXPIRED: _("The programme’s time for it was over."),
    Shown.MANUAL: _("No rule can settle it; a person decides."),
    Shown.PENDING: _("The programme has it and has not finished."),
    Shown.CONFIRMED: _("Confirmed by the programme."),
    Shown.PARTIAL: _("Confirmed by the programme in part."),
    Shown.REJECTED: _("The programme rejected it."),
}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One thing that happened. `by` is a person, a till or a process of ours; `approved_by` is the
    manager who approved it over the cashier's screen."""

    at: datetime
    what: "StrPromise | str"
    by: str
    channel: "StrPromise | str"
    code: str
    approved_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Try:
    """One send to the programme, and what came of it."""

    attempt: Attempt
    silence: "StrPromise | str"


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The last moment to reverse, and whether it still matters."""

    at: datetime
    seconds_left: int
    is_open: bool


def moments(row: Transaction) -> list[Moment]:
    """Return what the audit log holds of a transaction, oldest first."""
    entries = AuditEntry.objects.filter(subject=f"transaction:{row.reference}").order_by("id")
    return [
        Moment(
            at=entry.at,
            what=event_word(entry.event),
            by=entry.actor,
            # The sender's own name says already that no person was at it.
            channel="" if entry.channel == "settle" else _door(entry.channel),
            code=str(entry.details.get("code") or ""),
            approved_by=str(entry.details.get("approved_by") or ""),
        )
        for entry in entries
    ]


def attempts(row: Transaction) -> list[Try]:
    """Return every send of a transaction, in order."""
    return [
        Try(attempt=attempt, silence=silence(attempt.silence))
        for attempt in row.attempts.order_by("fence")
    ]


def silence(kind: str) -> "StrPromise | str":
    """Return what a kind of silence is called."""
    return _SILENCES.get(kind, kind)


def meaning(row: Transaction) -> Code | None:
    """Return the programme's own words for the answer; None for a code outside its table."""
    return CODES.get(row.response_code)


def stops() -> list[str]:
    """Return why nothing may be sent just now, for whoever opens the office."""
    return [quarantine.fault()] if quarantine.standing() else []


def door(row: Transaction) -> "StrPromise | str":
    """Return what the door is called through which a transaction came."""
    return _door(row.channel)


def why(shown: Shown) -> "StrPromise":
    """Return why a transaction stands where it stands, in a sentence."""
    return _WHYS[shown]


def deadline(row: Transaction, now: datetime) -> Deadline:
    """Return the reversal deadline. It is open while a reversal can still come in time."""
    left = clock.time_left(now, row.deadline_at)
    state = State(row.state)
    if row.operation == Operation.REVERSE:
        stands = state in CLAIMABLE
    else:
        stands = state in GRANTED and row.reversed_at is None
    return Deadline(
        at=row.deadline_at,
        seconds_left=int(left.total_seconds()),
        is_open=stands and bool(left),
    )


def _door(channel: str) -> "StrPromise | str":
    return _DOORS.get(channel, channel)


def event_word(event: str) -> "StrPromise | str":
    """Return what an audit entry's event is called."""
    return _EVENTS.get(event.partition(".")[2], event)
