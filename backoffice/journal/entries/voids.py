"""Commits that a redemption which the log does not have is not to be sent should it still come.

A till voids by its own trace number a request of which it heard nothing. That request may be on its
way yet: in a line, or at a server that was frozen. Of the two commits, the void's and the one that
opens the redemption, the second one to come sees the first; so never do both win.
"""

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet
from django.db.transaction import atomic

from backoffice import clock
from backoffice.audit import trail
from backoffice.devices.models import Device
from backoffice.journal.entries import rows
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation
from backoffice.journal.surroundings import VoidedTrace
from backoffice.people.actors import Actor, Channel


def voidable(
    trace_id: str, collector_mac: str, *, device: Device, now: datetime
) -> QuerySet[Transaction]:
    """Return a till's redemptions under a trace number that can still be reversed, newest first, of
    one collector where one is named."""
    found = Transaction.objects.filter(
        operation=Operation.REDEEM,
        is_training=False,
        trace_id=trace_id,
        device=device,
        # A trace number may come round again; a reversal is only for what can be reversed.
        deadline_at__gt=now,
    )
    if collector_mac:
        found = found.filter(collector_mac=collector_mac)
    return found.order_by("-id")


def hold_back(trace_id: str, collector_mac: str, *, actor: Actor, now: datetime) -> bool:
    """Commit that nothing is sent of this till's redemption under a trace number, should it come
    before this programme day ends; say whether that holds: False means that it has come by now.

    The number of a collector, where one is given, says which redemption is looked for in the log.
    """
    device = actor.device
    zone = clock.zone_named(device.store.sponsor.programme_zone)
    with atomic(durable=True):
        # A redemption that is being opened in this moment holds this row (`is_voided`): its commit
        # is waited for and then seen. One that comes later waits for this commit.
        Device.objects.select_for_update().get(pk=device.pk)
        if voidable(trace_id, collector_mac, device=device, now=now).exists():
            return False
        voided = VoidedTrace.objects.filter(device=device)
        voided.filter(until__lte=now).delete()
        _, is_new = voided.get_or_create(
            device=device,
            trace_id=trace_id,
            # As long as a redemption of this moment could be voided.
            defaults={"voided_at": now, "until": clock.reversal_deadline(now, zone)},
        )
        if is_new:
            trail.record(
                "redemption.voided_unread",
                subject=f"trace:{trace_id}",
                actor=rows.name(actor),
                channel=actor.channel,
                store=device.store.number,
                device=device.number,
            )
    return True


def is_voided(row: Transaction, now: datetime) -> bool:
    """Say, in the commit that opens a redemption, whether its till has voided it before; no till
    voids it as unread before that commit ends."""
    if row.operation != Operation.REDEEM or row.channel != Channel.SWITCH:
        # Milepost's own trace numbers are told to nobody who could void them.
        return False
    if connection.vendor == "postgresql":
        # The weakest lock that a void waits for, in a statement of its own: the next one then sees
        # what the void has committed meanwhile. SQLite has one writer at a time.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM devices_device WHERE id = %s FOR KEY SHARE", [row.device_id]
            )
    return VoidedTrace.objects.filter(
        device=row.device_id, trace_id=row.trace_id, until__gt=now
    ).exists()
