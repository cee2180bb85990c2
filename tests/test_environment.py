"""What the environment may say: every fault in one message, and no lax choice by forgetting."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backoffice.environment import Environment, development_secret, new_secret_key
from backoffice.vault import Keyring

ROOT = Path(__file__).parent.parent
PRODUCTION = {
    "AIRMILES_BASE_URL": "https://airmilesapis.ca",
    "AIRMILES_TOKEN_URL": "https://login.airmilesapis.ca/oauth/token",
    "AIRMILES_AUDIENCE": "https://partners.loyalty.com",
    "AIRMILES_CLIENT_ID": "northgate",
    "AIRMILES_CLIENT_SECRET": "given",
    "MILEPOST_SECRET_KEY": new_secret_key(),
    "MILEPOST_DATA_KEYS": Keyring.generate(),
}
LOAD = "import os, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'backoffice.settings')"


def started(folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of their own, with this environment and no other."""
    environment = {"PATH": os.environ["PATH"], "MILEPOST_DATA": str(folder), **values}
    return subprocess.run(
        [sys.executable, "-c", f"{LOAD}; django.setup()"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def last_line(process: subprocess.CompletedProcess[str]) -> str:
    assert process.returncode != 0, "it started"
    return process.stderr.strip().splitlines()[-1]


def test_forgetting_everything_is_production_and_one_message_names_all_of_it(
    tmp_path: Path,
) -> None:
    message = last_line(started(tmp_path))
    for name in PRODUCTION:
        assert f"{name} is not set." in message
    assert message.count("Milepost cannot start:") == 1
    # Not even a secret for development is left behind.
    assert not (tmp_path / "development").exists()


def test_production_starts_with_what_it_needs(tmp_path: Path) -> None:
    process = started(tmp_path, **PRODUCTION)
    assert process.returncode == 0, process.stderr


def test_development_needs_nothing(tmp_path: Path) -> None:
    process = started(tmp_path, MILEPOST_ENV="development")
    assert process.returncode == 0, process.stderr
    assert stat.S_IMODE((tmp_path / "development" / "data-keys").stat().st_mode) == 0o600


def test_every_malformed_value_is_named_in_one_message_also_those_read_last(
    tmp_path: Path,
) -> None:
    malformed = {
        "PLATFORM_TOTAL_S": "ten",
        "MILEPOST_WEB_THREADS": "4.5",
        "SETTLE_EVERY_S": "often",
        "ECHO_EVERY_S": "nan",
        "DATABASE_URL": "mysql://db/milepost",
        "MILEPOST_DATA_KEYS": "not-a-key",
    }
    message = last_line(started(tmp_path, **{**PRODUCTION, **malformed}))
    for name in malformed:
        assert name in message
    assert "not-a-key" not in message.replace("'not-a-key'", "")


# --- Value by value -------------------------------------------------------------------------------


def faults(environment: Environment) -> str:
    try:
        environment.finish()
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def env(**values: str) -> Environment:
    return Environment(values=values)


@pytest.mark.parametrize("value", [None, "production"])
def test_production_is_what_is_not_development(value: str | None) -> None:
    environment = env(**({} if value is None else {"MILEPOST_ENV": value}))
    assert environment.is_production and not faults(environment)
    development = env(MILEPOST_ENV="development")
    assert not development.is_production and not faults(development)


@pytest.mark.parametrize("value", ["", "Development", "dev", "staging", " development"])
def test_a_misspelt_environment_is_production_and_a_fault(value: str) -> None:
    environment = env(MILEPOST_ENV=value)
    assert environment.is_production and "MILEPOST_ENV is" in faults(environment)


LOCAL = [
    "https://localhost",
    "https://LOCALHOST:8100",
    "https://localhost.",
    "https://sandbox.localhost",
    "https://127.0.0.1:8100/x",
    "https://127.8.9.10",
    "https://127.1",
    "https://2130706433",
    "https://0x7f000001",
    "https://0x7f.0.0.1",
    "https://0",
    "https://0.0.0.0",
    "https://[::1]",
    "https://[::]",
    "https://[::ffff:127.0.0.1]",
]


@pytest.mark.parametrize("url", LOCAL)
def test_production_refuses_this_machine_by_any_of_its_names(url: str) -> None:
    environment = env(AIRMILES_BASE_URL=url)
    environment.platform_url("AIRMILES_BASE_URL", default="")
    assert "AIRMILES_BASE_URL points at this machine" in faults(environment)


@pytest.mark.parametrize(
    "url", ["https://airmilesapis.ca", "https://cert.airmilesapis.ca/", "https://10.0.0.5:8443"]
)
def test_production_takes_an_https_address_elsewhere(url: str) -> None:
    environment = env(AIRMILES_BASE_URL=url)
    assert environment.platform_url("AIRMILES_BASE_URL", default="") == url.rstrip("/")
    assert not faults(environment)


def test_production_refuses_plain_http_and_the_demo_client() -> None:
    environment = env(AIRMILES_BASE_URL="http://airmilesapis.ca", AIRMILES_CLIENT_ID="milepost")
    environment.platform_url("AIRMILES_BASE_URL", default="")
    environment.credential("AIRMILES_CLIENT_ID", default="")
    assert "AIRMILES_BASE_URL must be an https address." in faults(environment)
    assert "AIRMILES_CLIENT_ID is the sandbox's demo client" in faults(environment)


@pytest.mark.parametrize(
    "url",
    [
        "airmilesapis.ca",
        "ftp://airmilesapis.ca",
        "https://",
        "https:///path",
        "https://[::1",
        "https://host:port",
        "https://host:99999",
        "https://user:secret@airmilesapis.ca",
        "https://airmilesapis.ca?x=1",
        "https://airmilesapis.ca/../x",
    ],
)
@pytest.mark.parametrize("mode", ["production", "development"])
def test_what_is_no_address_stops_the_start_and_not_the_first_call(url: str, mode: str) -> None:
    environment = env(AIRMILES_BASE_URL=url, MILEPOST_ENV=mode)
    environment.platform_url("AIRMILES_BASE_URL", default="")
    message = faults(environment)
    assert "AIRMILES_BASE_URL" in message and "secret" not in message


def test_development_takes_the_sandbox_next_door() -> None:
    environment = env(MILEPOST_ENV="development")
    url = environment.platform_url("AIRMILES_BASE_URL", default="http://127.0.0.1:8100")
    assert url == "http://127.0.0.1:8100"
    assert environment.credential("AIRMILES_CLIENT_ID", default="milepost") == "milepost"
    assert not faults(environment)


@pytest.mark.parametrize("value", ["ten", "1,5", "1e999", "nan", "inf", "-inf", "0x10", "1 0"])
def test_a_number_that_is_none_is_a_fault_and_the_default_stands_in(value: str) -> None:
    environment = env(PLATFORM_TOTAL_S=value)
    assert environment.number("PLATFORM_TOTAL_S", "10", float) == 10
    assert f"PLATFORM_TOTAL_S is {value!r}, which is not a number." in faults(environment)


@pytest.mark.parametrize("value", ["0", "-1", "0.0"])
def test_a_time_or_a_count_of_nothing_is_a_fault(value: str) -> None:
    environment = env(SETTLE_EVERY_S=value)
    assert environment.number("SETTLE_EVERY_S", "2", float) == 2
    assert f"SETTLE_EVERY_S is {value!r}; it must be more than zero." in faults(environment)


@pytest.mark.parametrize(("value", "number"), [("", 10), ("  ", 10), ("0.5", 0.5), (" 3 ", 3)])
def test_a_number_is_read_or_its_default(value: str, number: float) -> None:
    environment = env(PLATFORM_TOTAL_S=value)
    assert environment.number("PLATFORM_TOTAL_S", "10", float) == number
    assert not faults(environment)


@pytest.mark.parametrize("value", ["", "   "])
def test_a_blank_is_missing_in_production_and_the_default_elsewhere(value: str) -> None:
    environment = env(AIRMILES_AUDIENCE=value)
    assert environment.text("AIRMILES_AUDIENCE", default="somewhere") == ""
    assert "AIRMILES_AUDIENCE is not set." in faults(environment)
    development = env(AIRMILES_AUDIENCE=value, MILEPOST_ENV="development")
    assert development.text("AIRMILES_AUDIENCE", default="somewhere") == "somewhere"
    assert not faults(development)


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("sqlite:////data/milepost.sqlite3", "sqlite3"),
        ("postgres://milepost@db/milepost", "postgresql"),
        ("postgresql://milepost@db/milepost", "postgresql"),
    ],
)
def test_a_database_is_one_of_two(url: str, engine: str) -> None:
    environment = env(DATABASE_URL=url)
    assert str(environment.database("")["ENGINE"]).endswith(engine)
    assert not faults(environment)


