"""Begins and lifts a quarantine, and says whether one is on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backoffice.journal import quarantine, safety
from backoffice.people.models import Role, User

_CHANNEL = "shell"


class Command(BaseCommand):
    """Keep everything from being sent after a restore, until an administrator lifts it."""

    help = "Say whether a quarantine is on (exit 1 if so); begin one; lift it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --start or --lift, each with who and why."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--start", action="store_true", help="send nothing from now on")
        which.add_argument("--lift", action="store_true", help="send again what is due")
        parser.add_argument("--why", default="", help="a note, kept in the audit log")
        parser.add_argument("--by", default="", help="the username of an administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is asked, or say how it stands."""
        if not options["start"] and not options["lift"]:
            self._say()
            return
        why, by = options["why"].strip(), options["by"].strip()
        if not why or not by:
            raise CommandError("Say who and why: --by USERNAME --why TEXT.")
        administrators = User.objects.filter(is_active=True, role=Role.ADMINISTRATOR)
        if not administrators.filter(username=by).exists():
            raise CommandError(f"{by} is no active administrator.")
        if options["start"]:
            now = timezone.now()
            changed = quarantine.start(why=why, actor=by, channel=_CHANNEL, now=now)
            said = "The quarantine is on." if changed else "The quarantine was on already."
        else:
            changed = quarantine.lift(why=why, actor=by, channel=_CHANNEL)
            said = "The quarantine is lifted." if changed else "There was no quarantine."
        safety.forget()
        self.stdout.write(said)

    def _say(self) -> None:
        found = quarantine.standing()
        if found is None:
            self.stdout.write("There is no quarantine.")
            return
        since = f"since {found.since:%Y-%m-%d %H:%M:%S} UTC" if found.since else "not recorded yet"
        self.stdout.write(f"In quarantine, {since}: {found.why}")
        raise SystemExit(1)
