"""The switch keeps to its own OpenAPI document whatever arrives: no server error, and no status and
no body that the document does not name.

A few hundred cases run with the suite, always the same; MILEPOST_CASES=1000 runs 12,000 others.
"""

import os
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, strategies
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as openapi

from amcash.messages import REVERSE_PATH
from amcash.tills import Call
from backoffice.journal.models import Transaction
from backoffice.wire import Reply, Silence
from backoffice.wsgi import application
from issuance.codes import FORMS
from tests import scripted as platform
from tests.issuance.stories import confirmed
from tests.scripted import ScriptedPlatform, Sent
from tests.switch.till import Till

pytestmark = pytest.mark.django_db(transaction=True)

GIVEN = os.environ.get("MILEPOST_CASES", "")
CASES = int(GIVEN or "20")
PATHS = [*(f"/checkout/amcash/{call}" for call in Call), *(form.path for form in FORMS.values())]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
]


def answer(sent: Sent) -> Reply | Silence:
    """Answer as the platform on a good day."""
    if sent.path == REVERSE_PATH:
        return platform.reversed_()
    if sent.path.startswith("/checkout/amcash/"):
        return platform.approved()
    offers = len(sent.fields.get("issuances") or "1")
    told = confirmed(*["CONFIRMED"] * offers)
    assert callable(told)
    return told(sent)


@pytest.mark.parametrize("path", PATHS)
def test_a_call_answers_as_its_document_says(
    till: Till, scripted: ScriptedPlatform, path: str
) -> None:
    scripted.will(answer)
    document = schemathesis.openapi.from_wsgi("/api/schema/", application)
    operation = document[path]["POST"]
    cases = strategies.one_of(
        operation.as_strategy(),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    statuses = set()

    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=not GIVEN,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=cases)
    def ask(case: schemathesis.Case[Any]) -> None:
        response = case.call(headers={"Authorization": f"Bearer {till.token}"})
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    ask()
    # Bad requests were among them, and none of them left.
    assert 400 in statuses
    assert len(scripted.sent) <= CASES
    assert Transaction.objects.count() <= len(scripted.sent) + CASES
