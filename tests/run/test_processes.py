"""Where a run lives and what it starts: read from the environment, each fault one sentence."""

import socket
from pathlib import Path

import pytest

from backoffice import embedded, processes
from backoffice.processes import CannotStart, Place
from backoffice.supervisor import Supervisor


def test_without_an_environment_everything_is_brought_along() -> None:
    place = Place.of({})
    assert (place.port, place.sandbox_port) == (8000, 8100)
    assert place.data == processes.ROOT / "var"
    assert place.brings_broker
    assert place.brings_sandbox


def test_a_given_broker_or_platform_is_used_instead() -> None:
    place = Place.of({"CELERY_BROKER_URL": "redis://b/0", "AIRMILES_BASE_URL": "https://p"})
    assert not place.brings_broker
    assert not place.brings_sandbox


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "8000 ", "٨٠٠٠"])
def test_a_port_that_is_none_is_named(text: str) -> None:
    with pytest.raises(CannotStart, match="PORT must be a port number"):
        Place.of({"PORT": text})


def test_every_process_has_a_command_with_this_runs_ports_and_folder(tmp_path: Path) -> None:
    table = processes.commands(Place.of({"PORT": "81", "MILEPOST_DATA": str(tmp_path)}))
    assert set(table) == {"sandbox", "training", "prepare", "web", "worker", "beat", "settle"}
    assert "81" in table["web"]
    assert str(tmp_path / "beat-schedule") in table["beat"]


def test_only_what_sweeps_has_more_calls_at_once_than_the_pages_can_spare() -> None:
    table = processes.commands(Place.of({}))
    more = {name for name in table if processes.settings_of(name)}
    assert more == {"worker", "settle"}
    assert int(processes.settings_of("settle")["PLATFORM_CALLS_AT_ONCE"]) > processes.WEB_THREADS


def test_an_unknown_process_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert processes.main(["wbe"]) == 1
    assert "Name one process: sandbox, training, prepare, web" in capsys.readouterr().err


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        supervisor = Supervisor({"PORT": port, "MILEPOST_DATA": str(tmp_path)})
        with pytest.raises(CannotStart, match=f"Port {port} cannot be used .*set PORT"):
            supervisor.check_ports()


def test_one_port_for_web_and_sandbox_is_refused(tmp_path: Path) -> None:
    place = {"PORT": "8100", "SANDBOX_PORT": "8100", "MILEPOST_DATA": str(tmp_path)}
    with pytest.raises(CannotStart, match="PORT and SANDBOX_PORT are the same"):
        Supervisor(place).check_ports()


def test_a_training_sandbox_comes_along_on_a_port_of_its_own(tmp_path: Path) -> None:
    run = Supervisor({"MILEPOST_DATA": str(tmp_path)})
    port = run.place.training_port
    assert run.environment["MILEPOST_TRAINING_URL"] == f"http://127.0.0.1:{port}"
    assert port not in {0, run.place.port, run.place.sandbox_port}
    assert run.commands["training"][-4:] == [
        "--port",
        str(port),
        "--data",
        str(tmp_path / "training"),
    ]
    assert run.commands["sandbox"][-1] != run.commands["training"][-1]


def test_a_training_port_is_kept_to_and_is_nobody_elses(tmp_path: Path) -> None:
    place = {"MILEPOST_DATA": str(tmp_path), "TRAINING_PORT": "8100"}
    with pytest.raises(CannotStart, match="SANDBOX_PORT and TRAINING_PORT are the same"):
        Supervisor(place).check_ports()


@pytest.mark.parametrize(
    "set_up", [{"MILEPOST_TRAINING_URL": "http://training:8100"}, {"AIRMILES_BASE_URL": "http://a"}]
)
def test_no_training_sandbox_comes_where_one_is_or_where_the_platform_is_another(
    tmp_path: Path, set_up: dict[str, str]
) -> None:
    run = Supervisor({"MILEPOST_DATA": str(tmp_path), **set_up})
    assert not run.place.brings_training
    assert run.environment.get("MILEPOST_TRAINING_URL") == set_up.get("MILEPOST_TRAINING_URL")


def test_two_runs_never_share_a_data_folder(tmp_path: Path) -> None:
    environment = {"MILEPOST_DATA": str(tmp_path)}
    with Supervisor(environment).own_data():
        other = Supervisor(environment)
        with pytest.raises(CannotStart, match="already running"), other.own_data():
            pass


def test_the_brokers_socket_lives_with_the_data(tmp_path: Path) -> None:
    folder = Path("/tmp/m")
    assert embedded.socket_path(folder) == folder / "valkey.sock"


@pytest.mark.parametrize("name", ["a folder", "d" * 100])
def test_a_path_no_socket_can_have_gets_a_short_one(tmp_path: Path, name: str) -> None:
    path = embedded.socket_path(tmp_path / name)
    try:
        assert path.parent.is_dir()
        assert len(str(path)) < embedded.LONGEST_SOCKET_PATH
        assert " " not in str(path)
    finally:
        path.parent.rmdir()
