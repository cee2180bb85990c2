"""Brings a place up to date before anything serves: schema, static files, the demo partner.

Safe to run at every start; the second time it finds everything there. Says what it does on lines
that begin with "milepost:"; all else it prints is for the person at the terminal (the sign-ins).
"""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError


def say(text: str) -> None:
    sys.stdout.write(f"milepost: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Prepare this place; the result is the process's exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    try:
        django.setup()
        say("bringing the database up to date ...")
        call_command("migrate", interactive=False, verbosity=0)
    except ImproperlyConfigured as error:
        # Already one sentence that names each faulty setting.
        say(str(error))
        return 1
    except OperationalError as error:
        reason = " ".join(str(error).split())
        say(f"the database cannot be used: {reason}")
        return 1
    say("collecting static files ...")
    call_command("collectstatic", interactive=False, verbosity=0)
    # A demo partner among real shops would be an open door.
    if not settings.MILEPOST_PRODUCTION:
        say("seeding the demo partner ...")
        call_command("demo")
    return 0


if __name__ == "__main__":
    sys.exit(main())
