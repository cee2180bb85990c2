"""Puts right what the programme rejected: the same sale or return once more, for another card or as
it was, as a new operation that names the old one. What was given is never asked for again.
"""

from dataclasses import dataclass
from datetime import datetime

from backoffice.cards import Card, EntryMode
from backoffice.devices import office
from backoffice.journal import payloads
from backoffice.journal.choices import NeedsPerson, OfferStatus
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from backoffice.people.actors import Actor, Channel
from backoffice.people.models import User
from backoffice.units import Miles
from issuance import messages, returns, services
from issuance.codes import BY_PATH, Message
from issuance.lines import BasketMessage
from issuance.orders import Award, Basket, IssuanceOrder, ReturnOrder

_OF_SALES = frozenset({Operation.ISSUE, Operation.RETURN})
_BY_THE_PROGRAMME = frozenset({Message.ISSUE, Message.RETURN})


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What may be sent in place of a rejected one. `awards` are empty where the programme
    calculates; `miles` is what would then be asked for, None where it says so."""

    row: Transaction
    card: Card
    basket: Basket
    awards: tuple[Award, ...]
    original_id: str

    @property
    def miles(self) -> Miles | None:
        """The miles of our own offers that would be asked for."""
        return Miles(sum(award.miles for award in self.awards)) if self.awards else None


def is_open(row: Transaction) -> bool:
    """Say whether a rejected operation of a sale waits to be put right."""
    return (
        Operation(row.operation) in _OF_SALES
        and State(row.state) in {State.REJECTED, State.PARTIAL}
        and row.needs_person == NeedsPerson.REJECTED
    )


def of(row: Transaction) -> Correction | None:
    """Return what may be sent in its place; None where nothing may.

    Nothing may once its bytes are gone, nor where the programme calculates and gave a part: it
    would give that part once more.
    """
    if not is_open(row):
        return None
    message = BY_PATH[row.path]
    if State(row.state) is State.PARTIAL and message in _BY_THE_PROGRAMME:
        return None
    body = payloads.body_of(row)
    asked = messages.parse_request(message, body) if body else None
    if not isinstance(asked, BasketMessage):
        return None
    sold = returns.sold_in(asked)
    given = {one.offer_id for one in row.offers.all() if one.status != OfferStatus.REJECTED}
    mode = EntryMode(row.card_entry_mode or EntryMode.MANUAL)
    return Correction(
        row=row,
        card=Card(number=asked.collector_number, entry_mode=mode),
        basket=sold.basket,
        awards=tuple(award for award in sold.awards if award.offer_id not in given),
        original_id=asked.original_id,
    )


def send(correction: Correction, card: Card, *, person: User, now: datetime) -> Transaction:
    """Send it, for this card; a second press returns what the first began.

    Raises services.Refused, and office.NumberTaken; nothing was written then.
    """
    row = correction.row
    device = office.device_of(row.store, by=person.username)
    actor = Actor(user=person, device=device, channel=Channel.OFFICE)
    # One rejected operation is put right once, so this names the press as well as a random value.
    client_ref = f"correct-{row.reference.hex}"
    if Operation(row.operation) is Operation.ISSUE:
        order = IssuanceOrder(
            client_ref=client_ref,
            sale_ref=row.sale_ref,
            card=card,
            basket=correction.basket,
            language=row.language,
            awards=correction.awards,
        )
        return services.give(order, actor=actor, now=now, corrects=row).transaction
    back = ReturnOrder(
        client_ref=client_ref,
        sale_ref=row.sale_ref,
        card=card,
        basket=correction.basket,
        language=row.language,
        original=row.original.reference if row.original is not None else None,
        original_id=correction.original_id,
        awards=correction.awards,
    )
    return services.take_back(back, row.original, actor=actor, now=now, corrects=row).transaction
