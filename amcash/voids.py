"""The story of a void: a till gives up a redemption whose answer never came, by the trace number
that it had sent with it (docs/integrators.md).
"""

from datetime import datetime

from amcash import services
from backoffice.journal import entries, payloads
from backoffice.journal.models import Transaction
from backoffice.journal.states import UNSETTLED, State
from backoffice.people.actors import Actor


def named(
    trace_id: str, collector_number: str, *, actor: Actor, now: datetime
) -> Transaction | None:
    """Return this till's latest redemption with a trace number that can still be reversed, of this
    card where one is named.

    Where there is none, nothing is sent of one that still comes: the request may be under way yet.
    """
    mac = payloads.vault().blind_index(collector_number) if collector_number else ""
    found = _latest(trace_id, mac, actor=actor, now=now)
    if found is None and not entries.hold_back(trace_id, mac, actor=actor, now=now):
        # It has come in this very moment.
        found = _latest(trace_id, mac, actor=actor, now=now)
    return found


def given_up(redemption: Transaction, *, actor: Actor, now: datetime) -> Transaction:
    """Have an open redemption come to nothing: closed where nothing had left, and otherwise asked
    to its end and given back in the commit that records an approval (R11)."""
    if redemption.state == State.QUEUED:
        redemption = services.pay_otherwise(redemption, actor=actor, now=now).transaction
    if State(redemption.state) in UNSETTLED:
        redemption = services.cancel(redemption, actor=actor, now=now).transaction
    return redemption


def _latest(trace_id: str, mac: str, *, actor: Actor, now: datetime) -> Transaction | None:
    rows = entries.voidable(trace_id, mac, device=actor.device, now=now)
    return rows.select_related("store__sponsor", "device", "user").first()
