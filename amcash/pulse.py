"""Feels the platform's pulse with ECHO, which moves nothing; never shown as a transaction."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from amcash import client, codes
from amcash.client import Heard
from amcash.codes import Reading
from backoffice.devices.models import Device
from backoffice.journal import breaker, entries, programme
from backoffice.journal.states import Product
from backoffice.people.actors import Actor


def take() -> bool:
    """Send one ECHO for any active till and note the answer; return whether the platform is up."""
    device = _tills().filter(is_active=True, store__is_active=True).first()
    return device is not None and _is_up(feel(device))


def take_if_open(*, patience: timedelta = timedelta(0)) -> None:
    """Send the next ECHO of an open breaker if it is due and nobody else is at it.

    A sweep calls this in every round: at once after the breaker opened, then every 5 s.
    """
    if not programme.take_probe(Product.CASH, timezone.now(), patience=patience):
        return
    # What is in doubt must be settled even when every till has been closed since.
    device = _tills().order_by("-is_active", "pk").first()
    if device is not None:
        feel(device)


def take_if_forsaken(actor: Actor) -> None:
    """Send the ECHO that a sweep should have sent long ago, so that a till opens itself again.

    Who practises asks the programme nothing, not even that.
    """
    if not actor.is_training:
        take_if_open(patience=breaker.FORSAKEN_AFTER)


def feel(device: Device) -> Heard:
    """Send one ECHO for this till, whatever the breaker says; note and return what came back."""
    heard = client.echo(client.terminal_of(device))
    code = heard.answer.code if heard.answer else ""
    known = codes.find(code)
    is_up = _is_up(heard)
    now = timezone.now()
    if is_up and programme.standing(Product.CASH).is_open:
        # First: whoever is killed between the two leaves an open breaker, which is probed again.
        entries.hurry_all(Product.CASH, now=now)
    programme.heard(
        is_up=is_up,
        answer_ms=heard.duration_ms,
        response_code=code[:8],
        now=now,
        is_outage=known is not None and known.reading is Reading.UNAVAILABLE,
        dated=heard.dated,
    )
    return heard


def _tills() -> QuerySet[Device]:
    return Device.objects.select_related("store__sponsor")


def _is_up(heard: Heard) -> bool:
    return heard.answer is not None and heard.answer.code == "0000"
