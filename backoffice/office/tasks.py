"""What Celery runs for the whole house: the purge, where a night's is due."""

from celery import shared_task
from django.utils import timezone

from backoffice.journal import line, purging


@shared_task(name="office.purge", ignore_result=True)  # type: ignore[untyped-decorator]
def purge() -> None:
    """Do the night's purge where it is due and nobody else is at it."""
    purging.Purge(sender=line.sender_name("purge")).turn(now=timezone.now())
