"""Settles what is due without a broker: the same function that Celery's workers run."""

import signal
import threading
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from amcash import pulse
from amcash import sweep as cash
from backoffice.journal import line, programme, purging, watch
from issuance import sweep as issuance

log = structlog.get_logger(__name__)

# Nobody waits for a purge; what is due at a till does not wait for it either.
_PURGE_FOR_S = 0.5
# Between two rounds that fail.
_MOST_WAIT_S = 60


class Command(BaseCommand):
    """Settle every due transaction, once or for ever."""

    help = "Settle due transactions; with --forever, until it is told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --forever."""
        parser.add_argument("--forever", action="store_true", help="keep settling")

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle until nothing is due; with --forever, wait and look again."""
        stop = threading.Event()
        if options["forever"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        sender = line.sender_name("settle")
        purge = purging.Purge(sender=sender)
        failures = 0
        while True:
            try:
                _round(sender, stop)
                if options["forever"]:
                    purge.turn(now=timezone.now(), for_s=_PURGE_FOR_S)
                watch.recovered(sender=sender)
                failures = 0
            except (OperationalError, InterfaceError) as error:
                # The database is away: the rows are still due when it is back.
                log.warning("settle.database_away", error=type(error).__name__)
                close_old_connections()
            except Exception as error:
                if not options["forever"]:
                    raise
                failures += 1
                _tell(error, sender, failures)
            if not options["forever"] or stop.wait(_wait_s(failures)):
                return


def _wait_s(failures: int) -> float:
    # What fails at once and always must not fill the disk with its own story.
    most = max(settings.SETTLE_EVERY_S, _MOST_WAIT_S)
    return float(min(settings.SETTLE_EVERY_S * 2 ** min(failures, 16), most))


def _tell(error: Exception, sender: str, failures: int) -> None:
    # A fault of ours at one row must not keep all the others unsettled: it is told, with its
    # traceback and in `doctor`, and the next round begins a little later.
    log.exception("settle.failed", times=failures)
    close_old_connections()
    try:
        watch.failed(sender=sender, error=type(error).__name__)
    except Error as unsaid:
        log.warning("settle.database_away", error=type(unsaid).__name__)


def _round(sender: str, stop: threading.Event) -> None:
    every = timedelta(seconds=settings.ECHO_EVERY_S)
    # In turns, so that a redemption never waits for all the miles that are due, nor does the ECHO.
    sent = 1
    while sent:
        if programme.is_due(timezone.now(), every=every):
            pulse.take()
        pulse.take_if_open()
        sent = cash.until_done(sender=sender, stop=stop)
        sent += issuance.a_turn(sender=sender, stop=stop)
