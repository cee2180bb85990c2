"""Feels the platform's pulse with ECHO, which moves nothing; never shown as a transaction."""

from django.utils import timezone

from amcash import client, services
from backoffice.devices.models import Device
from backoffice.journal import programme


def take() -> bool:
    """Send one ECHO for any active till and note the answer; return whether the platform is up."""
    device = (
        Device.objects.filter(is_active=True, store__is_active=True)
        .select_related("store__sponsor")
        .first()
    )
    if device is None:
        return False
    heard = client.echo(services.terminal_of(device))
    code = heard.answer.code if heard.answer else ""
    is_up = code == "0000"
    programme.heard(
        is_up=is_up, answer_ms=heard.duration_ms, response_code=code[:8], now=timezone.now()
    )
    return is_up
