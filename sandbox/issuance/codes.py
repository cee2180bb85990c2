"""The calls, statuses and errors of issuance (PLATFORM 2.9 and 7.2).

Only `CollectorNotFound` is the programme's; the other errors are ours (FIDELITY.md).
"""

from enum import StrEnum


class Call(StrEnum):
    """The eight calls of issuance, as the recorded samples and the ledger name them."""

    POST = "post"
    POST_EVENT = "post-event"
    REVERSE = "issuance-reverse"
    REVERSE_EVENT = "issuance-reverse-event"
    RECORD = "record"
    CALCULATE = "calculate"
    ISSUE = "issue"
    RETURN = "return"


GIVING = frozenset({Call.POST, Call.POST_EVENT, Call.ISSUE})
TAKING = frozenset({Call.REVERSE, Call.REVERSE_EVENT, Call.RETURN})
EVENTS = frozenset({Call.POST_EVENT, Call.REVERSE_EVENT})


class Status(StrEnum):
    """What became of one item."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"


# errorCode -> errorReason.
ERRORS = {
    "CollectorNotFound": "The requested collector does not exist.",
    "CollectorInactive": "The collector's account is not active.",
    "OfferExpired": "The offer has expired.",
    "OfferNotFound": "The offer is not set up for this sponsor.",
    "OriginalNotFound": "The original transaction does not exist for this sponsor and collector.",
    "OfferNotIssued": "The original transaction gave no miles for this offer.",
    "AlreadyReversed": "All miles of the original transaction were taken back before.",
    "MoreThanIssued": "More miles than the original transaction has left for this offer.",
    "MoreThanBought": "More than the original transaction has left was to be returned.",
    "ItemsRequired": "A part of a transaction with items can only be returned by its items.",
    "InsufficientMiles": "The collector has fewer miles than are to be taken back.",
    "NotProcessed": "The transaction could not be processed.",
    "TransactionInProgress": "Another transaction of this collector is in progress.",
    "IdempotencyKeyReused": "The Idempotency-Key was used before, with another body.",
    "InvalidRequest": "The request is not a plain JSON object.",
    "InvalidField": "The field is missing or not of the documented form.",
    "InternalError": "The request failed due to an internal error.",
}

# Told to send the same request again, or never understood: nothing worth keeping.
NEVER_REMEMBERED = frozenset(
    {
        "IdempotencyKeyReused",
        "InternalError",
        "InvalidField",
        "InvalidRequest",
        "TransactionInProgress",
    }
)
