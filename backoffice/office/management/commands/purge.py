"""Empties and forgets what has been kept long enough, now and not only in the night."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backoffice.journal import line, purging, safety


class Command(BaseCommand):
    """Purge all that may go."""

    help = "Empty payloads and forget collectors that have been kept long enough."

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge to the end and say what was done."""
        why = safety.refusal()
        if why:
            raise CommandError(f"Nothing is purged: {why}")
        done = purging.now_and_whole(sender=line.sender_name("purge"), now=timezone.now())
        if done is None:
            raise CommandError("Another process is purging; this one has nothing to do.")
        keep = purging.kept()
        self.stdout.write(
            f"Emptied {done.emptied} payloads of what settled more than {keep.payload_days} days"
            f" ago; forgot the collector of {done.forgotten} transactions and proposals"
            f" older than {keep.number_days} days."
        )
