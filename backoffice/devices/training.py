"""Tills that practise: begun and ended here and nowhere else, each with its audit entry.

While a till is in training nothing that is done at it is real. Who may begin it, and that nothing
real is under way, the doors decide.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from backoffice.devices import history
from backoffice.devices.models import Device


def is_set_up() -> bool:
    """Say whether there is a training sandbox to practise with."""
    return bool(settings.MILEPOST_TRAINING_URL)


def begin(device: Device, *, by: str, approved_by: str, channel: str, now: datetime) -> bool:
    """Put a till into training; say whether this call did it."""
    with transaction.atomic():
        is_new = (
            Device.objects.filter(pk=device.pk, training_since=None).update(training_since=now) == 1
        )
        if is_new:
            history.record(
                "training_begun", device, by=by, channel=channel, approved_by=approved_by
            )
    return is_new


def end(device: Device, *, by: str, approved_by: str, channel: str) -> bool:
    """Take a till out of training; say whether this call did it."""
    with transaction.atomic():
        found = Device.objects.filter(pk=device.pk, training_since__isnull=False)
        was_on = found.update(training_since=None) == 1
        if was_on:
            history.record(
                "training_ended", device, by=by, channel=channel, approved_by=approved_by
            )
    return was_on
