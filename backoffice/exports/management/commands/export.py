"""`manage.py export KIND --from --to`: the office's export for the operator's shell."""

import getpass
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backoffice import clock
from backoffice.exports import transactions
from backoffice.journal import selectors
from backoffice.journal.selectors import LogFilters
from backoffice.stores.models import Sponsor


class Command(BaseCommand):
    """Write an export of every store to standard output or a file."""

    help = "Export the transaction log as CSV: --from is included, --to is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what is exported, from when to when, and where to."""
        moment = "a day or a local time, as 2026-11-20 or 2026-11-20T13:30"
        parser.add_argument("kind", choices=["transactions"], help="what to export")
        parser.add_argument("--from", dest="starts", default="", help=moment)
        parser.add_argument("--to", dest="ends", default="", help=moment)
        parser.add_argument("--format", default="csv", choices=["csv"])
        parser.add_argument("--zone", default="", help="whose clock; the programme's if not given")
        parser.add_argument("--output", default="-", help="a file, or - for standard output")
        parser.add_argument(
            "--excel", action="store_true", help="start the file with a mark that Excel looks for"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        zone = _zone(options["zone"])
        starts, ends = (_instant(options[name], zone) for name in ("starts", "ends"))
        if starts and ends and ends <= starts:
            raise CommandError("--to lies before --from.")
        export = transactions.begin(
            scope=selectors.EVERY_STORE,
            filters=LogFilters(opened_from=starts, opened_before=ends),
            zone=zone,
            actor=_operator(),
            channel="shell",
            now=timezone.now(),
        )
        pieces = transactions.csv_bytes(export, has_mark=options["excel"])
        if options["output"] == "-":
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            with Path(options["output"]).open("wb") as file:
                file.writelines(pieces)


def _zone(name: str) -> ZoneInfo:
    if not name:
        sponsor = Sponsor.objects.first()
        name = sponsor.programme_zone if sponsor else "America/Toronto"
    try:
        return clock.zone_named(name)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not a day or a time such as 2026-11-20T13:30.") from error
    if local.tzinfo is not None:
        return local
    return clock.instant_of(local.date(), local.time(), zone)


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no name.
        return "operator"
