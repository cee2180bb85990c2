"""Makes the request of a reversal out of the redemption that it undoes. Writes nothing."""

from datetime import datetime

from amcash import client, messages
from amcash.orders import AsSent
from backoffice.cards import Card, EntryMode
from backoffice.devices.models import Device
from backoffice.journal import payloads
from backoffice.journal.entries import Intent
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation


def unwanted(redemption: Transaction, now: datetime) -> Intent:
    """Return the reversal of an approval that the customer does not want, whoever asks for it."""
    return intent_of(
        redemption,
        now,
        device=redemption.device,
        # One reversal that nobody pressed for, however often it is asked for.
        client_ref=f"unwanted:{redemption.reference}",
        language=redemption.language,
    )


def card_of(redemption: Transaction) -> Card | None:
    """Return the card of a redemption as it was read; None once its bytes are no longer kept."""
    body = payloads.body_of(redemption)
    if not body:
        return None
    number, entry_mode = messages.card_of(body)
    # A till may write it in any case (PLATFORM 2.1).
    return Card(number=number, entry_mode=EntryMode(entry_mode.upper()))


def intent_of(
    redemption: Transaction,
    now: datetime,
    *,
    device: Device,
    client_ref: str,
    language: str,
    as_sent: AsSent | None = None,
) -> Intent:
    """Return the reversal of a redemption as it is to be sent from a till.

    The card need not be at hand: its number and entry mode are the redemption's own (PRODUCT 4).
    """
    number, entry_mode = messages.card_of(payloads.body_of(redemption))
    sent = as_sent or _ours(
        redemption, now, device=device, card=(number, entry_mode), language=language
    )
    return Intent(
        operation=Operation.REVERSE,
        path=messages.REVERSE_PATH,
        body=sent.body,
        trace_id=sent.trace_id,
        client_ref=client_ref,
        sale_ref=redemption.sale_ref,
        language=language,
        card_number=number,
        card_entry_mode=entry_mode,
        basket_cents=redemption.basket_cents,
        asked_cents=redemption.amount_cents,
        reverses=redemption,
        asked=sent.asked,
    )


def _ours(
    redemption: Transaction, now: datetime, *, device: Device, card: tuple[str, str], language: str
) -> AsSent:
    number, entry_mode = card
    trace_id = client.new_trace_id()
    body = messages.reverse(
        client.terminal_of(device),
        collector_number=number,
        entry_mode=entry_mode,
        confirmation_number=redemption.confirmation_number,
        sent_at=now.astimezone(device.store.tzinfo),
        trace_id=trace_id,
        language=language,
    )
    return AsSent(body=body, trace_id=trace_id, asked=str(redemption.reference))
