"""Chromium in front of real processes: a sandbox and Milepost's web server.

Chromium lives as long as one module: while Playwright runs, the thread has an event loop, in which
Django refuses to use a database.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.inspector import Inspector
from tests.browser.till import Till
from tests.servers.stack import Sandbox, Web, sandbox_running, web_running

# On a closed network Chromium must not look for updates; in a container it has little memory.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
]
HOW_TO_GET_IT = "there is no Chromium here: install it (apt-get install chromium) or set CHROMIUM"
_numbers = itertools.count(1)
# Long enough for a busy machine to load a page in.
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives Chromium, so that it can be left out by name."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


def chromium_path(bundled: str) -> str:
    """Return where Chromium is: the environment's, the system's, Playwright's own; or skip."""
    candidates = [os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", bundled]
    for candidate in candidates:
        if candidate and (found := shutil.which(candidate)):
            return found
    pytest.skip(HOW_TO_GET_IT)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module."""
    with sync_playwright() as playwright:
        path = chromium_path(playwright.chromium.executable_path)
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def _processes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Web, Sandbox, Sandbox]]:
    folder = tmp_path_factory.mktemp("browser")
    with (
        sandbox_running(folder / "sandbox") as sandbox,
        sandbox_running(folder / "training") as trainer,
        web_running(folder / "milepost", sandbox, MILEPOST_TRAINING_URL=trainer.url) as web,
    ):
        yield web, sandbox, trainer


@pytest.fixture
def sandbox(browser: Browser, request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox as on its first morning."""
    # Asked for here and not by name, so that nothing is started where there is no browser.
    _web, sandbox, _trainer = request.getfixturevalue("_processes")
    assert isinstance(sandbox, Sandbox)
    sandbox.control("reset")
    return sandbox


@pytest.fixture
def web(sandbox: Sandbox, request: pytest.FixtureRequest) -> Web:
    """The web server that faces it."""
    web, _sandbox, _trainer = request.getfixturevalue("_processes")
    assert isinstance(web, Web) and web.sandbox is sandbox
    return web


@pytest.fixture
def trainer(web: Web, request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox of tills that practise."""
    _web, _sandbox, trainer = request.getfixturevalue("_processes")
    assert isinstance(trainer, Sandbox)
    return trainer


@pytest.fixture
def card(sandbox: Sandbox) -> str:
    """A card that no other test uses: a doubt about it is nobody else's."""
    number = f"8000003{next(_numbers):04d}"
    account = {"collector": number, "cash_miles": 1200, "dream_miles": 545}
    sandbox.control("seed", members=[account])
    return number


@pytest.fixture
def till(browser: Browser, web: Web) -> Iterator[Till]:
    """A browser at a till; at the end nothing may have been complained about."""
    till = Till.open(browser, web.url)
    yield till
    till.close()
    assert till.complaints == []


@pytest.fixture
def inspector() -> Inspector:
    """Nothing seen yet."""
    return Inspector()
