"""A confirmed return, sent: of each issuance of its sale what that one gave. Decides no miles."""

import uuid

from backoffice.journal.models import Transaction
from cashier.frames import Frame
from cashier.gifts import OpenGift, Part
from cashier.lookups import visible_row
from issuance import services
from issuance.orders import ReturnOrder
from issuance.rules import Reason
from issuance.selectors import card_of, returns_of
from issuance.services import Refused


class PartlySent(Exception):
    """Of one of the sale's issuances miles are taken back, of a later one that was refused."""

    def __init__(self, first: Transaction, refusal: Refused) -> None:
        super().__init__(str(refusal))
        self.first, self.refusal = first, refusal


def taken_back(gift: OpenGift, frame: Frame) -> Transaction:
    """Take back of each issuance of the sale what it gave; return the first return.

    Raises Refused where nothing was sent, and PartlySent.
    """
    if not gift.original:
        return _take_back(gift, frame, Part(original="", awards=gift.awards))
    if _is_overtaken(gift, frame):
        raise Refused(Reason.STATE_CHANGED)
    first, *others = gift.parts
    row = _take_back(gift, frame, first)
    for part in others:
        try:
            _take_back(gift, frame, part)
        except Refused as refusal:
            # Another till came between the two sends.
            raise PartlySent(row, refusal) from refusal
    return row


def _is_overtaken(gift: OpenGift, frame: Frame) -> bool:
    """Say whether another return came since the miles were counted, and nothing of this one went.

    The log looks at each part once more as it is sent; this looks at all before the first.
    """
    for part in gift.parts:
        original = visible_row(frame, uuid.UUID(part.original))
        if original.returns.filter(sale_ref=gift.sale_ref).exists():
            # The same press again: it finds its own.
            return False
        if {str(one) for one in returns_of(original)} - set(part.counted):
            return True
    return False


def _take_back(gift: OpenGift, frame: Frame, part: Part) -> Transaction:
    client_ref = gift.client_ref
    if gift.parts and part != gift.parts[0]:
        # Each has a one-time value of its own, the same at every press.
        client_ref = str(uuid.uuid5(uuid.UUID(gift.client_ref), part.original))
    original, card = None, gift.card
    if part.original:
        original = visible_row(frame, uuid.UUID(part.original))
        # A correction may have gone to another card than the one it corrects.
        card = card_of(original) or card
    order = ReturnOrder(
        client_ref=client_ref,
        sale_ref=gift.sale_ref,
        card=card,
        basket=gift.basket,
        language=frame.language,
        original=original.reference if original else None,
        original_id=gift.original_id,
        awards=part.awards,
        counted=frozenset(uuid.UUID(one) for one in part.counted) if original else None,
    )
    return services.take_back(order, original, actor=frame.actor, now=frame.now).transaction