@pytest.mark.parametrize("url", ["mysql://db/x", "nonsense", "http://db", "postgres://db:port/x"])
def test_any_other_database_is_a_fault(url: str) -> None:
    environment = env(DATABASE_URL=url)
    environment.database("sqlite:///x")
    assert "DATABASE_URL must name a sqlite:// or postgres:// database." in faults(environment)


@pytest.mark.parametrize("value", ["sandbox", "Milepost", "SANDBOX"])
def test_the_sandboxs_own_secret_is_refused_in_any_case(value: str) -> None:
    environment = env(MILEPOST_ENV="production", AIRMILES_CLIENT_SECRET=value)
    environment.credential("AIRMILES_CLIENT_SECRET", default="sandbox")
    assert "AIRMILES_CLIENT_SECRET is the sandbox's demo client" in faults(environment)


def test_a_short_secret_is_refused() -> None:
    environment = env(MILEPOST_ENV="production", MILEPOST_SECRET_KEY="x" * 49)
    environment.secret("MILEPOST_SECRET_KEY")
    assert "MILEPOST_SECRET_KEY is too short" in faults(environment)
    assert env(MILEPOST_SECRET_KEY="x" * 50).secret("MILEPOST_SECRET_KEY") == "x" * 50


def test_a_fault_is_named_once_and_without_any_there_is_none() -> None:
    environment = env()
    environment.text("MILEPOST_SECRET_KEY")
    environment.text("MILEPOST_SECRET_KEY")
    assert faults(environment).count("MILEPOST_SECRET_KEY") == 1
    env().finish()


