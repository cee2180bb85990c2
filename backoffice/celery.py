"""The Celery application: only a clock and muscle. What to send, and when, is in rows."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
app = Celery("milepost")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _write_nothing_to_standard_output(**_named: object) -> None:
    """Give a worker a standard output that never fails; it logs to standard error.

    Told to stop, Celery first says so there and only then notes it. Where the reader has gone, as
    a killed supervisor has, it would fail between the two, take that for a lost connection to the
    broker, and work on for ever.
    """
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)


celeryd_init.connect(_write_nothing_to_standard_output)
