"""The device that the back office stands for: it has a number like a till and no till can be it."""

from django.utils.translation import gettext_lazy as _

from backoffice.audit import trail
from backoffice.devices.models import Device
from backoffice.stores.models import Store


class NumberTaken(Exception):
    """A till of the store has the number that the sponsor's settings give the office."""


def device_of(store: Store, *, by: str) -> Device:
    """Return the office's device of a store; the first act of an office adds it.

    It is never active, so nobody serves customers at it and nothing pairs with it. Raises
    NumberTaken.
    """
    number = store.sponsor.office_device
    device, is_new = Device.objects.select_related("store__sponsor").get_or_create(
        store=store, number=number, defaults={"name": str(_("Back office")), "is_active": False}
    )
    if device.is_active:
        raise NumberTaken(number)
    if is_new:
        trail.record(
            "device.added",
            subject=f"device:{device.pk}",
            actor=by,
            channel="office",
            store=store.number,
            device=number,
        )
    return device
