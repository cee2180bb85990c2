"""Says whether all is well: what is open and how old, what it stands on, and what to do.

It changes nothing and asks the programme nothing, so it may run at any time, from any monitor.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from backoffice.journal import health
from backoffice.journal.health import Fault, Health, Tally


class Command(BaseCommand):
    """Examine the log and its surroundings."""

    help = "Say what is open, what is out of bounds and what to do; exit 1 if anything is."
    # It reports what the checks find, together with all the rest, instead of stopping at them.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --json."""
        parser.add_argument("--json", action="store_true", help="one JSON object for a machine")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found; leave with 1 when anything is out of bounds."""
        found: Health | None = None
        faults = list(_of_the_settings())
        try:
            faults += _of_the_schema()
            if not any(fault.name == "migrations" for fault in faults):
                found = health.examine(now=timezone.now())
                faults += found.faults()
        except Error as error:
            faults.append(
                Fault(
                    name="database",
                    found=f"The database does not answer ({type(error).__name__}).",
                    to_do="Start it, or correct DATABASE_URL; nothing is sent meanwhile.",
                )
            )
        self.stdout.write(_json(found, faults) if options["json"] else _text(found, faults))
        if faults:
            raise SystemExit(1)


def _of_the_settings() -> Iterator[Fault]:
    for message in checks.run_checks():
        if message.level >= checks.WARNING and not message.is_silenced():
            yield Fault(
                name="settings", found=message.msg, to_do=message.hint or "Correct the setting."
            )
    if settings.SETTLE_EVERY_S > settings.PLATFORM_LEASE_S:
        yield Fault(
            name="settings",
            found="SETTLE_EVERY_S is longer than PLATFORM_LEASE_S, so what is due waits.",
            to_do="Set SETTLE_EVERY_S to a few seconds.",
        )


def _of_the_schema() -> list[Fault]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return []
    return [
        Fault(
            name="migrations",
            found=f"{len(missing)} migrations have not been applied.",
            to_do="Run `manage.py migrate`.",
        )
    ]


def _json(found: Health | None, faults: list[Fault]) -> str:
    report = {
        "is_well": not faults,
        "faults": [asdict(fault) for fault in faults],
        **(asdict(found) if found else {}),
    }
    return json.dumps(report, cls=DjangoJSONEncoder)


def _text(found: Health | None, faults: list[Fault]) -> str:
    lines = list(_readings(found)) if found else []
    for fault in faults:
        lines += ["", f"OUT OF BOUNDS  {fault.name}", f"  {fault.found}", f"  {fault.to_do}"]
    if not faults:
        lines += ["", "All is well."]
    return "\n".join(lines).lstrip("\n")


def _readings(found: Health) -> Iterator[str]:
    yield f"at                 {found.at:%Y-%m-%d %H:%M:%S} UTC"
    for state, tally in found.states.items():
        yield f"{state:<18} {_say(tally)}"
    yield f"lapsed leases      {_say(found.lapsed)}"
    yield f"due too long       {_say(found.due_too_long)}"
    yield f"past their time    {_say(found.past_their_time)}"
    yield f"not presented      {_say(found.not_presented)}"
    yield f"missed deadlines   {_say(found.missed_deadlines)}"
    yield f"waiting long       {_say(found.waiting_long)}"
    for reason, tally in found.with_a_person.items():
        yield f"with a person      {reason}: {_say(tally)}"
    word = {True: "up", False: "down", None: "not known"}[found.programme_is_up]
    heard = "never asked" if found.echo_age_s is None else f"asked {found.echo_age_s} s ago"
    yield f"programme          {word}, {heard}"
    opened = [f"{one.product} open ({one.why})" for one in found.breakers]
    yield f"breakers           {', '.join(opened) or 'closed'}"
    sweep = "never" if found.sweep_age_s is None else f"{found.sweep_age_s} s ago"
    yield f"last sweep         {sweep}"
    for key_id, count in sorted(found.sealed_under.items()):
        yield f"sealed with        {key_id}: {count}"
    purge = "never" if found.purge_age_s is None else f"{found.purge_age_s} s ago"
    yield f"last purge         {purge}"
    yield f"time zone rules    tzdata {found.tzdata}"
    skew = "the database has no clock of its own"
    yield f"clock skew         {skew if found.skew_ms is None else f'{found.skew_ms} ms'}"
    yield f"may be armed       {'no' if found.unsafe or found.quarantine else 'yes'}"


def _say(tally: Tally) -> str:
    return f"{tally.count}" + (f", the oldest {tally.oldest_s} s" if tally.count else "")
