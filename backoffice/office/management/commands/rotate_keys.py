"""Seals with the present key whatever an older one has sealed, beside running processes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from backoffice.journal import entries, health, payloads
from backoffice.journal.entries import Batch, Place
from backoffice.people import factors
from issuance import approvals


class Command(BaseCommand):
    """Re-encrypt in small commits; stopped and begun again, it goes on where it was."""

    help = "Seal everything with the first key of MILEPOST_DATA_KEYS; say which keys may go."

    def handle(self, *args: Any, **options: Any) -> None:
        """Re-encrypt what other keys have sealed, then count anew and say what is left."""
        present = payloads.vault().writing_id
        unreadable = 0
        for key_id in sorted(set(_sealed_under()) - {present}):
            done = 0
            for batch in _batches(key_id):
                done += batch.done
                unreadable += batch.unreadable
            done += factors.reseal(key_id) + approvals.reseal(key_id)
            self.stdout.write(f"{key_id}: {done} payloads and secrets sealed anew with {present}.")
        left = {key_id: count for key_id, count in _sealed_under().items() if key_id != present}
        self._say(present, left)
        if left or unreadable:
            raise SystemExit(1)

    def _say(self, present: str, left: dict[str, int]) -> None:
        for key_id, count in left.items():
            self.stdout.write(
                f"{key_id} must stay: it still seals {count} payloads or secrets. A process that"
                " runs with the older keys, or what cannot be opened, leaves them behind: restart"
                " all processes, read the log, and run this again."
            )
        free = [key_id for key_id in payloads.vault().key_ids if key_id not in {present, *left}]
        for key_id in free:
            self.stdout.write(
                f"{key_id} may be taken out of MILEPOST_DATA_KEYS once every process has run with"
                f" {present} first for an hour; backups made before now still need it."
            )
        if not left and not free:
            self.stdout.write(f"Everything is sealed with {present}.")


def _sealed_under() -> Counter[str]:
    return Counter(health.sealed_under()) + Counter(approvals.sealed_under())


def _batches(key_id: str) -> Iterator[Batch]:
    place: Place | None = Place()
    while place is not None:
        batch = entries.reseal(key_id, place)
        yield batch
        place = batch.place
