"""Where the code or number on a receipt leads. Reads; decides nothing."""

import re
import uuid

from django.http import Http404
from django.urls import reverse

from backoffice.journal import sales, selectors
from backoffice.journal.models import Transaction
from cashier.frames import Frame

_NOT_IN_A_CODE = re.compile(r"[._-]")


def address_of(frame: Frame, number: str) -> str | None:
    """Return where to bring back what a receipt is of, or to reverse its redemption.

    A redemption is found by its confirmation number, miles by ours, the programme's or the till's
    own number of the sale. None where nobody here knows it.
    """
    redemption = _redemption(frame, _NOT_IN_A_CODE.sub("", number))
    if redemption is None:
        issued = sales.find_issuance(frame.user, number, is_training=frame.is_training)
    else:
        issued = sales.issuance_of(frame.user, redemption)
    if issued is not None and sales.given_of(issued):
        return reverse("cashier:bring_back", args=[issued.reference])
    if redemption is not None:
        return reverse("cashier:reverse", args=[redemption.reference])
    return reverse("cashier:sale", args=[issued.reference]) if issued else None


def visible_row(frame: Frame, reference: uuid.UUID) -> Transaction:
    """Return a row that may be seen at this till: a real one, or in training a practised one.

    Raises Http404.
    """
    try:
        return selectors.get_visible(frame.user, reference, is_training=frame.is_training)
    except Transaction.DoesNotExist as missing:
        raise Http404 from missing


def _redemption(frame: Frame, code: str) -> Transaction | None:
    """Return the redemption with this code, as scanned or as a person types capitals."""
    for written in dict.fromkeys((code, code.upper())):
        found = selectors.find_redemption(
            frame.user,
            store=frame.store,
            confirmation_number=written,
            is_training=frame.is_training,
        )
        if found is not None:
            return found
    return None
