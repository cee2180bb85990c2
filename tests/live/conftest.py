"""Real processes, once for these tests: a sandbox, and a web server that can be killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.counter import Counter
from tests.servers.stack import Sandbox, Web, sandbox_running, web_running

# A platform call may take 8 s and a right to send lasts 10 s, so that a test need not wait for
# half a minute, and a busy machine still answers; the proportions are those of RELIABILITY 4.3.
TIMINGS = {
    "PLATFORM_CONNECT_S": "8",
    "PLATFORM_TOTAL_S": "8",
    "PLATFORM_MARGIN_S": "1",
    "PLATFORM_LEASE_S": "10",
}


@pytest.fixture(scope="session")
def _live_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_running(tmp_path_factory.mktemp("live") / "sandbox") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def _live_web(tmp_path_factory: pytest.TempPathFactory, _live_sandbox: Sandbox) -> Iterator[Web]:
    data: Path = tmp_path_factory.mktemp("live") / "milepost"
    with web_running(data, _live_sandbox, **TIMINGS) as web:
        yield web


@pytest.fixture
def sandbox(_live_sandbox: Sandbox) -> Sandbox:
    """The sandbox as on its first morning."""
    _live_sandbox.control("reset")
    return _live_sandbox


@pytest.fixture
def web(_live_web: Web, sandbox: Sandbox) -> Web:
    """The web server that faces it."""
    assert _live_web.sandbox is sandbox
    if not _live_web.is_running:
        # A test that failed between a kill and the restart must not take the others with it.
        _live_web.start()
    return _live_web


@pytest.fixture
def counter(web: Web) -> Counter:
    """A cashier who has signed in at a till of store 0001."""
    return Counter.opened(web.url)
