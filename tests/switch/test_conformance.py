"""The switch keeps to its own OpenAPI document whatever arrives: all of schemathesis's checks, and
the walks along the document's links.

Some hundreds of cases run with the suite, always the same, against a scripted platform;
`python -m tests.switch` runs more than 10,000 others against real processes.
"""

import dataclasses
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import connections
from pytest_django.live_server_helper import LiveServer
from schemathesis.config import ChecksConfig

from amcash.messages import INQUIRE_PATH, REVERSE_PATH
from amcash.tills import Call
from backoffice.journal.models import Transaction
from backoffice.journal.states import Operation, State
from backoffice.switch import reference
from backoffice.wire import Reply, Silence
from issuance.codes import FORMS
from tests import scripted as platform
from tests.contract.peer import sample
from tests.issuance.stories import confirmed
from tests.scripted import ScriptedPlatform, Sent
from tests.switch import conformance
from tests.switch.findings import lines
from tests.switch.reader import Reader, links
from tests.switch.till import Till

pytestmark = pytest.mark.django_db(transaction=True)

CASES = 3
FLOWS = 3
LEAST = 500
PATHS = [*(f"/checkout/amcash/{call}" for call in Call), *(form.path for form in FORMS.values())]
PATH_OF = {
    methods["post"]["operationId"]: path
    for path, methods in reference.document()["paths"].items()
    if "post" in methods
}
LINKS = links(reference.document())


def programme() -> Callable[[Sent], Reply | Silence]:
    """The platform on a good day: no two redemptions have the same number."""
    numbers = itertools.count()

    def answer(sent: Sent) -> Reply | Silence:
        if sent.path == INQUIRE_PATH:
            return platform.offer()
        if sent.path == REVERSE_PATH:
            return platform.reversed_()
        if sent.path.startswith("/checkout/amcash/"):
            return platform.approved(txnConfirmationNumber=f"C{next(numbers):011d}")
        offers = len(sent.fields.get("issuances") or "1")
        told = confirmed(*["CONFIRMED"] * offers)
        assert callable(told)
        return told(sent)

    return answer


@pytest.fixture
def reader(till: Till) -> Reader:
    """North's first till with the collector's card."""
    return Reader(
        token=till.token,
        sponsor="LOY1",
        vendor="100087",
        acquirer="100000",
        store="0001",
        device="001",
        cards=("80000010001", "81111111111"),
    )


@pytest.fixture
def url(live_server: LiveServer) -> Iterator[str]:
    """Milepost over sockets; a thread that served leaves no connection to the database behind."""

    def let_go(**signal: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            connections.close_all()

    request_finished.connect(let_go)
    yield live_server.url
    request_finished.disconnect(let_go)


def test_no_check_of_schemathesis_is_left_out() -> None:
    known = {one.name for one in dataclasses.fields(ChecksConfig) if not one.name.startswith("_")}
    assert known == set(conformance.CHECKS)


def test_the_switch_does_what_its_document_says(
    reader: Reader, scripted: ScriptedPlatform, url: str
) -> None:
    scripted.will(programme())
    how = conformance.config(reader, base_url=url, cases=CASES, flows=FLOWS, steady=True)
    findings = conformance.run(reader.read(reference.document()), how)
    told = "\n".join(lines(findings))
    assert not findings.problems, told
    assert set(findings.checks) == {*conformance.CHECKS, *conformance.OURS}
    # Every phase had its part, and every call was tried and did something.
    assert set(findings.cases) == {"examples", "coverage", "fuzzing", "stateful"}
    assert set(findings.statuses) == {f"POST {path}" for path in PATHS}
    assert all(statuses[200] for statuses in findings.statuses.values()), told
    assert findings.total >= LEAST, told
    # How far a walk goes is left to chance, so each link has a test of its own below.
    assert any(map(findings.approved, LINKS)), told


@pytest.mark.parametrize("link", [link for link in LINKS if "[200]" in link])
def test_a_link_leads_to_an_approval(till: Till, scripted: ScriptedPlatform, link: str) -> None:
    scripted.will(programme())
    path, name = re.findall(r"POST (\S+) -> \[200\] (\w+)", link)[0]
    described = reference.document()["paths"][path]["post"]["responses"]["200"]["links"][name]
    asked = as_norths_till(path)
    told = till.post(path, asked)
    assert told.status == 200
    known = {"$request.body": asked, "$response.body": told.fields}
    linked = {}
    for field, source in described["requestBody"].items():
        of, _, found = source.partition("#/")
        # What names no field is meant as it is.
        if not of or found in known[of]:
            linked[field] = known[of][found] if of else source
    target = PATH_OF[described["operationId"]]
    heard = till.post(target, own_fields(target) | linked)
    assert heard.status == 200, heard.body
    if "/amcash/" in target:
        assert heard.code == "0000"
    if target == REVERSE_PATH:
        row = Transaction.objects.get(operation=Operation.REVERSE)
        assert row.state == State.APPROVED and row.reverses == told.row


def as_norths_till(path: str) -> dict[str, Any]:
    """Return a sample's request with the names of North's till."""
    request = {**next(one["request"] for one in sample("samples") if one["path"] == path)}
    own = {"sponsorCode": "LOY1", "locationCode": "0001"}
    return request | {name: value for name, value in own.items() if name in request}


def own_fields(path: str) -> dict[str, Any]:
    """Return a sample's request without what only another call can tell."""
    told = {"redemptionConfirmationNumber", "originalTransactionId", "originalClientTransactionId"}
    return {name: value for name, value in as_norths_till(path).items() if name not in told}