def test_a_secret_of_development_is_made_once_and_kept(tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> str:
        made.append(new_secret_key())
        return made[-1]

    first = development_secret(tmp_path, "secret-key", make)
    assert development_secret(tmp_path, "secret-key", make) == first == made[0]
    assert len(made) == 1 and len(first) == 64
    assert [path.name for path in (tmp_path / "development").iterdir()] == ["secret-key"]


def test_of_two_processes_that_make_a_secret_one_decides(tmp_path: Path) -> None:
    def make() -> str:
        # The other process has finished its own meanwhile.
        (tmp_path / "development" / "secret-key").write_text("theirs")
        return "ours"

    assert development_secret(tmp_path, "secret-key", make) == "theirs"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://AIRMILESAPIS.ca/training", "is the programme's platform"),
        ("https://airmilesapis.ca:443", "is the programme's platform"),
        ("https://airmilesapis.ca.", "is the programme's platform"),
        ("ftp://training:8100", "must be a URL"),
        ("http://training.example.com", "must begin with https://"),
        ("https://training.example.com/?a=b", "plain URL"),
    ],
)
def test_the_training_sandbox_is_never_the_programmes_platform(
    tmp_path: Path, url: str, fault: str
) -> None:
    assert fault in last_line(started(tmp_path, **PRODUCTION, MILEPOST_TRAINING_URL=url))


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1:8101", "http://training:8100", "https://training.example.com"]
)
def test_a_training_sandbox_may_be_anywhere_else(tmp_path: Path, url: str) -> None:
    process = started(tmp_path, **PRODUCTION, MILEPOST_TRAINING_URL=url)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(
    ("value", "is_production", "fault"),
    [
        ("", True, ""),
        ("https://milepost.example", True, ""),
        ("https://Milepost.example/", True, ""),
        ("https://milepost.example:8443", True, ""),
        ("http://localhost:8000", False, ""),
        ("http://localhost:8000", True, "https"),
        ("http://milepost.example", False, "https"),
        ("https://milepost.example/office", True, "like"),
        ("https://milepost.example:443", True, "like"),
        ("https://10.0.0.1", True, "like"),
        ("http://127.0.0.1:8000", False, "like"),
        ("https://[::1]", True, "like"),
        ("https://ada@milepost.example", True, "like"),
        ("milepost.example", True, "like"),
        ("https://milepost.example:x", True, "like"),
    ],
)
def test_an_address_of_ours_is_what_a_browser_tells(
    value: str, is_production: bool, fault: str
) -> None:
    env = Environment(
        values={"NAME": value, "MILEPOST_ENV": "production" if is_production else "development"}
    )
    told = env.origin("NAME", default="")
    assert [fault in sentence for sentence in env.faults] == ([True] if fault else [])
    assert fault or told == value.casefold().rstrip("/")
