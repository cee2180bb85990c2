"""Settles what is due without a broker: the same function that Celery's workers run."""

import math
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
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
# Between two tries of what fails.
_MOST_WAIT_S = 60

Run = Callable[[str, threading.Event], int]


@dataclass
class Part:
    """One part of what is to be done, and how it fared: each rests after its own faults alone.

    `run` returns how much it got on with.
    """

    run: Run
    failures: int = 0
    rests_until: float = -math.inf
    fault: Exception | None = None


class Command(BaseCommand):
    """Settle every due transaction, once or for ever."""

    help = "Settle due transactions; with --forever, until it is told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --forever."""
        parser.add_argument("--forever", action="store_true", help="keep settling")

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle until nothing is due; with --forever, wait and look again."""
        stop = threading.Event()
        sender = line.sender_name("settle")
        settling = _settling()
        if not options["forever"]:
            _round(settling, sender, stop)
            faults = [part.fault for part in settling if part.fault is not None]
            if faults:
                raise faults[0]
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        beside = [Part(run=_purging(sender))]
        noting = Part(run=_note_recovery)
        while True:
            _round(settling, sender, stop)
            for part in beside:
                _turn(part, sender, stop)
            if not any(part.failures for part in [*settling, *beside]):
                _turn(noting, sender, stop)
            if stop.wait(settings.SETTLE_EVERY_S):
                return


def _settling() -> list[Part]:
    return [Part(run=_feel_pulse), Part(run=_settle_cash), Part(run=_settle_miles)]


def _round(parts: list[Part], sender: str, stop: threading.Event) -> None:
    # In turns, so that a redemption never waits for all the miles that are due, nor does the ECHO.
    sent = 1
    while sent:
        sent = sum(_turn(part, sender, stop) for part in parts)


def _turn(part: Part, sender: str, stop: threading.Event) -> int:
    """Give one part its turn, whatever became of the others; return how much it got on with."""
    if time.monotonic() < part.rests_until:
        return 0
    try:
        done = part.run(sender, stop)
        part.failures, part.fault = 0, None
    except (OperationalError, InterfaceError) as error:
        # The database is away: the rows are still due when it is back.
        log.warning("settle.database_away", error=type(error).__name__)
        part.fault, part.rests_until = None, time.monotonic() + _wait_s(0)
        close_old_connections()
        return 0
    except Exception as error:
        part.failures += 1
        part.fault, part.rests_until = error, time.monotonic() + _wait_s(part.failures)
        _tell(error, sender, part.failures)
        return 0
    return done


def _wait_s(failures: int) -> float:
    # What fails at once and always must not fill the disk with its own story.
    most = max(settings.SETTLE_EVERY_S, _MOST_WAIT_S)
    return float(min(settings.SETTLE_EVERY_S * 2 ** min(failures, 16), most))


def _tell(error: Exception, sender: str, failures: int) -> None:
    # A fault of ours at one row must not keep all the others unsettled: it is told, with its
    # traceback and in `doctor`, and the next try begins a little later.
    log.exception("settle.failed", times=failures)
    close_old_connections()
    try:
        watch.failed(sender=sender, error=type(error).__name__)
    except Error as unsaid:
        log.warning("settle.database_away", error=type(unsaid).__name__)


def _feel_pulse(sender: str, stop: threading.Event) -> int:
    if programme.is_due(timezone.now(), every=timedelta(seconds=settings.ECHO_EVERY_S)):
        pulse.take()
    pulse.take_if_open()
    return 0


def _settle_cash(sender: str, stop: threading.Event) -> int:
    return cash.until_done(sender=sender, stop=stop)


def _settle_miles(sender: str, stop: threading.Event) -> int:
    return issuance.a_turn(sender=sender, stop=stop)


def _purging(sender: str) -> Run:
    purge = purging.Purge(sender=sender)

    def run(sender: str, stop: threading.Event) -> int:
        purge.turn(now=timezone.now(), for_s=_PURGE_FOR_S)
        return 0

    return run


def _note_recovery(sender: str, stop: threading.Event) -> int:
    watch.recovered(sender=sender)
    return 0
