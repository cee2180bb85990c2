"""The till of docs/till.py, written from the programme's pages alone, against real processes."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amcash.messages import REDEEM_PATH
from backoffice.embedded import die_with_parent
from backoffice.processes import ROOT
from tests.servers.stack import Sandbox, Web, ask, eventually

COLLECTOR = "80000010001"
SLOW_S = 5
SCRIPT = ROOT / "docs" / "till.py"


def token(web: Web) -> str:
    """Enrol a till of the demo partner."""
    said = web.manage("enrol_device", "--store", "0001", "--device", "002", "--token")
    return said.strip().splitlines()[-1]


@contextlib.contextmanager
def redeeming(web: Web, said: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the till while it redeems $10 of a $43.35 basket."""
    arguments = [web.url, token(web), COLLECTOR, "43.35", "10"]
    with said.open("wb") as output:
        till = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
    try:
        yield till
    finally:
        till.kill()
        till.wait(timeout=60)


def ended(till: "subprocess.Popen[bytes]", web: Web) -> bool:
    """Let the sweep look once more, and say whether the till has ended."""
    web.manage("settle")
    return till.poll() is not None


def test_the_script_is_short_and_knows_nothing_of_milepost() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 100
    imported = set(re.findall(r"^(?:import|from) (\w+)", source, re.M))
    assert imported <= sys.stdlib_module_names
    assert "Milepost-" not in source and "originalTraceId" not in source


def test_a_till_that_loses_its_connection_resends_and_ends_with_one_effect(
    web: Web, sandbox: Sandbox, tmp_path: Path
) -> None:
    said = tmp_path / "till.log"
    sandbox.fault("delay", path=REDEEM_PATH, seconds=SLOW_S, when="after")
    with redeeming(web, said) as till:
        eventually(lambda: sandbox.exchanges(REDEEM_PATH))
        # The platform has it, and the till's connection goes down with the server.
        web.kill()
        eventually(lambda: b"Asking again" in said.read_bytes())
        web.start()
        eventually(lambda: ended(till, web))
    text = said.read_text(encoding="utf-8")
    assert till.returncode == 0, text
    told = re.search(r"Approved: \$10\.00 off, confirmation (\w+)$", text)
    assert told is not None, text
    effects = sandbox.effects(COLLECTOR)
    assert [(one["kind"], one["confirmation"]) for one in effects] == [("redeem", told.group(1))]
    sent = sandbox.exchanges(REDEEM_PATH)
    assert len(sent) >= 2 and len({(one["key"], one["body_sha256"]) for one in sent}) == 1


@pytest.mark.parametrize("key", ["", "\u0084", "\u00e9"])
def test_a_key_of_which_the_web_server_leaves_nothing_is_refused(
    web: Web, sandbox: Sandbox, key: str
) -> None:
    headers = {"Authorization": f"Bearer {token(web)}", "Idempotency-Key": key}
    answer = ask("POST", web.url + REDEEM_PATH, b"{}", headers)
    assert (answer.status, answer.fields["message"][-15:]) == (400, "Idempotency-Key")
