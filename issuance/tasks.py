"""What Celery runs. It is a clock and muscle: which row is due, and when, is in the database."""

from celery import shared_task

from backoffice.journal import line
from issuance import sweep


@shared_task(name="issuance.settle_due", ignore_result=True)  # type: ignore[untyped-decorator]
def settle_due() -> None:
    """Settle what is due, for a turn; the clock begins the next one."""
    sweep.a_turn(sender=line.sender_name("worker"))
