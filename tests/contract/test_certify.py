"""The certification walk against the sandbox's own process: every line is as expected."""

import io

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from backoffice.devices.models import DeviceToken
from backoffice.journal.models import Transaction
from backoffice.office import certification
from backoffice.office.certification import Line
from tests.cast import Cast
from tests.servers.stack import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("wired", "cast")]


def certified() -> str:
    """Return the report on North's first till."""
    said = io.StringIO()
    call_command("certify", "--store", "0001", "--device", "001", stdout=said)
    return said.getvalue()


def test_every_message_and_code_is_answered_as_documented(cast: Cast, sandbox: Sandbox) -> None:
    report = certified()
    lines = [line for line in report.splitlines() if line.startswith("| ")][1:]
    assert len(lines) >= 50 and all("| yes |" in line for line in lines), report
    assert f"{len(lines)} of {len(lines)} as expected." in report
    assert {line.split()[1] for line in lines} == {
        *(f"amcash/{call}" for call in ("echo", "inquire", "redeem", "reverse")),
        *(f"issuance/{call}" for call in ("post", "post/event", "reverse", "reverse/event")),
        *(f"issuance/{call}" for call in ("record", "calculate", "issue", "return")),
    }
    # The walk's own token ends with it.
    assert not DeviceToken.objects.filter(device=cast.till).exists()
    assert Transaction.objects.filter(channel="switch").exists()


def test_another_answer_than_expected_is_told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(call="a", case="b", expected="200", got="500", is_good=False, reference="")
    monkeypatch.setattr(certification, "walk", lambda device, token: iter([line]))
    with pytest.raises(SystemExit) as ended:
        certified()
    assert ended.value.code == 1


@pytest.mark.parametrize("address", ["https://airmilesapis.ca", "https://cert.airmilesapis.ca"])
def test_nothing_is_asked_of_the_real_programme(wired: Settings, address: str) -> None:
    wired.AIRMILES_BASE_URL = address
    with pytest.raises(CommandError, match="sandbox"):
        certified()
