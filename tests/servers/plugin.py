"""Gives every test run its own place before Django's settings are read.

Loaded by `-p` (pyproject.toml): pytest-django reads the settings before any conftest.py, so the
environment, and PostgreSQL when MILEPOST_TEST_DB=postgres, must be there earlier than that.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import postgres

_place = contextlib.ExitStack()

# A developer's own exports must not steer the tests to a real platform, broker or database.
_FOREIGN = ("AIRMILES_", "CELERY_", "MILEPOST_", "DATABASE_URL", "PORT", "SANDBOX_PORT")
_OURS = ("MILEPOST_TEST_",)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settle the environment; of all hooks this one runs before the settings are read."""
    parser.addoption(
        "--platform-url",
        metavar="URL",
        help="run tests/contract against this host instead of a sandbox of their own; "
        "its client is MILEPOST_TEST_{TOKEN_URL,CLIENT_ID,CLIENT_SECRET,AUDIENCE}",
    )
    parser.addoption(
        "--only-with-a-database",
        action="store_true",
        help="leave out the tests that ask for no test database: which one matters not to them",
    )
    database_url = os.environ.get("DATABASE_URL", "")
    for name in list(os.environ):
        if name.startswith(_FOREIGN) and not name.startswith(_OURS):
            del os.environ[name]
    folder = tempfile.mkdtemp(prefix="milepost-test-")
    _place.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["MILEPOST_ENV"] = "development"
    os.environ["MILEPOST_DATA"] = folder
    # WhiteNoise warns where there are no collected files, and warnings are errors here.
    (Path(folder) / "static").mkdir()
    if os.environ.get("MILEPOST_TEST_DB") == "postgres":
        if not database_url.startswith("postgres"):
            database_url = _place.enter_context(postgres.running(in_memory=True))
        os.environ["DATABASE_URL"] = database_url


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Adapt the settings, which are only known now, to a place where nothing was collected."""
    if url := config.getoption("--platform-url"):
        # The one host beside this machine that a test may speak to, and only when it is named.
        config.option.allow_hosts = f"{config.option.allow_hosts},{urlsplit(url).hostname}"
    from django.conf import settings
    from django.db import connection

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    # A file, unlike memory, is the same database for every thread and process of a test.
    if connection.vendor == "sqlite":
        test_settings = connection.settings_dict["TEST"]
        if not test_settings.get("NAME"):
            test_settings["NAME"] = str(Path(os.environ["MILEPOST_DATA"]) / "test.sqlite3")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks for no test database, where that is wanted."""
    if config.getoption("--only-with-a-database"):
        leave_out(config, items, lambda item: not _has_database(item))


def leave_out(
    config: pytest.Config, items: list[pytest.Item], is_away: Callable[[pytest.Item], bool]
) -> None:
    """Take tests out of a run, and have pytest count them as deselected."""
    away = {item for item in items if is_away(item)}
    config.hook.pytest_deselected(items=[*away])
    items[:] = [item for item in items if item not in away]


def _has_database(item: pytest.Item) -> bool:
    """Say whether pytest-django lets a test reach the database."""
    named = {"db", "transactional_db"} & {*getattr(item, "fixturenames", ())}
    return bool(named) or item.get_closest_marker("django_db") is not None


def pytest_report_header() -> str:
    from django.db import connection

    return f"database: {connection.vendor}"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Leave behind what `bin/test` repeats at its very end: the count, and what was not run."""
    target = os.environ.get("MILEPOST_TEST_REPORT")
    if target is None:
        return
    parts, _color = terminalreporter.build_summary_stats_line()
    skipped: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        skipped[reason] = skipped.get(reason, 0) + 1
    counts = ", ".join(text for text, _markup in parts)
    Path(target).write_text(json.dumps({"counts": counts, "skipped": skipped}), encoding="utf-8")


def pytest_unconfigure() -> None:
    _place.close()
