"""What Celery runs. It is a clock and muscle: which row is due, and when, is in the database."""

from celery import shared_task

from amcash import pulse, sweep
from backoffice.journal import line


@shared_task(name="amcash.settle_due", ignore_result=True)  # type: ignore[untyped-decorator]
def settle_due() -> None:
    """Settle what is due, until nothing more is; first ask whether an outage is over."""
    pulse.take_if_open()
    sweep.until_done(sender=line.sender_name("worker"))


@shared_task(name="amcash.echo", ignore_result=True)  # type: ignore[untyped-decorator]
def echo() -> None:
    """Ask the platform whether it is up."""
    pulse.take()
