"""The issuance messages, statuses and errors, as data (PLATFORM 2.8, 2.9 and 7.2).

The HTTP status decides first, then the status of every offer, case folded. What is documented
nowhere is unknown: doubt, neither miles given nor refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Message(StrEnum):
    """The messages of issuance, by the name that the log and the samples have for them."""

    POST = "post"
    POST_EVENT = "post_event"
    REVERSE = "reverse"
    REVERSE_EVENT = "reverse_event"
    RECORD = "record"
    CALCULATE = "calculate"
    ISSUE = "issue"
    RETURN = "return"


EVENTS = frozenset({Message.POST_EVENT, Message.REVERSE_EVENT})


class Status(StrEnum):
    """What became of the miles of one offer (the POST page, issuances.status)."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"


class Reading(StrEnum):
    """What an answer says of one message."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    PARTIAL = "partial"
    REJECTED = "rejected"
    DONE = "done"
    BUSY = "busy"
    MANUAL = "manual"
    NOT_EXECUTED = "not_executed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Form:
    """What is documented of one message.

    `has_key` says that it takes an Idempotency-Key; `earns_by_offer` that its answer tells a status
    for each offer; `may_earn_nothing` that an answer without any offer is a whole one.
    """

    message: Message
    path: str
    statuses: frozenset[int]
    has_key: bool
    earns_by_offer: bool
    may_earn_nothing: bool = False


_MOVES = frozenset({200, 202, 400, 500})
_TELLS = frozenset({200, 400, 500})


def _form(
    message: Message, path: str, statuses: frozenset[int], *, nothing: bool = False
) -> tuple[Message, Form]:
    moves = statuses is _MOVES
    return message, Form(
        message=message,
        path=f"/checkout/issuance/{path}",
        statuses=statuses,
        has_key=moves,
        earns_by_offer=moves,
        may_earn_nothing=nothing,
    )


FORMS: dict[Message, Form] = dict(
    (
        _form(Message.POST, "post", _MOVES),
        _form(Message.POST_EVENT, "post/event", _MOVES),
        _form(Message.REVERSE, "reverse", _MOVES),
        _form(Message.REVERSE_EVENT, "reverse/event", _MOVES),
        _form(Message.RECORD, "record", _TELLS),
        _form(Message.CALCULATE, "calculate", _TELLS),
        _form(Message.ISSUE, "issue", _MOVES, nothing=True),
        _form(Message.RETURN, "return", _MOVES, nothing=True),
    )
)
BY_PATH: dict[str, Message] = {form.path: message for message, form in FORMS.items()}


@dataclass(frozen=True, kw_only=True)
class Error:
    """One row of the audit errors. Only CollectorNotFound is documented; see FIDELITY.md."""

    code: str
    reason: str
    is_documented: bool = False
    # Another transaction of the collector is in progress: asked again, never a rejection.
    is_busy: bool = False


_ERRORS = (
    Error(
        code="CollectorNotFound",
        reason="The requested collector does not exist.",
        is_documented=True,
    ),
    Error(
        code="TransactionInProgress",
        reason="Another transaction of this collector is in progress.",
        is_busy=True,
    ),
)
ERRORS: dict[str, Error] = {error.code.casefold(): error for error in _ERRORS}

# The pages ask for at least two more tries, at once (PRODUCT 4).
TRIES_ON_500 = 3


def status_of(text: str) -> Status | None:
    """Return the status that a page or an answer names in any case, or None."""
    try:
        return Status(text.strip().upper())
    except ValueError:
        return None


def is_busy(error_codes: Iterable[str]) -> bool:
    """Say whether an error tells that the collector has another transaction in progress."""
    found = (ERRORS.get(code.casefold()) for code in error_codes)
    return any(error is not None and error.is_busy for error in found)


def read(
    message: Message,
    http: int,
    statuses: tuple[str, ...] | None,
    *,
    error_codes: Iterable[str] = (),
    earlier_unknown: bool,
    is_acknowledged: bool = False,
) -> Reading:
    """Return what an answer says: its HTTP status, then the status of each offer.

    `statuses` is None where the body is none of the programme's. `earlier_unknown` says that an
    earlier send of the same operation has no known outcome, so a refusal of this one proves
    nothing of that one. `is_acknowledged` says that an earlier answer was that it is not finished:
    then a refusal is the end of it only if it rejects the offers themselves.
    """
    form = FORMS[message]
    if http == 401:
        # The token, renewed once already: nothing was executed.
        return Reading.NOT_EXECUTED
    if http not in form.statuses or http == 500:
        return Reading.UNKNOWN
    if statuses is None:
        return Reading.UNKNOWN
    if is_busy(error_codes):
        return Reading.BUSY
    if http == 400:
        is_the_end = {status_of(text) for text in statuses} == {Status.REJECTED}
        is_clear = is_the_end if is_acknowledged else not earlier_unknown
        return Reading.REJECTED if is_clear else Reading.MANUAL
    if not form.earns_by_offer:
        return Reading.DONE
    return _read_offers(form, http, statuses)


def _read_offers(form: Form, http: int, statuses: tuple[str, ...]) -> Reading:
    known = {status_of(text) for text in statuses}
    if None in known:
        return Reading.UNKNOWN
    if Status.PENDING in known:
        return Reading.PENDING
    if not known:
        if http == 202:
            return Reading.PENDING
        # A POST names its offers, so an answer without them decides none.
        return Reading.CONFIRMED if form.may_earn_nothing else Reading.UNKNOWN
    if known == {Status.CONFIRMED}:
        return Reading.CONFIRMED
    return Reading.REJECTED if known == {Status.REJECTED} else Reading.PARTIAL
