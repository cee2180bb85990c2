"""The platform of these tests: a real sandbox process, or the host that `--platform-url` names.

What needs the sandbox's control plane asks for `sandbox`; against another host such tests are
not collected, and the rest run as they are.
"""

import os
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from backoffice.journal import line
from backoffice.wire import forget_connections
from tests.contract.peer import Peer
from tests.servers.plugin import leave_out
from tests.servers.stack import Sandbox, sandbox_running

# A real host's credentials; the suite takes no others from the environment.
_OWN = "MILEPOST_TEST_"
# Long enough on a busy machine; the tests of silence choose a shorter one, in which a busy machine
# must still answer where nothing keeps it.
PATIENT_S = 20.0
HASTY_S = 3.0
LEASE_S = 5.0
MARGIN_S = 0.2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what turns the sandbox's knobs when the platform is not the sandbox."""
    if config.getoption("--platform-url"):
        leave_out(config, items, lambda item: "sandbox" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the whole run, on a port of its own."""
    with sandbox_running(tmp_path_factory.mktemp("contract") / "sandbox") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox as on its first morning, with its control plane."""
    sandbox_process.control("reset")
    return sandbox_process


@pytest.fixture
def platform_url(request: pytest.FixtureRequest) -> str:
    """Return where the platform answers."""
    given = str(request.config.getoption("--platform-url") or "")
    if given:
        return given.rstrip("/")
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    return sandbox.url


@pytest.fixture
def credentials(platform_url: str) -> dict[str, str]:
    """Return how to get a token there: the sandbox's demo client unless a host's own is given."""
    return {
        "token_url": os.environ.get(f"{_OWN}TOKEN_URL", f"{platform_url}/oauth/token"),
        "client_id": os.environ.get(f"{_OWN}CLIENT_ID", "milepost"),
        "client_secret": os.environ.get(f"{_OWN}CLIENT_SECRET", "sandbox"),
        "audience": os.environ.get(f"{_OWN}AUDIENCE", "https://partners.loyalty.com"),
    }


@pytest.fixture
def peer(platform_url: str, credentials: dict[str, str]) -> Peer:
    """Return a bare client with a token, which knows nothing of Milepost."""
    return Peer.signed_in(platform_url, **credentials)


@pytest.fixture
def wired(settings: Settings, platform_url: str, credentials: dict[str, str]) -> Iterator[Settings]:
    """Have Milepost's own wire face the platform, patiently; return the settings to change."""
    settings.AIRMILES_BASE_URL = platform_url
    settings.AIRMILES_TOKEN_URL = credentials["token_url"]
    settings.AIRMILES_CLIENT_ID = credentials["client_id"]
    settings.AIRMILES_CLIENT_SECRET = credentials["client_secret"]
    settings.AIRMILES_AUDIENCE = credentials["audience"]
    settings.PLATFORM_CONNECT_S = settings.PLATFORM_TOTAL_S = PATIENT_S
    settings.PLATFORM_MARGIN_S = MARGIN_S
    settings.PLATFORM_LEASE_S = PATIENT_S + LEASE_S
    line.platform.cache_clear()
    forget_connections()
    yield settings
    forget_connections()
    line.platform.cache_clear()


@pytest.fixture
def hasty(wired: Settings) -> Settings:
    """Milepost waits for an answer as short a time as the tests of silence can bear."""
    wired.PLATFORM_CONNECT_S = wired.PLATFORM_TOTAL_S = HASTY_S
    wired.PLATFORM_LEASE_S = LEASE_S
    line.platform.cache_clear()
    return wired
