"""What the log's states, kinds and reasons are called; `states` holds their rules."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.journal import states


class Operation(models.TextChoices):
    """What is asked of the programme, in a reader's words."""

    REDEEM = states.Operation.REDEEM.value, _("Redemption")
    REVERSE = states.Operation.REVERSE.value, _("Reversal")
    ISSUE = states.Operation.ISSUE.value, _("Miles given")
    RETURN = states.Operation.RETURN.value, _("Miles taken back")
    POST_EVENT = states.Operation.POST_EVENT.value, _("Miles given without a sale")
    REVERSE_EVENT = states.Operation.REVERSE_EVENT.value, _("Miles taken back without a sale")
    RECORD = states.Operation.RECORD.value, _("Sale recorded")


class State(models.TextChoices):
    """Where an operation stands, in a reader's words; `states` holds the rules."""

    QUEUED = states.State.QUEUED.value, _("Not sent yet")
    ARMED = states.State.ARMED.value, _("Being sent")
    DOUBT = states.State.DOUBT.value, _("Not confirmed")
    PENDING = states.State.PENDING.value, _("Pending")
    APPROVED = states.State.APPROVED.value, _("Approved")
    MANUAL = states.State.MANUAL.value, _("For a person")
    DONE = states.State.DONE.value, _("Done")
    DECLINED = states.State.DECLINED.value, _("Declined")
    EXPIRED = states.State.EXPIRED.value, _("Too late")
    NOT_SENT = states.State.NOT_SENT.value, _("Not sent")
    CONFIRMED = states.State.CONFIRMED.value, _("Confirmed")
    PARTIAL = states.State.PARTIAL.value, _("Partly confirmed")
    REJECTED = states.State.REJECTED.value, _("Rejected")


class Product(models.TextChoices):
    """What the programme offers, in a reader's words."""

    CASH = states.Product.CASH.value, _("Miles as payment")
    ISSUANCE = states.Product.ISSUANCE.value, _("Miles for a sale")


class Wanted(models.TextChoices):
    """What the customer wants of an operation whose outcome is not known yet."""

    KEEP = states.Wanted.KEEP.value, _("Keep")
    CANCEL = states.Wanted.CANCEL.value, _("Cancel")


class NeedsPerson(models.TextChoices):
    """Why a person must look."""

    REPLAY_OVER = "replay_over", _("No answer came while it was safe to ask")
    REVERSAL_UNCLEAR = "reversal_unclear", _("The first reversal may have worked")
    CONFLICT = "conflict", _("The programme gave two different answers")
    DECLINED_AFTER_DOUBT = "declined_after_doubt", _("Declined after an unknown outcome")
    LATE_BY_US = "late_by_us", _("The reversal missed its deadline")
    REVERSAL_REFUSED = "reversal_refused", _("The miles that were to come back did not")
    INCOMPLETE = "incomplete", _("Approved without its number or its amount")
    REJECTED = "rejected", _("The programme rejected miles")
    REFUSED_AFTER_DOUBT = "refused_after_doubt", _("Refused after an unknown outcome")
    PENDING_LONG = "pending_long", _("The programme does not finish it")
    ORIGINAL_PARTIAL = "original_partial", _("Only a part of its sale’s miles was given")


class Credit(models.TextChoices):
    """What a customer gets when it is too late to give miles back: never cash (PRODUCT 4)."""

    STORE_CREDIT = "store_credit", _("Store credit")
    GIFT_CARD = "gift_card", _("Gift card")


class Step(models.TextChoices):
    """What one person did about a transaction that waits for people."""

    PROPOSED = "proposed", _("Proposed")
    CONFIRMED = "confirmed", _("Confirmed")
    REJECTED = "rejected", _("Not confirmed")
    DEALT_WITH = "dealt_with", _("Seen and dealt with")


class Result(models.TextChoices):
    """What one attempt brought; empty while it is under way or if its sender died."""

    UNDER_WAY = "", _("No answer recorded")
    ANSWERED = "answered", _("Answered")
    UNKNOWN = "unknown", _("Unknown")
    NOT_SENT = "not_sent", _("Not sent")
    NOT_EXECUTED = "not_executed", _("Not executed")


class OfferStatus(models.TextChoices):
    """What became of the miles of one offer."""

    PENDING = "pending", _("Pending")
    CONFIRMED = "confirmed", _("Confirmed")
    REJECTED = "rejected", _("Rejected")
