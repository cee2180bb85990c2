"""What becomes of a device, as entries of the audit log."""

from backoffice.audit import trail
from backoffice.devices.models import Device


def record(
    event: str, device: Device, *, by: str, channel: str, **details: str | int | bool | None
) -> None:
    """Add an entry about a device, in the caller's transaction. Never a code, never a token."""
    trail.record(
        f"device.{event}",
        subject=f"device:{device.pk}",
        actor=by,
        channel=channel,
        store=device.store.number,
        device=device.number,
        details=details,
    )
